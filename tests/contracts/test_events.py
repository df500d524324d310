"""The wire contract: golden examples, tolerant readers, published schemas, and a foreign SDK that understands us."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat

from shared.bus.port import Message
from shared.cloudevents import LARGEST_BYTES, Envelope, decode, encode
from shared.contracts import asyncapi, event_schema, schemas
from shared.errors import Reject
from shared.events import BY_TYPE, EVENTS, TOPICS, Event, VerdictReached
from shared.verdicts import Outcome
from tests.contracts.example_events import AT, EXAMPLES

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
EVERY_EVENT = pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.TYPE)


def _golden(event: Event) -> dict[str, Any]:
    record = encode(Envelope("01999f3a-0000-7000-8000-0000000000ff", "clearframe/test", AT, event))
    return {"topic": record.topic, "key": record.key, "headers": dict(record.headers), "data": json.loads(record.value)}


def _message(golden: dict[str, Any], **changes: Any) -> Message:
    whole = golden | changes
    value = json.dumps(whole["data"]).encode()
    return Message(whole["topic"], 0, 0, whole["key"], value, whole["headers"], 0)


def test_there_is_an_example_of_every_event() -> None:
    assert {event.TYPE for event in EXAMPLES} == set(BY_TYPE)


@EVERY_EVENT
def test_what_we_write_today_is_the_golden_example(event: Event) -> None:
    assert _golden(event) == json.loads((GOLDEN / f"{event.TYPE}.json").read_text())


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_every_golden_example_ever_released_is_read(path: Path) -> None:
    golden = json.loads(path.read_text())
    envelope = decode(_message(golden))
    assert envelope.type == golden["headers"]["ce_type"]
    assert json.loads(encode(envelope).value) == golden["data"]


@EVERY_EVENT
def test_the_published_schema_accepts_what_we_write(event: Event) -> None:
    schema = event_schema(type(event))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(_golden(event)["data"], schema)


@EVERY_EVENT
def test_unknown_fields_of_a_newer_writer_are_ignored(event: Event) -> None:
    golden = _golden(event)
    assert decode(_message(golden, data=golden["data"] | {"added_in_2030": {"deep": [1]}})).data == event


@EVERY_EVENT
def test_the_cloudevents_sdk_reads_our_messages(event: Event) -> None:
    golden = _golden(event)
    headers = {name: value.encode() for name, value in golden["headers"].items()}
    message = KafkaMessage(headers=headers, key=golden["key"].encode(), value=json.dumps(golden["data"]).encode())
    read = from_binary_event(message, JSONFormat())
    assert (read.get_type(), read.get_subject(), read.get_data()) == (event.TYPE, event.key, golden["data"])


def test_an_unknown_outcome_reads_as_the_gravest() -> None:
    golden = json.loads((GOLDEN / "clearframe.verdict.reached.v1.json").read_text())
    golden["data"]["verdict"]["outcome"] = "quarantine"
    data = decode(_message(golden)).data
    assert isinstance(data, VerdictReached)
    assert data.verdict.outcome is Outcome.ESCALATE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"headers": {}}, "not_a_cloudevent"),
        ({"ce_type": "clearframe.asset.submitted.v9"}, "unknown_event_type"),
        ({"ce_time": "yesterday"}, "not_a_cloudevent"),
        ({"ce_id": ""}, "not_a_cloudevent"),
        ({"key": "another"}, "wrong_key"),
        ({"data": {}}, "invalid_event"),
        ({"data": [1]}, "invalid_event"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_a_reason(change: dict[str, Any], code: str) -> None:
    golden = _golden(EXAMPLES[0])
    attributes = {name: value for name, value in change.items() if name.startswith("ce_")}
    whole = (
        golden | {"headers": golden["headers"] | attributes} | {n: v for n, v in change.items() if n not in attributes}
    )
    with pytest.raises(Reject) as rejected:
        decode(_message(whole))
    assert rejected.value.code == code


def test_an_event_too_large_for_the_bus_is_refused_where_it_is_made() -> None:
    event = EXAMPLES[0].model_copy(update={"filename": "x" * LARGEST_BYTES})
    with pytest.raises(ValueError, match="move large data to a blob"):
        encode(Envelope("id", "clearframe/test", AT, event))


def test_the_asyncapi_document_is_valid() -> None:
    schema = json.loads((HERE / "vendor" / "asyncapi-3.0.0.json").read_text())
    jsonschema.validate(asyncapi("0.0.0"), schema)


def test_every_topic_and_event_is_in_the_asyncapi_document() -> None:
    document = asyncapi("0.0.0")
    assert set(document["components"]["messages"]) == {event.TYPE for event in EVENTS}
    assert {topic.name for topic in TOPICS} <= set(document["channels"])


def test_every_published_schema_is_a_schema() -> None:
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)
