"""The published JSON Schema of a declaration."""

from typing import Any

from shared.declaration.model import Declaration

SCHEMA_ID = "https://clearframe.example/schemas/declaration.json"


def declaration_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `parse_declaration` takes."""
    schema = Declaration.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
