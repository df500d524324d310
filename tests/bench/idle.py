"""What `clearframe up` costs while nobody uploads.

Start to ready on a data folder that is there, memory of the whole process tree, and CPU over twenty idle seconds.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.machine import Machine, prepared

STARTS = 3
SETTLES_SECONDS, MEASURED_SECONDS = 10, 20
AIMS = {"seconds to ready": 3.0, "MB of memory": 300.0, "% of a core": 2.0}
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Prints a line for each figure beside its aim."""
    with tempfile.TemporaryDirectory() as folder:
        line = prepared(Path(folder), CLEARFRAME_SCREENING__WORKERS="2", CLEARFRAME_LOG_LEVEL="warning")
        line.process.start()  # makes the data folder
        starts = [_restart(line) for _ in range(STARTS)]
        try:
            time.sleep(SETTLES_SECONDS)
            before, began = _cpu_seconds(line), time.monotonic()
            time.sleep(MEASURED_SECONDS)
            share = (_cpu_seconds(line) - before) / (time.monotonic() - began)
            memory = sum(_resident(pid) for pid in _tree(line.process.pid)) / 1e6
        finally:
            line.process.stop()
    for (name, aim), figure in zip(AIMS.items(), (min(starts), memory, 100 * share), strict=True):
        print(f"{name:<18} {figure:8.2f}   aim: under {aim:g}")


def _restart(line: Machine) -> float:
    line.process.stop()
    began = time.monotonic()
    line.process.start()
    return time.monotonic() - began


def _tree(root: int) -> Iterator[int]:
    yield root
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(line: Machine) -> float:
    """User and system time of all that run, and of those that have ended."""
    fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in _tree(line.process.pid))
    return sum(sum(map(int, each[11:15])) for each in fields) / _TICKS


if __name__ == "__main__":
    main()
