"""Dead letters there and back."""

import pytest

from shared.bus.dead import bury, read_dead, restore
from shared.bus.port import Message, Record
from shared.errors import Reject

BAD = Message("work", 2, 17, "key", b"\x00value", {"ce_type": "x"}, 1_700_000_000_000)


def as_message(record: Record, offset: int = 0) -> Message:
    return Message(record.topic, 0, offset, record.key, record.value, record.headers, 1_700_000_000_001)


def test_a_dead_letter_gives_the_record_back() -> None:
    dead = as_message(bury(BAD, Reject("unknown_type", "what is x?"), group="g", at_ms=5))
    assert dead.topic == "work.dead"
    assert restore(dead) == Record("work", "key", b"\x00value", {"ce_type": "x"})


def test_it_tells_where_the_message_was_and_why_it_was_given_up() -> None:
    letter = read_dead(as_message(bury(BAD, Reject("unknown_type", "what is x?"), group="g", at_ms=5), offset=3))
    assert (letter.id, letter.reason, letter.detail) == ("work.dead:0:3", "unknown_type", "what is x?")
    assert (letter.topic, letter.partition, letter.offset, letter.group, letter.at_ms) == ("work", 2, 17, "g", 5)


def test_a_letter_that_dies_again_tells_of_its_last_death() -> None:
    again = as_message(restore(as_message(bury(BAD, Reject("first"), group="g", at_ms=5))), offset=30)
    letter = read_dead(as_message(bury(again, Reject("second"), group="h", at_ms=6)))
    assert (letter.reason, letter.offset, letter.group) == ("second", 30, "h")
    assert dict(letter.record.headers) == {"ce_type": "x"}


def test_a_foreign_tombstone_can_be_buried() -> None:
    tombstone = Message("work", 0, 0, "key", None, {}, 0)
    assert restore(as_message(bury(tombstone, Reject("no_value"), group="g", at_ms=5))).value == b""


@pytest.mark.parametrize("headers", [{}, {"dead_reason": "x"}, {"dead_offset": "seven"}])
def test_what_is_no_dead_letter_is_rejected(headers: dict[str, str]) -> None:
    with pytest.raises(Reject, match="not_a_dead_letter"):
        read_dead(Message("work.dead", 0, 0, "key", b"", headers, 0))
