"""What a message on the worker's topics asks for."""

import pytest

from services.verdict.worker import occasion_of
from shared.errors import Reject
from shared.events import RescanRequested
from tests.screenings import MATCH, START, screened


def rescan(*anew: str) -> RescanRequested:
    return RescanRequested.model_validate(
        {"asset_id": "a", "production": "atlas", "rescan_id": "r", "anew": anew, "requested_at": START}
    )


def test_a_screening_is_decided_for_its_own_cause() -> None:
    event = screened("a", cause="rescanned", cause_id="r")
    occasion = occasion_of(event)
    assert occasion is not None
    assert (occasion.key, occasion.screened) == (("a", "rescanned", "r"), event)


def test_a_rescan_of_the_rulebook_is_decided_from_what_is_held() -> None:
    occasion = occasion_of(rescan("rulebook"))
    assert occasion is not None
    assert (occasion.key, occasion.screened) == (("a", "rescanned", "r"), None)


@pytest.mark.parametrize("anew", [("references",), ("engine",), ("rulebook", "references")])
def test_what_screening_takes_up_first_is_left_to_it(anew: tuple[str, ...]) -> None:
    assert occasion_of(rescan(*anew)) is None


def test_a_screening_that_contradicts_its_upload_is_rejected() -> None:
    forged = screened("a").model_copy(update={"production": "borealis"})
    with pytest.raises(Reject, match="inconsistent_event"):
        occasion_of(forged)


def test_any_other_event_is_rejected() -> None:
    with pytest.raises(Reject, match="unexpected_event"):
        occasion_of(screened("a").submitted)


@pytest.mark.parametrize(
    "change",
    [
        {"cause_id": ""},
        {"cause_id": "x" * 201},
        {"cause_id": "nul\0"},
        {"number": 2**40},
        {"findings": (MATCH.model_copy(update={"share_of_upload": float("nan")}),)},
    ],
)
def test_what_no_database_could_keep_is_rejected(change: dict[str, object]) -> None:
    with pytest.raises(Reject, match="unkeepable_event"):
        occasion_of(screened("a").model_copy(update=change))


def test_a_time_without_a_zone_is_rejected() -> None:
    event = screened("a")
    submitted = event.submitted.model_copy(update={"submitted_at": START.replace(tzinfo=None)})
    with pytest.raises(Reject, match="time zone"):
        occasion_of(event.model_copy(update={"submitted": submitted}))
