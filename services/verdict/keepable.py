"""Refuses events that no database of ours could keep, before they stop a worker at every attempt. Pure."""

from collections.abc import Iterable

from pydantic import ValidationError

from shared.errors import Reject
from shared.events import AssetScreened

LONGEST_NAME = 200
_LARGEST_NUMBER = 2**31 - 1


def check_names(names: Iterable[str]) -> None:
    """Ids and slugs: short, and without NUL, which PostgreSQL cannot keep. Raises Reject."""
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
            raise Reject("unkeepable_event", f"an id of 1 to {LONGEST_NAME} characters without NUL is needed")


def check_screened(event: AssetScreened) -> None:
    """Raises Reject for a screening that could not be read back as it is."""
    submitted = event.submitted
    if (submitted.asset_id, submitted.production) != (event.asset_id, event.production):
        raise Reject("inconsistent_event", "the screening and the upload it holds name different assets or productions")
    check_names((event.asset_id, event.production, event.cause_id))
    if event.number > _LARGEST_NUMBER:
        raise Reject("unkeepable_event", f"number {event.number} is beyond {_LARGEST_NUMBER}")
    if submitted.submitted_at.tzinfo is None:
        raise Reject("unkeepable_event", "submitted_at has no time zone")
    try:
        same = AssetScreened.model_validate_json(event.model_dump_json(exclude_none=True)) == event
    except ValidationError:
        same = False
    if not same:
        raise Reject("unkeepable_event", "a value such as NaN cannot be written down and read back")


def kept_text(text: str) -> str:
    """Without NUL, for columns of plain text."""
    return text.replace("\0", "\ufffd")
