"""Tools whose terms are on record: they fill in for silence, worse terms count, faults are told with their lines."""

from pathlib import Path

import pytest

from services.verdict.decide import decide
from shared.declaration.parse import parse_declaration
from shared.errors import ConfigurationError
from shared.rulebook.documents import Papers
from shared.rulebook.facts import facts
from shared.rulebook.loader import shipped_rulebook
from shared.rulebook.tools import load_tools, parse_tools
from shared.verdicts import Outcome
from tests.screenings import MOOD_BOARD, START

LIST = """
tools:
  - {vendor: In House, tool: house-diffusion, environment: enterprise, stores_reuses_or_trains: no}
  - {vendor: Acme, tool: Sketcher, environment: consumer, stores_reuses_or_trains: yes}
"""


def stage(**changes: str | None) -> dict[str, object]:
    """A mood board whose one stage says nothing of its tool's terms, but for the changes."""
    kept = {k: v for k, v in MOOD_BOARD["stages"][0].items() if k not in ("environment", "stores_reuses_or_trains")}
    return MOOD_BOARD | {"stages": [kept | changes]}


@pytest.mark.parametrize(
    ("changes", "environment", "stores", "compared"),
    [
        ({}, "enterprise", "no", "agree"),
        ({"vendor": "IN HOUSE "}, "enterprise", "no", "agree"),
        ({"environment": "unsure", "stores_reuses_or_trains": "no"}, "enterprise", "no", "agree"),
        ({"environment": "consumer"}, "consumer", "no", "differ"),
        ({"stores_reuses_or_trains": "yes"}, "enterprise", "yes", "differ"),
        ({"vendor": "Acme", "tool": "sketcher", "environment": "enterprise"}, "consumer", "yes", "differ"),
        ({"tool": "another"}, None, None, "none"),
        ({"vendor": None}, None, None, "none"),
    ],
)
def test_terms_fill_in_for_silence_and_the_worse_ones_count(
    changes: dict[str, str | None], environment: str | None, stores: str | None, compared: str
) -> None:
    declared = parse_declaration(stage(**changes))
    known = facts(declared, (), parse_tools(LIST).named_in(declared)).stages[0]
    assert (known.environment, known.stores_reuses_or_trains, known.terms_on_record) == (environment, stores, compared)


def test_a_declaration_that_contradicts_the_terms_does_not_help_and_is_told() -> None:
    declared = parse_declaration(stage(vendor="Acme", tool="Sketcher", environment="enterprise"))
    tools = parse_tools(LIST).named_in(declared)
    decision = decide(shipped_rulebook(), facts(declared, (), tools), Papers(tools=tools), START)
    reasons = {reason.rule: reason for reason in decision.reasons}
    assert (decision.outcome, set(reasons)) == (Outcome.ESCALATE, {"P2", "P3", "W-1/terms"})
    assert reasons["W-1/terms"].because == (
        "What is declared of Sketcher differs from its terms on record; the worse of both counts."
    )


def test_only_the_tools_that_are_named_are_taken() -> None:
    named = parse_tools(LIST).named_in(parse_declaration(MOOD_BOARD))
    assert [tool.tool for tool in named] == ["house-diffusion"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LIST.replace("enterprise", "enterprize"), "tools.yaml:3:"),
        (LIST.replace("Acme", "in house").replace("Sketcher", "House-Diffusion"), "appears twice"),
        (LIST.replace("tool: Sketcher, ", ""), r"tools\[1\]"),
        (LIST.replace("vendor: Acme", "vender: Acme"), "did you mean `vendor`"),
        ("tools: [", "not valid YAML"),
        ("- a", "tools.yaml"),
    ],
)
def test_faults_are_told_with_their_place(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        parse_tools(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml"):
        load_tools(tmp_path / "none.yaml")
