"""Conditions in three values (Kleene): no < unknown < yes. `all` is the least, `any` the greatest, `not` turns round.

A rule that raises the outcome fires unless its condition is `no`, so that what is not known never passes as harmless;
a rule that clears fires on `yes` alone. Conditions are plain closures over facts: no expression language.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from shared.rulebook.catalogue import FactSpec
from shared.rulebook.facts_model import Facts, Subject

NO, UNKNOWN, YES = 0, 1, 2
Check = Callable[[Facts, Any], int]


@dataclass(frozen=True)
class Condition:
    """A compiled condition. A leaf has a fact; any other node has children.

    `named` are the values that a leaf names, `entry` what it asks of the entries of a list of records.
    """

    check: Check
    children: tuple["Condition", ...] = ()
    fact: FactSpec | None = None
    named: tuple[Any, ...] = ()
    entry: "Condition | None" = None

    def leaves(self) -> Iterator["Condition"]:
        """Every leaf, in the order of writing."""
        if self.fact is not None:
            yield self
        for child in self.children:
            yield from child.leaves()


def leaf(
    fact: FactSpec,
    check_value: Callable[[Any], int],
    of_subject: bool,
    *,
    named: Iterable[Any] = (),
    entry: Condition | None = None,
) -> Condition:
    """A test of one fact's value, read from the subject or from the asset's facts."""
    get, values = attrgetter(fact.path), tuple(named)
    if of_subject:
        return Condition(lambda _, subject: check_value(get(subject)), fact=fact, named=values, entry=entry)
    return Condition(lambda facts, _: check_value(get(facts)), fact=fact, named=values, entry=entry)


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Yes when every condition is; yes for none at all."""
    if len(conditions) == 1:
        return conditions[0]
    checks = [condition.check for condition in conditions]

    def check(facts: Facts, subject: Any) -> int:
        result = YES
        for one in checks:
            found = one(facts, subject)
            if found == NO:
                return NO
            result = min(result, found)
        return result

    return Condition(check, tuple(conditions))


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Yes when one condition is; no for none at all."""
    checks = [condition.check for condition in conditions]

    def check(facts: Facts, subject: Any) -> int:
        result = NO
        for one in checks:
            found = one(facts, subject)
            if found == YES:
                return YES
            result = max(result, found)
        return result

    return Condition(check, tuple(conditions))


def negated(condition: Condition) -> Condition:
    """Turned round; what is not known stays so."""
    check = condition.check
    return Condition(lambda facts, subject: YES - check(facts, subject), (condition,))


def one_of(values: frozenset[Any], empty_is_unknown: bool) -> Callable[[Any], int]:
    """Whether a choice or a text is among the values."""

    def check(found: Any) -> int:
        if found is None or (empty_is_unknown and found == ""):
            return UNKNOWN
        return YES if found in values else NO

    return check


def some_text(values: frozenset[Any]) -> Callable[[Any], int]:
    """Whether one text of a list is among the values."""

    def check(found: Any) -> int:
        if found is None:
            return UNKNOWN
        return NO if values.isdisjoint(found) else YES

    return check


def within(at_least: float = -math.inf, below: float = math.inf) -> Callable[[Any], int]:
    """Whether a number lies in [at_least, below)."""
    return lambda found: UNKNOWN if found is None else YES if at_least <= found < below else NO


def some_entry(entry: Condition) -> Callable[[Any], int]:
    """Whether one entry of a list of records fits; an unknown list may hold one."""
    check_entry = entry.check

    def check(found: Any) -> int:
        if found is None:
            return UNKNOWN
        result = NO
        for item in found:
            result = max(result, check_entry(item, item))
            if result == YES:
                break
        return result

    return check


def unknown_facts(condition: Condition, facts: Facts, subject: Subject) -> list[str]:
    """The facts that keep the condition from being a plain yes, by name, without repeats."""
    names: list[str] = []
    _collect_unknown(condition, facts, subject, names)
    return list(dict.fromkeys(names))


def _collect_unknown(condition: Condition, facts: Facts, subject: Any, names: list[str]) -> None:
    if condition.check(facts, subject) != UNKNOWN:
        return
    if condition.fact is not None:
        names.append(condition.fact.name)
    for child in condition.children:
        _collect_unknown(child, facts, subject, names)
