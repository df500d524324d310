"""`clearframe check`: the judgement of the line on one file, before it is uploaded. No server, nothing stored."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import show
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.rulebook import SHIPPED_WORD, loaded
from services.cli.session import ESCALATED, Session
from services.cli.submit import declared_in

if TYPE_CHECKING:
    from services.screening.one_file import OneFile, Screened
    from shared.declaration.model import Declaration
    from shared.rulebook.model import Rulebook
    from shared.rulebook.tools import Tools


@dataclass(frozen=True)
class Judge:
    """The rules that a check applies."""

    rulebook: "Rulebook"
    tools: "Tools"


@app.command()
def check(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="the file to check")],
    declaration: Annotated[Path, typer.Option("--declaration", "-d", help="YAML or JSON: how GenAI was used")],
    references: Annotated[Path | None, typer.Option(help="a folder of protected works to compare with")] = None,
    rulebook: Annotated[str, typer.Option("--rulebook", "-r", help="a file or folder of rules")] = SHIPPED_WORD,
    tools: Annotated[Path | None, typer.Option(help="YAML file of tools whose terms are on record")] = None,
) -> None:
    """Judges one file as an upload would be, without a server; stores nothing. Exit 1 if it would escalate."""
    session: Session = context.obj
    declared = declared_in(declaration)
    judge = Judge(loaded(session, rulebook), _tools(tools))
    works = list(_works(references)) if references else []
    if not path.is_file():
        raise usage(f"{path}: no such file")
    _compile(session)
    try:
        screened, compared = asyncio.run(_screened(session, path, works))
    except OSError as error:
        raise usage(f"{error.filename or path}: {error.strerror}") from error
    verdict = judgement(screened, declared, judge, path.name)
    if session.json:
        show.emit({"path": str(path), **verdict})
    else:
        pinned = judge.rulebook.version
        works_told = "no works" if not compared else "1 work" if compared == 1 else f"{compared} works"
        about = f"{path.name}, compared with {works_told}, by {pinned.id} {pinned.version}; nothing was stored"
        show.judgement(session, verdict, about)
    if verdict["outcome"] == "escalate":
        raise typer.Exit(ESCALATED)


def judgement(screened: "Screened", declared: "Declaration", judge: Judge, filename: str) -> dict[str, Any]:
    """The verdict that the line would reach with no document on record, as JSON."""
    from services.verdict.decide import decide
    from shared.rulebook.documents import Papers
    from shared.rulebook.facts import facts
    from shared.verdicts import Versions

    papers = Papers(tools=judge.tools.named_in(declared))
    known = facts(declared, screened.findings, papers.tools)
    decision = decide(judge.rulebook, known, papers, datetime.now(UTC))
    versions = Versions(**dict(screened.versions), rulebook=judge.rulebook.version)
    return {
        "outcome": decision.outcome.value,
        "summary": decision.summary,
        "title": declared.title,
        "filename": filename,
        "production": declared.production,
        "reasons": [reason.model_dump(mode="json", exclude_none=True) for reason in decision.reasons],
        "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in screened.findings],
        "to_do": list(decision.to_do),
        "versions": versions.model_dump(mode="json"),
        "content_sha256": screened.sha256,
    }


async def _screened(session: Session, path: Path, works: list[Path]) -> "tuple[Screened, int]":
    """With the number of works that it was compared with."""
    from services.screening.one_file import open_one_file
    from services.screening.pool import PoolError, PoolSettings
    from services.screening.seen import FEATURES

    try:
        async with open_one_file(
            PoolSettings(workers=min(4, os.cpu_count() or 1), wants=frozenset({FEATURES}))
        ) as bench:
            protected = await asyncio.gather(*(_protect(session, bench, work) for work in works))
            return await bench.screen(path), sum(protected)
    except PoolError as error:
        raise CommandFailed(str(error)) from error


async def _protect(session: Session, bench: "OneFile", work: Path) -> bool:
    from services.screening.one_file import Unprotectable

    try:
        await bench.protect(work)
    except Unprotectable as refusal:
        if not session.quiet:
            typer.echo(f"{work}: not compared with, {refusal}", err=True)
        return False
    return True


def _works(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise usage(f"{folder}: no such folder")
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _tools(path: Path | None) -> "Tools":
    from shared.errors import ConfigurationError
    from shared.rulebook.tools import Tools, load_tools

    try:
        return load_tools(path) if path else Tools()
    except ConfigurationError as error:
        raise usage(str(error)) from error


def _compile(session: Session) -> None:
    from services.screening.matching.kernels import compile_kernels, compiled

    if not compiled():
        compile_kernels(lambda text: session.out.print(text, markup=False))
