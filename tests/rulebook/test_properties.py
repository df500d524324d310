"""What must hold for every declaration: faults never help, silence never passes, documents lift only what they name."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.verdict.decide import Decision
from shared.verdicts import Outcome

T = ("yes", "no", "unsure")
T1 = (*T, "not_applicable")
RIGHTS = ("owned", "licensed", "none", "unsure")


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any subset of the fields: silence is always possible."""
    return st.fixed_dictionaries({}, optional=fields)


def one(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def up_to_two(item: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(item, max_size=2)


MODELS = some(
    trained_on=up_to_two(
        some(
            kind=one("own", "licensed", "public_domain", "copyrighted", "artist_style", "performer", "unknown"),
            rights=one(*RIGHTS),
        )
    ),
    performer=one("A"),
    production=one("atlas", "borea"),
    scope=one("agreed"),
    quality_check=one(*T),
)
STAGES = some(
    name=one("upscale"),
    vendor=one("a vendor"),
    tool=one("a tool"),
    environment=one("enterprise", "consumer", "unsure"),
    stores_reuses_or_trains=one(*T),
    human_control=one(*T),
    output_checked=one(*T),
    inputs=up_to_two(
        some(kind=one("public", "own", "unreleased", "personal", "talent", "third_party"), rights=one(*RIGHTS))
    ),
    model=MODELS,
)
TALENT = some(
    name=one("A", "B"),
    treatment=one("customary_enhancement", "dubbing", "alteration", "lip_sync", "digital_replica", "synthetic_voice"),
    within_norms=one(*T1),
    agreed=one(*T1),
)
DECLARATIONS = some(
    genai_used=one("yes", "unsure"),
    use=one("mood_board", "concept_art", "background_element", "character_design", "key_visual", "other"),
    deliverable=one("temporary", "final"),
    output_nature=one("generated", "enhanced", "mixed"),
    story_role=one("none", "supporting_character", "main_character", "key_visual"),
    placement=some(on_camera=one(*T), legible_in_focus=one(*T1), character_interacts=one(*T1), story_relevant=one(*T1)),
    rights=some(
        recreates_protected=one(*T),
        refers_to=up_to_two(some(kind=one("copyrighted", "performer", "own"), rights=one(*RIGHTS))),
    ),
    truth=some(misleading_as_real=one(*T), factual_programme=one(*T)),
    union=some(effect=one("none", "affects", "replaces", "unsure")),
    talent=up_to_two(TALENT),
    stages=up_to_two(STAGES),
).map(lambda fields: {"production": "atlas"} | fields)
MATCH = {"kind": "reference_match", "reference": {"id": "r", "bank": "b"}, "detector": "pdq", "score": 0.9}
FINDINGS = up_to_two(
    one("whole", "part", "element", "common").map(lambda extent: MATCH | {"extent": extent})
    | st.just({"kind": "unscreenable", "reason": "truncated"})
    | one("tampered", "trusted").map(
        lambda trust: {"kind": "provenance", "source": "c2pa", "claim": "x", "trust": trust, "generative": True}
    )
    | one("audio", "video").map(lambda media: {"kind": "not_matched", "media": media})
)
MANY = settings(max_examples=80, deadline=None)

ANSWERS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("genai_used",): ("yes",),
    ("placement", "on_camera"): ("yes", "no"),
    ("placement", "legible_in_focus"): ("yes", "no", "not_applicable"),
    ("placement", "character_interacts"): ("yes", "no", "not_applicable"),
    ("placement", "story_relevant"): ("yes", "no", "not_applicable"),
    ("rights", "recreates_protected"): ("yes", "no"),
    ("truth", "misleading_as_real"): ("yes", "no"),
    ("truth", "factual_programme"): ("yes", "no"),
    ("union", "effect"): ("none", "affects", "replaces"),
    ("deliverable",): ("temporary", "final"),
    ("output_nature",): ("generated", "enhanced", "mixed"),
    ("story_role",): ("none", "main_character", "key_visual"),
    ("use",): ("mood_board", "background_element", "character_design", "other"),
    ("stages", "environment"): ("enterprise", "consumer"),
    ("stages", "stores_reuses_or_trains"): ("yes", "no"),
    ("stages", "human_control"): ("yes", "no"),
    ("stages", "output_checked"): ("yes", "no"),
    ("stages", "inputs"): ([], [{"kind": "personal"}], [{"kind": "third_party", "rights": "none"}]),  # type: ignore[dict-item]
    ("talent", "treatment"): ("dubbing", "customary_enhancement", "alteration", "re_ageing"),
    ("talent", "within_norms"): ("yes", "no", "not_applicable"),
    ("talent", "agreed"): ("yes", "no", "not_applicable"),
}
FAULTS: list[tuple[tuple[str, ...], Any]] = [
    (("deliverable",), "final"),
    (("output_nature",), "generated"),
    (("placement", "on_camera"), "yes"),
    (("placement", "character_interacts"), "yes"),
    (("rights", "recreates_protected"), "yes"),
    (("rights", "refers_to"), [{"kind": "copyrighted", "rights": "none"}]),
    (("truth", "misleading_as_real"), "yes"),
    (("union", "effect"), "replaces"),
    (("stages", "environment"), "consumer"),
    (("stages", "stores_reuses_or_trains"), "yes"),
    (("stages", "human_control"), "no"),
    (("stages", "output_checked"), "no"),
    (("talent", "within_norms"), "no"),
    (("talent", "agreed"), "no"),
]
MORE_FAULTS: list[tuple[tuple[str, ...], Any]] = [
    (("story_role",), "main_character"),
    (("placement", "story_relevant"), "yes"),
    (("placement", "legible_in_focus"), "yes"),
    (("truth", "factual_programme"), "yes"),
    (("union", "effect"), "affects"),
    (("stages", "tool"), None),
    (("stages", "inputs"), [{"kind": "public"}, {"kind": "unreleased"}]),
    (("stages", "inputs"), [{"kind": "talent", "rights": "none"}]),
    (("stages", "model"), {"trained_on": [{"kind": "artist_style", "rights": "none"}]}),
    (("stages", "model"), {"trained_on": [], "performer": "A", "production": "borea", "quality_check": "no"}),
    (("talent",), [{"name": "B", "treatment": "re_ageing", "within_norms": "yes", "agreed": "yes"}]),
]
UNSURE = [path for path, answers in ANSWERS.items() if "no" in answers or path[-1] in ("effect", "environment")]


def changed(declaration: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The declaration with one field set in all entries; None takes it away."""
    case = copy.deepcopy(declaration)
    inner = len(path) == 2 and path[0] not in ("stages", "talent")
    holders = [case] if len(path) == 1 else case.get(path[0], {} if inner else [])
    for holder in holders if isinstance(holders, list) else [holders]:
        holder.pop(path[-1], None)
        if value is not None:
            holder[path[-1]] = value
    if inner:
        case[path[0]] = holders
    return case


def gravity(decision: Decision) -> int:
    return decision.outcome.gravity


def by_rule(decision: Decision) -> dict[str, int]:
    """How grave each rule that raises the outcome is."""
    graves: dict[str, int] = {}
    for reason in decision.reasons:
        graves[reason.rule] = max(reason.outcome.gravity, graves.get(reason.rule, 0))
    return {rule: grave for rule, grave in graves.items() if grave}


def at_least_as_grave(worse: Decision, better: Decision) -> bool:
    """Rule by rule: one that escalates anyway must not hide another that was lost."""
    graves = by_rule(worse)
    return all(graves.get(rule, 0) >= grave for rule, grave in by_rule(better).items())


@MANY
@given(declaration=DECLARATIONS, findings=FINDINGS, fault=st.sampled_from(FAULTS))
def test_an_added_fault_never_lowers_the_outcome(judge, declaration, findings, fault):
    worse = changed(declaration, *fault)
    assert gravity(judge(worse, *findings)) >= gravity(judge(declaration, *findings))


@MANY
@given(declaration=DECLARATIONS, findings=FINDINGS, more=FINDINGS)
def test_an_added_finding_never_lowers_the_outcome(judge, declaration, findings, more):
    assert at_least_as_grave(judge(declaration, *findings, *more), judge(declaration, *findings))


@MANY
@given(data=st.data(), findings=FINDINGS)
def test_from_what_is_nearly_clear_faults_pile_up_and_never_lower(judge, declared, data, findings):
    """Starts where the outcome can still fall: at case 1, with work on a performer that is agreed and within norms."""
    case = declared(talent=[{"name": "A", "treatment": "dubbing", "within_norms": "yes", "agreed": "yes"}])
    before = gravity(judge(case, *findings))
    faults = st.lists(st.sampled_from([*FAULTS, *MORE_FAULTS]), max_size=4, unique_by=lambda fault: fault[0])
    for path, value in data.draw(faults):
        case = changed(case, path, value)
        after = gravity(judge(case, *findings))
        assert after >= before, path
        before = after


@MANY
@given(declaration=DECLARATIONS, stage=STAGES, talent=TALENT)
def test_an_added_stage_or_performer_never_lowers_the_outcome(judge, declaration, stage, talent):
    before = gravity(judge(declaration))
    if declaration.get("stages"):
        assert gravity(judge(declaration | {"stages": [*declaration["stages"], stage]})) >= before
    if "talent" in declaration:
        assert gravity(judge(declaration | {"talent": [*declaration["talent"], talent]})) >= before


@pytest.mark.parametrize("path", ANSWERS, ids=".".join)
@settings(max_examples=12, deadline=None)
@given(declaration=DECLARATIONS, findings=FINDINGS)
def test_silence_never_passes_as_any_answer(judge, path, declaration, findings):
    silent = judge(changed(declaration, path, None), *findings)
    for answer in ANSWERS[path]:
        assert at_least_as_grave(silent, judge(changed(declaration, path, answer), *findings))


@pytest.mark.parametrize("path", UNSURE, ids=".".join)
def test_from_a_clear_case_silence_and_unsure_are_the_same_and_never_pass(judge, declared, path):
    dubbed = [{"name": "A", "treatment": "dubbing", "within_norms": "yes", "agreed": "yes"}]
    case = declared(use="background_element", deliverable="final", output_nature="enhanced", talent=dubbed)
    silent, unsure = judge(changed(case, path, None)), judge(changed(case, path, "unsure"))
    assert silent == unsure
    assert max(gravity(judge(changed(case, path, answer))) for answer in ANSWERS[path]) <= gravity(unsure)


@MANY
@given(
    declaration=DECLARATIONS,
    findings=FINDINGS,
    kind=one("written_approval", "consent", "legal_review", "rights_clearance"),
    rules=st.lists(one("P1", "P2", "P3", "P5", "A-FIN-1", "A-TAL-2", "S-MATCH-WHOLE", "W-2"), min_size=1, unique=True),
)
def test_documents_lift_only_what_they_name(judge, document, declaration, findings, kind, rules):
    before = judge(declaration, *findings)
    after = judge(declaration, *findings, documents=[document(kind, *rules)])
    assert {(r.rule, r.stage, r.because) for r in after.reasons} == {
        (r.rule, r.stage, r.because) for r in before.reasons
    }
    for reason in after.reasons:
        named = reason.rule.partition("/")[0] in rules
        meets = (kind,) in reason.needs
        assert reason.counts is not (named and meets)
    assert after.outcome is max(
        (r.outcome for r in after.reasons if r.counts), key=lambda o: o.gravity, default=Outcome.CLEAR
    )
