"""Decides: all rules run, the gravest that fired and was not discharged is the outcome. Pure: time is passed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.verdict.telling import summary, to_do
from shared.rulebook.conditions import unknown_facts
from shared.rulebook.documents import Claim, Papers, discharged_by
from shared.rulebook.facts_model import Facts, FindingFacts, StageFacts, TalentFacts
from shared.rulebook.firing import Firing, fire
from shared.rulebook.model import Rulebook
from shared.rulebook.pins import pin
from shared.rulebook.wording import in_words, stage_label
from shared.verdicts import Outcome, Reason, gravest


@dataclass(frozen=True)
class Decision:
    """What the rules make of an asset. `reasons` come gravest first, discharged ones last."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    to_do: tuple[str, ...]
    summary: str


def decide(rulebook: Rulebook, facts: Facts, papers: Papers, now: datetime, *, with_shadow: bool = False) -> Decision:
    """The decision on these facts with the documents on record at `now`; `with_shadow`: as if every rule counted."""
    rules = rulebook.rules if with_shadow else rulebook.deciding
    judged = [(firing, _reason(firing, facts, papers, now)) for firing in fire(rules, facts)]
    judged.sort(key=lambda pair: (not pair[1].counts, -pair[1].outcome.gravity))
    reasons = _merged([reason for _, reason in judged])
    outcome = gravest([reason.outcome for reason in reasons if reason.counts])
    return Decision(outcome, reasons, to_do(judged, facts, papers), summary(outcome, judged))


def _reason(firing: Firing, facts: Facts, papers: Papers, now: datetime) -> Reason:
    rule, subject = firing.rule, firing.subject
    return Reason(
        rule=rule.id,
        outcome=firing.outcome,
        because=_because(firing, facts),
        stage=stage_label(subject) if isinstance(subject, StageFacts) else None,
        serves=rule.serves,
        needs=rule.needs,
        discharged_by=_lifted_by(firing, facts, papers, now),
        findings=(subject.number,) if isinstance(subject, FindingFacts) else (),
    )


def _because(firing: Firing, facts: Facts) -> str:
    text = firing.because.fill(facts, firing.subject)
    if firing.certain:
        return text
    names = unknown_facts(firing.rule.when, facts, firing.subject)
    missing = "; ".join(in_words(name, firing.rule.scope) for name in names)
    return f"Not known: {missing}. Read as the worse answer: {text}"


def _lifted_by(firing: Firing, facts: Facts, papers: Papers, now: datetime) -> tuple[str, ...]:
    """Documents that meet the rule's needs; for a match, an allow bank or a reviewer's dismissal first."""
    subject = firing.subject
    if isinstance(subject, FindingFacts) and subject.kind == "reference_match":
        dismissed = [d.id for d in papers.dismissals if _dismisses(d.asset_id, d.reference_id, subject, papers)]
        if dismissed or subject.allowed_by:
            return (*sorted(dismissed), *subject.allowed_by)
    if not firing.rule.needs or not papers.documents:
        return ()
    return discharged_by(_claim(firing, facts), papers, now)


def _dismisses(asset_id: str, reference_id: str, subject: FindingFacts, papers: Papers) -> bool:
    return asset_id == papers.asset_id and reference_id == subject.reference


def _claim(firing: Firing, facts: Facts) -> Claim:
    rule = firing.rule
    return Claim(
        rule=rule.id,
        row=rule.row,
        needs=rule.needs,
        production=facts.production,
        pin=pin(firing, facts),
        use=facts.use,
        stage=_stage_names(firing),
        talent=_talent_names(firing, facts),
        territories=facts.territories,
        confirmed_by_two=rule.confirmed_by_two,
        very_file=rule.for_this_very_file,
    )


def _stage_names(firing: Firing) -> tuple[str, ...]:
    stage = firing.subject
    if not isinstance(stage, StageFacts):
        return ()
    return tuple(name for name in (stage.name, stage_label(stage)) if name)


def _talent_names(firing: Firing, facts: Facts) -> tuple[str, ...]:
    """The people a rule is about; for a rule about the asset, all whom the declaration names."""
    match firing.subject:
        case TalentFacts(name=name):
            return (name,)
        case FindingFacts(performer=performer) if performer:
            return (performer,)
        case StageFacts() as stage if stage.model.performer:
            return (stage.model.performer,)
    return tuple(talent.name for talent in facts.talent)


def _merged(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Reasons that differ only in their findings become one."""
    merged: dict[tuple[object, ...], Reason] = {}
    for reason in reasons:
        key = (reason.rule, reason.outcome, reason.because, reason.stage, reason.discharged_by)
        known = merged.get(key)
        if known is None:
            merged[key] = reason
        elif reason.findings:
            merged[key] = known.model_copy(update={"findings": (*known.findings, *reason.findings)})
    return tuple(merged.values())
