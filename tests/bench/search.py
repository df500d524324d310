"""Exact radius search against scanning and FAISS, equal results asserted: `python tests/bench/search.py [COUNT ...]`.

Random hashes with planted neighbours, one thread each; needs about 250 bytes of memory and 150 of disk a reference.
Then the index of the service at one million: restart, one more, from published to found.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import faiss  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from services.screening.matching.exact import Segment, SegmentedTable  # noqa: E402
from services.screening.matching.kernels import compile_kernels  # noqa: E402
from tests.bench.search_live import live  # noqa: E402

Words = NDArray[np.uint64]
SHAPES = {256: 31, 64: 10}
QUERIES = 200
SLOW_QUERIES = 10
LIVE_AT_MOST = 1_000_000  # references of the whole index, which takes half a minute to fill


def main() -> None:
    """Both lengths of hash at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--multi-hash", action="store_true", help="also FAISS's hash tables: memory and minutes")
    given = parser.parse_args()
    compile_kernels(print)
    faiss.omp_set_num_threads(1)
    for count in given.count:
        for bits in SHAPES:
            with tempfile.TemporaryDirectory() as folder:
                compare(Path(folder), bits, count, multi_hash=given.multi_hash)
    live(min(max(given.count), LIVE_AT_MOST))


def compare(folder: Path, bits: int, count: int, *, multi_hash: bool) -> None:
    """One line a method: median milliseconds a query, how many times our own, bytes a reference."""
    rng = np.random.default_rng(bits)
    hashes = rng.integers(0, 2**64, (count, bits // 64), np.uint64)
    queries = planted(hashes, SHAPES[bits], rng)
    start = time.perf_counter()
    names = np.char.add(b"r", np.char.zfill(np.arange(count).astype("S8"), 8))
    segment = Segment.build(folder / "segment-00000001", names, hashes, SHAPES[bits])
    built = time.perf_counter() - start
    start = time.perf_counter()
    segment = Segment.open(segment.folder)
    opened = (time.perf_counter() - start) * 1e3
    print(f"{count:,} hashes of {bits} bits, radius {SHAPES[bits]}: built in {built:.1f} s, opened in {opened:.1f} ms")
    ours = timed("multi-index hashing", lambda query: dict(segment.within(query, SHAPES[bits])), queries, None)
    print(f"{'':26}{segment.bytes_each:10.0f} bytes a reference")
    expected = [dict(segment.within(query, SHAPES[bits])) for query in queries]
    flat = faiss.IndexBinaryFlat(bits)
    flat.add(hashes.view(np.uint8))
    timed("FAISS IndexBinaryFlat", ranged(flat, SHAPES[bits]), queries[:SLOW_QUERIES], ours, expected)
    timed("NumPy scan", lambda query: numpy_scan(hashes, query, SHAPES[bits]), queries[:SLOW_QUERIES], ours, expected)
    if multi_hash:
        tables = faiss.IndexBinaryMultiHash(bits, 16, 16) if bits == 256 else faiss.IndexBinaryMultiHash(bits, 4, 16)
        tables.nflip = 1 if bits == 256 else 2
        tables.add(hashes.view(np.uint8))
        timed("FAISS IndexBinaryMultiHash", ranged(tables, SHAPES[bits]), queries[:SLOW_QUERIES], ours, expected)
    one_more(folder, bits)


def planted(hashes: Words, radius: int, rng: np.random.Generator) -> Words:
    """Queries within the radius of a stored hash."""
    queries = hashes[rng.integers(0, len(hashes), QUERIES)].copy()
    for query in queries:
        for bit in rng.choice(64 * len(query), rng.integers(0, radius + 1), replace=False):
            query[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return queries


def timed(
    name: str,
    search: Callable[[Words], dict[int, int]],
    queries: Words,
    ours: float | None,
    expected: list[dict[int, int]] | None = None,
) -> float:
    """Prints and returns the median of a method; fails where it finds something else than we did."""
    spent = []
    for number, query in enumerate(queries):
        start = time.perf_counter()
        found = search(query)
        spent.append(time.perf_counter() - start)
        assert expected is None or found == expected[number], f"{name} differs on query {number}"
    median = float(np.median(spent)) * 1e3
    print(f"  {name:26}{median:10.3f} ms" + (f"{median / ours:10.0f}x" if ours else ""))
    return median


def ranged(index: faiss.IndexBinary, radius: int) -> Callable[[Words], dict[int, int]]:
    """FAISS reports what lies below its bound."""

    def search(query: Words) -> dict[int, int]:
        _, distances, rows = index.range_search(query.view(np.uint8)[None], radius + 1)
        return dict(zip(rows.tolist(), distances.astype(int).tolist(), strict=True))

    return search


def numpy_scan(hashes: Words, query: Words, radius: int) -> dict[int, int]:
    """Every distance, with NumPy's popcount."""
    distances = np.bitwise_count(hashes ^ query).sum(axis=1)
    return {int(row): int(distances[row]) for row in np.flatnonzero(distances <= radius)}


def one_more(folder: Path, bits: int) -> None:
    """Adding to a table of that size, and finding what was added."""
    table = SegmentedTable(folder, bits=bits, radius=SHAPES[bits])
    values = [np.random.default_rng(seed).bytes(bits // 8) for seed in range(1_000)]
    start = time.perf_counter()
    for number, value in enumerate(values):
        table.add(f"new-{number}", value)
    spent = (time.perf_counter() - start) / len(values) * 1e3
    assert all((f"new-{number}", 0) in table.within(value, 0) for number, value in enumerate(values))
    print(f"  {'adding one more':26}{spent:10.3f} ms, searchable at once")


if __name__ == "__main__":
    main()
