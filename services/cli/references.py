"""`clearframe reference`: the protected works that uploads are compared with."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.api import Api
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.session import Session

_ANSWER_SECONDS = 120.0

references = typer.Typer(no_args_is_help=True, help="The protected works that uploads are compared with.")
app.add_typer(references, name="reference")


@references.command()
def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="pictures of protected works")],
    bank: Annotated[str, typer.Option(help="the set they belong to")] = "protected",
    title: Annotated[str | None, typer.Option(help="for a single file; else the file's name")] = None,
    owner: Annotated[str | None, typer.Option(help="who holds the rights")] = None,
    label: Annotated[str | None, typer.Option(help="what it is: artwork, still, logo")] = None,
) -> None:
    """Registers protected works; each is searched for within a second."""
    if title and len(paths) > 1:
        raise usage("--title is for one file; leave it out and the files' names are taken")
    session: Session = context.obj
    with Api(session) as api:
        for path in paths:
            details = {"title": title or path.stem, "bank": bank, "owner": owner, "label": label}
            _print(session, _add(api, path, {name: value for name, value in details.items() if value is not None}))


@references.command("list")
def list_(context: typer.Context, bank: str | None = None, limit: int = 100) -> None:
    """The newest references."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/references", most=limit, bank=bank):
            _print(session, item)


@references.command("show")
def show_(context: typer.Context, reference_id: str) -> None:
    """One reference, whole."""
    session: Session = context.obj
    with Api(session) as api:
        found = api.get(f"/v1/references/{reference_id}")
    if session.json:
        show.emit(found)
    else:
        session.out.print_json(json.dumps(found))


@references.command()
def withdraw(context: typer.Context, reference_ids: list[str]) -> None:
    """Takes references out of the search; the record stays."""
    session: Session = context.obj
    with Api(session) as api:
        for reference_id in reference_ids:
            api.call("DELETE", f"/v1/references/{reference_id}")
            session.out.print(f"withdrawn {escape(reference_id)}")


@references.command()
def mark(
    context: typer.Context,
    reference_id: str,
    note: Annotated[str, typer.Option(help="why, as in `distributor's banner`")] = "common element",
    region: Annotated[
        list[str] | None, typer.Option(help="LEFT,TOP,RIGHT,BOTTOM in fractions of the picture; the whole if not given")
    ] = None,
) -> None:
    """Marks regions as common to many works: matches within them no longer alarm. Replaces earlier marks."""
    marks = (
        [{"region": _corners(each), "note": note} for each in region] if region else [{"region": None, "note": note}]
    )
    _mark(context.obj, reference_id, marks)


@references.command()
def unmark(context: typer.Context, reference_id: str) -> None:
    """Takes all marks of common regions away."""
    _mark(context.obj, reference_id, [])


def _mark(session: Session, reference_id: str, marks: list[dict[str, Any]]) -> None:
    with Api(session) as api:
        changed = api.call("PATCH", f"/v1/references/{reference_id}", json={"common": marks})
    if session.json:
        show.emit(changed)
    else:
        session.out.print(
            f"{escape(reference_id)}: {len(changed['common'])} common regions; rescan to judge past uploads"
        )


def _corners(text: str) -> list[tuple[float, float]]:
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError as error:
        raise usage(f"--region {text}: wants LEFT,TOP,RIGHT,BOTTOM, as in 0,0.8,1,1") from error
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


@references.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON lines: {path, title, bank, owner, label, external_id}")],
) -> None:
    """Registers what a list of JSON lines names; paths are relative to the list."""
    session: Session = context.obj
    with Api(session) as api:
        for number, line in enumerate(_lines(file), 1):
            try:
                row = json.loads(line)
                path = file.parent / row.pop("path")
            except (ValueError, KeyError, TypeError) as error:
                raise usage(f"{file}, line {number}: wants a JSON object with a `path`") from error
            _print(session, _add(api, path, {"title": path.stem, "bank": "protected"} | row))


@references.command()
def export(context: typer.Context, bank: str | None = None) -> None:
    """Every live reference as a JSON line, hashes included."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/references", bank=bank):
            show.emit(item)


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise usage(f"{file}: {error.strerror}") from error


def _add(api: Api, path: Path, details: dict[str, Any]) -> Any:
    described = (None, json.dumps(details), "application/json")
    try:
        with path.open("rb") as file:
            added = api.call("POST", "/v1/references", files={"reference": described, "file": (path.name, file)})
        return answered(api, added)
    except OSError as error:
        raise usage(f"{path}: {error.strerror}") from error
    except CommandFailed as failure:
        raise CommandFailed(f"{path}: {failure}", failure.code) from failure


def answered(api: Api, reference: dict[str, Any]) -> Any:
    """The service answers after ten seconds at the latest; screening may take longer where it is busy."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    while reference["status"] == "pending" and time.monotonic() < deadline:
        time.sleep(0.5)
        reference = api.get(f"/v1/references/{reference['id']}")
    if reference["status"] == "refused":
        raise usage(f"refused ({reference.get('reason')}): {reference.get('reason_detail') or ''}")
    return reference


def _print(session: Session, item: dict[str, Any]) -> None:
    if session.json:
        show.emit(item)
    else:
        session.out.print(
            f"{item['status']:<11} {escape(item.get('title') or '')}  [dim]{item.get('bank')}  {item['id']}[/]"
        )
