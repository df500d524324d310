"""The published contract, generated from `shared/events.py`: a JSON Schema an event, and one AsyncAPI 3 document."""

from typing import Any

from pydantic import BaseModel

from shared.declaration.schema import declaration_schema
from shared.events import DEAD_TOPICS, EVENTS, TOPICS, BankSettings, Event
from shared.rulebook.schema import rulebook_schema, tools_schema
from shared.verdicts import Verdict

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PURPOSES = {
    "assets.submitted": "Uploads, and amended declarations, that wait for screening.",
    "assets.screened": "The findings of each screening, whole.",
    "verdicts": "Every revision of every verdict, complete. What dashboards subscribe to.",
    "escalations": "Cases opened and closed.",
    "references.submitted": "Protected works that wait to be fingerprinted.",
    "references": "The reference set: works, withdrawals and bank settings; the log that every index is built from.",
    "rescans": "Past uploads to take again.",
}


def event_schema(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event's data."""
    return {"$schema": _DRAFT, "$id": event.TYPE, **event.model_json_schema(mode="serialization")}


def schemas() -> dict[str, dict[str, Any]]:
    """Every published schema by name: what people write or read by themselves, and the events by type."""
    models: dict[str, type[BaseModel]] = {"verdict": Verdict, "bank": BankSettings}
    named = {name: {"$schema": _DRAFT, "$id": name, **model.model_json_schema()} for name, model in models.items()}
    written = {"declaration": declaration_schema(), "rulebook": rulebook_schema(), "tools": tools_schema()}
    return written | named | {event.TYPE: event_schema(event) for event in EVENTS}


def asyncapi(version: str) -> dict[str, Any]:
    """The AsyncAPI 3.0 document: topics as channels, events as messages in CloudEvents' binary mode."""
    by_topic: dict[str, list[type[Event]]] = {}
    for event in EVENTS:
        by_topic.setdefault(event.TOPIC, []).append(event)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Clearframe events",
            "version": version,
            "description": "CloudEvents 1.0 in Kafka binary mode. Readers ignore unknown fields, dispatch on ce_type, "
            "and read an unknown outcome as escalate.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, events) for topic, events in by_topic.items()} | _dead_channels(),
        "operations": {
            f"receive.{topic}": {"action": "receive", "channel": {"$ref": f"#/channels/{_pointer(topic)}"}}
            for topic in by_topic
        },
        "components": {
            "messages": {event.TYPE: _message(event) for event in EVENTS},
            "messageTraits": {"cloudevent": {"headers": _headers()}},
        },
    }


def _channel(topic: str, events: list[type[Event]]) -> dict[str, Any]:
    spec = next(spec for spec in TOPICS if spec.name == topic)
    policy = ["compact"] if spec.compacted else ["delete"]
    return {
        "address": topic,
        "description": _PURPOSES[topic],
        "messages": {event.TYPE: {"$ref": f"#/components/messages/{_pointer(event.TYPE)}"} for event in events},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": spec.partitions,
                "topicConfiguration": {"cleanup.policy": policy} | ({"retention.ms": -1} if spec.keep_for_ever else {}),
                "bindingVersion": "0.5.0",
            }
        },
    }


def _dead_channels() -> dict[str, Any]:
    about = "Messages given up, as they came, with the headers dead_reason, dead_detail and their origin."
    return {topic.name: {"address": topic.name, "description": about, "messages": {}} for topic in DEAD_TOPICS}


def _message(event: type[Event]) -> dict[str, Any]:
    schema = event_schema(event)
    del schema["$schema"], schema["$id"]
    return {
        "name": event.TYPE,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": {
            "schemaFormat": f"application/schema+json;version={_DRAFT.split('/')[-2]}",
            "schema": _hoisted(schema, event.TYPE),
        },
    }


def _hoisted(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Local `$defs` become addressable from the document's root."""
    root = f"#/components/messages/{_pointer(name)}/payload/schema/$defs/"
    return {key: _repointed(value, root) for key, value in schema.items()}


def _repointed(value: Any, root: str) -> Any:
    if isinstance(value, dict):
        return {key: _target(item, root) if key == "$ref" else _repointed(item, root) for key, item in value.items()}
    return [_repointed(item, root) for item in value] if isinstance(value, list) else value


def _target(reference: str, root: str) -> str:
    return root + reference.removeprefix("#/$defs/")


def _headers() -> dict[str, Any]:
    attributes = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type")
    return {
        "type": "object",
        "required": list(attributes),
        "properties": {name: {"type": "string"} for name in attributes},
    }


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
