"""Rules in words, and what changes between rulebooks."""

from typing import Any

import pytest

from shared.rulebook.diff import diff
from shared.rulebook.explain import condition_in_words, explain, lifted_by
from shared.rulebook.loader import parse_rulebook, shipped_rulebook
from shared.rulebook.model import ExampleText
from shared.rulebook.written import as_written, example_in_words
from shared.verdicts import Outcome


def test_every_shipped_rule_can_be_explained() -> None:
    shipped = shipped_rulebook()
    explained = [explain(rule) for rule in as_written(shipped).rules.values()]
    assert [one.rule for one in explained] == [rule.id for rule in shipped.rules]
    for one in explained:
        assert one.when
        assert one.fires
        assert not any("{" in line or "None" in line for line in one.when)


def test_nested_conditions_are_indented() -> None:
    when = {
        "genai_used": "yes",
        "any": [{"use": ["key_visual", "marketing"]}, {"deliverable": "final", "placement.on_camera": "yes"}],
        "not": {"production": "atlas"},
    }
    assert condition_in_words(when, "asset") == (
        "generative AI was used (declared, or marked in the file): yes",
        "at least one of these:",
        "  what it is used for: key visual or marketing",
        "  all of these:",
        "    what it is delivered as (temporary or final): final",
        "    it is seen on camera: yes",
        "not:",
        "  the production's slug: atlas",
    )


def test_tests_of_lists_and_numbers_read_as_words() -> None:
    when = {
        "finding.share_of_upload": {"at_least": 0.1, "below": 0.3},
        "rights.refers_to": {"none": {"kind": "estate"}},
        "use": {"not": "marketing"},
    }
    share, refers, use = condition_in_words(when, "finding")
    assert share.endswith(": at least 10% and below 30%")
    assert refers.endswith(": none with the kind of material referred to: estate")
    assert use == "what it is used for: anything but marketing"


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ({}, "the baseline itself"),
        ({"declare": {"deliverable": None}}, "what it is delivered as (temporary or final): not said"),
        ({"declare": {"placement": {"on_camera": "yes"}}}, "it is seen on camera: yes"),
        (
            {"stage": {"inputs": [{"kind": "public"}, {"kind": "third_party", "rights": "none"}]}},
            "the material that goes in: public, third party (rights: none)",
        ),
        ({"stage": {"inputs": [], "model": {"scope": "noise"}}}, "the material that goes in: none; scope: noise"),
        ({"talent": {"treatment": "lip_sync"}}, "what is done to likeness or performance: lip sync"),
        (
            {"findings": [{"kind": "reference_match", "reference": {"id": "r"}, "extent": "part", "score": 0.7}]},
            "found: reference match (how much of a protected work the upload holds: part)",
        ),
        (
            {"findings": [{"kind": "reference_match", "share_of_upload": 0.08}, {"kind": "unscreenable"}]},
            "found: reference match (the share of the upload that the work fills: 8%); found: unscreenable",
        ),
    ],
)
def test_an_example_reads_as_words(example: dict[str, Any], words: str) -> None:
    assert example_in_words(ExampleText.model_validate(example)) == words


def test_what_lifts_a_rule() -> None:
    needs = [["written_approval", "legal_review"], ["consent"]]
    assert lifted_by(needs) == "a written approval together with a legal review, or consent"
    assert lifted_by([["consent"]], two=True) == "consent, once a second person has confirmed it"
    assert lifted_by([]) == "nothing; only a change of the facts"


def test_added_and_removed_rules_and_the_examples_that_turn_are_found() -> None:
    shipped = shipped_rulebook()
    files = dict(shipped.sources)
    start = files["10-principles.yaml"].index("  - id: P3\n")
    end = files["10-principles.yaml"].index("  - id: P3/sensitive-inputs")
    files["10-principles.yaml"] = files["10-principles.yaml"][:start] + files["10-principles.yaml"][end:]
    found = diff(shipped, parse_rulebook(files))
    back = diff(parse_rulebook(files), shipped)
    assert [(change.rule, change.change) for change in found.rules] == [("P3", "removed")]
    assert [(change.rule, change.change) for change in back.rules] == [("P3", "added")]
    turned = [
        case
        for case in found.examples
        if case.rule == "P3" and case.example == "the environment the tool runs in: consumer"
    ]
    assert [(case.before, case.after, case.lost) for case in turned] == [(Outcome.CAUTION, Outcome.CLEAR, ("P3",))]
    assert len(found.examples) == len(back.examples) < found.examples_compared


def test_a_rulebook_does_not_differ_from_itself() -> None:
    same = diff(shipped_rulebook(), shipped_rulebook())
    assert (same.rules, same.examples) == ((), ())
    assert same.examples_compared > len(shipped_rulebook().rules)
