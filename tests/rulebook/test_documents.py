"""Discharge: what a document covers, for how long, and on whose word."""

from datetime import UTC, datetime

import pytest

from shared.declaration.parse import parse_declaration
from shared.findings import FINDINGS
from shared.rulebook.documents import Dismissal
from shared.rulebook.facts import facts
from shared.rulebook.pins import pins_for
from shared.verdicts import Outcome

BEFORE, AFTER = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
REPLICA = [{"name": "A. Performer", "treatment": "re_ageing", "within_norms": "yes", "agreed": "yes"}]


def lifted(decision, rule: str) -> tuple[str, ...]:
    return next(reason.discharged_by for reason in decision.reasons if reason.rule == rule)


@pytest.fixture
def final(declared):
    """A final deliverable that needs one approval for P4 and A-FIN-1."""
    return declared(use="set_extension", deliverable="final", territories=["DE", "FR"])


@pytest.mark.parametrize(
    ("changes", "covers"),
    [
        ({}, True),
        ({"valid_from": BEFORE, "valid_until": AFTER}, True),
        ({"valid_from": AFTER}, False),
        ({"valid_until": BEFORE}, False),
        ({"revoked_at": BEFORE}, False),
        ({"revoked_at": AFTER}, True),
        ({"kind": "legal_review"}, False),
        ({"rules": ("P2",)}, False),
        ({"scope": {"production": "borea"}}, False),
        ({"scope": {"uses": ("set_extension", "previs")}}, True),
        ({"scope": {"uses": ("mood_board",)}}, False),
        ({"scope": {"stages": ("generate",)}}, False),  # a rule about the asset is not of one stage
        ({"scope": {"territory": ("FR", "DE", "ES")}}, True),
        ({"scope": {"territory": ("FR",)}}, False),
        ({"scope": {"talent": ("A. Performer",)}}, False),  # nobody is declared
        ({"scope": {"assets": ("asset",)}}, False),  # without a pin
        ({"scope": {"assets": ("another",)}}, False),
        ({"recorded_by": "una"}, True),  # confirmed by another person
        ({"recorded_by": "una", "confirmed_by": None}, False),
        ({"recorded_by": " UNA ", "confirmed_by": "una"}, False),
        ({"given_by": "una"}, False),
        ({"confirmed_by": None}, True),  # the rule asks for one person
    ],
)
def test_an_approval_of_a_final_deliverable(judge, document, final, changes, covers):
    scope = changes.pop("scope", {})
    approval = document("written_approval", "P4", "A-FIN-1", scope=scope)
    approval = approval.model_copy(update=changes)
    decision = judge(final, documents=[approval])
    assert lifted(decision, "A-FIN-1") == ((approval.id,) if covers else ())
    assert decision.outcome is (Outcome.CLEAR if covers else Outcome.ESCALATE)


def test_unknown_territories_meet_no_limit(judge, declared, document):
    approval = document("written_approval", "P4", "A-FIN-1", scope={"territory": ["DE"]})
    decision = judge(declared(use="other", deliverable="final"), documents=[approval])
    assert lifted(decision, "A-FIN-1") == ()


def test_two_people_where_the_rule_says_so(judge, declared, document):
    case = declared(talent=REPLICA)
    papers = [document("consent", "A-TAL-1"), document("written_approval", "A-TAL-1", confirmed_by=None)]
    waiting = judge(case, documents=papers)
    assert lifted(waiting, "A-TAL-1") == ()
    assert any("waits for a second person" in line for line in waiting.to_do)

    for second in ("rita", "una"):
        same = papers[1].model_copy(update={"confirmed_by": second})
        assert lifted(judge(case, documents=[papers[0], same]), "A-TAL-1") == ()
    confirmed = papers[1].model_copy(update={"confirmed_by": "ron"})
    assert lifted(judge(case, documents=[papers[0], confirmed]), "A-TAL-1") == (papers[0].id, confirmed.id)


def test_consent_covers_the_performers_it_names(judge, declared, document):
    both = [REPLICA[0], REPLICA[0] | {"name": "B. Performer"}]
    consent = document("consent", "P5", scope={"talent": ["a. performer"]})
    reasons = [r for r in judge(declared(talent=both), documents=[consent]).reasons if r.rule == "P5"]
    assert {("A. Performer" in r.because, bool(r.discharged_by)) for r in reasons} == {(True, True), (False, False)}


def test_approval_of_one_stage(judge, declared, document):
    case = declared(stage={"stores_reuses_or_trains": "yes"})
    case["stages"].append(case["stages"][0] | {"name": "upscale"})
    approval = document("written_approval", "P2", scope={"stages": ["upscale"]})
    by_stage = {r.stage: r.discharged_by for r in judge(case, documents=[approval]).reasons if r.rule == "P2"}
    assert by_stage == {"1: generate": (), "2: upscale": (approval.id,)}


def test_one_alternative_met_whole_is_enough(judge, declared, document):
    case = declared(rights={"recreates_protected": "yes"})
    approval, review = document("written_approval", "P1"), document("legal_review", "P1")
    clearance = document("rights_clearance", "P1")
    assert lifted(judge(case, documents=[approval]), "P1") == ()
    assert lifted(judge(case, documents=[approval, review]), "P1") == (approval.id, review.id)
    assert lifted(judge(case, documents=[approval, review, clearance]), "P1") == (clearance.id,)


def test_the_document_that_lasts_longest_is_named(judge, document, final):
    ends = {"short": AFTER, "long": datetime(2027, 1, 1, tzinfo=UTC), "endless": None}
    papers = [document("written_approval", "A-FIN-1", id=name, valid_until=end) for name, end in ends.items()]
    assert lifted(judge(final, documents=papers), "A-FIN-1") == ("endless",)
    assert lifted(judge(final, documents=papers[:2]), "A-FIN-1") == ("long",)


def test_a_document_names_a_row_or_one_variant(judge, declared, document):
    case = declared(stage={"environment": "consumer", "inputs": [{"kind": "own"}]})
    row = judge(case, documents=[document("written_approval", "P3")])
    assert row.outcome is Outcome.CLEAR
    variant = judge(case, documents=[document("written_approval", "P3/sensitive-inputs")])
    assert (variant.outcome, lifted(variant, "P3")) == (Outcome.CAUTION, ())


def test_approval_of_one_asset_lapses_when_the_facts_change(judge, rulebook, declared, document):
    case = declared(stage={"stores_reuses_or_trains": "yes"})
    pins = pins_for(rulebook, facts(parse_declaration(case), ()), ["P2"])
    assert len(pins) == 1
    approval = document("written_approval", "P2", scope={"assets": ["asset"]}, pins=pins)
    assert judge(case, documents=[approval]).outcome is Outcome.CLEAR
    assert judge(case | {"title": "renamed"}, documents=[approval]).outcome is Outcome.CLEAR
    other_tool = declared(stage={"stores_reuses_or_trains": "yes", "tool": "another tool"})
    assert judge(other_tool, documents=[approval]).outcome is Outcome.ESCALATE
    unsure = declared(stage={"stores_reuses_or_trains": "unsure"})
    assert judge(unsure, documents=[approval]).outcome is Outcome.ESCALATE
    assert judge(case, documents=[approval], asset_id="another").outcome is Outcome.ESCALATE


def test_an_unscreenable_file_needs_approval_of_this_very_file(judge, rulebook, declared, document):
    broken = {"kind": "unscreenable", "reason": "truncated"}
    production_wide = document("written_approval", "S-UNSCREENABLE")
    assert judge(declared(), broken, documents=[production_wide]).outcome is Outcome.ESCALATE
    case = facts(parse_declaration(declared()), FINDINGS.validate_python([broken]))
    pins = pins_for(rulebook, case, ["S-UNSCREENABLE"])
    of_file = document("written_approval", "S-UNSCREENABLE", scope={"assets": ["asset"]}, pins=pins)
    assert judge(declared(), broken, documents=[of_file]).outcome is Outcome.CLEAR
    assert judge(declared(), broken | {"reason": "resource_limit"}, documents=[of_file]).outcome is Outcome.ESCALATE


def test_nothing_lifts_an_undeclared_mark(judge, no_genai, document):
    mark = {"kind": "provenance", "source": "exif", "claim": "a generator"}
    kinds = ("written_approval", "consent", "legal_review", "rights_clearance")
    decision = judge(no_genai(), mark, mark, documents=[document(kind, "S-UNDECLARED") for kind in kinds])
    undeclared = [reason for reason in decision.reasons if reason.rule == "S-UNDECLARED"]
    assert [(reason.discharged_by, reason.findings) for reason in undeclared] == [((), (0, 1))]


def test_an_allow_bank_lifts_matches_on_the_same_region(judge, declared, match):
    region = [[0.1, 0.1], [0.6, 0.1], [0.6, 0.6], [0.1, 0.6]]
    owned = match("whole", purpose="allow", reference={"id": "own-1", "bank": "ours"}, upload_region=region)
    same = judge(declared(), match("whole", upload_region=region), owned)
    assert same.outcome is Outcome.CLEAR
    assert lifted(same, "S-MATCH-WHOLE") == ("ours/own-1",)
    inside = [[0.2, 0.2], [0.3, 0.2], [0.3, 0.3], [0.2, 0.3]]
    assert judge(declared(), match("whole", upload_region=inside), owned).outcome is Outcome.ESCALATE


def test_a_dismissed_match_is_lifted_for_this_asset_and_reference_only(judge, declared, match):
    other = match("whole", reference={"id": "ref-2", "bank": "protected"}, share_of_upload=0.5)
    dismissal = Dismissal(id="not-1", asset_id="asset", reference_id="ref-1")
    decision = judge(declared(), match("whole"), other, dismissals=[dismissal])
    lifts = {reason.findings: reason.discharged_by for reason in decision.reasons if reason.rule == "S-MATCH-WHOLE"}
    assert lifts == {(0,): ("not-1",), (1,): ()}
    elsewhere = Dismissal(id="not-2", asset_id="another", reference_id="ref-1")
    assert judge(declared(), match("whole"), dismissals=[elsewhere]).outcome is Outcome.ESCALATE
    assert judge(declared(), match("whole"), dismissals=[dismissal]).outcome is Outcome.CLEAR


def test_likeness_needs_the_consent_of_that_performer(judge, declared, document):
    likeness = {"kind": "likeness", "performer": "A. Performer", "score": 0.9}
    assert judge(declared(), likeness).outcome is Outcome.ESCALATE
    for name, outcome in (("A. Performer", Outcome.CLEAR), ("B. Performer", Outcome.ESCALATE)):
        consent = document("consent", "S-LIKENESS", scope={"talent": [name]})
        assert judge(declared(), likeness, documents=[consent]).outcome is outcome
