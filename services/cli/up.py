"""`clearframe up`, `serve`, `migrate`: the services, all in one process or each in its own."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.app import app
from services.cli.failure import CommandFailed, usage
from services.cli.session import KEY_FILE, Session

if TYPE_CHECKING:
    from shared.settings import Settings

SERVICES = ("ingest", "screening", "verdict")
Config = Annotated[Path | None, typer.Option("--config", help="a TOML file of settings; the environment wins over it")]
Host = Annotated[str, typer.Option(help="address to listen on")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 takes a free one")]


@app.command()
def up(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8484,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="decoding processes at most")] = None,
    config: Config = None,
    until_stdin_closes: Annotated[bool, typer.Option("--until-stdin-closes", hidden=True)] = False,
) -> None:
    """Everything in one process, on one port; a first start makes the data folder and its admin key."""
    session: Session = context.obj
    with _quick_start():
        settings = _settings(session, config, workers)
        if until_stdin_closes:
            threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
        asyncio.run(_run(session, settings, SERVICES, host, port))


@app.command()
def serve(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="ingest, screening or verdict")],
    host: Host = "0.0.0.0",  # noqa: S104 - a container's only door
    port: Port = 8484,
    config: Config = None,
) -> None:
    """One service, for deployments; run `clearframe migrate` first."""
    if service not in SERVICES:
        raise usage(f"{service}: no such service; use {', '.join(SERVICES)}")
    session: Session = context.obj
    with _quick_start():
        asyncio.run(_run(session, _settings(session, config), (service,), host, port, migrates=False))


@app.command()
def migrate(context: typer.Context, config: Config = None) -> None:
    """Brings the database of every service to the newest revision, and makes what a fresh one needs."""
    session: Session = context.obj
    settings = _settings(session, config)
    secret = asyncio.run(_migrate(settings))
    session.out.print("the database is up to date")
    if secret is not None:
        _keep_key(session, secret)


@app.command("compile")
def compile_(context: typer.Context) -> None:
    """Compiles the matching kernels for this machine, once; `up` does it at its first start otherwise."""
    _compile(context.obj)


def _compile(session: Session) -> None:
    from services.screening.matching.kernels import compile_kernels, compiled

    if not compiled():
        compile_kernels(lambda text: session.out.print(text, markup=False))


def _settings(session: Session, config: Path | None, workers: int | None = None) -> "Settings":
    from services.cli.composition import read_settings
    from shared.errors import ConfigurationError

    try:
        return read_settings(session.data, config, workers=workers)
    except ConfigurationError as error:
        raise usage(str(error)) from error


async def _run(
    session: Session, settings: "Settings", names: Sequence[str], host: str, port: int, *, migrates: bool = True
) -> None:
    from services.cli.composition import running
    from shared.errors import ConfigurationError, Unavailable

    try:
        if "screening" in names:
            _compile(session)
        if migrates:
            secret = await _migrate(settings)
            if secret is not None:
                _keep_key(session, secret)
        async with running(settings, names) as composed:
            await composed.serve(host, port, started=lambda address: _announce(session, address))
    except ConfigurationError as error:
        raise usage(str(error)) from error
    except Unavailable as error:
        raise CommandFailed(str(error)) from error


async def _migrate(settings: "Settings") -> str | None:
    from services.cli.composition import prepare

    return await prepare(settings, SERVICES)


def _keep_key(session: Session, secret: str) -> None:
    path = session.data / KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(secret + "\n")
    session.out.print(f"Admin key, shown this once and kept in {path}:\n  [bold]{secret}[/]")


@contextmanager
def _quick_start() -> Iterator[None]:
    """No garbage is looked for until `_announce`: what a start imports stays, and looking at it takes a sixth of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _announce(session: Session, address: str) -> None:
    gc.freeze()
    gc.enable()
    session.out.print(f"Clearframe answers on [bold]{address}[/]  (API at /docs, Ctrl-C stops)")


def _stop_at_end_of_input() -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would still be held when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)
