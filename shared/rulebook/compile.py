"""Turns a rule as written into a rule as used."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.declaration.faults import did_you_mean, shown
from shared.declaration.messages import describe_value, location_of, nested_model
from shared.marked_yaml import Path
from shared.rulebook.conditions import Condition
from shared.rulebook.faults import FaultList
from shared.rulebook.model import Milder, MilderText, Rule, RuleText
from shared.rulebook.when import WhenReader, when_reader
from shared.rulebook.wording import Template, read_template
from shared.verdicts import Outcome

T = TypeVar("T", bound=BaseModel)


def read_written(model: type[T], data: Any, path: Path, faults: FaultList) -> T | None:
    """`data` as the model; None, with every fault noted, when it does not fit."""
    try:
        return model.model_validate(data, strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            location = location_of(detail)
            faults.add((*path, *location), *_describe(detail, model, location))
    return None


def _describe(detail: ErrorDetails, model: type[BaseModel], location: Path) -> tuple[str, str]:
    if detail["type"] == "extra_forbidden":
        holder = _model_at(model, location[:-1])
        return f"there is no field `{location[-1]}`", did_you_mean(location[-1], _names(holder))
    if detail["type"] == "string_pattern_mismatch":
        return f"{shown(detail['input'])} is not well formed", f"it must fit {detail['ctx']['pattern']}"
    return describe_value(detail)


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_at(model: type[BaseModel], location: Path) -> type[BaseModel]:
    for part in location:
        field = model.model_fields.get(str(part))
        model = (nested_model(field.annotation) if field else None) or model
    return model


def compile_rule(text: RuleText, path: Path, faults: FaultList) -> Rule:
    """The rule ready for use. What is wrong with conditions and texts is noted."""
    reader = when_reader(text.scope, faults)
    when = reader.read(text.when, (*path, "when"))
    milder = _milder(text.milder, text, reader, (*path, "milder"), faults) if text.milder else None
    if text.alone and text.outcome != "clear":
        faults.add((*path, "alone"), "only a rule that clears may wait for others", "state it in `when`")
    return Rule(
        id=text.id,
        title=text.title,
        cites=tuple(text.cites or [text.id.partition("/")[0]]),
        serves=text.serves,
        scope=text.scope,
        when=when,
        outcome=Outcome(text.outcome),
        milder=milder,
        alone=text.alone,
        because=read_template(text.because, text.scope, (*path, "because"), faults),
        needs=tuple(tuple(alternative) for alternative in text.needs),
        confirmed_by_two=text.confirmed_by_two,
        for_this_very_file=text.for_this_very_file,
        shadow=text.shadow,
        to_do=_template(text.to_do, text, (*path, "to_do"), faults),
        reads=_reads(when, milder),
    )


def check_broken_rule(data: Any, path: Path, faults: FaultList) -> None:
    """Notes what is wrong inside a rule whose shape is wrong already, so that all faults are told at once."""
    scope = data.get("for", "asset") if isinstance(data, dict) else None
    if scope not in ("asset", "stage", "talent", "finding"):
        return
    if isinstance(data.get("when"), dict):
        when_reader(scope, faults).read(data["when"], (*path, "when"))
    if isinstance(data.get("because"), str):
        read_template(data["because"], scope, (*path, "because"), faults)


def _milder(text: MilderText, rule: RuleText, reader: WhenReader, path: Path, faults: FaultList) -> Milder:
    outcome = Outcome(text.outcome)
    if outcome.gravity >= Outcome(rule.outcome).gravity:
        faults.add((*path, "outcome"), f"`{outcome}` is not milder than `{rule.outcome}`", "choose a lower outcome")
    if not text.when:
        faults.add((*path, "when"), "an empty condition always holds", "say where the rule is milder")
    because = _template(text.because, rule, (*path, "because"), faults)
    return Milder(reader.read(text.when, (*path, "when")), outcome, because)


def _template(text: str | None, rule: RuleText, path: Path, faults: FaultList) -> Template | None:
    return None if text is None else read_template(text, rule.scope, path, faults)


def _reads(when: Condition, milder: Milder | None) -> tuple[Any, ...]:
    leaves = [*when.leaves(), *(milder.when.leaves() if milder else ())]
    return tuple({leaf.fact.name: leaf.fact for leaf in leaves if leaf.fact is not None}.values())
