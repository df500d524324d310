"""Whether known answers can ever meet a condition: a few values of each fact are tried, until some of them do. Pure."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

from shared.rulebook import conditions as c
from shared.rulebook.catalogue import FactSpec
from shared.rulebook.conditions import Condition

_MOST = 2000
_ANOTHER_TEXT = "\0another"
_BESIDE = 1e-6


class _Undecided(Exception):  # noqa: N818 - it is no error
    """There is too much to try."""


def can_hold(condition: Condition) -> bool:
    """False only where no known answers meet it; what takes too many tries counts as met."""
    try:
        return _witness(condition, of_entry=False) is not None
    except _Undecided:
        return True


def asked_twice(condition: Condition) -> list[str]:
    """The facts that it tests more than once: where it contradicts itself, one of them is at fault."""
    return [name for name, leaves in _by_fact(condition).items() if len(leaves) > 1]


def _witness(condition: Condition, *, of_entry: bool) -> SimpleNamespace | None:
    """A subject (or an entry of a list) that meets the condition, beside facts of an asset that do."""
    by_fact = _by_fact(condition)
    tried = [_values(leaves) for leaves in by_fact.values()]
    if math.prod(map(len, tried)) > _MOST:
        raise _Undecided
    facts = [leaves[0].fact for leaves in by_fact.values()]
    for values in product(*tried):
        asset, subject = SimpleNamespace(), SimpleNamespace()
        for fact, value in zip(facts, values, strict=True):
            assert fact is not None
            _set(subject if of_entry or fact.scope != "asset" else asset, fact, value)
        if condition.check(asset, subject) == c.YES:  # type: ignore[arg-type]  # it reads the same attributes
            return subject
    return None


def _by_fact(condition: Condition) -> Mapping[str, list[Condition]]:
    found: dict[str, list[Condition]] = {}
    for leaf in condition.leaves():
        if leaf.fact is not None:
            found.setdefault(leaf.fact.name, []).append(leaf)
    return found


def _values(leaves: Sequence[Condition]) -> Sequence[Any]:
    """What tells the tests of one fact apart: the values they name, and one that none of them names."""
    fact, named = leaves[0].fact, list(dict.fromkeys(value for leaf in leaves for value in leaf.named))
    assert fact is not None
    match fact.type:
        case "records":
            return _lists(leaves)
        case "number":
            return [near for limit in named for near in (limit, limit - _BESIDE, limit + _BESIDE)]
        case "texts":
            return [tuple(named), (), *((value,) for value in named), (_ANOTHER_TEXT,)]
        case "choice":
            return [*named, *[value for value in fact.values if value not in named][:1]]
    return [*named, _ANOTHER_TEXT]


def _lists(leaves: Sequence[Condition]) -> Sequence[Any]:
    """An empty list, and one with an entry that fits."""
    entry = leaves[0].entry
    if len(leaves) > 1 or entry is None:
        raise _Undecided
    fitting = _witness(entry, of_entry=True)
    return [()] if fitting is None else [(fitting,), ()]


def _set(root: SimpleNamespace, fact: FactSpec, value: Any) -> None:
    *holders, name = fact.path.split(".")
    for holder in holders:
        if not hasattr(root, holder):
            setattr(root, holder, SimpleNamespace())
        root = getattr(root, holder)
    setattr(root, name, value)
