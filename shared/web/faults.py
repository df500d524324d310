"""What is wrong with a request's fields, in words: where, what was found, and the remedy."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from shared.declaration.faults import did_you_mean, field_path
from shared.declaration.messages import describe_value, nested_model

MOST = 100
_SOURCES = ("body", "query", "path", "header", "cookie")


class FieldFault(BaseModel):
    """One fault: the path of the field, what is wrong, and what to do."""

    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}; {self.remedy}"


def faults_of(errors: Sequence[Any], model: type[BaseModel] | None = None) -> list[FieldFault]:
    """Pydantic's errors in our words. With the model, an unknown field gets a suggestion."""
    return [_fault(error, model) for error in errors[:MOST]]


def body_model(route: Any) -> type[BaseModel] | None:
    """The model that a route's body must have."""
    field = getattr(route, "body_field", None)
    return nested_model(field.field_info.annotation) if field is not None else None


def _fault(error: Mapping[str, Any], model: type[BaseModel] | None) -> FieldFault:
    location = [part for part in error["loc"] if part != "[key]"]
    source = location[0] if location and location[0] in _SOURCES else None
    path = location[1:] if source else location
    field = field_path(_plain(path)) if path else str(source or "body")
    if error["type"] == "json_invalid":
        at = error["loc"][-1] if error["loc"] else 0
        return FieldFault(field="body", message=f"is no valid JSON (character {at})", remedy="send valid JSON")
    if error["type"] == "extra_forbidden":
        names = _names(model, path[:-1])
        remedy = did_you_mean(path[-1], names) if names else "leave it out"
        return FieldFault(field=field, message="there is no such field", remedy=remedy)
    message, remedy = _described(error)
    return FieldFault(field=field, message=message, remedy=remedy)


def _plain(path: Iterable[Any]) -> list[str | int]:
    """Without the discriminator tags and function names that pydantic mixes in."""
    return [part for part in path if isinstance(part, int) or "[" not in str(part)]


def _described(error: Mapping[str, Any]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    words = _WORDS.get(kind)
    if words is not None:
        return words[0], words[1].format(**context)
    message, remedy = describe_value(dict(error))  # type: ignore[arg-type]  # FastAPI hands the same shape as a dict
    return message.removeprefix("Value error, "), remedy


_WORDS = {
    "model_attributes_type": ("is no JSON object", "send a JSON object with Content-Type: application/json"),
    "missing": ("is missing", "add it"),
    "greater_than_equal": ("is too small", "use at least {ge}"),
    "greater_than": ("is too small", "use more than {gt}"),
    "less_than_equal": ("is too large", "use at most {le}"),
    "less_than": ("is too large", "use less than {lt}"),
    "int_parsing": ("is no whole number", "write digits only"),
    "int_type": ("is no whole number", "write a number without quotes"),
    "float_parsing": ("is no number", "write a number"),
    "bool_parsing": ("is neither true nor false", "write true or false"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "list_type": ("is no list", "write a list: [...]"),
    "datetime_from_date_parsing": ("is no time", "write an RFC 3339 time such as 2026-11-05T09:30:00Z"),
    "datetime_parsing": ("is no time", "write an RFC 3339 time such as 2026-11-05T09:30:00Z"),
    "datetime_type": ("is no time", "write an RFC 3339 time such as 2026-11-05T09:30:00Z"),
    "timezone_aware": ("has no time zone", "add Z, or an offset such as +02:00"),
    "string_pattern_mismatch": ("has another form", "it must match {pattern}"),
}


def _names(model: type[BaseModel] | None, path: Sequence[Any]) -> list[str]:
    for part in path:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = nested_model(get_args(annotation)[0] if get_origin(annotation) is list else annotation)
    return list(model.model_fields) if model is not None else []
