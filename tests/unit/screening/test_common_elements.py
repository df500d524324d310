from datetime import UTC, datetime

import pytest

from services.screening.findings import is_common
from shared.events import CommonElement
from shared.findings import WHOLE_PICTURE, Region


def box(left: float, top: float, right: float, bottom: float) -> Region:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def mark(region: Region | None) -> CommonElement:
    return CommonElement(region=region, marked_by="rita", marked_at=datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("part", "marks", "common"),
    [
        (box(0.1, 0.82, 0.9, 0.98), [box(0, 0.8, 1, 1)], True),
        (box(0.1, 0.78, 0.9, 0.98), [box(0, 0.8, 1, 1)], True),  # nine tenths of it
        (box(0.1, 0.6, 0.9, 1), [box(0, 0.8, 1, 1)], False),  # half of it
        (box(0, 0.8, 1, 1), [box(0, 0.8, 0.5, 1), box(0.5, 0.8, 1, 1)], True),
        (box(0, 0, 0.2, 0.2), [box(0, 0.8, 1, 1)], False),
        (WHOLE_PICTURE, [box(0, 0.8, 1, 1)], False),
        (WHOLE_PICTURE, [None], True),
        (WHOLE_PICTURE, [], False),
    ],
)
def test_a_part_is_common_where_four_fifths_of_it_are_marked(
    part: Region, marks: list[Region | None], common: bool
) -> None:
    assert is_common(part, [mark(region) for region in marks]) is common
