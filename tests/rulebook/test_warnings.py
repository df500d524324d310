"""What a sound rulebook is warned of: rules and milder cases that can never come about. It is loaded all the same."""

from pathlib import Path

import pytest

from shared.rulebook.loader import load_rulebook, parse_rulebook, shipped_rulebook
from tests.rulebook.texts import GOOD, HEADER, RULE

SMALL = Path(__file__).parents[2] / "docs" / "examples" / "small-studio.yaml"
UNSAID = "fires: [{declare: {use: null, deliverable: null, territories: null, rights: {refers_to: null}}}]"
ELSE = "near_miss: [{declare: {use: ideation, territories: [], rights: {refers_to: []}}}]"
MISS = "near_miss: [{}]"
FITS = "fires: [{declare: {deliverable: final}}]"


def warned(text: str) -> list[str]:
    return [str(warning) for warning in parse_rulebook({"r.yaml": text}).warnings]


def when(condition: str) -> list[str]:
    return warned(GOOD.replace("{deliverable: final}", condition, 1).replace(FITS, UNSAID).replace(MISS, ELSE))


def test_rulebooks_as_they_should_be_are_warned_of_nothing() -> None:
    assert shipped_rulebook().warnings == ()
    assert load_rulebook(SMALL).warnings == ()
    assert warned(GOOD) == []


@pytest.mark.parametrize(
    "condition",
    [
        "{all: [{deliverable: final}, {deliverable: temporary}]}",
        "{deliverable: final, not: {deliverable: final}}",
        "{use: marketing, any: [{use: previs}, {use: other, deliverable: final}]}",
        "{use: {not: [ideation, mood_board, reference_image, concept_art, previs, background_element,"
        " character_design, key_visual, set_extension, talent_work, audio_work, marketing, other]}}",
        "{territories: DE, not: {territories: DE}}",
        "{rights.refers_to: {some: {all: [{kind: estate}, {kind: own}]}}}",
    ],
)
def test_a_rule_that_can_never_fire_for_certain(condition: str) -> None:
    (warning,) = when(condition)
    assert warning.startswith("r.yaml:6:3: rules[0].when: `R-1` can never fire: no answers meet its condition")


@pytest.mark.parametrize(
    "condition",
    [
        "{use: [marketing, previs], not: {use: previs}}",
        "{use: {not: marketing}, deliverable: final}",
        "{territories: [DE, FR], not: {territories: FR}}",
        "{rights.refers_to: {some: {kind: estate, rights: {not: none}}}}",
        "{rights.refers_to: {some: {kind: estate}}, not: {rights.refers_to: {some: {kind: own}}}}",
        "{any: [{use: marketing}, {all: [{use: previs}, {use: other}]}]}",
    ],
)
def test_a_rule_that_some_answers_meet_is_no_reason_to_warn(condition: str) -> None:
    assert when(condition) == []


def test_the_remedy_names_what_excludes_itself() -> None:
    (warning,) = when("{all: [{deliverable: final}, {deliverable: temporary}]}")
    assert warning.endswith(
        "unless something is not known; it asks of `deliverable` what excludes itself;"
        " put alternatives into one list, or under `any:`"
    )


def test_shares_that_exclude_one_another_are_never_milder() -> None:
    found = "{kind: reference_match, reference: {id: r, bank: b}, detector: pdq, score: 1, share_of_upload: 0.4}"
    finding = (
        GOOD.replace("  when:", "  for: finding\n  when:")
        .replace("{deliverable: final}", "{finding.share_of_upload: {at_least: 0.3}}", 1)
        .replace(
            "outcome: caution", "outcome: caution\n  milder: {when: {finding.share_of_upload: LOW}, outcome: clear}"
        )
        .replace(FITS, f"fires: [{{findings: [{found}]}}]")
    )
    assert warned(finding.replace("LOW", "{below: 0.5}")) == []
    (warning,) = warned(finding.replace("LOW", "{below: 0.3}"))
    assert "it asks of `finding.share_of_upload` what excludes itself" in warning


def test_a_milder_case_that_never_comes() -> None:
    milder = "outcome: caution\n  milder: {when: {deliverable: DELIVERABLE}, outcome: clear}"
    assert warned(GOOD.replace("outcome: caution", milder.replace("DELIVERABLE", "final"))) == []
    (warning,) = warned(GOOD.replace("outcome: caution", milder.replace("DELIVERABLE", "temporary")))
    assert warning.startswith("r.yaml:8:12: rules[0].milder.when: `R-1` is never milder")


def test_a_rule_that_waits_for_others_which_always_fire() -> None:
    alone = (
        RULE.replace("R-1", "R-2").replace("outcome: caution", "outcome: clear\n  alone: true").removeprefix("rules:\n")
    )
    (warning,) = warned(GOOD + alone)
    assert warning.startswith("r.yaml:15:3: rules[1].alone: `R-2` never fires in its own examples: `R-1` raises")
    assert warned(HEADER + "rules:\n" + alone) == []
