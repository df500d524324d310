"""The table of facts in docs/rulebook.md."""

from collections.abc import Iterator

from shared.rulebook.catalogue import FactSpec, Scope, catalogue

_TITLES: dict[Scope, str] = {
    "asset": "Of the asset (every rule)",
    "stage": "Of a stage (`for: stage`)",
    "talent": "Of a performer (`for: talent`)",
    "finding": "Of a finding (`for: finding`)",
}
_TYPES = {"text": "a text", "number": "a number", "texts": "list of texts"}


def facts_table() -> str:
    """Every fact that a rule may name, in Markdown."""
    return "\n".join(line for scope, title in _TITLES.items() for line in _section(scope, title))


def _section(scope: Scope, title: str) -> Iterator[str]:
    yield from (f"### {title}", "", "| fact | values | meaning |", "|---|---|---|")
    for name, spec in catalogue(scope).items():
        if spec.scope == scope:
            yield f"| `{name}` | {_values(spec)} | {spec.description} |"
    yield ""


def _values(spec: FactSpec) -> str:
    values = ", ".join(spec.values) or _TYPES.get(spec.type, "")
    if spec.items:
        values = f"list of {', '.join(f'`{item}`' for item in spec.items)}"
    return f"{values}; may be not known" if spec.may_be_unknown else values
