"""`clearframe generate`, `openapi`, `asyncapi`, `schemas`: documents made from the code and kept fresh."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.app import app
from services.cli.failure import CommandFailed
from services.cli.session import ESCALATED

_FOLDER = Path("docs/events")


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail if something is stale")] = False,
) -> None:
    """Writes the generated documents of this repository."""
    stale = [path for path, text in documents() if not path.exists() or path.read_text() != text]
    if check and stale:
        raise CommandFailed("stale, run `make generate`: " + ", ".join(map(str, stale)), ESCALATED)
    for path, text in documents():
        if path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            typer.echo(f"wrote {path}")


@app.command()
def openapi() -> None:
    """Prints the OpenAPI document of the HTTP interface."""
    typer.echo(_text(_openapi()), nl=False)


@app.command()
def asyncapi() -> None:
    """Prints the AsyncAPI document of the events."""
    from shared.contracts import asyncapi as document

    typer.echo(_text(document(version("clearframe"))), nl=False)


@app.command()
def schemas(name: Annotated[str | None, typer.Argument(help="one schema; else all")] = None) -> None:
    """Prints the JSON Schemas of declaration, rulebook, tools, verdict, bank and events."""
    from shared.contracts import schemas as all_schemas

    found = all_schemas()
    if name is not None and name not in found:
        raise CommandFailed(f"{name}: no such schema; there are {', '.join(sorted(found))}", 2)
    typer.echo(_text(found if name is None else found[name]), nl=False)


def documents() -> Iterator[tuple[Path, str]]:
    """(path in the repository, text) of everything that is generated."""
    from services.cli.composition import SECTIONS
    from shared.contracts import asyncapi as asyncapi_document
    from shared.contracts import schemas as all_schemas
    from shared.metrics import describe_metrics
    from shared.settings import describe_settings

    yield Path("docs/asyncapi.json"), _text(asyncapi_document(version("clearframe")))
    yield Path("docs/openapi.json"), _text(_openapi())
    yield Path("docs/settings.md"), describe_settings(SECTIONS)
    yield Path("docs/metrics.md"), f"# Metrics\n\nAt `/metrics`, in Prometheus' text format.\n\n{describe_metrics()}"
    for name, schema in all_schemas().items():
        yield _FOLDER / f"{name}.json", _text(schema)


def _openapi() -> dict[str, Any]:
    from services.cli.composition import openapi_document

    return openapi_document()


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=False) + "\n"
