"""Bytes to hashes against naive imagehash and against decoding alone: `python tests/bench/hashing.py [FOLDER]`.

CPU time of one core, best of several rounds over the same files in one run. `hashes`: limits, decoding, PDQ in all
orientations and pHash. `whole job`: also the marks of provenance and the bytes after the picture's end, as a decode
process does it. FOLDER holds JPEGs named `<megapixels>mp_*.jpg`; without it pictures are drawn.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import imagehash  # noqa: E402
from PIL import Image, JpegImagePlugin  # noqa: E402

from services.screening.child import screen_file  # noqa: E402
from services.screening.decode.canonical import Detail, scale_for  # noqa: E402
from services.screening.decode.model import Unscreenable  # noqa: E402
from services.screening.decode.reader import decode  # noqa: E402
from services.screening.fingerprint.whole import fingerprint  # noqa: E402
from tests import drawings  # noqa: E402

DRAWN = {"0.2": (540, 370), "1": (1226, 815), "4": (2400, 1790), "12": (4000, 3000)}
ROUNDS = 5


def main() -> None:
    """Print one line for each class of size."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = given if given and given.is_dir() else _drawn(Path(scratch))
        print(f"pictures: {'given' if folder == given else 'drawn'}; images/s on one core")
        print("   MP   naive  decode  hashes  hashes/naive  hashes/decode  whole job  job/naive  job/decode")
        for size in DRAWN:
            files = sorted(folder.glob(f"{size}mp_[0-9]*.jpg"))
            if files:
                print(_line(size, files))


def measure(files: list[Path]) -> dict[str, float]:
    """Images a second of each way over the same files."""
    contents = {path: path.read_bytes() for path in files}
    ways: dict[str, Callable[[Path], object]] = {
        "naive": lambda path: imagehash.phash(Image.open(path)),
        "decode": lambda path: _decode_only(contents[path]),
        "hashes": _hashes,
        "whole job": lambda path: screen_file(path, frozenset()),
    }
    return {name: len(files) / min(_cpu(way, files) for _ in range(ROUNDS)) for name, way in ways.items()}


def _line(size: str, files: list[Path]) -> str:
    rate = measure(files)
    hashes, job, naive, decode = rate["hashes"], rate["whole job"], rate["naive"], rate["decode"]
    return (
        f"{size:>5} {naive:7.1f} {decode:7.1f} {hashes:7.1f} {hashes / naive:12.2f}x {hashes / decode:14.2f}"
        f" {job:10.1f} {job / naive:9.2f}x {job / decode:11.2f}"
    )


def _cpu(way: Callable[[Path], object], files: list[Path]) -> float:
    start = time.process_time()
    for path in files:
        way(path)
    return time.process_time() - start


def _hashes(path: Path) -> None:
    with path.open("rb") as file:
        picture = decode(file, Detail.HASHES)
        if isinstance(picture, Unscreenable):
            raise TypeError(f"{path}: {picture.detail}")
        fingerprint(picture.views)


def _decode_only(content: bytes) -> None:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    scale = scale_for(*image.size, Detail.HASHES)
    image.draft("L", (image.width // scale, image.height // scale))
    image.load()


def _drawn(folder: Path) -> Path:
    for size, pixels in DRAWN.items():
        for seed in range(2):
            drawings.photo(seed, pixels).save(folder / f"{size}mp_{seed}.jpg", quality=88)
    return folder


if __name__ == "__main__":
    main()
