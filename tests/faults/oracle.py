"""What the client knows: every upload that was accepted. Compared at rest with what the service has on record."""

import http.server
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests import drawings

MOOD_BOARD = {
    "production": "default", "genai_used": "no", "use": "reference_image", "deliverable": "temporary",
}  # fmt: skip
UNDECLARED = {"production": "default"}
_PAUSE_SECONDS = 0.25  # between uploads of a thread: there must be load, not the most the machine bears


@dataclass
class Client:
    """Uploads without end, each under its own Idempotency-Key until it is answered."""

    key: str
    urls: dict[str, str]
    accepted: dict[str, bytes] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)

    def upload(self, number: int) -> None:
        """One upload, retried until a 2xx. Anything but a 2xx or a lost connection is noted."""
        content = drawings.jpeg(drawings.poster(number, (120, 160)))
        declaration = UNDECLARED if number % 3 == 0 else MOOD_BOARD
        parts = {"declaration": (None, json.dumps(declaration), "application/json"), "file": (f"{number}.jpg", content)}
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"upload-{number}"}
        while True:
            try:
                answer = httpx2.post(f"{self.urls['ingest']}/v1/assets", files=parts, headers=headers, timeout=30)
            except httpx2.HTTPError:
                time.sleep(0.05)
                continue
            if answer.is_success:
                self.accepted[answer.json()["id"]] = content
                return
            self.refused.append(answer.status_code)
            time.sleep(0.05)

    def get(self, service: str, path: str, **params: Any) -> Any:
        """JSON of a GET that must succeed."""
        url = f"{self.urls[service]}{path}"
        answer = httpx2.get(url, params=params, headers={"Authorization": f"Bearer {self.key}"}, timeout=90)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, service: str, path: str, body: Any = None) -> Any:
        """JSON of a POST that must succeed."""
        url = f"{self.urls[service]}{path}"
        answer = httpx2.post(url, json=body or {}, headers={"Authorization": f"Bearer {self.key}"}, timeout=90)
        assert answer.is_success, answer.text
        return answer.json()

    def every(self, service: str, path: str, **params: Any) -> Iterator[Any]:
        """All items of a list."""
        after = None
        while True:
            page = self.get(service, path, limit=200, **params, **({"after": after} if after else {}))
            yield from page["items"]
            after = page["next"]
            if after is None:
                return


@contextmanager
def load(client: Client, threads: int = 3) -> Iterator[None]:
    """Uploads as fast as they are answered, until the block ends."""
    ending, numbers, lock = threading.Event(), iter(range(1_000_000)), threading.Lock()

    def work() -> None:
        while not ending.is_set():
            with lock:
                number = next(numbers)
            client.upload(number)
            ending.wait(_PAUSE_SECONDS)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        ending.set()
        for worker in workers:
            worker.join()


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A webhook endpoint: its address, and what came as (webhook-id, body)."""
    came: list[tuple[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            came.append((self.headers["webhook-id"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", came
        server.shutdown()


def check_at_rest(client: Client, came: list[tuple[str, Any]], seconds: float = 240) -> None:
    """Every accepted upload has one verdict, every escalation was told under one id, and the record holds."""
    until = time.monotonic() + seconds
    while undecided := client.accepted.keys() - {item["asset_id"] for item in client.every("verdict", "/v1/verdicts")}:
        assert time.monotonic() < until, f"not decided: {undecided}"
        time.sleep(0.2)
    verdicts = list(client.every("verdict", "/v1/verdicts"))
    assert Counter(verdict["asset_id"] for verdict in verdicts) == Counter(list(client.accepted))
    assert {verdict["revision"] for verdict in verdicts} == {1}
    escalated = {verdict["asset_id"] for verdict in verdicts if verdict["outcome"] == "escalate"}
    cases = list(client.every("verdict", "/v1/escalations"))
    assert Counter(case["asset_id"] for case in cases) == Counter(list(escalated))
    _check_told(came, escalated, seconds)
    assert client.post("verdict", "/v1/ledger/verify")["intact"]
    assert list(client.every("verdict", "/v1/dead-letters")) == []
    for asset in random.Random(0).sample(sorted(client.accepted), min(10, len(client.accepted))):
        url = f"{client.urls['ingest']}/v1/assets/{asset}/content"
        assert httpx2.get(url, headers={"Authorization": f"Bearer {client.key}"}).content == client.accepted[asset]


def _check_told(came: list[tuple[str, Any]], escalated: set[str], seconds: float) -> None:
    until = time.monotonic() + seconds
    while (told := _told(came)).keys() != escalated:
        assert time.monotonic() < until, (
            f"not told: {escalated - told.keys()}, told too much: {told.keys() - escalated}"
        )
        time.sleep(0.1)
    assert all(len(ids) == 1 for ids in told.values()), "an escalation was told under two ids"


def _told(came: list[tuple[str, Any]]) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for webhook_id, body in list(came):
        if body["type"] == "clearframe.verdict.escalated.v1":
            told.setdefault(body["data"]["asset_id"], set()).add(webhook_id)
    return told
