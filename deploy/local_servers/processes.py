"""Processes that outlive the script which started them, and are told from others that got the same number."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_PAUSE = 0.05


def spawn(command: Sequence[str], *, folder: Path, log: Path, user: str | None) -> int:
    """Starts `command` in a session of its own, its output appended to `log`; its pid."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            **as_user(user),
        )
    return process.pid


def as_user(user: str | None) -> dict[str, Any]:
    """The arguments of `subprocess` that make a command run as `user`."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def identity(pid: int) -> str | None:
    """Tells this process from a later one of the same number. None once it has ended, reaped or not."""
    found = _status(pid)
    return found[1] if found and not found[0].startswith(("Z", "X")) else None


def is_frozen(pid: int) -> bool:
    """Whether SIGSTOP holds it."""
    found = _status(pid)
    return found is not None and found[0].startswith("T")


def end(pid: int, born: str, kind: signal.Signals, patience: float) -> None:
    """Asks the process to end, and makes it after `patience` seconds."""
    send(pid, born, signal.SIGCONT)
    send(pid, born, kind)
    if not wait_until(lambda: identity(pid) != born, patience):
        send(pid, born, signal.SIGKILL)
        wait_until(lambda: identity(pid) != born, patience)


def send(pid: int, born: str, kind: signal.Signals) -> None:
    """A signal to exactly this process; nothing if it has ended."""
    if identity(pid) == born:
        try:
            os.kill(pid, kind)
        except ProcessLookupError:
            return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _status(pid: int) -> tuple[str, str] | None:
    """(state letter, time of birth)"""
    if not Path("/proc/self/stat").exists():
        return _status_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], fields[19]


def _status_by_ps(pid: int) -> tuple[str, str] | None:
    asked = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, born = asked.stdout.strip().partition(" ")
    return (state, born.strip()) if state else None
