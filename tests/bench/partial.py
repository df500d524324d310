"""Accuracy and CPU time of the cascade on a split of pictures: `python tests/bench/partial.py SPLIT`.

SPLIT holds references/, references.jsonl, queries/ and truth.jsonl; ../../bench/evaluate.py from there scores, unless
another scorer is given. Where SPLIT is absent, it says so and measures time alone, on drawn pictures.
`--results FILE` keeps one JSON line a query; `--every N` takes every Nth query.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from services.screening.decode.canonical import Detail  # noqa: E402
from services.screening.decode.model import Picture  # noqa: E402
from services.screening.decode.reader import decode  # noqa: E402
from services.screening.fingerprint.model import Fingerprints  # noqa: E402
from services.screening.fingerprint.whole import fingerprint  # noqa: E402
from services.screening.matching.corroborate import FARTHEST, LEAST_LOCAL_SCORE, corroborate  # noqa: E402
from services.screening.matching.local import Features, LocalIndex, compile_kernels, extract_features  # noqa: E402
from services.screening.matching.whole import LEAST_QUALITY, WholeIndex  # noqa: E402
from tests.bench.partial_drawings import dead_leaves  # noqa: E402

Luma = NDArray[np.uint8]
WHOLE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
ONE_MEGAPIXEL = (1226, 815)
SIZES = (1_022, 10_000)


class Cascade:
    """Both indexes, and the CPU seconds spent after decoding."""

    def __init__(self) -> None:
        self.whole, self.local = WholeIndex(), LocalIndex()
        self.extracting = self.searching = 0.0

    def add(self, name: str, picture: Picture, prints: Fingerprints) -> None:
        """One reference, through its stored form."""
        first = prints.first
        if first.pdq_quality >= LEAST_QUALITY:
            self.whole.add(name, pdq=bytes.fromhex(first.pdq))
        stored = extract_features(picture.views[0].luma, "reference").to_bytes()
        self.local.add(name, Features.from_bytes(stored))

    def matches(self, picture: Picture, prints: Fingerprints) -> dict[str, tuple[float, list[list[float]]]]:
        """Score and outline by reference."""
        found: dict[str, tuple[float, list[list[float]]]] = {}
        for view, hashes in zip(picture.views, prints.views, strict=True):
            start = time.process_time()
            features = extract_features(view.luma, "query")
            middle = time.process_time()
            variants = [(variant.name, bytes.fromhex(variant.pdq)) for variant in hashes.variants]
            near = {
                hit.reference_id: hit for hit in self.whole.search_pdq(variants, hashes.pdq_quality, radius=FARTHEST)
            }
            distances = {name: hit.distance for name, hit in near.items()}
            partial = corroborate(self.local.search(features, least_score=LEAST_LOCAL_SCORE), distances)
            self.extracting += middle - start
            self.searching += time.process_time() - middle
            scored: list[tuple[str, float, list[list[float]]]]
            scored = [(name, max(0.0, 1 - distance / 62), WHOLE) for name, distance in distances.items()]
            scored += [(hit.reference_id, hit.score, [list(corner) for corner in hit.upload_region]) for hit in partial]
            for name, score, region in scored:
                if score > found.get(name, (0.0, WHOLE))[0]:
                    found[name] = (score, region)
        return found


def main() -> None:
    """Accuracy where the split is there, then time at 1,000 and 10,000 references."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", type=Path, nargs="?", default=Path("../shared/images/public"))
    parser.add_argument("evaluator", type=Path, nargs="?")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    compile_kernels(print)
    if not given.split.is_dir():
        print(f"accuracy: skipped, there is no folder {given.split}")
    else:
        with tempfile.TemporaryDirectory() as scratch:
            results = given.results or Path(scratch) / "results.jsonl"
            accuracy(given.split, results, given.every)
            evaluator = given.evaluator or given.split / "../../bench/evaluate.py"
            subprocess.run([sys.executable, evaluator, given.split, results, "--threshold", "0.5"], check=True)
    speed(given.split)


def accuracy(split: Path, results: Path, every: int) -> None:
    """Writes the matches of every `every`th query."""
    cascade = Cascade()
    for name, picture, prints in _pictures(split, "references", "reference", 1):
        cascade.add(name, picture, prints)
    queries = 0
    with results.open("w") as out:
        for name, picture, prints in _pictures(split, "queries", "query", every):
            found = cascade.matches(picture, prints)
            matches = [{"reference": r, "score": s, "region": region} for r, (s, region) in found.items()]
            out.write(json.dumps({"query": name, "matches": matches}) + "\n")
            queries += 1
    spent = (cascade.extracting * 1e3 / queries, cascade.searching * 1e3 / queries)
    print(f"{len(cascade.local)} references, {queries} queries: CPU ms extract {spent[0]:.1f}, search {spent[1]:.1f}")


def _pictures(split: Path, folder: str, key: str, every: int) -> Iterator[tuple[str, Picture, Fingerprints]]:
    lines = (split / ("truth.jsonl" if key == "query" else "references.jsonl")).read_text().splitlines()
    for line in lines[::every]:
        name = json.loads(line)[key]
        with (split / folder / name).open("rb") as file:
            picture = decode(file, Detail.FEATURES)
        if isinstance(picture, Picture):
            yield name, picture, fingerprint(picture.views)
        else:
            print(f"{name}: {picture.reason}, {picture.detail}")


def speed(split: Path) -> None:
    """CPU of one 1 MP upload after decoding at two sizes of the index; camera pictures beside the split, or drawn."""
    uploads = [_luma(path) for path in sorted((split.parent / "camera").glob("1mp_*.jpg"))]
    kind = "camera" if uploads else "drawn"
    uploads = uploads or [dead_leaves(seed, *ONE_MEGAPIXEL) for seed in range(10_000, 10_008)]
    stored = [extract_features(luma, "reference") for luma in _works(split)]
    index = LocalIndex()
    for size in SIZES:
        while len(index) < size:
            index.add(str(len(index)), _varied(stored[len(index) % len(stored)], len(index) // len(stored)))
        features = [extract_features(upload, "query") for upload in uploads]
        extracting = _best(lambda: [extract_features(upload, "query") for upload in uploads]) / len(uploads)
        searching = _best(lambda asked=features: [index.search(each) for each in asked]) / len(uploads)
        print(
            f"{size} references, 1 MP {kind}, {sum(map(len, features)) // len(features)} features: CPU ms extract "
            f"{extracting:.1f} + search {searching:.1f} = {extracting + searching:.1f}"
        )


def _works(split: Path) -> Iterator[Luma]:
    folder = split / "references"
    if not folder.is_dir():
        yield from (dead_leaves(seed) for seed in range(SIZES[0]))
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield _luma(path)


def _luma(path: Path) -> Luma:
    with path.open("rb") as file:
        picture = decode(file, Detail.FEATURES)
    assert isinstance(picture, Picture), path
    return picture.views[0].luma


def _varied(features: Features, seed: int) -> Features:
    """Another reference of the same statistics: an eighth of all bits flipped, none for seed 0."""
    if seed == 0:
        return features
    flips = np.random.default_rng(seed).integers(0, 2**64, (3, *features.codes.shape), np.uint64)
    return Features(
        features.codes ^ (flips[0] & flips[1] & flips[2]), features.points, features.positive, features.extent
    )


def _best(work: object) -> float:
    assert callable(work)
    spent = []
    for _ in range(3):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent) * 1e3


if __name__ == "__main__":
    main()
