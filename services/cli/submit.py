"""`clearframe submit` and `clearframe lookup`: files go in, verdicts or matches come out."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import show
from services.cli.api import Api
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.session import ESCALATED, Session

if TYPE_CHECKING:
    from shared.declaration.model import Declaration

_UPLOADS_AT_ONCE = 4
_WAIT_SECONDS = 30
_DRAWN = 8  # matches at most in one picture


@app.command()
def submit(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="files, or folders whose files are taken")],
    declaration: Annotated[Path, typer.Option("--declaration", "-d", help="YAML or JSON: how GenAI was used")],
    production: Annotated[str | None, typer.Option(help="instead of the one the declaration names")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="until each upload is decided; exit 1 if one escalates")] = False,
) -> None:
    """Uploads files with a declaration."""
    session: Session = context.obj
    declared = _declaration(declaration, production)
    files = list(_files(paths))
    if not files:
        raise usage(f"no files in {', '.join(map(str, paths))}")
    with Api(session) as api, _progress(session, len(files)) as advance:
        results = list(_upload_all(api, files, declared, wait=wait, advance=advance))
    for path, asset in results:
        _report(session, path, asset)
    if any((asset.get("verdict") or {}).get("outcome") == "escalate" for _, asset in results):
        raise typer.Exit(ESCALATED)


@app.command()
def lookup(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="a picture")],
    min_score: Annotated[float, typer.Option(help="0.5 is the shipped threshold; lower shows weaker candidates")] = 0.5,
    picture: Annotated[
        Path | None, typer.Option("--show", help="writes upload and works side by side, regions drawn, to this file")
    ] = None,
) -> None:
    """What does this picture match? Nothing is stored."""
    session: Session = context.obj
    with Api(session) as api, _opened(path) as file:
        found = api.call("POST", "/v1/lookups", params={"min_score": min_score}, files={"file": (path.name, file)})
        if picture is not None and found["matches"]:
            _draw(api, path, found["matches"][:_DRAWN], picture)
    if session.json:
        show.emit(found)
    elif not found["matches"]:
        session.out.print("no match")
    for match in found["matches"] if not session.json else ():
        session.out.print(show.finding_line(match), markup=False)
    if found["matches"]:
        raise typer.Exit(ESCALATED)


def _draw(api: Api, path: Path, matches: list[dict[str, Any]], out: Path) -> None:
    from services.cli.side_by_side import side_by_side

    works = [_work(api, match["reference"]["id"]) for match in matches]
    try:
        side_by_side(path, list(zip(matches, works, strict=True)), out)
    except (OSError, ValueError) as error:
        raise usage(f"--show {out}: {error}") from error


def _work(api: Api, reference_id: str) -> bytes | None:
    """Its preview; None where this key may not see works, or the work is no picture."""
    try:
        return api.content(f"/v1/references/{reference_id}/preview")
    except CommandFailed:
        return None


def _declaration(path: Path, production: str | None) -> dict[str, Any]:
    document: dict[str, Any] = declared_in(path).model_dump(mode="json", exclude_none=True)
    return document | ({"production": production} if production else {})


def declared_in(path: Path) -> "Declaration":
    """The declaration in a file. Ends the command with every fault."""
    from shared.declaration.parse import InvalidDeclaration, load_declaration_file

    try:
        return load_declaration_file(path)
    except OSError as error:
        raise usage(f"{path}: {error.strerror}") from error
    except InvalidDeclaration as error:
        raise usage(f"{path}:\n{error}") from error


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.name.startswith("."))
        elif path.is_file():
            yield path
        else:
            raise usage(f"{path}: no such file or folder")


def _upload_all(
    api: Api, files: list[Path], declared: dict[str, Any], *, wait: bool, advance: Any
) -> Iterator[tuple[Path, Any]]:
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        waiting = {pool.submit(_upload, api, path, declared): path for path in files}
        uploaded = {}
        for done in as_completed(waiting):
            uploaded[waiting[done]] = done.result()
            if not wait:
                advance()
    for path in files:
        yield path, _decided(api, uploaded[path]["id"], advance) if wait else uploaded[path]


def _upload(api: Api, path: Path, declared: dict[str, Any]) -> Any:
    with _opened(path) as file:
        parts = {"declaration": (None, json.dumps(declared), "application/json"), "file": (path.name, file)}
        try:
            return api.call("POST", "/v1/assets", files=parts)
        except CommandFailed as failure:
            raise CommandFailed(f"{path}: {failure}", failure.code) from failure


def _decided(api: Api, asset_id: str, advance: Any) -> Any:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        asset = api.get(f"/v1/assets/{asset_id}", wait=_WAIT_SECONDS)
        if asset["status"] == "decided":
            advance()
            return asset
    raise CommandFailed(
        f"asset {asset_id} is not decided after ten minutes; look at /readyz and `clearframe dead list`"
    )


def _report(session: Session, path: Path, asset: dict[str, Any]) -> None:
    if session.json:
        show.emit({"path": str(path)} | asset)
    elif asset.get("verdict"):
        session.out.print(f"{path.name}: {show.verdict_line(asset['verdict'])}")
    else:
        session.out.print(f"{path.name}: {asset['status']}  [dim]{asset['id']}[/]")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise usage(f"{path}: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def _progress(session: Session, total: int) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not session.shows_progress, transient=True) as progress:
        task = progress.add_task("screening", total=total)
        yield lambda: progress.advance(task)
