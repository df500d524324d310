"""`clearframe demo`: a fresh data folder, a service of its own, and the course of `play.py` through it."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli.api import Api
from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.local import free_port, started
from services.cli.session import ESCALATED

_MARK = ".clearframe-demo"


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="exit at the end instead of staying up")] = False,
    folder: Annotated[Path, typer.Option(help="a fresh data folder is made here each time")] = Path("clearframe-demo"),
) -> None:
    """Real verdicts on real pictures, in one process on this machine."""
    from services.cli.demo.play import Play

    out = Console(highlight=False)
    _fresh(folder)
    out.print("[bold]Clearframe demo[/]: twelve protected works, then a studio's day of uploads.\n")
    with started(folder, free_port(8484)) as session, Api(session) as api:
        wrong = Play(api, folder, out).run()
        out.print(f"\nReport page: [bold]{folder / 'report' / 'index.html'}[/]")
        if wrong:
            raise CommandFailed("not as stated beforehand: " + "; ".join(wrong), ESCALATED)
        out.print("[green]Every upload got the verdict that was stated beforehand.[/]")
        if not once and out.is_terminal:
            _stay(out, session.url, folder)


def _fresh(folder: Path) -> None:
    if folder.exists():
        if not (folder / _MARK).exists():
            raise usage(f"{folder} exists and is no demo folder; choose another with --folder")
        shutil.rmtree(folder)
    (folder / "report").mkdir(parents=True)
    (folder / _MARK).touch()


def _stay(out: Console, url: str, folder: Path) -> None:
    out.print(f"\nThe service stays up on [bold]{url}[/] until Ctrl-C. In another terminal:")
    out.print(f"  .venv/bin/clearframe --data {folder} --url {url} verdict list", markup=False)
    try:
        while True:
            input()
    except (KeyboardInterrupt, EOFError):
        out.print()
