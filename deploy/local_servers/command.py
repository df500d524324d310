"""The command line that the scripts of `deploy/*-local/` share."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from local_servers.cache import cache_folder
from local_servers.lifecycle import Server
from local_servers.recipe import Recipe, Record, ServerError, read_record

COMMANDS = ("start", "stop", "restart", "kill", "status")


def main(recipe: Recipe, *, more: Sequence[str] = (), state: Path | None = None) -> NoReturn:
    """Reads the command line and exits: 0 fine, 1 not running (`status`), 3 failed."""
    arguments = _arguments(recipe, (*COMMANDS, *more), state or cache_folder() / recipe.name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = Server(recipe, arguments.state.absolute(), arguments.deadline)
    try:
        sys.exit(_do(server, arguments.command, as_json=arguments.json))
    except ServerError as error:
        print(error, file=sys.stderr)
        sys.exit(3)


def _arguments(recipe: Recipe, commands: Sequence[str], state: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"A real {recipe.name} server on this machine, without Docker.")
    parser.add_argument("command", choices=commands)
    parser.add_argument("--state", type=Path, default=state, help="folder of its data, log and pid (%(default)s)")
    parser.add_argument("--deadline", type=float, default=60, help="seconds to become ready (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the address and what belongs to it as one JSON document")
    return parser.parse_args()


def _do(server: Server, command: str, *, as_json: bool) -> int:
    if command in {"start", "restart"}:
        record = server.start() if command == "start" else server.restart()
        print(_shown(server.recipe, record, "running", as_json=as_json))
        return 0
    if command == "status":
        return _status(server, as_json=as_json)
    getattr(server, command)()
    return 0


def _status(server: Server, *, as_json: bool) -> int:
    status, record = server.status(), read_record(server.state)
    if as_json and record:
        print(_shown(server.recipe, record, status, as_json=True))
    else:
        print(json.dumps({"status": status}) if as_json else status)
    return 0 if status == "running" else 1


def _shown(recipe: Recipe, record: Record, status: str, *, as_json: bool) -> str:
    address = recipe.address(record)
    if as_json:
        whole = {"status": status, "url": address.url, "env": address.env, "port": record.port, "pid": record.pid}
        return json.dumps(whole)
    if len(address.env) == 1:
        return address.url
    return "\n".join(f"{name}={value}" for name, value in address.env.items())
