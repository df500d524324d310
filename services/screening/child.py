"""What a decode process does with one file: limits, decode, fingerprints, what follows the picture, local features."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import cv2

from services.screening.decode.canonical import Detail
from services.screening.decode.limits import Limits
from services.screening.decode.model import Picture, Unscreenable
from services.screening.decode.reader import decode_mapped
from services.screening.decoded import Decoded, Features
from services.screening.fingerprint.whole import fingerprint
from services.screening.trailing import Trailing, trailing_of
from shared.media import HEAD_BYTES, identify

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = "features"
_LIMITS = Limits()
_FEATURES_MODULE = "services.screening.matching.local"

cv2.setNumThreads(1)


def screen_file(source: Path | int, wants: frozenset[str]) -> Decoded:
    """Screen a file by path or descriptor (closed at the end). Never raises for any content.

    `wants` may hold `features`: then pictures keep the size that local features need.
    """
    with open(source, "rb") as file:  # noqa: PTH123  a descriptor has no path
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            return Decoded(unscreenable=Unscreenable("empty_file", "the file holds no bytes"))
        with data:
            return _screen(file, data, wants)


def warm(wants: frozenset[str]) -> None:
    """Load and compile before the sandbox closes what `wants` will need."""
    if FEATURES in wants:
        _extractor()


def _screen(file: BinaryIO, data: mmap.mmap, wants: frozenset[str]) -> Decoded:
    detail = Detail.FEATURES if FEATURES in wants else Detail.HASHES
    picture = decode_mapped(file, data, detail, _LIMITS)
    if isinstance(picture, Unscreenable):
        return Decoded(format=identify(data[:HEAD_BYTES]).format, unscreenable=picture)
    return Decoded(
        format=picture.format,
        width=picture.width,
        height=picture.height,
        pages=picture.pages,
        fingerprints=fingerprint(picture.views),
        trailing=_trailing(data, picture),
        features=_features(picture) if FEATURES in wants else (),
    )


def _trailing(data: mmap.mmap, picture: Picture) -> Trailing | None:
    return trailing_of(data, picture.format, picture.coded_until)


def _features(picture: Picture) -> tuple[Features, ...]:
    extract = _extractor()
    return tuple(extract(view.luma) for view in picture.views) if extract else ()


def _extractor() -> Callable[[NDArray[Any]], Features] | None:
    """`extract_features(luma) -> {name: array}` of the matching package, where it is installed."""
    if find_spec(_FEATURES_MODULE) is None:
        return None
    return cast("Callable[[NDArray[Any]], Features]", import_module(_FEATURES_MODULE).extract_features)
