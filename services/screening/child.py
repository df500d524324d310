"""What a decode process does with one file: limits, decode, fingerprints, trailing bytes, marks, local features."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from services.screening.decode.canonical import Detail
from services.screening.decode.limits import Limits
from services.screening.decode.model import Picture, Unscreenable
from services.screening.decode.reader import decode_mapped
from services.screening.decoded import Decoded, Features
from services.screening.fingerprint.whole import fingerprint
from services.screening.matching.local import compile_kernels, extract_features
from services.screening.matching.local.extract import Role
from services.screening.provenance.reader import read_provenance, warm_readers
from services.screening.seen import FEATURES
from services.screening.trailing import Trailing, trailing_of
from shared.media import HEAD_BYTES, identify

_LIMITS = Limits()

cv2.setNumThreads(1)


def screen_file(source: Path | int, wants: frozenset[str]) -> Decoded:
    """Screen a file by path or descriptor (closed at the end). Never raises for any content.

    `wants` may hold `features`, and then `query` or `reference`: as an upload's, or as a protected work's.
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
    warm_readers()
    if FEATURES in wants:
        compile_kernels()


def _screen(file: BinaryIO, data: mmap.mmap, wants: frozenset[str]) -> Decoded:
    detail = Detail.FEATURES if FEATURES in wants else Detail.HASHES
    picture = decode_mapped(file, data, detail, _LIMITS)
    if isinstance(picture, Unscreenable):
        format_name = identify(data[:HEAD_BYTES]).format
        return Decoded(format=format_name, unscreenable=picture, marks=read_provenance(data, format_name))
    return Decoded(
        format=picture.format,
        width=picture.width,
        height=picture.height,
        pages=picture.pages,
        fingerprints=fingerprint(picture.views),
        trailing=_trailing(data, picture),
        marks=read_provenance(data, picture.format),
        features=_features(picture, _role(wants)) if FEATURES in wants else (),
    )


def _trailing(data: mmap.mmap, picture: Picture) -> Trailing | None:
    return trailing_of(data, picture.format, picture.coded_until)


def _role(wants: frozenset[str]) -> Role:
    return "reference" if "reference" in wants else "query"


def _features(picture: Picture, role: Role) -> tuple[Features, ...]:
    found = (extract_features(view.luma, role).to_bytes() for view in picture.views)
    return tuple({FEATURES: np.frombuffer(features, np.uint8)} for features in found)
