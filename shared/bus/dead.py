"""Dead letters: messages that were given up, with the reason and the place they came from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from shared.bus.port import Message, Record
from shared.errors import Reject

SUFFIX = ".dead"
_LONGEST_DETAIL = 2000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`offset` is the original's place, `id` is the letter's own: `<topic>:<partition>:<offset>` of the dead topic."""

    id: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    sha256: str
    group: str
    at_ms: int
    record: Record


def dead_topic(topic: str) -> str:
    """Where the dead letters of a topic go."""
    return topic + SUFFIX


def bury(message: Message, reject: Reject, *, group: str, at_ms: int) -> Record:
    """The dead letter of a message: its key, value and headers, and why it was given up."""
    value = message.value or b""
    reasons = {
        "dead_reason": reject.code,
        "dead_detail": reject.detail[:_LONGEST_DETAIL],
        "dead_topic": message.topic,
        "dead_partition": str(message.partition),
        "dead_offset": str(message.offset),
        "dead_sha256": hashlib.sha256(value).hexdigest(),
        "dead_group": group,
        "dead_at": str(at_ms),
    }
    return Record(dead_topic(message.topic), message.key, value, {**message.headers, **reasons})


def read_dead(message: Message) -> DeadLetter:
    """A message of a dead topic. Raises `Reject` where it is none."""
    headers = message.headers
    try:
        return DeadLetter(
            id=f"{message.topic}:{message.partition}:{message.offset}",
            reason=headers["dead_reason"],
            detail=headers["dead_detail"],
            topic=headers["dead_topic"],
            partition=int(headers["dead_partition"]),
            offset=int(headers["dead_offset"]),
            sha256=headers["dead_sha256"],
            group=headers["dead_group"],
            at_ms=int(headers["dead_at"]),
            record=Record(headers["dead_topic"], message.key, message.value or b"", _own(headers)),
        )
    except (KeyError, ValueError) as error:
        raise Reject("not_a_dead_letter", f"{message.topic}@{message.offset}: {error}") from error


def restore(dead: Message) -> Record:
    """The record as it was before it was given up. Raises `Reject` where the message is no dead letter."""
    return read_dead(dead).record


def _own(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith("dead_")}
