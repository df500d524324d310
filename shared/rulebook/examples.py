"""Runs the examples of a rule: each is laid over the rulebook's baseline and must, or must not, fire the rule."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shared.declaration.faults import InvalidDeclaration
from shared.declaration.messages import describe_value
from shared.declaration.parse import parse_declaration
from shared.findings import FINDINGS
from shared.marked_yaml import Path
from shared.rulebook.facts import facts
from shared.rulebook.facts_model import Facts
from shared.rulebook.faults import FaultList
from shared.rulebook.firing import fire_rule
from shared.rulebook.model import ExampleText, Rule, RuleText
from shared.rulebook.tools import known_tool
from shared.verdicts import gravest


def check_examples(rule: Rule, text: RuleText, baseline: Mapping[str, Any], path: Path, faults: FaultList) -> None:
    """Notes each example that does not do what it says."""
    groups = (("fires", True, text.examples.fires), ("near_miss", False, text.examples.near_miss))
    for name, should_fire, examples in groups:
        for index, example in enumerate(examples):
            where = (*path, "examples", name, index)
            if not should_fire and example in text.examples.fires:
                faults.add(where, "the example contradicts another: it also stands under `fires`", "remove one of them")
                continue
            case = example_facts(example, baseline, where, faults)
            if case is not None:
                _check(rule, case, example, should_fire, path=where, faults=faults)


def _check(rule: Rule, case: Facts, example: ExampleText, should_fire: bool, *, path: Path, faults: FaultList) -> None:
    outcomes = [firing.outcome for firing in fire_rule(rule, case)]
    if should_fire and not outcomes:
        faults.add(path, f"the example does not fire `{rule.id}`", "correct the example or the rule's `when`")
    elif not should_fire and outcomes:
        faults.add(path, f"the near miss fires `{rule.id}`", "correct the example or the rule's `when`")
    elif outcomes and example.outcome and gravest(outcomes).value != example.outcome:
        faults.add(path, f"the outcome is `{gravest(outcomes).value}`, not `{example.outcome}`", "correct one of them")


def example_facts(example: ExampleText, baseline: Mapping[str, Any], path: Path, faults: FaultList) -> Facts | None:
    """The facts of an example; None, with the faults noted, when it is no valid case."""
    try:
        declaration = parse_declaration(example_declaration(example, baseline))
        return facts(declaration, FINDINGS.validate_python(example.findings), tuple(map(known_tool, example.tools)))
    except InvalidDeclaration as error:
        for fault in error.faults:
            faults.add(path, f"not a valid declaration: {fault.field}: {fault.message}", fault.remedy)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            faults.add((*path, "findings", *detail["loc"]), *describe_value(detail))
    return None


def example_declaration(example: ExampleText, baseline: Mapping[str, Any]) -> dict[str, Any]:
    """The baseline with the example laid over it. Maps are merged, a null takes a field away, the rest is replaced."""
    declaration = _laid_over(baseline, example.declare)
    if example.stage is not None:
        declaration["stages"] = [_laid_over(stage, example.stage) for stage in declaration.get("stages") or [{}]]
    if example.talent is not None:
        declaration["talent"] = [example.talent]
    return declaration


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
