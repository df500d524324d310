"""Trains the fixed numbers of the partial-copy index on pictures drawn by code: run without arguments.

Writes medians.txt and centres.txt beside services/screening/matching/local/vocabulary.py. Deterministic.
Whoever changes them raises features.VERSION: features coded with other medians are not comparable.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from services.screening.matching import kernels
from services.screening.matching.local import extract, symmetry, vocabulary
from tests import drawings
from tests.bench.partial_drawings import dead_leaves

Codes = NDArray[np.uint64]
PICTURES = 400
CENTRES = 512
ROUNDS = 12
SAMPLE = 60_000


def main() -> None:
    """Draw, describe, threshold at the medians, cluster the codes."""
    kernels.compile_kernels(print)
    folder = Path(vocabulary.__file__).parent
    descriptors = np.concatenate([extract.describe_picture(luma, extract.RECIPES["reference"])[1] for luma in drawn()])
    medians = symmetry.symmetric(np.median(descriptors, axis=0))
    np.savetxt(folder / "medians.txt", medians, "%.7f")
    packed = np.packbits(descriptors > medians, axis=1, bitorder="little").view(np.uint64).reshape(-1, 2)
    centres = cluster(packed, np.random.default_rng(1))
    (folder / "centres.txt").write_text("".join(row.tobytes().hex() + "\n" for row in centres))
    print(f"{len(packed)} features of {PICTURES} pictures")


def drawn() -> list[NDArray[np.uint8]]:
    """Dead leaves, and a poster among five of them: lettering has its own statistics."""
    posters = [np.asarray(drawings.poster(seed).convert("L")) for seed in range(PICTURES // 5)]
    return [dead_leaves(seed) for seed in range(PICTURES)] + posters


def cluster(codes: Codes, rng: np.random.Generator) -> Codes:
    """Base centres [512, 2] by majority of the bits; with their three symmetric images they are 2,048."""
    sample = codes[rng.permutation(len(codes))[:SAMPLE]]
    base = sample[:CENTRES].copy()
    for _ in range(ROUNDS):
        nearest = _nearest(sample, symmetry.closed(base))
        votes, counts = np.zeros((CENTRES, 128)), np.bincount(nearest % CENTRES, minlength=CENTRES)
        for number, turned in enumerate(symmetry.PASSES):
            mine = nearest // CENTRES == number
            np.add.at(votes, nearest[mine] % CENTRES, _signs(symmetry.permuted(sample[mine], turned)))
        base[counts > 0] = np.packbits(votes[counts > 0] > 0, axis=1, bitorder="little").view(np.uint64).reshape(-1, 2)
        base[counts == 0] = sample[rng.integers(len(sample), size=int((counts == 0).sum()))]
    return base


def _signs(codes: Codes) -> NDArray[np.float64]:
    return np.unpackbits(codes.view(np.uint8).reshape(-1, 16), axis=1, bitorder="little") * 2.0 - 1.0


def _nearest(codes: Codes, centres: Codes) -> NDArray[np.int32]:
    out = np.empty((len(codes), 1), np.int32)
    low, high = (np.ascontiguousarray(centres[:, word]) for word in (0, 1))
    kernels.load("local.listing").probe(np.ascontiguousarray(codes), low, high, out)
    return out[:, 0]


if __name__ == "__main__":
    main()
