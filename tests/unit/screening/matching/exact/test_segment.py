from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.screening.matching.exact import DamagedSegment, Segment

Words = NDArray[np.uint64]


def names_of(count: int) -> NDArray[np.bytes_]:
    return np.array([f"reference-{number:06d}".encode() for number in range(count)], np.bytes_)


def clustered(seed: int, count: int, words: int) -> Words:
    """Hashes of which many lie within a few bits of one another, and some are equal."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2**64, (max(1, count // 8), words), np.uint64)
    hashes = centres[rng.integers(0, len(centres), count)].copy()
    for row in hashes:
        for bit in rng.integers(0, 64 * words, rng.integers(0, 45 if words == 4 else 14)):
            row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return hashes


def brute(hashes: Words, query: Words, radius: int) -> dict[int, int]:
    distances = np.bitwise_count(hashes ^ query).sum(axis=1)
    return {int(row): int(distances[row]) for row in np.flatnonzero(distances <= radius)}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 400),
    st.sampled_from([(4, 31), (4, 5), (1, 10), (1, 3)]),
    st.integers(0, 3),
)
def test_recall_is_one(seed: int, count: int, shape: tuple[int, int], beyond: int) -> None:
    words, radius = shape
    hashes = clustered(seed, count, words)
    with TemporaryDirectory() as folder:
        segment = Segment.build(Path(folder) / "s", names_of(count), hashes, radius)
        queries = [*hashes[:10], *clustered(seed + 1, 5, words)]
        for query in queries:
            found = list(segment.within(query, radius + beyond))
            assert len(found) == len(set(found))
            assert dict(found) == brute(hashes, query, radius + beyond)


def test_wide_bands_miss_nothing(tmp_path: Path) -> None:
    hashes = clustered(3, 120_000, 4)
    segment = Segment.build(tmp_path / "s", names_of(len(hashes)), hashes, 31)
    for query in hashes[::6_000]:
        assert dict(segment.within(query, 31)) == brute(hashes, query, 31)
    narrow = np.ascontiguousarray(hashes[:, :1])
    segment = Segment.build(tmp_path / "n", names_of(len(hashes)), narrow, 10)
    for query in narrow[::6_000]:
        assert dict(segment.within(query, 10)) == brute(narrow, query, 10)


def test_equal_hashes_are_kept_once_and_all_returned(tmp_path: Path) -> None:
    hashes = np.repeat(clustered(1, 2, 4), 3_000, axis=0)
    segment = Segment.build(tmp_path / "s", names_of(6_000), hashes, 31)
    assert {number for number, _ in segment.within(hashes[0], 0)} == set(np.flatnonzero((hashes == hashes[0]).all(1)))
    assert segment.bytes_each < 1_000


def test_names_are_found_and_given_their_hashes_back(tmp_path: Path) -> None:
    hashes, names = clustered(4, 50, 4), names_of(50)
    order = np.random.default_rng(0).permutation(50)
    segment = Segment.build(tmp_path / "s", names[order], hashes[order], 31, position=77)
    assert segment.position == Segment.open(tmp_path / "s").position == 77
    for number in range(50):
        assert segment.number_of(names[number]) == number
        assert np.array_equal(segment.hash_of(number), hashes[number])
    for unknown in (b"", b"reference-999999", b"reference-000001-and-more-than-any-name-is-long"):
        assert segment.number_of(unknown) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Segment.build(tmp_path / "s", names_of(300), clustered(5, 300, 4), 31)
    return tmp_path / "s"


@pytest.mark.parametrize("name", ["hashes", "offsets", "rows", "names", "manifest.json"])
def test_a_missing_or_cut_file_is_refused(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1])
    with pytest.raises(DamagedSegment, match=name):
        Segment.open(folder)
    (folder / name).unlink()
    with pytest.raises(DamagedSegment, match=name):
        Segment.open(folder)


def test_an_altered_manifest_is_refused(folder: Path) -> None:
    sealed = json.loads((folder / "manifest.json").read_bytes())
    sealed["manifest"]["about"]["radius"] = 5
    (folder / "manifest.json").write_text(json.dumps(sealed))
    with pytest.raises(DamagedSegment, match="altered"):
        Segment.open(folder)


@pytest.mark.parametrize("name", ["hashes", "offsets", "rows"])
def test_a_flipped_byte_is_found_by_verifying_and_breaks_no_search(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[3::4] = b"\xff" * len(data[3::4])
    (folder / name).write_bytes(data)
    segment = Segment.open(folder)
    with pytest.raises(DamagedSegment, match="SHA-256"):
        segment.verify()
    for query in clustered(5, 20, 4):
        list(segment.within(query, 31))


def test_an_intact_segment_verifies(folder: Path) -> None:
    Segment.open(folder).verify()
