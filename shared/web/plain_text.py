"""NUL characters in a request: PostgreSQL keeps none, so that each is a fault of the request."""

import json
from typing import Any

from fastapi import Request

from shared.web.problems import invalid


async def without_nul(request: Request) -> None:
    """Raises a 422 `Problem` that names the field with a NUL character."""
    for name, value in [*request.path_params.items(), *request.query_params.multi_items()]:
        if "\0" in f"{name}{value}":
            raise _fault(name.replace("\0", ""))
    if not request.headers.get("content-type", "").startswith("application/json"):
        return  # an upload is a stream, and is looked at where it is read
    body = await request.body()
    if rb"\u0000" in body:
        found = _field_with_nul(_parsed(body), ())
        if found is not None:
            raise _fault(found)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None  # the route says what is wrong with it


def _field_with_nul(data: Any, path: tuple[str, ...]) -> str | None:
    if isinstance(data, str):
        return ".".join(path) or "body" if "\0" in data else None
    if isinstance(data, dict):
        pairs = [(str(name), item) for name, item in data.items()]
    else:
        pairs = [(str(index), item) for index, item in enumerate(data)] if isinstance(data, list) else []
    for name, item in pairs:
        found = ".".join(path) or "body" if "\0" in name else _field_with_nul(item, (*path, name))
        if found is not None:
            return found
    return None


def _fault(field: str) -> Exception:
    return invalid(field, "holds a NUL character", "leave it out")
