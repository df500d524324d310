"""Reads a declaration from outside: strictly, all faults at once."""

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.declaration.faults import Fault, InvalidDeclaration, did_you_mean, field_path, shown
from shared.declaration.model import Declaration

Location = tuple[str | int, ...]
MOST_FAULTS = 100
LARGEST_BYTES = 200_000


def parse_declaration(data: object) -> Declaration:
    """The declaration in `data` (decoded JSON or YAML). Raises InvalidDeclaration with every fault."""
    if not isinstance(data, Mapping):
        raise InvalidDeclaration([Fault("declaration", f"found {_kind(data)}", "write fields and their values")])
    faults: list[Fault] = []
    prepared = _prepare(data, Declaration, (), faults)
    declaration = None
    try:
        declaration = Declaration.model_validate(prepared, strict=True)
    except ValidationError as error:
        faults += [_translate(detail) for detail in error.errors(include_url=False)]
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
            nested = _nested_model(model.model_fields[key].annotation)
            prepared[key] = _prepare_value(value, nested, (*location, key), faults)
    return prepared


def _prepare_value(value: Any, nested: type[BaseModel] | None, location: Location, faults: list[Fault]) -> Any:
    if isinstance(value, list):
        return tuple(_prepare_value(item, nested, (*location, i), faults) for i, item in enumerate(value[:1000]))
    return value if nested is None else _prepare(value, nested, location, faults)


def _unknown_field(key: object, model: type[BaseModel], location: Location) -> Fault:
    path = field_path((*location, shown(key).strip("`")))
    return Fault(path, "there is no such field", did_you_mean(key, model.model_fields))


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `tuple[Model, ...]`, `Model | None` and their annotated forms."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType, Annotated):
        return next((found for part in get_args(annotation) if (found := _nested_model(part))), None)
    return None


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


def _translate(detail: ErrorDetails) -> Fault:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    describe = _MESSAGES.get(detail["type"])
    if describe is None:
        return Fault(field_path(location), detail["msg"], "correct the value")
    message, remedy = describe(detail.get("input"), detail.get("ctx", {}))
    return Fault(field_path(location), message, remedy)


Words = tuple[str, str]
Context = Mapping[str, Any]


def _not_allowed(found: object, context: Context) -> Words:
    allowed = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
    if isinstance(found, bool) and "yes" in allowed:
        return f"found the truth value {str(found).lower()}", f'write "{"yes" if found else "no"}"'
    return f"{shown(found)} is not allowed", did_you_mean(found, allowed)


def _no_text(found: object, _: Context) -> Words:
    if isinstance(found, int | float):
        return f"found {_kind(found)}", f'write it in quotes: "{found}"'
    return f"found {_kind(found)}", "write a text"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    names = {str: "a text", dict: "fields", list: "a list", tuple: "a list", type(None): "nothing"}
    return names.get(type(value), "something else")


_MESSAGES: dict[str, Callable[[object, Context], Words]] = {
    "missing": lambda _found, _: ("is missing", "add it"),
    "literal_error": _not_allowed,
    "string_type": _no_text,
    "string_too_short": lambda _found, _: ("is empty", "write a text, or leave the field out"),
    "string_too_long": lambda found, context: (
        f"is {len(str(found)):,} characters long",
        f"keep it to {context['max_length']:,} characters",
    ),
    "string_unicode": lambda _found, _: ("is no valid Unicode text", "write it as UTF-8"),
    "control_character": lambda _found, context: (f"holds the control character {context['code']}", "remove it"),
    "too_long": lambda _found, context: ("has too many entries", f"keep it to {context['max_length']}"),
    "model_type": lambda found, _: (f"found {_kind(found)}", "write fields and their values"),
    "dict_type": lambda found, _: (f"found {_kind(found)}", "write fields and their values"),
    "tuple_type": lambda found, _: (f"found {_kind(found)}", "write a list"),
}
