"""The form: it asks what matters, in order, and all that the rules will want to know."""

from typing import Any

from shared.declaration.form import answered, next_question, questions, relevant
from shared.declaration.parse import parse_declaration


def walk(choose: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Answers the form to its end: by the path with or without indices, else the first choice or a word."""
    answers: dict[str, Any] = {}
    asked: list[str] = []
    while (question := next_question(answers)) is not None:
        asked.append(question.field)
        defaults = {"choice": question.choices[:1], "text": ("word",), "texts": ([],), "entries": ([],)}
        default = defaults.get(question.kind, ({},))[0]
        answers = answered(answers, question.field, choose.get(question.field, default))
    return answers, asked


def test_without_generative_ai_little_is_asked():
    answers, asked = walk({"genai_used": "no"})
    assert asked == ["production", "title", "shot", "task", "version", "genai_used", "use", "deliverable",
                     "territories", "documents"]  # fmt: skip
    assert parse_declaration(answers).genai_used == "no"


def test_entries_are_asked_one_by_one():
    choose = {
        "talent": [{}],
        "talent[0].treatment": "re_ageing",
        "stages": [{}, {}],
        "stages[0].inputs": [{}],
        "stages[0].inputs[0].kind": "third_party",
        "stages[1].inputs": [{}],
        "stages[1].inputs[0].kind": "public",
        "stages[1].model": {},
    }
    answers, asked = walk(choose)
    assert "talent[0].agreed" not in asked
    assert "stages[0].inputs[0].rights" in asked
    assert "stages[1].inputs[0].rights" not in asked
    assert "stages[1].model.trained_on" in asked
    assert parse_declaration(answers).stages[0].tool == "word"


def test_whoever_trained_a_model_is_asked_and_bounds_only_where_a_performer_may_be_in_it():
    model = {"stages": [{}], "stages[0].model": {}, "stages[0].model.trained_on": [{}, {}]}
    kinds = [f"stages[0].model.trained_on[{number}].kind" for number in (0, 1)]
    bounds = {f"stages[0].model.{name}" for name in ("performer", "production", "scope", "quality_check")}
    for second, expected in (("public_domain", set()), ("performer", bounds), ("unknown", bounds)):
        _, asked = walk(model | dict(zip(kinds, ("own", second), strict=True)))
        assert {field for field in asked if field in bounds} == expected
    without = {"production": "p", "title": "t", "genai_used": "yes", "stages": [{}]}
    fields = []
    while (question := next_question(without, with_optional=False)) is not None:
        fields.append(question.field)
        without = answered(without, question.field, None)
    assert "stages[0].model" in fields


def test_placement_is_asked_of_background_elements_on_camera():
    _, asked = walk({"use": "background_element", "placement.on_camera": "yes"})
    assert "placement.character_interacts" in asked
    _, asked = walk({"use": "mood_board", "placement.on_camera": "yes"})
    assert "placement.character_interacts" not in asked


def test_optional_questions_can_be_left_out():
    answers = {"production": "p", "title": "t"}
    assert next_question(answers).field == "shot"
    assert next_question(answers, with_optional=False).field == "genai_used"


def test_every_question_has_words_and_every_condition_names_an_earlier_question():
    earlier: set[str] = set()
    for question in questions():
        assert question.ask.endswith((")", "?"))
        assert (question.kind == "choice") == bool(question.choices)
        assert set(question.when) <= earlier
        earlier.add(question.field)


def test_conditions_name_real_choices():
    choices = {question.field: set(question.choices) for question in questions()}
    for question in questions():
        for name, values in question.when.items():
            assert set(values) <= choices[name]


def test_answers_are_not_changed_in_place():
    answers = {"stages": [{"tool": "x"}]}
    more = answered(answers, "stages[0].vendor", "y")
    assert answers == {"stages": [{"tool": "x"}]}
    assert more == {"stages": [{"tool": "x", "vendor": "y"}]}
    assert [q.field for q in relevant(more) if q.field.endswith("vendor")] == ["stages[0].vendor"]
