"""Jobs that misbehave, run by the real decode process in place of screening."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

from services.screening.decoded import Decoded


def by_content(source: int, wants: frozenset[str]) -> Decoded:
    """Does what the file says; the answer's format tells how it went."""
    with open(source, "rb") as file:
        order, _, argument = file.read().decode().partition(" ")
    return Decoded(format=_ORDERS[order](argument))


def _say(argument: str) -> str:
    return argument


def _die(argument: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return argument


def _die_unless(argument: str) -> str:
    """Dies the first time only: the marker is a socket that someone listens on, since no file can be written."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(argument)
        if asking.recv(1) == b"d":
            _die("")
    return "survived"


def _spin(argument: str) -> str:
    while True:
        pass


def _wait(argument: str) -> str:
    time.sleep(float(argument))
    return "waited"


def _grow(argument: str) -> str:
    try:
        held = bytearray(int(argument))
    except MemoryError:
        return "refused"
    return str(len(held))


def _attempt(argument: str) -> str:
    """What of writing, reading, running and connecting is allowed."""
    allowed = []
    for name, deed in _DEEDS.items():
        try:
            deed(argument)
        except OSError:
            continue
        allowed.append(name)
    return ",".join(allowed)


def _connect(argument: str) -> None:
    with socket.socket() as connection:
        connection.settimeout(2)
        connection.connect(("127.0.0.1", int(argument.rpartition(":")[2])))


def _run(argument: str) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


_DEEDS = {
    "write": lambda argument: Path(argument.rpartition(":")[0], "written").write_text("x"),
    "read": lambda argument: Path(argument.rpartition(":")[0], "secret").read_text(),
    "connect": _connect,
    "run": _run,
}
_ORDERS = {
    "say": _say,
    "die": _die,
    "die_unless": _die_unless,
    "spin": _spin,
    "wait": _wait,
    "grow": _grow,
    "attempt": _attempt,
    "environment": lambda argument: str(os.environ.get(argument)),
    "raise": lambda argument: str(1 / 0),
}
