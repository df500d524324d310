"""Uploads a second from HTTP to recorded verdict, one process, all durable: `python tests/bench/uploads.py [FOLDER]`.

FOLDER holds JPEGs named `<megapixels>mp_*.jpg`; without it pictures are drawn. Every upload has its own bytes. The
first rate counts uploads accepted and on disk, the second those decided, in one run of eight clients.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from services.cli.api import Api
from services.cli.demo.scenario import UPLOADS
from services.cli.local import started
from services.cli.session import Session
from tests.bench.pictures import by_size

COUNTS = {"0.2": 240, "1": 160, "4": 60, "12": 30}
CLIENTS = 8


def main() -> None:
    """One line for each size."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sizes = by_size(given)
        print("   MP   MB each   accepted/s   decided/s")
        with started(folder / "data") as session:
            _measure(session, islice(cycle(sizes["0.2"]), 20))  # processes started, caches warm
            for size, files in sizes.items():
                contents = list(islice(cycle(files), COUNTS[size]))
                accepted, decided = _measure(session, iter(contents))
                megabytes = sum(map(len, contents)) / len(contents) / 1e6
                print(f"{size:>5} {megabytes:9.2f} {accepted:12.1f} {decided:11.1f}")


def _measure(session: Session, contents: Any) -> tuple[float, float]:
    with Api(session) as api, ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        ids = list(clients.map(lambda content: _upload(api, content), contents))
        accepted = time.perf_counter() - began
        list(clients.map(lambda asset: _await(api, asset), ids))
        decided = time.perf_counter() - began
    return len(ids) / accepted, len(ids) / decided


def _upload(api: Api, content: bytes) -> str:
    declared = dict(UPLOADS[0].declared) | {"production": "default"}
    parts = {"declaration": (None, json.dumps(declared), "application/json"), "file": ("plate.jpg", _unique(content))}
    return str(api.call("POST", "/v1/assets", files=parts)["id"])


def _await(api: Api, asset: str) -> None:
    while api.get(f"/v1/assets/{asset}", wait=60)["status"] != "decided":
        pass


def _unique(jpeg: bytes) -> bytes:
    """The same picture with a comment of its own."""
    note = uuid4().bytes
    return jpeg[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + jpeg[2:]


if __name__ == "__main__":
    main()
