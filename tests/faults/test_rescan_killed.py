"""A rescan whose process is killed goes on by itself: each asset decided once, and only what should change changed."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.drawings import jpeg, photo, png, poster
from tests.faults.machine import Machine, machine, until

pytestmark = pytest.mark.faults
SMALL = (160, 200)
COPIES, OTHERS = 8, 40
KILLS = 3


def test_a_killed_rescan_goes_on_where_it_was(tmp_path: Path) -> None:
    with machine(tmp_path, CLEARFRAME_SCREENING__BATCH="2") as line:
        copies = [line.submit(jpeg(poster(500, SMALL), 60 + number), name="copy.jpg") for number in range(COPIES)]
        others = [line.submit(png(photo(number, SMALL))) for number in range(OTHERS)]
        for asset in copies + others:
            assert line.decided(asset)["outcome"] == "clear"
        line.protect(png(poster(500, SMALL)), "The Lighthouse")
        job = line.client.post("verdict", "/v1/rescans", {"with": ["references", "engine"]})["id"]
        for _ in range(KILLS):
            _kill_in_the_middle(line, job)
        done = line.client.get("verdict", f"/v1/rescans/{job}", wait=60)
        assert (done["status"], done["total"]) == ("done", COPIES + OTHERS)
        assert done["counts"] == {"changed": COPIES, "unchanged": OTHERS}
        items = list(line.client.every("verdict", f"/v1/rescans/{job}/items"))
        assert Counter(item["asset_id"] for item in items) == Counter(copies + others)
        assert _revisions(line) == Counter(dict.fromkeys(copies, 2) | dict.fromkeys(others, 1))
        assert "clear" not in {line.decided(asset)["outcome"] for asset in copies}
        assert line.client.post("verdict", "/v1/ledger/verify")["intact"]
        assert list(line.client.every("verdict", "/v1/dead-letters")) == []


def _kill_in_the_middle(line: Machine, job: str) -> None:
    def view() -> Any:
        return line.client.get("verdict", f"/v1/rescans/{job}")

    before = view()["done"]
    until(lambda: view()["done"] > before, "progress of the rescan")
    at_kill = view()
    line.process.kill()
    assert at_kill["status"] == "running", "the rescan was over before it could be killed"
    line.process.start()


def _revisions(line: Machine) -> Counter[str]:
    return Counter(verdict["asset_id"] for verdict in line.client.every("verdict", "/v1/verdicts"))
