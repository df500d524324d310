"""The command line: global options, the commands, and how each one ends."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli.failure import CommandFailed
from services.cli.session import session_from

_GLOBAL_FLAGS = {"--json", "--quiet"}
_GLOBAL_VALUES = {"--url", "--key", "--data"}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Screens uploads against a studio's generative-AI rules. The options below may stand anywhere on the line.",
)


@app.callback()
def _global(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="the service's address; else CLEARFRAME_URL")] = None,
    key: Annotated[str | None, typer.Option(help="an API key; else CLEARFRAME_KEY, else DATA/admin.key")] = None,
    data: Annotated[
        Path | None, typer.Option(help="data folder of a service on this machine [clearframe-data]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON document or line per result, nothing else")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="only errors and the exit code")] = False,
) -> None:
    context.obj = session_from(url, key, data, json=json, quiet=quiet)


def hoisted(arguments: list[str]) -> list[str]:
    """Global options first, wherever they stood; what follows a bare `--` is left alone."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    line = iter(arguments[:end])
    for word in line:
        if word in _GLOBAL_FLAGS or (word.partition("=")[0] in _GLOBAL_VALUES and "=" in word):
            front.append(word)
        elif word in _GLOBAL_VALUES:
            front += [word, next(line, "")]
        else:
            rest.append(word)
    return front + rest + arguments[end:]


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    try:
        app(hoisted(sys.argv[1:]), standalone_mode=True)
    except CommandFailed as failure:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]clearframe:[/] {_escaped(str(failure))}")
        sys.exit(failure.code)
    except KeyboardInterrupt:
        sys.exit(130)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
