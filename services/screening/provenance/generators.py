"""Which generator left a text: the rows of `generators.toml`, applied without patterns or parsers."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.screening.provenance.texts import Text

_ANY, _TOOL = "*", "@tool"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Generator:
    """A row: its name, what a text under one of its keys must hold, and what it must not."""

    name: str
    contains: tuple[str, ...]
    unless: tuple[str, ...]

    def wrote(self, lowered: str) -> bool:
        """Whether all is there, ending where a word ends."""
        if not lowered or any(part in lowered for part in self.unless):
            return False
        return all(_holds(lowered, part) for part in self.contains)


def generator_of(text: Text) -> str | None:
    """The generator whose mark this text is: of several rows the first, so that the table goes from narrow to wide."""
    rows = _by_key()
    wanted = (*rows.get(text.key, ()), *rows[_ANY])
    lowered = text.value.lower() if wanted else ""
    return next((row.name for row in wanted if row.wrote(lowered)), None)


def read_table() -> dict[str, Any]:
    """The table as it stands in the file, with its examples."""
    return tomllib.loads(files(__package__).joinpath("generators.toml").read_text("utf-8"))


def is_known(key: str) -> bool:
    """Whether any row asks for texts under this key."""
    return key in _by_key()


@cache
def _by_key() -> Mapping[str, tuple[Generator, ...]]:
    table = read_table()
    rows: dict[str, list[Generator]] = defaultdict(list, {_ANY: []})
    for row in table["generator"]:
        generator = Generator(row["name"], tuple(row["contains"]), tuple(row.get("unless", ())))
        for key in row["keys"]:
            for name in table["tool_keys"] if key == _TOOL else [key]:
                rows[name].append(generator)
    return {key: tuple(found) for key, found in rows.items()}


def _holds(text: str, part: str) -> bool:
    """The part stands in the text, and no letter follows where it ends in one ("with ai" is not in "with aid")."""
    at = text.find(part)
    if at < 0 or part[-1] not in _LETTERS:
        return at >= 0
    for _ in range(8):
        if text[at + len(part) : at + len(part) + 1] not in _LETTERS:
            return True
        at = text.find(part, at + 1)
        if at < 0:
            return False
    return False
