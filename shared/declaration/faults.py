"""What is wrong with a declaration: the field, what was found, and the remedy."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import ClearframeError


@dataclass(frozen=True)
class Fault:
    """One fault. `field` is a path such as `stages[1].environment`."""

    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}; {self.remedy}"


class InvalidDeclaration(ClearframeError):  # noqa: N818 - as the other meanings in shared/errors.py
    """The declaration cannot be taken. Carries every fault that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def field_path(location: Iterable[str | int]) -> str:
    """`("stages", 1, "tool")` as `stages[1].tool`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "declaration"


def closest(word: object, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, or None."""
    if not isinstance(word, str):
        return None
    plain = word[:100].strip().lower().replace("-", "_").replace(" ", "_")
    by_plain = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def did_you_mean(word: object, candidates: Iterable[str]) -> str:
    """Advice for a wrong word: the likely one if there is any, else all that are allowed."""
    names = list(candidates)
    suggestion = closest(word, names)
    return f"did you mean `{suggestion}`?" if suggestion else f"use one of: {', '.join(names)}"


def shown(value: object) -> str:
    """A value for a message: short, and without characters that would harm a terminal."""
    if not isinstance(value, str | int | float | None):
        return kind_of(value)
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else "?" for c in text[:200])
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def kind_of(value: object) -> str:
    """What a value is, in a word or two."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    names = {str: "a text", dict: "fields", list: "a list", tuple: "a list", type(None): "nothing"}
    return names.get(type(value), "something else")
