"""The texts of a declaration: short, and free of characters that hide or reorder what a person reads."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _is_refused(character: str) -> bool:
    return unicodedata.category(character) in _REFUSED or character in _BIDI


def first_refused(text: str, allowed: str = "") -> str | None:
    """The first control character or direction override in `text`, or None."""
    if text.isascii() and text.isprintable():
        return None
    return next((c for c in text if c not in allowed and _is_refused(c)), None)


def _one_line(text: str) -> str:
    return _checked(text, "")


def _many_lines(text: str) -> str:
    return _checked(text, "\n\r\t")


def _checked(text: str, allowed: str) -> str:
    bad = first_refused(text, allowed)
    if bad is not None:
        raise PydanticCustomError("control_character", "{code}", {"code": f"U+{ord(bad):04X}"})
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Title = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_one_line)]
Code = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
Prompt = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_many_lines)]
Scope = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_many_lines)]
