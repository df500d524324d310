"""The editor's schema takes the rulebooks that the loader takes; another studio's rules work as well as the shipped."""

from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from services.verdict.decide import decide
from shared.declaration.parse import parse_declaration
from shared.marked_yaml import read_yaml
from shared.rulebook.catalogue import catalogue
from shared.rulebook.documents import Papers
from shared.rulebook.facts import facts
from shared.rulebook.guide import facts_table
from shared.rulebook.loader import SHIPPED, load_rulebook
from shared.rulebook.schema import rulebook_schema, tools_schema

DOCS = Path(__file__).parents[2] / "docs"
SMALL = DOCS / "examples" / "small-studio.yaml"


@pytest.fixture(scope="module")
def validator():
    schema = rulebook_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", [*SHIPPED.glob("*.yaml"), SMALL], ids=lambda path: path.name)
def test_it_takes_good_rulebooks(validator, path):
    assert [error.message for error in validator.iter_errors(read_yaml(path.read_text()).data)] == []


def test_it_refuses_unknown_facts_and_values(validator):
    rule = read_yaml(SMALL.read_text()).data["rules"][0]
    for when in ({"genai": "yes"}, {"genai_used": "maybe"}, {"findings": {"some": {"kind": "x"}}}):
        assert not validator.is_valid({"rules": [rule | {"when": when}]})


def test_a_list_of_tools_has_a_schema_too():
    schema = jsonschema.Draft202012Validator(tools_schema())
    tool = {"vendor": "in house", "tool": "x", "environment": "enterprise", "stores_reuses_or_trains": "no"}
    assert schema.is_valid({"tools": [tool]})
    assert not schema.is_valid({"tools": [tool | {"environment": "enterprize"}]})
    assert not schema.is_valid({"tools": [tool | {"terms": "good"}]})


def test_another_studio_decides_by_its_own_rules():
    rulebook = load_rulebook(SMALL)
    declaration = {"production": "lighthouse", "genai_used": "yes", "talent": [], "stages": [{"tool": "x"}]}
    case = facts(parse_declaration(declaration), ())
    decision = decide(rulebook, case, Papers(), datetime(2026, 10, 1, tzinfo=UTC))
    assert [reason.rule for reason in decision.reasons] == ["TOOLS"]


def test_every_fact_is_documented_in_words():
    for scope in ("asset", "stage", "talent", "finding"):
        for name, spec in catalogue(scope).items():
            assert " " in spec.description, name
            assert all(" " in item.description for item in (spec.items or {}).values()), name


def test_the_guide_holds_the_table_of_facts():
    guide = (DOCS / "rulebook.md").read_text()
    table = guide.partition("<!-- facts: begin -->\n")[2].partition("<!-- facts: end -->")[0]
    assert table == facts_table(), "print shared.rulebook.guide.facts_table() into docs/rulebook.md"
