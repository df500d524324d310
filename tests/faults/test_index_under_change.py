"""References come and go by the hundred while lookups run; a killed process starts again with the same ones."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from tests.drawings import photo, png
from tests.faults.machine import Machine, machine

pytestmark = pytest.mark.faults
SMALL = (160, 120)
ADDED, WITHDRAWN, LOOKUPS = 1_000, 500, 2_000
MERGES_AT = "150"  # so that segments are written and taken over within the test
A_SECOND = 1.0
BY_PICTURE = 40  # one lookup of so many: a picture costs twenty times a hash


@dataclass
class Works:
    """What was protected and withdrawn, and when the service had said so."""

    pdq: dict[str, str] = field(default_factory=dict)
    drawn: dict[str, int] = field(default_factory=dict)
    live_since: dict[str, float] = field(default_factory=dict)
    gone_since: dict[str, float] = field(default_factory=dict)
    going: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def faults(self, name: str, asked: float, found: list[str]) -> list[str]:
        """What a lookup of this work's hash, asked at that time, got wrong."""
        with self.lock:
            going, gone = set(self.going), dict(self.gone_since)
            live = dict(self.live_since)
        wrong = [f"{other}: shown {asked - gone[other]:.1f} s after it was withdrawn" for other in found
                 if other in gone and asked - gone[other] > A_SECOND]  # fmt: skip
        if live[name] < asked and name not in going and name not in found:
            wrong.append(f"{name}: live and missed")
        return wrong


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "data", CLEARFRAME_SCREENING__INDEX_DELTA=MERGES_AT) as running:
        yield running


@pytest.fixture
def api(line: Machine) -> Iterator[httpx2.Client]:
    """Connections that last: a new one for each of thousands of requests would take most of the time."""
    headers = {"Authorization": f"Bearer {line.client.key}"}
    with httpx2.Client(base_url=line.process.url, headers=headers, timeout=90) as client:
        yield client


def _protect(api: httpx2.Client, works: Works, number: int) -> str:
    details = json.dumps({"title": f"work {number}", "bank": "protected"})
    parts = {"reference": (None, details, "application/json"), "file": ("work.png", png(photo(number, SMALL)))}
    answer = api.post("/v1/references", files=parts)
    assert answer.status_code == 201, answer.text
    reference = answer.json()
    with works.lock:
        works.drawn[reference["id"]] = number
        works.pdq[reference["id"]] = reference["fingerprints"]["pdq"]
        works.live_since[reference["id"]] = time.monotonic()
    return str(reference["id"])


def _withdraw(api: httpx2.Client, works: Works, name: str) -> None:
    with works.lock:
        works.going.add(name)
    assert api.delete(f"/v1/references/{name}").is_success
    with works.lock:
        works.gone_since[name] = time.monotonic()


def _found(api: httpx2.Client, **asked: Any) -> list[str]:
    answer = api.post("/v1/lookups", **asked)
    assert answer.status_code == 200, answer.text
    return [match["reference"]["id"] for match in answer.json()["matches"]]


def _look(api: httpx2.Client, works: Works, choice: Random) -> list[str]:
    with works.lock:
        name = choice.choice(list(works.live_since))
        pdq, drawn = works.pdq[name], works.drawn[name]
    what: dict[str, Any] = {"json": {"pdq": pdq}}
    if not choice.randrange(BY_PICTURE):
        what = {"files": {"file": ("plate.png", png(photo(drawn, SMALL)))}}
    asked = time.monotonic()
    return works.faults(name, asked, _found(api, **what))


def _change(api: httpx2.Client, works: Works) -> None:
    """Every second work that was added is withdrawn again, a while later."""
    with ThreadPoolExecutor(4) as adding:
        names = list(adding.map(lambda number: _protect(api, works, number), range(ADDED // 2)))
        later = [adding.submit(_protect, api, works, number) for number in range(ADDED // 2, ADDED)]
        list(adding.map(lambda name: _withdraw(api, works, name), names[:WITHDRAWN]))
        for one in later:
            one.result()


def _state(api: httpx2.Client, works: Works) -> dict[str, bool]:
    return {name: name in _found(api, json={"pdq": pdq}) for name, pdq in works.pdq.items()}


def test_no_lookup_misses_a_live_work_or_shows_one_withdrawn(line: Machine, api: httpx2.Client) -> None:
    works, choice, faults = Works(), Random(1), list[str]()
    _protect(api, works, ADDED)
    changing = threading.Thread(target=_change, args=(api, works))
    changing.start()
    looked = 0
    while looked < LOOKUPS or changing.is_alive():
        faults += _look(api, works, choice)
        looked += 1
    changing.join()
    assert not faults, faults[:5]
    assert (len(works.live_since), len(works.gone_since)) == (ADDED + 1, WITHDRAWN)
    wanted = {name: name not in works.gone_since for name in works.pdq}
    assert _state(api, works) == wanted
    assert _found(api, files={"file": ("plate.png", png(photo(ADDED, SMALL)))})
    assert "index_merged" in line.said
    assert list((line.data / "index" / "pdq").glob("segment-*"))

    line.process.kill()
    line.process.start()
    assert _state(api, works) == wanted
