"""A rule in shadow is run and never counts: not in outcome, reasons, advice or examples of a diff."""

from datetime import UTC, datetime

from services.verdict.decide import decide
from shared.declaration.parse import parse_declaration
from shared.rulebook.diff import diff
from shared.rulebook.documents import Papers
from shared.rulebook.explain import explain
from shared.rulebook.facts import facts
from shared.rulebook.loader import parse_rulebook
from shared.rulebook.written import as_written
from shared.verdicts import Outcome
from tests.rulebook.texts import GOOD, RULE

NOW = datetime(2026, 10, 1, tzinfo=UTC)
GRAVE = RULE.replace("R-1", "R-2").replace("outcome: caution", "outcome: escalate").removeprefix("rules:\n")
COUNTING = GOOD + GRAVE
BESIDE = GOOD + GRAVE.replace("outcome: escalate", "outcome: escalate\n  shadow: true")


def judged(text: str, *, with_shadow: bool = False):
    case = facts(parse_declaration({"production": "p", "genai_used": "yes", "deliverable": "final"}), ())
    decision = decide(parse_rulebook({"r.yaml": text}), case, Papers(), NOW, with_shadow=with_shadow)
    return decision.outcome, [reason.rule for reason in decision.reasons]


def test_it_never_counts() -> None:
    assert judged(COUNTING) == (Outcome.ESCALATE, ["R-2", "R-1"])
    assert judged(BESIDE) == (Outcome.CAUTION, ["R-1"])


def test_what_it_would_say_can_be_asked_for() -> None:
    assert judged(BESIDE, with_shadow=True) == judged(COUNTING)
    assert parse_rulebook({"r.yaml": BESIDE}).in_shadow == ("R-2",)


def test_its_examples_run_all_the_same() -> None:
    rule = parse_rulebook({"r.yaml": BESIDE}).rule("R-2")
    assert rule is not None
    assert rule.shadow


def test_bringing_it_out_of_the_shadow_is_a_change_of_rules_and_examples() -> None:
    found = diff(parse_rulebook({"r.yaml": BESIDE}), parse_rulebook({"r.yaml": COUNTING}))
    assert [(change.rule, [field.field for field in change.fields]) for change in found.rules] == [("R-2", ["shadow"])]
    assert {(case.before, case.after, case.gained) for case in found.examples} == {
        (Outcome.CAUTION, Outcome.ESCALATE, ("R-2",))
    }


def test_an_explanation_says_so() -> None:
    rules = as_written(parse_rulebook({"r.yaml": BESIDE})).rules
    assert [explain(rule).in_shadow for rule in rules.values()] == [False, True]
