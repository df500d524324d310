"""What a person reads of a decision: one sentence, and what the uploader can do now. Pure."""

from collections.abc import Sequence

from shared.rulebook.asking import question_for
from shared.rulebook.conditions import unknown_facts
from shared.rulebook.documents import Document, Papers
from shared.rulebook.facts_model import Facts
from shared.rulebook.firing import Firing
from shared.verdicts import Outcome, Reason

_OPENING = {
    Outcome.CLEAR: "Clear",
    Outcome.CAUTION: "Work may go on, with caution",
    Outcome.ESCALATE: "Work waits for the studio",
}


def summary(outcome: Outcome, reasons: Sequence[Reason]) -> str:
    """One sentence: the outcome, the gravest reason, and how many more there are."""
    counting = [reason for reason in reasons if reason.counts and reason.outcome is outcome]
    discharged = len({reason.rule for reason in reasons if not reason.counts})
    covered = f" ({discharged} {'rule is' if discharged == 1 else 'rules are'} covered by documents)"
    tail = covered if discharged else ""
    if outcome is Outcome.CLEAR:
        return f"{_OPENING[outcome]}: no rule stands in the way{tail}."
    first = counting[0]
    where = f" Stage {first.stage}." if first.stage else ""
    others = len({reason.rule for reason in counting} - {first.rule})
    more = f" {others} more {'rule' if others == 1 else 'rules'} of the same weight fired." if others else ""
    return f"{_OPENING[outcome]}: {first.because.rstrip('.')} ({first.rule}){tail}.{where}{more}"


def to_do(judged: Sequence[tuple[Firing, Reason]], facts: Facts, papers: Papers) -> tuple[str, ...]:
    """What to declare first, then what each rule that still counts advises. Nothing for rules that clear."""
    open_rules = [(firing, reason) for firing, reason in judged if reason.counts and reason.outcome.gravity > 0]
    questions = [
        question_for(name, firing, facts)
        for firing, _ in open_rules
        if not firing.certain
        for name in unknown_facts(firing.rule.when, facts, firing.subject)
    ]
    advice = [
        firing.rule.to_do.fill(facts, firing.subject)
        for firing, _ in open_rules
        if firing.certain and firing.rule.to_do is not None
    ]
    waiting = [
        f"`{document.title or document.id}` waits for a second person to confirm it ({firing.rule.row})."
        for firing, _ in open_rules
        if firing.rule.confirmed_by_two
        for document in papers.documents
        if _waits(document, firing)
    ]
    return tuple(dict.fromkeys([*questions, *advice, *waiting]))


def _waits(document: Document, firing: Firing) -> bool:
    named = firing.rule.id in document.rules or firing.rule.row in document.rules
    return named and document.confirmed_by is None and document.revoked_at is None
