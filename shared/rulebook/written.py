"""A checked rulebook as it was written, for whatever shows rules to people: their words, conditions and examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.declaration.parse import parse_declaration
from shared.findings import FINDINGS
from shared.marked_yaml import read_yaml
from shared.rulebook.examples import example_declaration
from shared.rulebook.facts import facts
from shared.rulebook.facts_model import Facts
from shared.rulebook.model import ExampleText, HeaderText, Rulebook, RuleText

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
        return facts(declaration, FINDINGS.validate_python(example.findings))


def as_written(rulebook: Rulebook) -> Written:
    """Reads the texts of a rulebook that was loaded, and so has no faults."""
    documents = [read_yaml(text).data or {} for text in rulebook.sources.values()]
    header = next(HeaderText.model_validate(data["rulebook"]) for data in documents if data.get("rulebook"))
    rules = [RuleText.model_validate(rule) for data in documents for rule in data.get("rules") or ()]
    return Written(header.baseline, {rule.id: rule for rule in rules})


def flattened(data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """`{rights: {recreates_protected: yes}}` as `rights.recreates_protected: yes`."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {_plain(value)}"


def example_in_words(example: ExampleText) -> str:
    """What sets an example apart from the baseline, on one line."""
    parts = [*flattened(example.declare), *flattened(example.stage or {}, "stage."), *flattened(example.talent or {})]
    parts += [", ".join(flattened(finding)) for finding in example.findings]
    return "; ".join(parts) or "the baseline itself"


def _plain(value: Any) -> str:
    if value is None:
        return "left out"
    if isinstance(value, Mapping):
        return "(" + ", ".join(flattened(value)) + ")" if value else "nothing"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)
