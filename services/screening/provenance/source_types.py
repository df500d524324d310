"""Digital source types: which terms say that a picture was generated."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

_LONGEST = 200


def source_type(value: str) -> tuple[str, bool]:
    """The term that a URI or a bare word names, as the vocabulary spells it, and whether it is generative."""
    term = value.strip()[:_LONGEST].rstrip("/")
    term = term.rpartition("/")[2].rpartition(":")[2]
    return _terms().get(_folded(term), (term, False))


def generative_uris() -> tuple[str, ...]:
    """The ends of the URIs of all generative terms, to be sought in bytes that no reader opens."""
    return tuple(f"/digitalsourcetype/{term}" for term, generative in _terms().values() if generative)


@cache
def _terms() -> dict[str, tuple[str, bool]]:
    table = tomllib.loads(files(__package__).joinpath("source_types.toml").read_text("utf-8"))
    return {_folded(term): (term, group == "generative") for group, terms in table.items() for term in terms}


def _folded(term: str) -> str:
    return "".join(char for char in term.lower() if char.isalnum())
