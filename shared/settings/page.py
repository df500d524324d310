"""The page of all settings, made from their classes."""

from collections.abc import Iterable

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.settings import names
from shared.settings.models import SharedSettings, section_name

_HEAD = """# Settings

Made from the code by `make generate`. Each is an environment variable or a name in the TOML file (`--config FILE` or
`CLEARFRAME_CONFIG`); the variable wins. An unknown name is an error. A secret may lie in a file of its own: put its
path into the variable with `_FILE` at the end.
"""


def describe_settings(kinds: Iterable[type[BaseModel]]) -> str:
    """Markdown: a table of the shared settings and one for each class."""
    parts = [_HEAD, _section("All services", SharedSettings, ())]
    for kind in sorted(kinds, key=section_name):
        parts.append(_section(section_name(kind).capitalize(), kind, (section_name(kind),)))
    return "\n".join(parts)


def _section(title: str, kind: type[BaseModel], path: names.Path) -> str:
    rows = [_row(place, field) for place, field in names.fields(kind, path)]
    head = ["| variable | in the file | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", *head, *rows, ""])


def _row(place: names.Path, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    kind = " (secret)" if names.is_secret(field) else ""
    return f"| `{names.variable(place)}` | `{'.'.join(place)}` | {_default(field)} | {meaning}{kind} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "must be set"
    if value is None or value in ("", (), []):
        return "none"
    return f"`{value}`" if not isinstance(value, tuple | list) else f"`{', '.join(map(str, value))}`"
