"""`clearframe rulebook list|backtest|activate|rollback`: rulebooks of a running service; and verdicts explained."""

import getpass
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from services.cli import show
from services.cli.api import Api
from services.cli.failure import CommandFailed, usage
from services.cli.rulebook import loaded, moved_rules, rulebooks
from services.cli.session import Session

if TYPE_CHECKING:
    from rich.table import Table

_PAGE = 1000
_OUTCOMES = ("clear", "caution", "escalate")
_SAMPLES_SHOWN = 5
Which = Annotated[str, typer.Argument(metavar="PATH|ID/VERSION", help="a file or folder, or a version on record")]
Reason = Annotated[str | None, typer.Option("--reason", help="kept with the record")]


@rulebooks.command("list")
def list_(context: typer.Context) -> None:
    """The versions on record; the active one decides."""
    session: Session = context.obj
    with Api(session) as api:
        items = api.get("/v1/rulebooks")["items"]
    for item in items:
        if session.json:
            show.emit(item)
        else:
            mark = "[green]active[/]" if item["active"] else "      "
            session.out.print(f"{mark} {item['id']} {item['version']}  {escape(item['title'])}")


@rulebooks.command()
def history(
    context: typer.Context, limit: Annotated[int, typer.Option(min=1, help="how many, the newest first")] = 20
) -> None:
    """Who put which rulebook in force, when and why."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/rulebooks/activations", most=limit):
            if session.json:
                show.emit(item)
                continue
            name = f"{item['rulebook']['id']} {item['rulebook']['version']}"
            what = {"installed": "installed", "activated": "activated", "rolled_back": "back to"}[item["action"]]
            by = f" by {escape(item['person'])}" if item["person"] else ""
            session.out.print(f"{item['at'][:16]}  {what} {name}{by}: {escape(item['reason'])}")


@rulebooks.command()
def backtest(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="a file, a folder, or `shipped`")],
    production: Annotated[str | None, typer.Option(help="only this production")] = None,
    since: Annotated[str | None, typer.Option(help="only what was uploaded since, such as 2026-10-01")] = None,
) -> None:
    """Decides everything on record again with another rulebook, and counts what would change. Stores nothing."""
    session: Session = context.obj
    book = loaded(session, path)
    scope = {"production": production, "since": _moment(since), "limit": _PAGE, "samples": _SAMPLES_SHOWN}
    with Api(session) as api:
        total = _tested(session, api, {"sources": dict(book.sources), **scope})
    if session.json:
        show.emit(total)
    else:
        _print_backtest(session, total)


@rulebooks.command()
def activate(
    context: typer.Context,
    what: Which,
    reason: Reason = None,
) -> None:
    """Puts a rulebook in force for what is decided from now on; verdicts reached before stay as they are."""
    session: Session = context.obj
    with Api(session) as api:
        path = _recorded(session, api, what)
        _told(session, api.post(f"{path}/activate", {"reason": reason or f"activated by {getpass.getuser()}"}))


@rulebooks.command()
def shadow(
    context: typer.Context,
    what: Which,
    reason: Reason = None,
    read: Annotated[bool, typer.Option("--read", help="only shows what it said so far")] = False,
    end: Annotated[bool, typer.Option("--end", help="it decides no more; what it said stays")] = False,
) -> None:
    """Lets a rulebook decide beside the one in force: recorded with each new verdict, never counting.

    With --read also for the one in force: what it would say if its single rules in shadow counted.
    """
    session: Session = context.obj
    with Api(session) as api:
        path = f"{_recorded(session, api, what)}/shadow"
        if read or end:
            found = api.call("DELETE" if end else "GET", path)
        else:
            found = api.post(path, {"reason": reason or f"tried by {getpass.getuser()}"})
    if session.json:
        show.emit(found)
        return
    out = session.out
    out.print(_matrix("decided (rows), by the shadow (columns)", found["matrix"]))
    counted = f"{found['decided']:,} verdict{'' if found['decided'] == 1 else 's'}"
    out.print(f"{_shadow_state(found)}; {counted} beside it")
    for one in found["samples"]:
        gained, lost = set(one["shadow_rules"]) - set(one["rules"]), set(one["rules"]) - set(one["shadow_rules"])
        move = f"{show.outcome(one['outcome'])} / {show.outcome(one['shadow_outcome'])}"
        out.print(f"  {move}  {one['asset_id']}  [dim]{escape(moved_rules(sorted(gained), sorted(lost)))}[/]")


def _shadow_state(found: dict[str, Any]) -> str:
    if found["since"]:
        return f"runs in shadow since {found['since'][:16]}"
    if found["rules"]:
        return f"in shadow within it: {escape(', '.join(found['rules']))}"
    return "runs in shadow no more"


@rulebooks.command()
def rollback(context: typer.Context, reason: Reason = None) -> None:
    """Puts the rulebook in force that decided before; verdicts reached since stay as they are."""
    session: Session = context.obj
    with Api(session) as api:
        _told(session, api.post("/v1/rulebooks/rollback", {"reason": reason or f"taken back by {getpass.getuser()}"}))


def explain_verdict(session: Session, verdict_id: str) -> None:
    """Every reason of a verdict (or of an asset's newest) with the rule it comes from and what would lift it."""
    from services.cli.verdicts import find_verdict

    with Api(session) as api:
        verdict = find_verdict(api, verdict_id)
        pinned = verdict["versions"]["rulebook"]
        rules = {rule["id"]: rule for rule in api.get(f"/v1/rulebooks/{pinned['id']}/{pinned['version']}")["rules"]}
        names = {name for reason in verdict["reasons"] for name in reason.get("discharged_by", ())}
        lifting = {name: _lifting(api, name) for name in sorted(names)}
    if session.json:
        titled = [reason | {"title": rules.get(reason["rule"], {}).get("title")} for reason in verdict["reasons"]]
        show.emit({"verdict": verdict["id"], "outcome": verdict["outcome"], "reasons": titled})
        return
    out = session.out
    out.print(f"{show.outcome(verdict['outcome'])}  {escape(verdict['summary'])}")
    for reason in verdict["reasons"]:
        _print_reason(session, reason, rules.get(reason["rule"], {}), lifting)
    for step in verdict.get("to_do", ()):
        out.print(f"[cyan]to do[/] {escape(step)}")
    out.print(f"[dim]decided by {pinned['id']} {pinned['version']}[/]")


def _lifting(api: Api, name: str) -> str:
    """What lifts a rule, in words: a document, what an allow bank holds, or a reviewer's word."""
    bank, slash, _ = name.partition("/")
    if slash:
        return f"what the allow bank {bank} holds"
    try:
        paper = api.get(f"/v1/documents/{name}")
    except CommandFailed:  # none that this key may read
        return name
    until = f" until {paper['valid_until'][:10]}" if paper["valid_until"] else ""
    title = f' "{paper["title"]}"' if paper["title"] else ""
    return f"{paper['kind'].replace('_', ' ')}{title}, given by {paper['given_by']}{until}"


def _print_reason(session: Session, reason: dict[str, Any], rule: dict[str, Any], lifting: dict[str, str]) -> None:
    out = session.out
    stage = f", stage {escape(reason['stage'])}" if reason.get("stage") else ""
    out.print(f"\n{show.outcome(reason['outcome'])} [bold]{escape(reason['rule'])}[/] {escape(rule.get('title', ''))}")
    out.print(f"  {escape(reason['because'])}{stage}")
    if reason.get("discharged_by"):
        out.print(f"  [green]lifted by[/] {escape('; '.join(lifting[name] for name in reason['discharged_by']))}")
    elif reason.get("needs"):
        two = ", confirmed by a second person" if rule.get("confirmed_by_two") else ""
        out.print(f"  [dim]can be lifted by[/] {escape(show.needs(reason['needs']))}{two}")


def _recorded(session: Session, api: Api, what: str) -> str:
    """The address of a version on record; a file is put on record first."""
    rulebook_id, _, version = what.partition("/")
    if Path(what).exists() or not version:
        book = loaded(session, what)
        api.post("/v1/rulebooks", {"sources": dict(book.sources)})
        rulebook_id, version = book.version.id, book.version.version
    return f"/v1/rulebooks/{rulebook_id}/{version}"


def _matrix(title: str, counts: dict[str, dict[str, int]]) -> "Table":
    rows = [[show.outcome(b), *(f"{counts[b][a]:,}" for a in _OUTCOMES)] for b in _OUTCOMES]
    return show.table(title, ("", *_OUTCOMES), rows)


def _told(session: Session, found: dict[str, Any]) -> None:
    if session.json:
        show.emit(found)
        return
    session.out.print(f"[green]in force[/]: {found['id']} {found['version']}, for what is decided from now on")
    session.out.print("[dim]Earlier verdicts stay. To decide them again: clearframe rescan --with rulebook[/]")


def _tested(session: Session, api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """The answers of all pages as one."""
    from rich.console import Console
    from rich.progress import Progress

    matrix: Counter[tuple[str, str]] = Counter()
    total: dict[str, Any] = {"decided": 0, "changed": 0, "samples": []}
    after: str | None = ""
    with Progress(console=Console(stderr=True), disable=not session.shows_progress, transient=True) as progress:
        task = progress.add_task("deciding again", total=None)
        while after is not None:
            page = api.post("/v1/rulebooks/backtest", body | {"after": after})
            matrix.update({(b, a): count for b, row in page["matrix"].items() for a, count in row.items()})
            total["decided"] += page["decided"]
            total["changed"] += page["changed"]
            total["samples"] = _some_of_each_move([*total["samples"], *page["samples"]])
            progress.update(task, completed=total["decided"], description=f"decided {total['decided']:,} again")
            after = page["next"]
    total["matrix"] = {before: {after: matrix[before, after] for after in _OUTCOMES} for before in _OUTCOMES}
    return total | {"rulebook": page["rulebook"]}


def _some_of_each_move(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    counts: Counter[tuple[str, str]] = Counter()
    for sample in samples:
        move = (sample["before"], sample["after"])
        counts[move] += 1
        if counts[move] <= _SAMPLES_SHOWN:
            kept.append(sample)
    return kept


def _print_backtest(session: Session, total: dict[str, Any]) -> None:
    out, version = session.out, total["rulebook"]
    out.print(_matrix("outcome now (rows), by this rulebook (columns)", total["matrix"]))
    name = f"{version['id']} {version['version']}"
    moved = sum(count for before, row in total["matrix"].items() for after, count in row.items() if after != before)
    changed = f"{moved:,} with another outcome, {total['changed'] - moved:,} with other rules alone"
    out.print(f"{total['decided']:,} decided again by {name}: {changed}; nothing was stored")
    for sample in sorted(total["samples"], key=lambda one: bool(one["before"] == one["after"])):
        same = sample["before"] == sample["after"]
        move = f"still {show.outcome(sample['after'])}" if same else _move(sample["before"], sample["after"])
        out.print(f"  {move}  {escape(sample['title'] or sample['asset_id'])}")
        out.print(f"    [dim]{escape(moved_rules(sample['gained'], sample['lost']))}[/]")


def _move(before: str, after: str) -> str:
    return f"{show.outcome(before)} -> {show.outcome(after)}"


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise usage(f"--since {text}: not a date such as 2026-10-01") from error
    return (moment if moment.tzinfo else moment.astimezone()).isoformat()
