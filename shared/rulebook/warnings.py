"""What a sound rulebook should still be told: rules and milder cases that can never come about. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.marked_yaml import Path
from shared.rulebook import conditions as c
from shared.rulebook.conditions import Condition
from shared.rulebook.examples import example_facts
from shared.rulebook.faults import FaultList, RulebookFault
from shared.rulebook.firing import fire
from shared.rulebook.model import Rule, RuleText
from shared.rulebook.witness import asked_twice, can_hold


@dataclass(frozen=True)
class Entry:
    """A rule, as used and as written, with its place."""

    rule: Rule
    text: RuleText
    path: Path
    faults: FaultList


def warnings(entries: Sequence[Entry], baseline: Mapping[str, Any]) -> tuple[RulebookFault, ...]:
    """Of a rulebook without faults, in the order of writing."""
    rules = [entry.rule for entry in entries]
    return tuple(warning for entry in entries for warning in _of(entry, rules, baseline))


def _of(entry: Entry, rules: Sequence[Rule], baseline: Mapping[str, Any]) -> Iterator[RulebookFault]:
    rule, milder = entry.rule, entry.rule.milder
    if not can_hold(rule.when):
        message = f"`{rule.id}` can never fire: no answers meet its condition, unless something is not known"
        yield _warning(entry, (*entry.path, "when"), message, _remedy(rule.when))
    elif milder is not None and not can_hold(both := c.all_of([rule.when, milder.when])):
        message = f"`{rule.id}` is never milder: nothing meets both its condition and this one"
        yield _warning(entry, (*entry.path, "milder", "when"), message, _remedy(both))
    if rule.alone and (others := _overshadowing(entry, rules, baseline)):
        message = f"`{rule.id}` never fires in its own examples: {others} raises the outcome there"
        yield _warning(entry, (*entry.path, "alone"), message, "give an example in which no rule raises the outcome")


def _overshadowing(entry: Entry, rules: Sequence[Rule], baseline: Mapping[str, Any]) -> str:
    """The rules that keep one marked `alone` from firing in every one of its examples."""
    found: dict[str, None] = {}
    for index, example in enumerate(entry.text.examples.fires):
        case = example_facts(example, baseline, (*entry.path, "examples", "fires", index), entry.faults)
        firings = [] if case is None else fire(rules, case)
        if any(firing.rule is entry.rule for firing in firings):
            return ""
        found |= {f"`{firing.rule.id}`": None for firing in firings if firing.outcome.gravity > 0}
    return " or ".join(list(found)[:3])


def _remedy(condition: Condition) -> str:
    twice = asked_twice(condition)
    if not twice:
        return "correct the condition"
    asked = " and ".join(f"`{name}`" for name in twice[:3])
    return f"it asks of {asked} what excludes itself; put alternatives into one list, or under `any:`"


def _warning(entry: Entry, path: Path, message: str, remedy: str) -> RulebookFault:
    return entry.faults.fault(path, message, remedy)
