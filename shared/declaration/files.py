"""Declarations as files (YAML or JSON), and the published JSON Schema."""

from pathlib import Path
from typing import Any

from shared.declaration.faults import Fault, InvalidDeclaration, field_path
from shared.declaration.model import Declaration
from shared.declaration.parse import parse_declaration
from shared.marked_yaml import TextFault, read_yaml

SCHEMA_ID = "https://clearframe.example/schemas/declaration.json"


def load_declaration_file(path: Path) -> Declaration:
    """The declaration in a YAML or JSON file. Raises InvalidDeclaration, and OSError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDeclaration([Fault("declaration", "is no UTF-8 text", "save it as UTF-8")]) from error
    return load_declaration(text)


def load_declaration(text: str) -> Declaration:
    """The declaration in a YAML or JSON text. Raises InvalidDeclaration."""
    marked = read_yaml(text)
    if marked.faults:
        raise InvalidDeclaration([_fault(fault) for fault in marked.faults])
    return parse_declaration(marked.data)


def _fault(fault: TextFault) -> Fault:
    where = f"line {fault.place.line}, column {fault.place.column}"
    return Fault(field_path(fault.path), f"{where}: {fault.message}", fault.remedy)


def declaration_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `parse_declaration` takes."""
    schema = Declaration.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
