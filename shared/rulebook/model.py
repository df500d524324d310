"""The rulebook: as it is written (checked by pydantic), and as it is used (compiled)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.declaration.text import Name
from shared.rulebook.catalogue import FactSpec, Scope
from shared.rulebook.conditions import Condition
from shared.rulebook.facts_model import YesNo
from shared.rulebook.faults import RulebookFault
from shared.rulebook.wording import Template
from shared.verdicts import DocumentKind, Outcome, RulebookVersion

Priority = Literal["personal_data", "creative_rights", "performers_and_unions", "audience_trust"]
OutcomeName = Literal["clear", "caution", "escalate"]
Row = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", max_length=40)]
RuleId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$", max_length=80)]
Words = Annotated[str, Field(min_length=1, max_length=500)]
Alternative = Annotated[list[DocumentKind], Field(min_length=1, max_length=4)]


class Written(BaseModel):
    """A part of a rulebook as written: nothing unknown passes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ToolText(Written):
    """A tool whose terms are on record, as written."""

    vendor: Name
    tool: Name
    environment: Literal["enterprise", "consumer"]
    stores_reuses_or_trains: YesNo


class ExampleText(Written):
    """A case laid over the rulebook's baseline declaration. `stage` changes its stages, `talent` is one performer.

    `tools` are those whose terms are on record.
    """

    declare: dict[str, Any] = Field(default_factory=dict)
    stage: dict[str, Any] | None = None
    talent: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = Field(default_factory=list)
    tools: list[ToolText] = Field(default_factory=list)
    outcome: OutcomeName | None = None


class ExamplesText(Written):
    """Cases that fire the rule, and cases that nearly do."""

    fires: Annotated[list[ExampleText], Field(min_length=1)]
    near_miss: Annotated[list[ExampleText], Field(min_length=1)]


class MilderText(Written):
    """Where this is known for certain, the rule has a milder outcome."""

    when: Any
    outcome: OutcomeName
    because: Words | None = None


class RuleText(Written):
    """One rule as written."""

    id: RuleId
    title: Words
    serves: Priority
    scope: Scope = Field(alias="for", default="asset")
    cites: Annotated[list[Row], Field(min_length=1)] | None = None
    when: Any
    outcome: OutcomeName
    milder: MilderText | None = None
    alone: bool = False
    because: Words
    needs: Annotated[list[Alternative], Field(max_length=8)] = Field(default_factory=list)
    confirmed_by_two: bool = False
    for_this_very_file: bool = False
    shadow: bool = False
    to_do: Words | None = None
    examples: ExamplesText


class HeaderText(Written):
    """Which rulebook it is."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$", max_length=30)]
    title: Words
    baseline: dict[str, Any]


class RulebookText(Written):
    """One file of a rulebook."""

    rulebook: Any = None
    rules: list[Any] = Field(default_factory=list)


@dataclass(frozen=True)
class Milder:
    """A milder outcome, where its condition is known to hold."""

    when: Condition
    outcome: Outcome
    because: Template | None


@dataclass(frozen=True)
class Rule:
    """One compiled rule. `reads` are the facts its conditions look at; `alone`: fires only when no rule raises.

    `shadow`: what it would say is recorded beside the verdict; it never counts.
    """

    id: str
    title: str
    cites: tuple[str, ...]
    serves: Priority
    scope: Scope
    when: Condition
    outcome: Outcome
    milder: Milder | None
    alone: bool
    because: Template
    needs: tuple[tuple[DocumentKind, ...], ...]
    confirmed_by_two: bool
    for_this_very_file: bool
    shadow: bool
    to_do: Template | None
    reads: tuple[FactSpec, ...]

    @property
    def row(self) -> str:
        """The row it encodes: the id without the variant."""
        return self.id.partition("/")[0]


@dataclass(frozen=True)
class Rulebook:
    """A checked rulebook. `sources` are the texts it was read from, by file name; `warnings` do not stop it."""

    version: RulebookVersion
    title: str
    rules: tuple[Rule, ...]
    sources: Mapping[str, str]
    warnings: tuple[RulebookFault, ...] = ()

    @cached_property
    def deciding(self) -> tuple[Rule, ...]:
        """The rules that count: all but those in shadow."""
        return tuple(rule for rule in self.rules if not rule.shadow)

    @property
    def in_shadow(self) -> tuple[str, ...]:
        """The ids of its rules that are recorded and never count."""
        return tuple(rule.id for rule in self.rules if rule.shadow)

    def rule(self, rule_id: str) -> Rule | None:
        """The rule with this id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def rows(self) -> frozenset[str]:
        """Every row that some rule cites."""
        return frozenset(row for rule in self.rules for row in rule.cites)
