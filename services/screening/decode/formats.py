"""Opening each format by its own reader class: no registry, no guessing, no MPO detour for JPEG."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from services.screening.decode.model import Refusal
from shared.headers import Buffer, riff_chunks

_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}
# One thread: the default starts one a core, which costs memory and hides CPU time.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@contextmanager
def strict_pillow(pixels: int) -> Iterator[None]:
    """Within, Pillow's bomb warning above `pixels` is an error and its chatter about odd metadata is silent."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def open_picture(file: BinaryIO, format_name: str) -> ImageFile.ImageFile:
    """Pillow's image of a known format, header read, pixels not yet. Raises whatever Pillow raises."""
    return _READERS[format_name](file)


def is_still_webp(data: Buffer) -> bool:
    """A WebP without animation: OpenCV decodes it twice as fast as Pillow and in a third of the memory."""
    return all(code not in (b"ANIM", b"ANMF") for code, _, _ in riff_chunks(data))


@dataclass(frozen=True, slots=True)
class StillWebP:
    """A decoded still WebP [H, W], [H, W, 3 or 4] (BGR order), with its EXIF and ICC bytes."""

    pixels: NDArray[np.uint8]
    exif: bytes
    icc: bytes


def read_still_webp(data: Buffer) -> StillWebP:
    """Grey where neither alpha nor a profile ask for more. Raises `Refusal` when the decoder refuses."""
    chunks = {code: data[start:end] for code, start, end in riff_chunks(data) if code in (b"EXIF", b"ICCP")}
    icc = chunks.get(b"ICCP", b"")
    wanted = cv2.IMREAD_UNCHANGED if _has_alpha(data) else cv2.IMREAD_COLOR if icc else cv2.IMREAD_GRAYSCALE
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), wanted | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise Refusal("undecodable", "the WebP decoder refuses the content")
    return StillWebP(np.asarray(pixels, np.uint8), chunks.get(b"EXIF", b""), icc)


def _has_alpha(data: Buffer) -> bool:
    for code, start, _ in riff_chunks(data):
        if code == b"VP8X" and data[start] & 0x10:
            return True
        if code == b"ALPH" or (code == b"VP8L" and data[start + 4] & 0x10):
            return True
    return False
