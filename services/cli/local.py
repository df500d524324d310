"""A service on this machine for as long as a command lasts: the one that answers already, or one of our own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from services.cli.api import Api
from services.cli.failure import CommandFailed
from services.cli.session import DEFAULT_URL, Session, session_from

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0


@contextmanager
def service(session: Session) -> Iterator[Api]:
    """The service at the session's address; where none answers, one of its data folder, stopped afterwards."""
    if _answers(session.url):
        with Api(session) as api:
            yield api
        return
    if session.url != DEFAULT_URL or not session.data.is_dir():
        raise CommandFailed(
            f"no answer from {session.url}, and {session.data} is no data folder; start it with: clearframe up"
        )
    with started(session.data) as own, Api(replace(own, json=session.json, quiet=session.quiet)) as api:
        yield api


@contextmanager
def started(data: Path, port: int | None = None) -> Iterator[Session]:
    """Runs `clearframe up` on a data folder in a process of its own. Raises `CommandFailed` if it gets not ready."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    data.mkdir(parents=True, exist_ok=True)
    log = data / "service.log"
    command = [sys.executable, "-m", "services", "--data", str(data), "--quiet", "up", "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--until-stdin-closes"],  # so that it never outlives us, however we end
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is ours to handle: it stops after we are done with it
        )
    try:
        _await_ready(process, url, log)
        yield session_from(url, None, data, json=False, quiet=False)
    finally:
        _stop(process)


def free_port(preferred: int | None = None) -> int:
    """The preferred port of this machine if nobody has it, else any free one."""
    for port in (preferred, 0):
        if port is None:
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CommandFailed("no free port on this machine")


def _answers(url: str) -> bool:
    import httpx2

    try:
        return httpx2.get(f"{url}/livez", timeout=2.0).status_code == 200
    except httpx2.HTTPError:
        return False


def _await_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    import httpx2

    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{url}/readyz", timeout=2.0).status_code == 200:
                return
        time.sleep(0.05)
    tail = os.linesep.join(log.read_text(errors="replace").splitlines()[-12:])
    raise CommandFailed(f"the service did not get ready; the end of {log}:\n{tail}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
