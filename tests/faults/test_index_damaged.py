"""Files of the search index that are not as they were written, through real starts: told, and nothing is missed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawings import photo, png
from tests.faults.machine import Machine, machine, until

pytestmark = pytest.mark.faults
SMALL = (160, 120)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGE: tuple[tuple[Callable[[Path], None], str], ...] = (
    (_cut, "rows"),
    (_flip, "hashes"),
    (_flip, "offsets"),
    (_flip, "manifest.json"),
    (Path.unlink, "names"),
)


Works = dict[str, dict[str, str]]
"""Title -> what it is looked up by: `pdq` and `phash`, not the file, whose very bytes need no segment to be found."""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("line"), CLEARFRAME_SCREENING__INDEX_DELTA="3") as running:
        yield running


@pytest.fixture(scope="module")
def works(line: Machine) -> Works:
    """Protected, and merged into segments."""
    return {f"work {number}": _protected(line, number) for number in range(6)}


def _protected(line: Machine, number: int) -> dict[str, str]:
    details = {"title": f"work {number}", "bank": "protected"}
    content = png(photo(number, SMALL))
    answer = line.form("POST", "/v1/references", {"reference": details}, content, "work.png").json()
    return {kind: answer["fingerprints"][kind] for kind in ("pdq", "phash")}


def _assert_found(line: Machine, works: Works) -> None:
    for title, prints in works.items():
        for kind, value in prints.items():
            matches: Any = line.ask("POST", "/v1/lookups", json={kind: value}).json()["matches"]
            assert [match["reference"]["title"] for match in matches] == [title], kind


def _newest(line: Machine, kind: str) -> Path:
    until(lambda: list((line.data / "index" / kind).glob("segment-*[0-9]")), "a merge")
    return max((line.data / "index" / kind).glob("segment-*[0-9]"))


@pytest.mark.parametrize(("damage", "name"), DAMAGE)
@pytest.mark.parametrize("kind", ["pdq", "phash"])
def test_a_damaged_segment_is_told_by_name_and_done_without(
    line: Machine, works: Works, damage: Callable[[Path], None], name: str, kind: str
) -> None:
    segment = _newest(line, kind)
    line.process.kill()
    damage(segment / name)
    line.process.start()
    _assert_found(line, works)
    answer = line.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert f"{kind}/{segment.name}/{name}" in answer.json()["notes"]["index"]
    assert "clearframe_index_refused_segments 1.0" in line.ask("GET", "/metrics").text


@pytest.mark.parametrize("damage", [_empty, _flip, Path.unlink])
def test_a_damaged_catalogue_is_filled_again(line: Machine, works: Works, damage: Callable[[Path], None]) -> None:
    line.process.kill()
    (line.data / "index" / "catalogue.sqlite-wal").unlink(missing_ok=True)
    damage(line.data / "index" / "catalogue.sqlite")
    line.process.start()
    _assert_found(line, works)


def test_without_its_folder_the_index_is_made_again(line: Machine, works: Works) -> None:
    line.process.kill()
    for file in sorted((line.data / "index").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    line.process.start()
    _assert_found(line, works)
