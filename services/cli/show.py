"""How results look to a person: one line for a verdict, a table for many, details for one."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from services.cli.session import Session

COLOURS = {"clear": "green", "caution": "yellow", "escalate": "red"}


def emit(document: Any) -> None:
    """One JSON document a line on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def outcome(name: str) -> str:
    """The outcome in its colour."""
    return f"[{COLOURS.get(name, 'red')}]{escape(name)}[/]"


def rules(verdict: Mapping[str, Any]) -> str:
    """The rules that fired, discharged ones in brackets; the gravest first."""
    order = list(COLOURS)
    fired = sorted(
        verdict["reasons"], key=lambda reason: -order.index(reason["outcome"]) if reason["outcome"] in order else -9
    )
    return " ".join(dict.fromkeys(f"({r['rule']})" if r.get("discharged_by") else r["rule"] for r in fired))


def verdict_line(verdict: Mapping[str, Any]) -> str:
    """One line: outcome, asset, rules, the sentence for a person."""
    name = verdict.get("title") or verdict.get("filename") or verdict["asset_id"]
    fired = f"[dim]{escape(rules(verdict))}[/]"
    return f"{outcome(verdict['outcome'])} {escape(name)}  {fired}  {escape(verdict['summary'])}"


def verdict_details(session: Session, verdict: dict[str, Any]) -> None:
    """Everything a person asks of one verdict."""
    revision = f"revision {verdict['revision']} ({verdict['cause']})"
    about = f"verdict {verdict['id']}  asset {verdict['asset_id']}  {revision}  {verdict['decided_at']}"
    judgement(session, verdict, about)


def judgement(session: Session, verdict: Mapping[str, Any], about: str) -> None:
    """Outcome, reasons, findings and what to do."""
    out = session.out
    out.print(f"{outcome(verdict['outcome'])}  {escape(verdict['summary'])}")
    out.print(f"[dim]{escape(about)}[/]")
    for reason in verdict["reasons"]:
        stage = f" [dim]stage {escape(reason['stage'])}[/]" if reason.get("stage") else ""
        lifted = " [green]discharged[/]" if reason.get("discharged_by") else ""
        rule = f"{outcome(reason['outcome'])} [bold]{escape(reason['rule'])}[/]"
        out.print(f"  {rule}{stage}{lifted}  {escape(reason['because'])}")
        if reason.get("needs") and not lifted:
            out.print(f"    [dim]needs {escape(needs(reason['needs']))}[/]")
    for finding in verdict["findings"]:
        out.print(f"  [dim]found[/] {escape(finding_line(finding))}")
    for step in verdict.get("to_do", ()):
        out.print(f"  [cyan]to do[/] {escape(step)}")


def needs(alternatives: Iterable[Iterable[str]]) -> str:
    """`written approval and legal review, or rights clearance`."""
    return ", or ".join(" and ".join(kind.replace("_", " ") for kind in kinds) for kinds in alternatives)


def finding_line(finding: dict[str, Any]) -> str:
    """A finding in words."""
    if finding["kind"] == "reference_match":
        return _match_line(finding)
    words = [
        str(finding[name]) for name in ("reason", "claim", "media", "performer", "looks_like") if finding.get(name)
    ]
    return " ".join([finding["kind"].replace("_", " ") + ":", *words, finding.get("detail") or ""]).strip()


def _match_line(match: dict[str, Any]) -> str:
    """Keys without `review` see neither how nor how exactly."""
    reference = match["reference"]
    turned = match.get("transform", "identity")
    facts = [match["extent"], match.get("detector")]
    facts += [f"{match['distance']} bits apart"] if match.get("distance") is not None else []
    facts += [f"score {match['score']}"] if "score" in match else []
    how = "" if turned == "identity" else f" {turned.replace('_', ' ')}"
    return (
        f"{reference.get('title') or reference.get('id', 'a protected work')}{how} ({', '.join(filter(None, facts))})"
    )


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """A plain table; cells are markup already."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold dim")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return drawn
