"""Reads a declaration from outside: strictly, all faults at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.declaration.faults import Fault, InvalidDeclaration, did_you_mean, field_path, kind_of, shown
from shared.declaration.messages import describe, nested_model
from shared.declaration.model import Declaration
from shared.marked_yaml import TextFault, read_yaml

__all__ = ["Fault", "InvalidDeclaration", "load_declaration", "load_declaration_file", "parse_declaration"]

Location = tuple[str | int, ...]
MOST_FAULTS = 100
LARGEST_BYTES = 200_000
_LONGEST_LIST = 1000  # longer than any that is allowed; what is beyond need not be looked at


def parse_declaration(data: object) -> Declaration:
    """The declaration in `data` (decoded JSON or YAML). Raises InvalidDeclaration with every fault."""
    if not isinstance(data, Mapping):
        raise InvalidDeclaration([Fault("declaration", f"found {kind_of(data)}", "write fields and their values")])
    faults: list[Fault] = []
    prepared = _prepare(data, Declaration, (), faults)
    declaration = None
    try:
        declaration = Declaration.model_validate(prepared, strict=True)
    except ValidationError as error:
        faults += [Fault(*describe(detail)) for detail in error.errors(include_url=False)]
    faults += _contradictions(prepared)
    if declaration is None or faults:
        raise InvalidDeclaration(faults[:MOST_FAULTS])
    if len(declaration.model_dump_json(exclude_defaults=True)) > LARGEST_BYTES:
        remedy = f"keep it under {LARGEST_BYTES:,} bytes; shorten the prompts"
        raise InvalidDeclaration([Fault("declaration", "it is too long as a whole", remedy)])
    return declaration


def _prepare(data: Any, model: type[BaseModel], location: Location, faults: list[Fault]) -> Any:
    """Unknown fields are noted and left out, an explicit null is silence, lists become tuples."""
    if not isinstance(data, Mapping):
        return data
    prepared = {}
    for key, value in data.items():
        if key not in model.model_fields:
            faults.append(_unknown_field(key, model, location))
        elif value is not None:
            nested = nested_model(model.model_fields[key].annotation)
            prepared[key] = _prepare_value(value, nested, (*location, key), faults)
    return prepared


def _prepare_value(value: Any, nested: type[BaseModel] | None, location: Location, faults: list[Fault]) -> Any:
    if isinstance(value, list):
        return tuple(
            _prepare_item(item, nested, (*location, i), faults) for i, item in enumerate(value[:_LONGEST_LIST])
        )
    return _prepare_item(value, nested, location, faults)


def _prepare_item(value: Any, nested: type[BaseModel] | None, location: Location, faults: list[Fault]) -> Any:
    return value if nested is None else _prepare(value, nested, location, faults)


def _unknown_field(key: object, model: type[BaseModel], location: Location) -> Fault:
    path = field_path((*location, shown(key).strip("`")))
    return Fault(path, "there is no such field", did_you_mean(key, model.model_fields))


def _contradictions(data: Any) -> list[Fault]:
    stages = data.get("stages")
    if data.get("genai_used") != "no" or not isinstance(stages, tuple):
        return []
    named = [
        field_path(("stages", index, key))
        for index, stage in enumerate(stages)
        if isinstance(stage, Mapping)
        for key in ("tool", "model")
        if stage.get(key) is not None
    ]
    if not named:
        return []
    first = Fault("genai_used", f"says `no`, yet `{named[0]}` is given", "say `yes`, or leave the stages out")
    others = [Fault(path, "is given, yet `genai_used` says `no`", "leave it out, or say `yes`") for path in named]
    return [first, *others]


def load_declaration_file(path: Path) -> Declaration:
    """The declaration in a YAML or JSON file. Raises InvalidDeclaration, and OSError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDeclaration([Fault("declaration", "is no UTF-8 text", "save it as UTF-8")]) from error
    return load_declaration(text)


def load_declaration(text: str) -> Declaration:
    """The declaration in a YAML or JSON text. Raises InvalidDeclaration."""
    marked = read_yaml(text)
    if marked.faults:
        raise InvalidDeclaration([_in_text(fault) for fault in marked.faults])
    return parse_declaration(marked.data)


def _in_text(fault: TextFault) -> Fault:
    where = f"line {fault.place.line}, column {fault.place.column}"
    return Fault(field_path(fault.path), f"{where}: {fault.message}", fault.remedy)
