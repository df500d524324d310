"""`clearframe rescan`: takes past uploads again, and tells which verdicts changed."""

import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.api import Api
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.local import service
from services.cli.session import Session

SCOPE_FIELDS = ("production", "since", "until", "outcome")
_TARGETS = ("references", "rulebook", "engine")
_POLL_SECONDS = 0.5
_OVER = ("done", "cancelled")


@app.command()
def rescan(
    context: typer.Context,
    scope: Annotated[
        list[str] | None,
        typer.Argument(
            help="production=SLUG since=2026-10-01 until=… outcome=escalate; or: status ID, resume ID, cancel ID"
        ),
    ] = None,
    anew: Annotated[str, typer.Option("--with", help="what to take anew: references, rulebook, engine")] = "references",
) -> None:
    """Screens or decides past uploads again; goes on by itself after a crash.

    Without a running service, the one of the data folder is started for as long as the rescan takes.
    """
    session: Session = context.obj
    words = scope or []
    with service(session) as api:
        if words and words[0] in ("status", "resume", "cancel"):
            job = _known(api, words)
        else:
            job = api.post("/v1/rescans", {"scope": scope_of(words), "with": targets_of(anew)})
        if not (words and words[0] in ("status", "cancel")):
            job = _followed(session, api, job)
        _report(session, job)


def scope_of(words: list[str]) -> dict[str, str]:
    """`["production=atlas"]` -> `{"production": "atlas"}`. Raises a usage error that names the word."""
    scope: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in SCOPE_FIELDS:
            raise usage(f"{word}: not a scope; use {', '.join(f'{field}=…' for field in SCOPE_FIELDS)}")
        scope[name] = _moment(word, value) if name in ("since", "until") else value
    return scope


def targets_of(text: str) -> list[str]:
    """`"references,rulebook"` -> a list. Raises a usage error for an unknown word."""
    targets = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in targets if word not in _TARGETS]
    if unknown or not targets:
        raise usage(f"--with {text}: use one or more of {', '.join(_TARGETS)}, separated by commas")
    return targets


def _moment(word: str, value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise usage(f"{word}: not a date such as 2026-10-01 or 2026-10-01T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.astimezone()).isoformat()


def _known(api: Api, words: list[str]) -> Any:
    action, rescan_id = words[0], words[1] if len(words) > 1 else None
    if rescan_id is None:
        newest = api.get("/v1/rescans", limit=1)["items"]
        if not newest:
            raise usage("there was no rescan yet")
        rescan_id = newest[0]["id"]
    return api.post(f"/v1/rescans/{rescan_id}/cancel") if action == "cancel" else api.get(f"/v1/rescans/{rescan_id}")


def _followed(session: Session, api: Api, job: dict[str, Any]) -> Any:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not session.shows_progress, transient=True) as progress:
        task = progress.add_task("rescanning", total=None)
        while job["status"] not in _OVER:
            progress.update(task, total=job["total"], completed=job["done"])
            time.sleep(_POLL_SECONDS)
            job = api.get(f"/v1/rescans/{job['id']}")
    return job


def _report(session: Session, job: dict[str, Any]) -> None:
    if session.json:
        show.emit(job)
        return
    out = session.out
    changed = job.get("changed") or []
    counts = f"{job['done']} of {job['total']} taken again, {job.get('changed_count', len(changed))} changed"
    out.print(f"rescan {job['id']}: {job['status']}, {counts}")
    for change in changed:
        name = escape(change.get("title") or change["asset_id"])
        out.print(f"  {name}: {show.outcome(change['before'])} -> {show.outcome(change['after'])}")
    if job["status"] == "failed":
        raise CommandFailed("the rescan failed")
