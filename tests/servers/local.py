"""The scripts of `deploy/*-local/`, as tests call them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


class NotToBeHadError(Exception):
    """A server cannot be started on this machine; the message says why."""


@dataclass(frozen=True)
class Address:
    """Where a server is, and what a client needs in its environment beside that."""

    url: str
    env: dict[str, str]


class LocalServer:
    """One server of its own state folder: `kafka`, `postgres` or `s3`."""

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.state = state
        self._script = _DEPLOY / f"{name}-local" / f"{name}.py"

    def start(self) -> Address:
        """Runs it unless it runs; on the port it had before. Raises `NotToBeHadError`."""
        return _address(self._call("start"))

    def restart(self) -> Address:
        """In good order, on the same port."""
        return _address(self._call("restart"))

    def stop(self) -> None:
        """In good order; its data stay."""
        self._call("stop")

    def kill(self) -> None:
        """With -9."""
        self._call("kill")

    def freeze(self) -> None:
        """With SIGSTOP, its connections open."""
        self._call("freeze")

    def thaw(self) -> None:
        """After `freeze`."""
        self._call("thaw")

    def status(self) -> dict[str, Any]:
        """`{"status": "running" | "frozen" | "stopped", ...}`"""
        done = self._run("status")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _call(self, command: str) -> str:
        done = self._run(command)
        if done.returncode:
            raise NotToBeHadError(done.stderr.strip())
        return done.stdout

    def _run(self, command: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, str(self._script), command, "--json", "--state", str(self.state)]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _address(said: str) -> Address:
    found = json.loads(said)
    return Address(found["url"], {name: value for name, value in found["env"].items() if name.startswith("AWS_")})
