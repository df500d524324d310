"""A checked rulebook as it was written, for whatever shows rules to people: their words, conditions and examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.declaration.parse import parse_declaration
from shared.findings import FINDINGS
from shared.marked_yaml import read_yaml
from shared.rulebook.catalogue import FactSpec, Scope, catalogue
from shared.rulebook.examples import example_declaration
from shared.rulebook.facts import facts
from shared.rulebook.facts_model import Facts
from shared.rulebook.model import ExampleText, HeaderText, Rulebook, RuleText, ToolText
from shared.rulebook.tools import known_tool

Group = Literal["fires", "near_miss"]


@dataclass(frozen=True)
class Written:
    """The baseline declaration, and the text of each rule by id."""

    baseline: Mapping[str, Any]
    rules: Mapping[str, RuleText]

    def examples(self) -> Iterator[tuple[str, Group, ExampleText]]:
        """(rule, group, example) of all rules, in the order of writing."""
        for rule_id, rule in self.rules.items():
            yield from ((rule_id, "fires", example) for example in rule.examples.fires)
            yield from ((rule_id, "near_miss", example) for example in rule.examples.near_miss)

    def case(self, example: ExampleText) -> Facts:
        """The facts of an example."""
        declaration = parse_declaration(example_declaration(example, self.baseline))
        return facts(declaration, FINDINGS.validate_python(example.findings), tuple(map(known_tool, example.tools)))


def as_written(rulebook: Rulebook) -> Written:
    """Reads the texts of a rulebook that was loaded, and so has no faults."""
    documents = [read_yaml(text).data or {} for text in rulebook.sources.values()]
    header = next(HeaderText.model_validate(data["rulebook"]) for data in documents if data.get("rulebook"))
    rules = [RuleText.model_validate(rule) for data in documents for rule in data.get("rules") or ()]
    return Written(header.baseline, {rule.id: rule for rule in rules})


def example_in_words(example: ExampleText) -> str:
    """What sets an example apart from the baseline, on one line."""
    parts = [*_said(example.declare), *_said(example.stage or {}, "stage."), *_said(example.talent or {}, "talent.")]
    parts += map(_finding, example.findings)
    parts += map(_terms, example.tools)
    return "; ".join(parts) or "the baseline itself"


def _said(data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """`{rights: {recreates_protected: yes}}` as `the output recreates protected material: yes`."""
    for key, value in data.items():
        name = prefix + key
        if isinstance(value, Mapping) and value:
            yield from _said(value, f"{name}.")
        else:
            yield f"{_about(name)}: {_plain(value)}"


def _about(name: str) -> str:
    scope: Scope = "talent" if name.startswith("talent.") else "stage"
    spec = catalogue(scope).get(name)
    return spec.description if spec else name.rpartition(".")[2].replace("_", " ")


def _finding(data: Mapping[str, Any]) -> str:
    """`reference match (how much of a protected work the upload holds: part)`, without ids and scores."""
    facts = catalogue("finding")
    seen = {f"finding.{key}": value for key, value in data.items() if key not in ("kind", "reference")}
    told = [f"{_short(facts[name])}: {_measure(value)}" for name, value in seen.items() if name in facts]
    kind = f"found: {_plain(data.get('kind'))}"
    return f"{kind} ({'; '.join(told)})" if told else kind


def _terms(tool: ToolText) -> str:
    keeps = "stores, reuses or trains" if tool.stores_reuses_or_trains == "yes" else "keeps nothing"
    return f"terms on record: {tool.tool} of {tool.vendor}: {tool.environment}, {keeps}"


def _short(fact: FactSpec) -> str:
    return fact.description.partition(", ")[0]


def _measure(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.0%}" if isinstance(value, float) else _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, Mapping):
        return _entry(value)
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return str(value).replace("_", " ")


def _entry(entry: Mapping[str, Any]) -> str:
    """`performer (rights: licensed)`."""
    others = ", ".join(f"{key}: {_plain(value)}" for key, value in entry.items() if key != "kind")
    kind = _plain(entry["kind"]) if "kind" in entry else ""
    return f"{kind} ({others})" if kind and others else kind or others or "nothing"
