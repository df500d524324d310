"""What a key without `review` sees of a verdict."""

import json

from shared.coarse import coarse, for_reader, full
from shared.events import VerdictReached
from shared.findings import Likeness, ReferenceMatch, ReferenceRef, Unscreenable
from shared.principal import Principal
from shared.verdicts import Outcome, Reason
from tests.ingest_stack import verdict

WORK = ReferenceRef(id="ref-1", bank="secret-stills", title="Harbour", external_id="HD-1")
MATCH = ReferenceMatch(
    reference=WORK, detector="local", score=0.8123, distance=9, share_of_upload=0.31, coverage_of_reference=0.88
)
REASON = Reason(rule="S", outcome=Outcome.ESCALATE, because="Holds 88% of Harbour, on 31 % of it", findings=(0,))
EVENT: VerdictReached = verdict(
    "a", outcome=Outcome.ESCALATE, findings=(MATCH, Likeness(performer="P", score=0.71), Unscreenable(reason="cut")),
    reasons=(REASON,),
)  # fmt: skip


def test_no_score_share_or_distance_is_left() -> None:
    text = json.dumps(coarse(EVENT.verdict)["findings"]) + coarse(EVENT.verdict)["reasons"][0]["because"]
    for number in ("0.8123", "0.31", "0.88", "0.71", "88%", "31 %", "distance", "score", "detector"):
        assert number not in text
    summed = EVENT.verdict.model_copy(update={"summary": "it fills 31% of the upload", "to_do": ("cut 88 %",)})
    assert coarse(summed)["summary"] == "it fills some of the upload"
    assert coarse(summed)["to_do"] == ["cut some"]
    [match, likeness, unscreenable] = coarse(EVENT.verdict)["findings"]
    assert match["reference"] == {"id": "ref-1", "bank": "secret-stills", "title": "Harbour"}
    assert match["upload_region"] == [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    assert likeness["performer"] == "P"
    assert unscreenable == {"kind": "unscreenable", "reason": "cut", "detail": ""}


def test_a_bank_may_hide_its_titles_everywhere() -> None:
    secret = MATCH.model_copy(update={"reference": WORK.model_copy(update={"hidden": True})})
    shown = coarse(EVENT.verdict.model_copy(update={"findings": (secret,)}))
    assert not any(word in json.dumps(shown) for word in ("Harbour", "ref-1", "HD-1"))
    assert shown["findings"][0]["reference"] == {"bank": "secret-stills"}
    assert "a protected work" in shown["reasons"][0]["because"]


def test_what_counts_stays_the_same() -> None:
    for name in ("id", "outcome", "revision", "versions", "sequence"):
        assert coarse(EVENT.verdict)[name] == full(EVENT.verdict)[name]


def test_reviewers_see_all() -> None:
    reviewer = Principal("k", "n", "p", frozenset({"review"}), frozenset({"*"}))
    reader = Principal("k", "n", "p", frozenset({"read", "upload"}), frozenset({"*"}))
    assert for_reader(EVENT.verdict, reviewer) == full(EVENT.verdict)
    assert for_reader(EVENT.verdict, reader) == coarse(EVENT.verdict)
