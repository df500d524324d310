"""The pictures that speed is measured on: photographs where a folder of them is given, else drawn ones."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image

from tests import drawings

SIZES = {"0.2": (540, 370), "1": (1226, 815), "4": (2400, 1790), "12": (4000, 3000)}
_REPOSITORY = Path(__file__).resolve().parents[2]


def given_folder() -> Path | None:
    """`CLEARFRAME_TEST_PICTURES`, or the folder of test pictures beside the checkout."""
    folder = Path(os.environ.get("CLEARFRAME_TEST_PICTURES", _REPOSITORY.parent / "shared" / "images"))
    return folder if folder.is_dir() else None


def by_size(folder: Path | None) -> dict[str, list[bytes]]:
    """JPEGs by megapixels; drawn where there is no folder."""
    if folder is None or not folder.is_dir():
        return {size: [_drawn(seed, pixels) for seed in range(3)] for size, pixels in SIZES.items()}
    return {size: [path.read_bytes() for path in sorted(folder.glob(f"{size}mp_[0-9]*.jpg"))] for size in SIZES}


def _drawn(seed: int, size: tuple[int, int]) -> bytes:
    picture = drawings.photo(seed, (1200, 900)).resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
