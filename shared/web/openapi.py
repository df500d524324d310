"""The OpenAPI document: stable operation ids, and the error answers that every operation shares."""

import re
from typing import Any

from fastapi.routing import APIRoute

from shared.web.answer import MEDIA_TYPE, ProblemBody

_EVERYWHERE = {
    400: "The request cannot be read",
    401: "No key, or an unknown, expired or revoked one",
    403: "The key lacks the scope",
    404: "No such thing, or none that the key may see",
    405: "The address does not take this method",
    413: "The body is too large",
    415: "The content type is not taken",
    422: "The request holds faults; `errors` names field and remedy",
    429: "Too many requests; `Retry-After` says when to come back",
    503: "A part of the service does not answer; try again",
    507: "The disk is full; nothing was kept",
}
_OPEN = {405: _EVERYWHERE[405], 503: _EVERYWHERE[503]}
_REFERENCE = {"$ref": "#/components/schemas/Problem"}


def operation_id(route: APIRoute) -> str:
    """The name of the route's function: clients generated from the document keep their names."""
    return route.name


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: error answers beyond those that all share (see `_EVERYWHERE`), such as 409."""
    return {status: {"description": "It contradicts what is there", **_content()} for status in statuses}


def allowed_methods(document: dict[str, Any], path: str) -> list[str]:
    """The methods that the document has for an address."""
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path):
            return sorted(method.upper() for method in operations)
    return []


def describe(document: dict[str, Any]) -> None:
    """Adds the shared error answers to every operation, in place."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    document["paths"] = _hoisted(document["paths"], schemas)
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for path, operations in document["paths"].items():
        shared = _EVERYWHERE if path.startswith("/v1") else _OPEN
        for operation in operations.values():
            own = operation.setdefault("responses", {})
            own.pop("422", None)
            for status, description in shared.items():
                own.setdefault(str(status), {"description": description, **_content(), **_headers(status)})


def _hoisted(node: Any, schemas: dict[str, Any]) -> Any:
    """Definitions that a hand-written body brought along become components of the document."""
    if isinstance(node, dict):
        for name, schema in node.get("$defs", {}).items():
            schemas.setdefault(name, _hoisted(schema, schemas))
        return {
            key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _hoisted(value, schemas)
            for key, value in node.items()
            if key != "$defs"
        }
    return [_hoisted(item, schemas) for item in node] if isinstance(node, list) else node


def _content() -> dict[str, Any]:
    return {"content": {MEDIA_TYPE: {"schema": _REFERENCE}}}


def _headers(status: int) -> dict[str, Any]:
    name = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After", 405: "Allow"}.get(status)
    return {} if name is None else {"headers": {name: {"schema": {"type": "string"}}}}
