"""Start and idle of `clearframe up` on a data folder that was used before: `python tests/bench/idle.py`.

Time until /readyz answers, memory and CPU of the whole process tree once it has nothing to do (decode processes leave
after 30 s).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from services.cli.api import Api
from services.cli.demo import works
from services.cli.demo.edits import jpeg
from services.cli.demo.scenario import UPLOADS
from services.cli.local import started

_WATCHED_SECONDS = 20
_LEAVE_SECONDS = 40


def main() -> None:
    """Three lines."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        with started(data) as session, Api(session) as api:
            _use(api)
        began = time.perf_counter()
        with started(data):
            print(f"ready after {time.perf_counter() - began:.1f} s")
            time.sleep(_LEAVE_SECONDS)
            before = _cpu_seconds()
            time.sleep(_WATCHED_SECONDS)
            print(f"idle: {100 * (_cpu_seconds() - before) / _WATCHED_SECONDS:.2f} % of a core")
            print(f"idle: {sum(_resident_mb(pid) for pid in _tree()):.0f} MB resident in {len(_tree())} process(es)")


def _use(api: Api) -> None:
    details = json.dumps({"title": "Harbour", "bank": "protected"})
    picture = jpeg(works.harbour)()
    api.call(
        "POST", "/v1/references", files={"reference": (None, details, "application/json"), "file": ("h.jpg", picture)}
    )
    declared = json.dumps(dict(UPLOADS[0].declared) | {"production": "default"})
    parts = {"declaration": (None, declared, "application/json"), "file": ("h.jpg", picture)}
    asset = api.call("POST", "/v1/assets", files=parts)
    api.get(f"/v1/assets/{asset['id']}", wait=60)


def _tree() -> list[int]:
    """Our children and theirs."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def _cpu_seconds() -> float:
    ticks = 0
    for pid in _tree():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
