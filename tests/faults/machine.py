"""One installation in one process, as `clearframe up` runs it, that a test starts, hurts and starts again."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from services.cli.local import free_port
from tests.faults.oracle import MOOD_BOARD, Client
from tests.faults.process import Process

SERVICES = ("ingest", "screening", "verdict")
SETTINGS = {
    "CLEARFRAME_VERDICT__ALLOW_LOOPBACK_WEBHOOKS": "true",
    "CLEARFRAME_SCREENING__WORKERS": "1",
    "CLEARFRAME_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class Machine:
    """The process, its data folder, and a client with the admin's key."""

    process: Process
    client: Client
    data: Path

    @property
    def bus(self) -> str:
        """The address of its log."""
        return f"embedded://{self.data}/bus.sqlite"

    @property
    def said(self) -> str:
        """All it logged, in all its lives."""
        return self.process.log.read_text(errors="replace")

    def send(self, content: bytes, declaration: Any = None, name: str = "plate.png") -> httpx2.Response:
        """One upload, whatever comes of it; a mood board unless another declaration is given."""
        told = MOOD_BOARD if declaration is None else declaration
        return self.form("POST", "/v1/assets", {"declaration": told}, content, name)

    def submit(self, content: bytes, declaration: Any = None, name: str = "plate.png") -> str:
        """The id of an accepted upload."""
        answer = self.send(content, declaration, name)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def protect(self, content: bytes, title: str) -> str:
        """The id of a work that is searched for from now on."""
        details = {"title": title, "bank": "protected"}
        answer = self.form("POST", "/v1/references", {"reference": details}, content, "work.png")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def form(self, method: str, path: str, document: dict[str, Any], content: bytes, name: str) -> httpx2.Response:
        """A multipart request of one JSON document and one file."""
        parts: dict[str, Any] = {key: (None, json.dumps(value), "application/json") for key, value in document.items()}
        return self.ask(method, path, files=parts | {"file": (name, content)})

    def ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Any request, as the admin."""
        headers = {"Authorization": f"Bearer {self.client.key}"}
        return httpx2.request(method, f"{self.process.url}{path}", headers=headers, timeout=90, **request)

    def decided(self, asset_id: str) -> Any:
        """Its verdict, once there is one."""
        found = self.client.get("ingest", f"/v1/assets/{asset_id}", wait=60)["verdict"]
        assert found is not None, f"{asset_id} is not decided"
        return found

    def rescan(self, *anew: str) -> Any:
        """A rescan of everything, at its end."""
        job = self.client.post("verdict", "/v1/rescans", {"with": list(anew)})
        return self.client.get("verdict", f"/v1/rescans/{job['id']}", wait=60)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`clearframe ...` against this installation."""
        where = ["--data", str(self.data), "--url", self.process.url]
        return subprocess.run(
            [sys.executable, "-m", "services", *where, *words], capture_output=True, text=True, check=False, timeout=60
        )


@contextmanager
def machine(folder: Path, **settings: str) -> Iterator[Machine]:
    """Running, with these variables set beside `SETTINGS`; told to stop afterwards, which must go well."""
    made = prepared(folder, **settings)
    made.process.start()
    try:
        yield with_key(made)
    finally:
        code = made.process.stop()
    assert code == 0, made.process.tail()


def prepared(folder: Path, **settings: str) -> Machine:
    """Not started yet, so that its data folder may be filled before; `with_key` when it was."""
    port, data = free_port(), folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    process = Process(["--data", str(data), "up", "--port", str(port)], url, folder / "log", SETTINGS | settings)
    return Machine(process, Client("", dict.fromkeys(SERVICES, url)), data)


def with_key(made: Machine) -> Machine:
    """The same with the key that its first start made."""
    made.client.key = (made.data / "admin.key").read_text().strip()
    return made


def until(condition: Any, what: str, seconds: float = 60) -> Any:
    """The first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.02)
    return found
