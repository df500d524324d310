"""Tools whose terms are on record: they fill in for silence, worse terms count, faults are told with their lines."""

from pathlib import Path

import pytest

from shared.declaration.parse import parse_declaration
from shared.errors import ConfigurationError
from shared.rulebook.facts import facts
from shared.rulebook.tools import load_tools, parse_tools
from tests.screenings import MOOD_BOARD

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
    ("changes", "environment", "stores"),
    [
        ({}, "enterprise", "no"),
        ({"vendor": "IN HOUSE "}, "enterprise", "no"),
        ({"environment": "consumer"}, "consumer", "no"),
        ({"stores_reuses_or_trains": "yes"}, "enterprise", "yes"),
        ({"vendor": "Acme", "tool": "sketcher", "environment": "enterprise"}, "consumer", "yes"),
        ({"tool": "another"}, None, None),
        ({"vendor": None}, None, None),
    ],
)
def test_terms_fill_in_for_silence_and_the_worse_ones_count(
    changes: dict[str, str | None], environment: str | None, stores: str | None
) -> None:
    declared = parse_declaration(stage(**changes))
    known = facts(declared, (), parse_tools(LIST).named_in(declared)).stages[0]
    assert (known.environment, known.stores_reuses_or_trains) == (environment, stores)


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
