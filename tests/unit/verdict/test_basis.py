"""When a new revision would say nothing new: measured values move a little whenever the reference set grows."""

from typing import Any

import pytest

from services.verdict.record import basis
from shared.findings import ReferenceMatch, ReferenceRef, TrailingData
from shared.verdicts import Outcome, Reason

MATCH = ReferenceMatch(
    reference=ReferenceRef(id="r1", bank="protected"), detector="local", score=0.91, extent="part", share_of_upload=0.2
)
OTHER = MATCH.model_copy(update={"reference": ReferenceRef(id="r2", bank="protected"), "score": 0.8})
REASON = Reason(rule="S-MATCH-PART", outcome=Outcome.CAUTION, because="holds 20%", findings=(0,))


def _basis(*findings: Any, **changes: Any) -> str:
    return basis(Outcome.CAUTION, [REASON.model_copy(update=changes)], findings)


def test_a_score_a_share_and_an_outline_may_move() -> None:
    moved = MATCH.model_copy(update={"score": 0.88, "share_of_upload": 0.21, "transform": "turned_2"})
    assert _basis(moved, because="holds 21%") == _basis(MATCH)


def test_the_order_of_findings_says_nothing() -> None:
    assert _basis(OTHER, MATCH, findings=(1,)) == _basis(MATCH, OTHER, findings=(0,))


@pytest.mark.parametrize(
    "findings",
    [
        (),
        (OTHER,),
        (MATCH, OTHER),
        (MATCH.model_copy(update={"extent": "whole"}),),
        (MATCH.model_copy(update={"detector": "pdq"}),),
        (MATCH, TrailingData(bytes=3)),
    ],
)
def test_another_work_class_or_detector_is_news(findings: tuple[Any, ...]) -> None:
    assert _basis(*findings, findings=(0,) if findings else ()) != _basis(MATCH)


def test_another_document_or_stage_is_news() -> None:
    assert _basis(MATCH, discharged_by=("d1",)) != _basis(MATCH)
    assert _basis(MATCH, stage="2: upscale") != _basis(MATCH)
