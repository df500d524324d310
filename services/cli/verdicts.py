"""`clearframe watch`, `verdict`, `replay`, `ledger`: reading verdicts and proving them."""

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.api import Api
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.session import ESCALATED, FAILED, Session

verdicts = typer.Typer(no_args_is_help=True, help="Verdicts: why, and does the record still say the same?")
ledger = typer.Typer(no_args_is_help=True, help="The hash-chained record of every verdict.")
app.add_typer(verdicts, name="verdict")
app.add_typer(ledger, name="ledger")

_RECONNECT_SECONDS = (1, 2, 5, 10)


@app.command()
def watch(
    context: typer.Context,
    outcome: Annotated[str | None, typer.Option(help="only clear, caution or escalate")] = None,
    start: Annotated[str, typer.Option("--from", help="beginning or now")] = "now",
    production: Annotated[str | None, typer.Option(help="only this production")] = None,
    most: Annotated[int | None, typer.Option("--most", help="ends after so many verdicts")] = None,
) -> None:
    """Follows the verdict topic live; a lost connection is taken up where it broke off."""
    if start not in ("beginning", "now"):
        raise usage(f"--from {start}: use beginning or now")
    session: Session = context.obj
    last: str | None = None
    seen = failures = 0
    with Api(session) as api:
        while True:
            try:
                wanted = {"outcome": outcome, "production": production, "from": start}
                for event_id, verdict in api.stream("/v1/verdicts/stream", last, **wanted):
                    last, failures = event_id, 0
                    _print(session, verdict)
                    seen += 1
                    if seen == most:
                        return
            except CommandFailed as failure:
                if failure.code != FAILED or failures >= len(_RECONNECT_SECONDS):
                    raise
                time.sleep(_RECONNECT_SECONDS[failures])
            failures += 1


def _print(session: Session, verdict: dict[str, Any]) -> None:
    if session.json:
        show.emit(verdict)
    else:
        session.out.print(f"[dim]{verdict['decided_at'][11:19]}[/] {show.verdict_line(verdict)}")


@verdicts.command("show")
def show_(
    context: typer.Context, verdict_id: Annotated[str, typer.Argument(help="a verdict's or an asset's id")]
) -> None:
    """One verdict with its rules, findings and what to do; for an asset, its newest."""
    session: Session = context.obj
    with Api(session) as api:
        verdict = find_verdict(api, verdict_id)
    if session.json:
        show.emit(verdict)
    else:
        show.verdict_details(session, verdict)


@verdicts.command("list")
def list_(
    context: typer.Context,
    outcome: str | None = None,
    production: str | None = None,
    rule: str | None = None,
    limit: int = 50,
) -> None:
    """The newest verdicts."""
    session: Session = context.obj
    with Api(session) as api:
        for verdict in api.items("/v1/verdicts", most=limit, outcome=outcome, production=production, rule=rule):
            if session.json:
                show.emit(verdict)
            else:
                session.out.print(f"[dim]{verdict['id']}[/] {show.verdict_line(verdict)}")


def find_verdict(api: Api, verdict_id: str) -> Any:
    """One verdict; for an asset, its newest."""
    newest = api.get("/v1/verdicts", asset_id=verdict_id, limit=1)["items"]
    return newest[0] if newest else api.get(f"/v1/verdicts/{verdict_id}")


@verdicts.command("replay")
def _replay(context: typer.Context, verdict_id: str) -> None:
    """Decides again from the record, with the pinned rulebook, and compares."""
    replay(context, verdict_id)


@app.command()
def replay(context: typer.Context, verdict_id: str) -> None:
    """Decides a verdict, or an asset's newest, again from the record and compares; exit 1 if it differs."""
    session: Session = context.obj
    with Api(session) as api:
        result = api.post(f"/v1/verdicts/{find_verdict(api, verdict_id)['id']}/replay")
    if session.json:
        show.emit(result)
    elif result["same"]:
        session.out.print("[green]the same verdict[/]")
    else:
        session.out.print(f"[red]differs[/] {escape(str(result.get('differences', '')))}")
    if not result["same"]:
        raise typer.Exit(ESCALATED)


@ledger.command()
def verify(context: typer.Context) -> None:
    """Walks the whole chain; exit 1 and the first broken entry if a byte was changed."""
    session: Session = context.obj
    with Api(session) as api:
        result = api.post("/v1/ledger/verify")
    if session.json:
        show.emit(result)
    elif result["intact"]:
        session.out.print(f"[green]intact[/]: {result['entries']} entries, head {result.get('head', '')[:16]}")
    else:
        session.out.print(f"[red]broken at entry {result.get('broken_at')}[/]: {escape(result.get('detail') or '')}")
    if not result["intact"]:
        raise typer.Exit(ESCALATED)
