"""The names of settings: which there are, and which were misspelt. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from shared.declaration.faults import closest

PREFIX = "CLEARFRAME_"
NESTED = "__"
_NOT_SETTINGS = frozenset({"CLEARFRAME_URL", "CLEARFRAME_KEY", "CLEARFRAME_CONFIG"})
_FOR_TESTS = "CLEARFRAME_TEST_"
Path = tuple[str, ...]


def fields(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, FieldInfo]]:
    """Every setting of a model with its place, models within it too."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, (*path, name))
        else:
            yield (*path, name), field


def variable(path: Path) -> str:
    """`("kafka", "username")` is `CLEARFRAME_KAFKA__USERNAME`."""
    return PREFIX + NESTED.join(path).upper()


def is_secret(field: FieldInfo) -> bool:
    """Whether the setting may come from a file of its own, and is never shown."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def unknown_variables(known: Mapping[Path, FieldInfo], environ: Iterable[str]) -> list[str]:
    """A fault for each `CLEARFRAME_*` variable that sets nothing."""
    good = {variable(path) for path in known} | _NOT_SETTINGS | set(secret_files(known))
    wrong = [n for n in environ if n.startswith(PREFIX) and not n.startswith(_FOR_TESTS) and n not in good]
    return [f"{name}: there is no such setting{_meant(name, good)}" for name in sorted(wrong)]


def secret_files(known: Mapping[Path, FieldInfo]) -> dict[str, Path]:
    """`CLEARFRAME_KAFKA__PASSWORD_FILE` names a file that holds the secret of this path."""
    return {f"{variable(path)}_FILE": path for path, field in known.items() if is_secret(field)}


def unknown_names(known: Mapping[Path, FieldInfo], table: Mapping[str, Any], path: Path = ()) -> list[str]:
    """A fault for each name of the TOML file that sets nothing."""
    good = {".".join(place) for place in known}
    faults: list[str] = []
    for name, value in table.items():
        place = (*path, name)
        if place in known:
            continue
        if isinstance(value, Mapping) and any(other[: len(place)] == place for other in known):
            faults += unknown_names(known, value, place)
        else:
            faults.append(f"{'.'.join(place)}: there is no such setting{_meant('.'.join(place), good)}")
    return faults


def _meant(name: str, good: Iterable[str]) -> str:
    found = closest(name, good)
    return f"; did you mean {found}?" if found else "; docs/settings.md lists all"
