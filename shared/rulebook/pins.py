"""Pins: digests of the facts behind a fired rule, so that an approval of one asset lapses when they change."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from shared.rulebook.facts_model import Facts, FindingFacts, StageFacts, Subject, TalentFacts
from shared.rulebook.firing import Firing, fire
from shared.rulebook.model import Rulebook


def pin(firing: Firing, facts: Facts) -> str:
    """SHA-256 over the rule, its subject and every fact that the rule reads."""
    read = {
        fact.name: _plain(fact.read(facts if fact.scope == "asset" else firing.subject)) for fact in firing.rule.reads
    }
    text = json.dumps([firing.rule.id, _identity(firing.subject), read], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def pins_for(rulebook: Rulebook, facts: Facts, rules: Iterable[str]) -> tuple[str, ...]:
    """The pins that a document for one asset needs, to discharge the named rules or rows as they fire now."""
    named = set(rules)
    firings = (f for f in fire(rulebook.rules, facts) if f.rule.id in named or f.rule.row in named)
    return tuple(sorted({pin(firing, facts) for firing in firings}))


def _identity(subject: Subject) -> list[str]:
    match subject:
        case StageFacts():
            return [subject.name, subject.vendor, subject.tool, subject.tool_version]
        case TalentFacts():
            return [subject.name, subject.treatment or ""]
        case FindingFacts():
            return [subject.kind, subject.reference, subject.claim, subject.performer, subject.reason]
    return []


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
