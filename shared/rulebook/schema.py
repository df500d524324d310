"""JSON Schema of a rulebook file, for editors: every fact with its values and meaning."""

from collections.abc import Mapping
from typing import Any

from shared.rulebook.catalogue import FactSpec, catalogue
from shared.rulebook.model import HeaderText, RulebookText, RuleText, ToolText
from shared.rulebook.tools import ToolsText

SCHEMA_ID = "https://clearframe.example/schemas/rulebook.json"
TOOLS_ID = "https://clearframe.example/schemas/tools.json"
_NESTING = {
    "all": {"type": "array", "items": {"$ref": "#/$defs/when"}, "minItems": 1},
    "any": {"type": "array", "items": {"$ref": "#/$defs/when"}, "minItems": 1},
    "not": {"$ref": "#/$defs/when"},
}


def rulebook_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one file of a rulebook."""
    file, rule, header = (model.model_json_schema(by_alias=True) for model in (RulebookText, RuleText, HeaderText))
    definitions = {**rule.pop("$defs", {}), **header.pop("$defs", {}), "when": _when()}
    rule["properties"]["when"] = definitions["MilderText"]["properties"]["when"] = {"$ref": "#/$defs/when"}
    file["properties"]["rules"]["items"] = {"$ref": "#/$defs/rule"}
    file["properties"]["rulebook"] = {"$ref": "#/$defs/header"}
    definitions |= {"rule": rule, "header": header}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **file, "$defs": definitions}


def tools_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a list of tools whose terms are on record."""
    file, tool = ToolsText.model_json_schema(), ToolText.model_json_schema()
    file["properties"]["tools"]["items"] = tool
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": TOOLS_ID, **file}


def _when() -> dict[str, Any]:
    facts = {**catalogue("stage"), **catalogue("talent"), **catalogue("finding")}
    return _tests_of(facts)


def _tests_of(facts: Mapping[str, FactSpec]) -> dict[str, Any]:
    properties = {name: _test(spec) for name, spec in facts.items()}
    return {"type": "object", "properties": _NESTING | properties, "additionalProperties": False}


def _test(spec: FactSpec) -> dict[str, Any]:
    described = {"description": spec.description}
    if spec.type == "records":
        entry = _tests_of(spec.items or {})
        return described | {"type": "object", "properties": {"some": entry, "none": entry}}
    if spec.type == "number":
        number = {"type": "number"}
        return described | {"type": "object", "properties": {"at_least": number, "below": number}}
    value: dict[str, Any] = {"enum": list(spec.values)} if spec.values else {"type": "string"}
    values = {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}
    negated = {"type": "object", "properties": {"not": values}, "additionalProperties": False}
    return described | {"anyOf": [*values["anyOf"], negated]}
