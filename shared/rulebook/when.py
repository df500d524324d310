"""Reads the `when` of a rule into a condition, and notes what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.declaration.faults import closest, did_you_mean, shown
from shared.marked_yaml import Path
from shared.rulebook import conditions as c
from shared.rulebook.catalogue import FactSpec, Scope, catalogue
from shared.rulebook.conditions import Condition
from shared.rulebook.faults import FaultList

_NEVER = Condition(lambda _facts, _subject: c.NO)
_TESTS = ("not", "at_least", "below", "some", "none")
_DEEPEST = 20


@dataclass(frozen=True)
class WhenReader:
    """Reads conditions over one set of facts: those of a scope, or those of an entry in a list of records."""

    facts: Mapping[str, FactSpec]
    faults: FaultList
    of_entry: bool = False

    def read(self, data: Any, path: Path) -> Condition:
        """The condition in `data`: every fact named must pass its test, and `all`, `any` and `not` nest."""
        if not isinstance(data, Mapping):
            return self._wrong(path, f"found {shown(data)}", "write facts and the values they must have")
        if len(path) > _DEEPEST * 2:
            return self._wrong(path, "conditions are nested too deeply", f"keep to {_DEEPEST} levels")
        return c.all_of([self._part(key, value, (*path, key)) for key, value in data.items()])

    def _part(self, key: str, value: Any, path: Path) -> Condition:
        if key in ("all", "any"):
            if not isinstance(value, list) or not value:
                return self._wrong(path, f"`{key}` takes a list of conditions", "write `- fact: value` lines under it")
            parts = [self.read(item, (*path, index)) for index, item in enumerate(value)]
            return c.all_of(parts) if key == "all" else c.any_of(parts)
        if key == "not":
            return c.negated(self.read(value, path))
        fact = self.facts.get(key)
        if fact is None:
            return self._wrong(path, f"there is no fact `{key}` here", self._fact_remedy(key))
        return self._test(fact, value, path)

    def _fact_remedy(self, key: str) -> str:
        for scope in ("stage", "talent", "finding"):
            if not self.of_entry and key in catalogue(scope):
                return f"it is known to rules with `for: {scope}` only"
        suggestion = closest(key, self.facts)
        return f"did you mean `{suggestion}`?" if suggestion else "docs/rulebook.md lists them all"

    def _test(self, fact: FactSpec, test: Any, path: Path) -> Condition:
        if isinstance(test, Mapping):
            return self._tests(fact, test, path)
        values = test if isinstance(test, list) else [test]
        if fact.type == "records":
            return self._wrong(path, f"`{fact.name}` is a list", "write `some: {…}` or `none: {…}`")
        if fact.type == "number":
            return self._wrong(path, f"`{fact.name}` is a number", "write `at_least:` or `below:`")
        if not values:
            return self._wrong(path, "an empty list never fits", "name at least one value")
        allowed = [value for index, value in enumerate(values) if self._is_allowed(fact, value, path, index, test)]
        return self._leaf(fact, frozenset(allowed)) if len(allowed) == len(values) else _NEVER

    def _is_allowed(self, fact: FactSpec, value: Any, path: Path, index: int, test: Any) -> bool:
        where = (*path, index) if isinstance(test, list) else path
        if isinstance(value, bool):
            answer = "yes" if value else "no"
            self.faults.add(where, f"found the truth value {str(value).lower()}", f"write `{answer}`")
            return False
        if not isinstance(value, str):
            self.faults.add(where, f"{shown(value)} is no text", "write it in quotes")
            return False
        if fact.type == "choice" and value not in fact.values:
            if value == "unsure" and fact.may_be_unknown:
                remedy = "leave it out: what is not known is always read as the worse answer"
            else:
                remedy = did_you_mean(value, fact.values)
            self.faults.add(where, f"{shown(value)} is no value of `{fact.name}`", remedy)
            return False
        return True

    def _leaf(self, fact: FactSpec, values: frozenset[Any]) -> Condition:
        if fact.type == "texts":
            return c.leaf(fact, c.some_text(values), self._of_subject(fact), named=sorted(values))
        check = c.one_of(values, fact.empty_is_unknown)
        return c.leaf(fact, check, self._of_subject(fact), named=sorted(values))

    def _of_subject(self, fact: FactSpec) -> bool:
        return self.of_entry or fact.scope != "asset"

    def _tests(self, fact: FactSpec, tests: Mapping[str, Any], path: Path) -> Condition:
        if not tests:
            return self._wrong(path, "an empty test", f"write one of: {', '.join(_TESTS)}")
        numbers = {key: tests[key] for key in ("at_least", "below") if key in tests}
        parts = [self._number(fact, numbers, path)] if numbers else []
        parts += [self._named(fact, key, tests[key], (*path, key)) for key in tests if key not in numbers]
        return c.all_of(parts)

    def _named(self, fact: FactSpec, key: str, value: Any, path: Path) -> Condition:
        if key == "not":
            return c.negated(self._test(fact, value, path))
        if key not in ("some", "none"):
            return self._wrong(path, f"there is no test `{key}`", did_you_mean(key, _TESTS))
        if fact.items is None:
            return self._wrong(path, f"`{fact.name}` is no list of records", "write the value itself")
        entry = WhenReader(fact.items, self.faults, of_entry=True).read(value, path)
        some = c.leaf(fact, c.some_entry(entry), self._of_subject(fact), entry=entry)
        return some if key == "some" else c.negated(some)

    def _number(self, fact: FactSpec, limits: dict[str, Any], path: Path) -> Condition:
        if fact.type != "number":
            return self._wrong(path, f"`{fact.name}` is no number", "write the value itself")
        for key, limit in limits.items():
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                return self._wrong((*path, key), f"{shown(limit)} is no number", "write a number such as 0.3")
        return c.leaf(fact, c.within(**limits), self._of_subject(fact), named=sorted(limits.values()))

    def _wrong(self, path: Path, message: str, remedy: str) -> Condition:
        self.faults.add(path, message, remedy)
        return _NEVER


def when_reader(scope: Scope, faults: FaultList) -> WhenReader:
    """A reader for rules of one scope."""
    return WhenReader(catalogue(scope), faults)
