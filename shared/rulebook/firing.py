"""Which rules fire on which facts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.rulebook import conditions as c
from shared.rulebook.facts_model import Facts, Subject
from shared.rulebook.model import Rule
from shared.rulebook.wording import Template
from shared.verdicts import Outcome


@dataclass(frozen=True)
class Firing:
    """One rule that fired on one subject; `position` is the subject's place in its list. Not `certain`: not known."""

    rule: Rule
    outcome: Outcome
    because: Template
    subject: Subject
    position: int
    certain: bool


def fire(rules: Sequence[Rule], facts: Facts) -> list[Firing]:
    """Every rule on every subject. A rule marked `alone` fires only when no other raises the outcome."""
    firings = [firing for rule in rules if not rule.alone for firing in fire_rule(rule, facts)]
    if all(firing.outcome is Outcome.CLEAR for firing in firings):
        firings += [firing for rule in rules if rule.alone for firing in fire_rule(rule, facts)]
    return firings


def fire_rule(rule: Rule, facts: Facts) -> Iterator[Firing]:
    """The rule alone. One that clears must be certain; any other fires on what is not known, too."""
    check = rule.when.check
    least = c.YES if rule.outcome is Outcome.CLEAR else c.UNKNOWN
    for position, subject in enumerate(_subjects(rule, facts)):
        found = check(facts, subject)
        if found >= least:
            yield _firing(rule, facts, subject, position, found == c.YES)


def _subjects(rule: Rule, facts: Facts) -> Sequence[Subject]:
    if rule.scope == "asset":
        return (None,)
    if rule.scope == "stage":
        return facts.stages
    return facts.talent if rule.scope == "talent" else facts.findings


def _firing(rule: Rule, facts: Facts, subject: Subject, position: int, certain: bool) -> Firing:
    milder = rule.milder
    if milder is not None and milder.when.check(facts, subject) == c.YES:
        return Firing(rule, milder.outcome, milder.because or rule.because, subject, position, certain)
    return Firing(rule, rule.outcome, rule.because, subject, position, certain)
