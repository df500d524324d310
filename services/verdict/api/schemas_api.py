"""`/v1/schemas`: what people and programs write or read, as JSON Schemas; for editors, forms and checks."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.verdict.parts import Parts
from shared.contracts import schemas
from shared.principal import Principal
from shared.web.auth import require
from shared.web.problems import not_found

Anybody = Annotated[Principal, Depends(require("upload", "read", "review", "approve", "operate"))]


class SchemaList(BaseModel):
    """The names of all schemas."""

    items: list[str]
    next: None = None


_published = cache(schemas)


async def list_schemas(_who: Anybody) -> SchemaList:
    """Every published schema by name: declaration, rulebook, tools, verdict, bank, and each event by its type."""
    return SchemaList(items=sorted(_published()))


async def read_schema(_who: Anybody, name: str) -> dict[str, Any]:
    """One JSON Schema (2020-12)."""
    found = _published().get(name)
    if found is None:
        raise not_found("schema")
    return found


def router(_parts: Parts) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/schemas", tags=["schemas"])
    routes.get("")(list_schemas)
    routes.get("/{name}")(read_schema)
    return routes
