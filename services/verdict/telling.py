"""What a person reads of a decision: one sentence, and what the uploader can do now. Pure."""

from collections.abc import Sequence

from shared.rulebook.asking import question_for
from shared.rulebook.conditions import unknown_facts
from shared.rulebook.documents import Document, Papers
from shared.rulebook.facts_model import Facts
from shared.rulebook.firing import Firing
from shared.rulebook.wording import safe
from shared.verdicts import Outcome, Reason

_OPENING = {
    Outcome.CLEAR: "Clear",
    Outcome.CAUTION: "Work may go on, with caution",
    Outcome.ESCALATE: "Work waits for the studio",
}


Judged = Sequence[tuple[Firing, Reason]]


def summary(outcome: Outcome, judged: Judged) -> str:
    """One sentence: the outcome, the gravest reason that is certain, and how many more rules there are."""
    covered = _counted({reason.rule for _, reason in judged if not reason.counts}, "covered by documents")
    if outcome is Outcome.CLEAR:
        return f"{_OPENING[outcome]}: no rule stands in the way{'; ' + covered if covered else ''}."
    weighing = [(firing, reason) for firing, reason in judged if reason.counts and reason.outcome is outcome]
    firing, first = next((pair for pair in weighing if pair[0].certain), weighing[0])
    what = first.because.rstrip(".") if firing.certain else "too little is known to clear it"
    others = _counted({reason.rule for _, reason in weighing} - {first.rule}, "as grave")
    where = f"stage {first.stage}" if first.stage else ""
    return f"{_OPENING[outcome]}: {what} ({'; '.join(filter(None, (first.rule, where, others, covered)))})."


def _counted(rules: set[str], what: str) -> str:
    return f"{len(rules)} {'rule' if len(rules) == 1 else 'rules'} {what}" if rules else ""


def to_do(judged: Judged, facts: Facts, papers: Papers) -> tuple[str, ...]:
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
    unknown = _not_on_record(facts, papers) if open_rules else []
    return tuple(dict.fromkeys([*questions, *advice, *waiting, *unknown]))


def _not_on_record(facts: Facts, papers: Papers) -> list[str]:
    """Of the documents that the declaration names, those that the registry does not hold for this upload.

    Nothing for a file that is no upload: no registry was asked.
    """
    if not papers.asset_id:
        return []
    known = {document.id for document in papers.documents}
    named = [name for name in facts.documents if name not in known]
    where = f"on record for this upload in `{facts.production}`, or was revoked"
    return [f"The declaration names the document `{safe(name)}`, which is not {where}." for name in named]


def _waits(document: Document, firing: Firing) -> bool:
    named = firing.rule.id in document.rules or firing.rule.row in document.rules
    return named and document.confirmed_by is None and document.revoked_at is None
