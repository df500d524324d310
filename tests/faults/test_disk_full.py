"""No room on the disk: uploads are refused with a reason, nothing half-written is seen, and it recovers by itself."""

import hashlib
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.drawings import photo, png
from tests.faults.log import await_rest
from tests.faults.machine import Machine, machine, until
from tests.faults.oracle import check_at_rest, receiver

pytestmark = pytest.mark.faults
SMALL, LARGE = (160, 200), (1200, 900)
REFUSALS = {503, 507}
OWN_DISK = ("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs")
Turn = Callable[[Machine], None]


@contextmanager
def _own_disk(folder: Path) -> Iterator[tuple[Turn, Turn]]:
    """A file system of its own, that a filler takes up to the last byte. Where nobody may mount one, the limit."""
    if subprocess.run([*OWN_DISK, str(folder)], capture_output=True, check=False).returncode:
        with _own_limit(folder) as instead:
            yield instead
        return
    filler = folder / "filler"

    def fill(_line: Machine) -> None:
        with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    try:
        yield fill, lambda _line: filler.unlink()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _own_limit(_folder: Path) -> Iterator[tuple[Turn, Turn]]:
    """No file of the process may grow beyond 64 kB: this needs no rights."""

    def limit(line: Machine, most: int) -> None:
        resource.prlimit(line.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    yield lambda line: limit(line, 1 << 16), lambda line: limit(line, resource.RLIM_INFINITY)


WAYS = [(_own_limit, "everything"), *((_own_disk, what) for what in ("everything", "blobs", "store"))]


@pytest.mark.parametrize(("disk", "what"), WAYS)
def test_a_full_disk_refuses_and_recovers(
    tmp_path: Path, disk: Callable[[Path], AbstractContextManager[tuple[Turn, Turn]]], what: str
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    places = {
        "everything": {},
        "blobs": {"CLEARFRAME_BLOBS": f"file://{folder}/blobs"},
        "store": {"CLEARFRAME_STORE": f"sqlite://{folder}/store"},
    }[what]
    home = folder if what == "everything" else tmp_path
    numbers = count()
    with disk(folder) as (fill, free), receiver() as (url, came), machine(home, **places) as line:
        line.client.post("verdict", "/v1/webhooks", {"url": url})
        for _ in range(4):
            assert _try(line, next(numbers), SMALL) == 202
        await_rest(line.bus)
        fill(line)
        refusals = {_until_refused(line, numbers, size) for size in (LARGE, SMALL, LARGE) for _ in range(2)}
        assert refusals <= REFUSALS
        assert _half_written(home) == []
        free(line)
        until(lambda: line.ask("GET", "/readyz").status_code == 200, "readiness")
        until(lambda: _try(line, next(numbers), SMALL) == 202, "an accepted upload")
        check_at_rest(line.client, came)
        assert _half_written(home) == []


def _until_refused(line: Machine, numbers: "count[int]", size: tuple[int, int]) -> int:
    """The first answer but 202. What is written into room that a database had set aside may still be accepted."""
    return int(until(lambda: (status := _try(line, next(numbers), size)) != 202 and status, "a refusal"))


def _try(line: Machine, number: int, size: tuple[int, int]) -> int:
    content = png(photo(number, size))
    answer = line.send(content)
    if answer.status_code == 202:
        line.client.accepted[answer.json()["id"]] = content
    return answer.status_code


def _half_written(folder: Path) -> list[Path]:
    """Blobs that do not hold what their name says."""
    blobs = [path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64]
    return [path for path in blobs if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]
