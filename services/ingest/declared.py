"""A declaration from a request: JSON, every fault at once, and a production that the key may use."""

import json
from collections.abc import Iterable
from typing import Any

from shared.declaration.faults import Fault, InvalidDeclaration, did_you_mean, shown
from shared.declaration.model import Declaration
from shared.declaration.parse import parse_declaration
from shared.principal import Principal
from shared.store.directory import Directory
from shared.web.faults import FieldFault
from shared.web.problems import Problem

_SUGGESTED = 200
_LONGEST_SLUG = 100


async def read_declaration(document: bytes, principal: Principal, directory: Directory) -> Declaration:
    """The declaration, with the production's defaults for what it leaves out. Raises a 422 `Problem`."""
    data = read_json(document, "declaration")
    faults: list[Fault] = []
    if isinstance(data, dict) and isinstance(slug := data.get("production"), str):
        production = await directory.production(slug) if _could_be(slug) and principal.sees(slug) else None
        if production is None:
            faults.append(await _unknown(slug, principal, directory))
        else:
            data = production.defaults | data
    try:
        declaration = parse_declaration(data)
    except InvalidDeclaration as error:
        raise Problem(422, "invalid_declaration", errors=_fields(faults + error.faults)) from error
    if faults:
        raise Problem(422, "unknown_production", errors=_fields(faults))
    return declaration


def read_json(document: bytes, name: str) -> Any:
    """The JSON in a part. Raises a 422 `Problem`; a field given twice is a fault, not a choice."""
    try:
        return json.loads(document, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        fault = FieldFault(field=name, message=f"is no valid JSON: {detail}", remedy="send JSON, encoded as UTF-8")
        raise Problem(422, "invalid_json", errors=[fault]) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in pairs:
        if name in data:
            raise ValueError(f"the field {shown(name)} comes twice")
        data[name] = value
    return data


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _could_be(slug: str) -> bool:
    return len(slug) <= _LONGEST_SLUG and slug.isprintable()


async def _unknown(slug: str, principal: Principal, directory: Directory) -> Fault:
    """The same for unknown and forbidden; suggests only what the key sees."""
    visible = await directory.productions(among=principal.visible(), limit=_SUGGESTED)
    names = [production.slug for production in visible.items]
    remedy = did_you_mean(slug, names) if names else "ask for a key of your production"
    return Fault("production", f"there is no production {shown(slug)}", remedy)


def _fields(faults: Iterable[Fault]) -> list[FieldFault]:
    return [FieldFault(field=f.field, message=f.message, remedy=f.remedy) for f in faults]
