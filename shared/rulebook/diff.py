"""What changes between two rulebooks: rules, and the examples of both that come out otherwise. Pure."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from shared.frozen import Frozen
from shared.rulebook.explain import condition_in_words, lifted_by
from shared.rulebook.facts_model import Facts
from shared.rulebook.firing import fire
from shared.rulebook.model import Rulebook, RuleText
from shared.rulebook.written import Written, as_written, example_in_words
from shared.verdicts import Outcome, RulebookVersion, gravest

_UNCOMPARED = {"id", "examples"}


class FieldChange(Frozen):
    """One part of a rule, before and after; conditions as lines of words."""

    field: str
    before: Any = None
    after: Any = None


class RuleChange(Frozen):
    """A rule that came, went or changed."""

    rule: str
    change: Literal["added", "removed", "changed"]
    title: str
    outcome: str
    fields: tuple[FieldChange, ...] = ()


class ExampleChange(Frozen):
    """An example that another set of rules fires on. `before` and `after`: the outcome without any document."""

    rule: str
    example: str
    before: Outcome
    after: Outcome
    gained: tuple[str, ...]
    lost: tuple[str, ...]


class RulebookDiff(Frozen):
    """All that changes from one rulebook to another."""

    before: RulebookVersion
    after: RulebookVersion
    rules: tuple[RuleChange, ...]
    examples: tuple[ExampleChange, ...]
    examples_compared: int


def diff(before: Rulebook, after: Rulebook) -> RulebookDiff:
    """Compares two rulebooks that were loaded."""
    old, new = as_written(before), as_written(after)
    cases = list(_cases(old, new))
    return RulebookDiff(
        before=before.version,
        after=after.version,
        rules=tuple(_rule_changes(old, new)),
        examples=tuple(change for case in cases if (change := _example_change(*case, before, after)) is not None),
        examples_compared=len(cases),
    )


def _rule_changes(old: Written, new: Written) -> Iterator[RuleChange]:
    for rule_id, rule in new.rules.items():
        known = old.rules.get(rule_id)
        if known is None:
            yield RuleChange(rule=rule_id, change="added", title=rule.title, outcome=rule.outcome)
        elif fields := tuple(_field_changes(known, rule)):
            yield RuleChange(rule=rule_id, change="changed", title=rule.title, outcome=rule.outcome, fields=fields)
    for rule_id, rule in old.rules.items():
        if rule_id not in new.rules:
            yield RuleChange(rule=rule_id, change="removed", title=rule.title, outcome=rule.outcome)


def _field_changes(old: RuleText, new: RuleText) -> Iterator[FieldChange]:
    before, after = _comparable(old), _comparable(new)
    for name in before:
        if before[name] != after[name]:
            yield FieldChange(field=name, before=before[name], after=after[name])
    if old.examples != new.examples:
        yield FieldChange(field="examples", before=_example_count(old), after=_example_count(new))


def _comparable(rule: RuleText) -> dict[str, Any]:
    said: dict[str, Any] = rule.model_dump(mode="json", by_alias=True, exclude=_UNCOMPARED)
    said["needs"] = lifted_by(rule.needs)
    said["when"] = list(condition_in_words(rule.when, rule.scope))
    if rule.milder is not None:
        said["milder"]["when"] = list(condition_in_words(rule.milder.when, rule.scope))
    return said


def _example_count(rule: RuleText) -> str:
    return f"{len(rule.examples.fires)} that fire, {len(rule.examples.near_miss)} near misses"


def _cases(old: Written, new: Written) -> Iterator[tuple[str, str, Facts]]:
    """(rule, words, facts) of the examples of both, each case of a rule once; the new ones first."""
    seen: set[str] = set()
    for written in (new, old):
        for rule_id, _, example in written.examples():
            case = written.case(example)
            key = json.dumps([rule_id, case.model_dump(mode="json")], sort_keys=True)
            if key not in seen:
                seen.add(key)
                yield rule_id, example_in_words(example), case


def _example_change(rule_id: str, words: str, case: Facts, before: Rulebook, after: Rulebook) -> ExampleChange | None:
    old, new = fire(before.deciding, case), fire(after.deciding, case)
    old_rules, new_rules = {f.rule.id for f in old}, {f.rule.id for f in new}
    old_outcome, new_outcome = gravest([f.outcome for f in old]), gravest([f.outcome for f in new])
    if old_rules == new_rules and old_outcome is new_outcome:
        return None
    return ExampleChange(
        rule=rule_id,
        example=words,
        before=old_outcome,
        after=new_outcome,
        gained=tuple(sorted(new_rules - old_rules)),
        lost=tuple(sorted(old_rules - new_rules)),
    )
