"""Starting, stopping and disturbing the one server of a state folder."""

import fcntl
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_servers import processes
from local_servers.ports import free_ports, is_free
from local_servers.recipe import Recipe, Record, ServerError, TakenError, new_record, read_record, write_record

_TRIES = 5
_TAIL = 30
_TAKEN = ("address already in use", "already exists", "still in use")


class Server:
    """The server of `state`. Every change is made by one process at a time, whoever calls."""

    def __init__(self, recipe: Recipe, state: Path, deadline: float) -> None:
        self.recipe = recipe
        self.state = state
        self._deadline = deadline

    def start(self) -> Record:
        """Runs it, unless it runs; on the port it had, or on a free one. Raises `ServerError` with the log's tail."""
        with self._alone():
            held = read_record(self.state)
            if held and self._runs(held):
                return held
            self.recipe.install()
            return self._again(held) if held else self._first()

    def stop(self) -> None:
        """Lets it end in good order; its data and port stay."""
        with self._alone():
            self._end(self.recipe.stop_signal)

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        with self._alone():
            self._end(signal.SIGKILL)

    def restart(self) -> Record:
        """On the same port, with the same data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Keeps it from doing anything, its connections open."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen one go on."""
        self._send(signal.SIGCONT)

    def status(self) -> str:
        """running, frozen or stopped"""
        held = read_record(self.state)
        if held is None or held.pid is None or not self._runs(held):
            return "stopped"
        return "frozen" if processes.is_frozen(held.pid) else "running"

    def _first(self) -> Record:
        for _ in range(_TRIES):
            try:
                return self._launch(new_record(self.recipe, free_ports(self.recipe.ports)))
            except TakenError:
                shutil.rmtree(self.state / "data", ignore_errors=True)
                (self.state / "server.json").unlink(missing_ok=True)
        raise ServerError(f"{self.recipe.name}: {_TRIES} ports were taken one after the other; try again")

    def _again(self, held: Record) -> Record:
        # What a killed one left behind, children or a process not yet reaped, may hold port and data for a moment.
        deadline = time.monotonic() + self._deadline
        while True:
            try:
                self._ask_for_ports(held)
                return self._launch(held)
            except TakenError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _ask_for_ports(self, held: Record) -> None:
        taken = [port for port in held.ports if not is_free(port)]
        if taken:
            raise TakenError(
                f"{self.recipe.name}: port {taken[0]} is taken by another process; end it, or take another --state"
            )

    def _launch(self, record: Record) -> Record:
        self.recipe.prepare(self.state, record)
        log = self.state / "server.log"
        begin = log.stat().st_size if log.exists() else 0
        command = self.recipe.command(self.state, record)
        pid = processes.spawn(command, folder=self.state, log=log, user=self.recipe.user)
        running = Record(record.ports, record.secret, pid, processes.identity(pid) or "")
        write_record(self.state, running)
        ready = False
        try:
            self._await_ready(running, log, begin)
            self.recipe.finish(self.state, running)
            ready = True
        finally:
            if not ready:
                self._end(signal.SIGKILL)
        return running

    def _await_ready(self, record: Record, log: Path, begin: int) -> None:
        deadline = time.monotonic() + self._deadline
        while True:
            said = log.read_bytes()[begin:].decode(errors="replace")
            if not self._runs(record):
                kind = TakenError if any(words in said.lower() for words in _TAKEN) else ServerError
                raise kind(f"{self.recipe.name} ended while it started\n{_tail(said)}")
            if self.recipe.is_ready(self.state, record, said):
                return
            if time.monotonic() > deadline:
                raise ServerError(f"{self.recipe.name} is not ready after {self._deadline:g} s\n{_tail(said)}")
            time.sleep(0.1)

    def _end(self, kind: signal.Signals) -> None:
        held = read_record(self.state)
        if held and held.pid is not None:
            processes.end(held.pid, held.born, kind, self.recipe.patience)
            write_record(self.state, held.stopped())

    def _send(self, kind: signal.Signals) -> None:
        held = read_record(self.state)
        if held is None or held.pid is None or not self._runs(held):
            raise ServerError(f"{self.recipe.name} does not run in {self.state}; start it first")
        processes.send(held.pid, held.born, kind)

    @staticmethod
    def _runs(record: Record) -> bool:
        return record.pid is not None and processes.identity(record.pid) == record.born

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _tail(said: str) -> str:
    return "\n".join(said.splitlines()[-_TAIL:]) or "(it logged nothing)"
