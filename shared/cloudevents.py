"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the data alone as the value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from shared.bus.port import Message, Record
from shared.errors import Reject
from shared.events import BY_TYPE, Event

CONTENT_TYPE = "application/json"
LARGEST_BYTES = 900_000  # below Kafka's default limit of 1 MB a record


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way: who says it, about what, when."""

    id: str
    source: str
    time: datetime
    data: Event
    traceparent: str | None = None

    @property
    def type(self) -> str:
        """The CloudEvents type, such as `clearframe.verdict.reached.v1`."""
        return self.data.TYPE


def encode(envelope: Envelope) -> Record:
    """The record to publish. Raises `ValueError` when the event is too large for the bus."""
    value = envelope.data.model_dump_json(exclude_none=True).encode()
    if len(value) > LARGEST_BYTES:
        raise ValueError(
            f"{envelope.type} of {len(value):,} bytes is over {LARGEST_BYTES:,}; move large data to a blob"
        )
    headers = {
        "ce_specversion": "1.0",
        "ce_id": envelope.id,
        "ce_source": envelope.source,
        "ce_type": envelope.type,
        "ce_subject": envelope.data.key,
        "ce_time": envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": CONTENT_TYPE,
    }
    if envelope.traceparent:
        headers["ce_traceparent"] = envelope.traceparent
    return Record(envelope.data.TOPIC, envelope.data.key, value, headers)


def decode(message: Message) -> Envelope:
    """Dispatches on the type, then validates. Raises `Reject` with a reason a person can act on."""
    headers = message.headers
    kind = headers.get("ce_type")
    if headers.get("ce_specversion") != "1.0" or kind is None:
        raise Reject("not_a_cloudevent", "the headers ce_specversion and ce_type are missing or unknown")
    model = BY_TYPE.get(kind)
    if model is None:
        raise Reject("unknown_event_type", kind)
    try:
        data = model.model_validate_json(message.value or b"")
    except ValidationError as error:
        raise Reject("invalid_event", _faults(error)) from error
    if data.key != message.key:
        raise Reject("wrong_key", f"{kind} has the key {message.key!r} instead of {data.key!r}")
    return Envelope(
        _needed(headers, "ce_id"), headers.get("ce_source", ""), _time(headers), data, headers.get("ce_traceparent")
    )


def _needed(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise Reject("not_a_cloudevent", f"the header {name} is missing")
    return value


def _time(headers: Mapping[str, str]) -> datetime:
    try:
        time = datetime.fromisoformat(_needed(headers, "ce_time"))
    except ValueError as error:
        raise Reject("not_a_cloudevent", "the header ce_time is no RFC 3339 time") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'data'}: {fault['msg']}" for fault in error.errors()[:5])
