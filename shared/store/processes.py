"""Which process holds something, and whether it is known to have ended."""

import hashlib
import os
import socket
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """`<place>.<pid>.<start>`: machine, container and run of this process."""
    return f"{_place()}.{os.getpid()}.{_start(os.getpid()) or 0}"


def is_gone(mark: str) -> bool:
    """Whether that process ran in our place and has ended. False where nobody can tell: the safe direction."""
    place, _, rest = mark.partition(".")
    pid, _, start = rest.partition(".")
    if place != _place() or not pid.isdigit() or start == "0":
        return False
    return _start(int(pid)) != start


def _place() -> str:
    """This boot of this machine, and the container in it: process ids mean something in here only."""
    parts = [socket.gethostname()]
    try:
        parts += [(_PROC / "sys/kernel/random/boot_id").read_text(), str((_PROC / "self/ns/pid").readlink())]
    except OSError:
        parts.append("elsewhere")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _start(pid: int) -> str | None:
    """When the process began, in ticks since boot; None when there is none (or only its remains)."""
    try:
        # The name in brackets may hold anything, so count from its end: state is next, start the 20th from there.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]
