"""What a server has to tell so that it can be run: see `deploy/*-local/`."""

import json
import secrets
import signal
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol


class ServerError(Exception):
    """A server cannot be had; the message says why and what to do."""


class TakenError(ServerError):
    """Another process still holds what this one needs: its port, its data folder."""


@dataclass(frozen=True)
class Record:
    """What a state folder remembers of its server."""

    ports: list[int]
    secret: str
    pid: int | None = None
    born: str = ""

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.ports[0]

    def stopped(self) -> "Record":
        """The same without a process."""
        return replace(self, pid=None, born="")


@dataclass(frozen=True)
class Address:
    """Where a server is found: its URL, and the environment in which Clearframe finds it."""

    url: str
    env: dict[str, str]


class Recipe(Protocol):
    """One kind of server. Paths are below the state folder."""

    name: str
    ports: int
    user: str | None
    stop_signal: signal.Signals
    patience: float

    def install(self) -> None:
        """Fetches what it needs, once a machine. Raises `ServerError`."""

    def prepare(self, state: Path, record: Record) -> None:
        """Makes data and configuration; leaves data that is there."""

    def command(self, state: Path, record: Record) -> list[str]:
        """What runs in the foreground until it is told to stop."""

    def is_ready(self, state: Path, record: Record, said: str) -> bool:
        """Whether it takes requests; `said` is what it has logged since its start."""

    def finish(self, state: Path, record: Record) -> None:
        """What is done once it takes requests; each time anew."""

    def address(self, record: Record) -> Address:
        """For clients."""


def new_record(recipe: Recipe, ports: list[int]) -> Record:
    """For a fresh state folder of `recipe`."""
    if len(ports) != recipe.ports:
        raise ValueError(f"{recipe.name} needs {recipe.ports} ports, not {len(ports)}")
    return Record(ports, secrets.token_hex(16))


def read_record(state: Path) -> Record | None:
    """None in a fresh folder."""
    path = state / "server.json"
    return Record(**json.loads(path.read_text())) if path.exists() else None


def write_record(state: Path, record: Record) -> None:
    """Replaces the record; readable by its owner alone."""
    draft = state / "server.json.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(state / "server.json")
