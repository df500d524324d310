"""Pydantic's faults in our words: what was found, and the remedy."""

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared.declaration.faults import did_you_mean, field_path, kind_of, shown

Words = tuple[str, str]
Context = Mapping[str, Any]


def nested_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `tuple[Model, ...]`, `Model | None` and their annotated forms."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType, Annotated):
        return next((found for part in get_args(annotation) if (found := nested_model(part))), None)
    return None


def describe(detail: ErrorDetails) -> tuple[str, str, str]:
    """Field path, message and remedy of one fault that pydantic found."""
    message, remedy = describe_value(detail)
    return field_path(location_of(detail)), message, remedy


def location_of(detail: ErrorDetails) -> tuple[str | int, ...]:
    """Where the fault lies, as keys and indices of the data."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def describe_value(detail: ErrorDetails) -> Words:
    """Message and remedy of one fault that pydantic found."""
    words = _MESSAGES.get(detail["type"])
    if words is None:
        return detail["msg"], "correct the value"
    return words(detail.get("input"), detail.get("ctx", {}))


def _not_allowed(found: object, context: Context) -> Words:
    allowed = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
    if isinstance(found, bool) and "yes" in allowed:
        return f"found the truth value {str(found).lower()}", f'write "{"yes" if found else "no"}"'
    return f"{shown(found)} is not allowed", did_you_mean(found, allowed)


def _no_text(found: object, _: Context) -> Words:
    if isinstance(found, int | float):
        return f"found {kind_of(found)}", f'write it in quotes: "{str(found)[:60]}"'
    return f"found {kind_of(found)}", "write a text"


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
    "too_short": lambda _found, context: ("has too few entries", f"write at least {context['min_length']}"),
    "list_type": lambda found, _: (f"found {kind_of(found)}", "write a list"),
    "bool_type": lambda found, _: (f"found {kind_of(found)}", "write true or false"),
    "too_long": lambda _found, context: ("has too many entries", f"keep it to {context['max_length']}"),
    "model_type": lambda found, _: (f"found {kind_of(found)}", "write fields and their values"),
    "dict_type": lambda found, _: (f"found {kind_of(found)}", "write fields and their values"),
    "tuple_type": lambda found, _: (f"found {kind_of(found)}", "write a list"),
}
