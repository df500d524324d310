"""One canonical picture: whatever the coding, the same upright 8-bit luma (and both faces of transparency)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from services.screening.decode.colour import needs_conversion, to_srgb
from services.screening.decode.model import View

Luma = NDArray[np.uint8]


class Detail(IntEnum):
    """The long side that a reduced picture keeps where the original has it: hashes alone need no more than 256."""

    HASHES = 256
    FEATURES = 768


SHORT_SIDE = 256
_STRIP_ROWS = 1024  # a multiple of every scale that 30,000 pixels a side allow


def scale_for(width: int, height: int, detail: Detail) -> int:
    """The largest power of two to shrink by with the short side still >= 256 and the long side >= `detail`."""
    scale = 1
    while min(width, height) >= SHORT_SIDE * 2 * scale and max(width, height) >= detail * 2 * scale:
        scale *= 2
    return scale


def shrink(image: Image.Image, scale: int) -> Image.Image:
    """Mean of each `scale` x `scale` block; the last row and column average what there is."""
    return image if scale == 1 else image.reduce(scale)


@dataclass(frozen=True, slots=True)
class Layer:
    """A stored picture seen one way: label and reduced luma, not yet upright."""

    label: str
    luma: Luma


def layers_of(image: Image.Image, scale: int) -> list[Layer]:
    """The layers of a loaded picture: one if it is opaque, else on white, on black and without its alpha."""
    if image.has_transparency_data:
        layered = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
        if layered.getchannel("A").getextrema() != (255, 255):
            return _composites_in_strips(layered, scale)
        image = layered
    return [Layer("", _grey(image, scale))]


def _composites_in_strips(image: Image.Image, scale: int) -> list[Layer]:
    # A large picture fills the memory allowed; its faces at full size would not fit beside it.
    strips = []
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        strips.append(composites(_grey(strip, 1), np.asarray(strip.getchannel("A")), scale))
    return [Layer(faces[0].label, np.concatenate([face.luma for face in faces])) for faces in zip(*strips, strict=True)]


def composites(luma: Luma, alpha: Luma, scale: int) -> list[Layer]:
    """On white, on black and without alpha, blended at full size; luma is linear, so it may be blended itself."""
    on_black = cv2.multiply(luma, alpha, scale=1 / 255)
    on_white = cv2.add(on_black, cv2.bitwise_not(alpha))
    faces = {"on white": on_white, "on black": on_black, "without alpha": luma}
    return [Layer(label, shrink_luma(np.asarray(face, np.uint8), scale)) for label, face in faces.items()]


def shrink_luma(luma: Luma, scale: int) -> Luma:
    """As `shrink`, for an array."""
    return luma if scale == 1 else np.asarray(Image.fromarray(luma).reduce(scale))


def _grey(image: Image.Image, scale: int) -> Luma:
    if image.mode.startswith(("I", "F")):
        return shrink_luma(eight_bits(np.asarray(image)), scale)
    if needs_conversion(image):
        colours = image.convert("RGB") if image.mode in ("P", "RGBA", "RGBX", "PA") else image
        return np.asarray(to_srgb(shrink(colours, scale)).convert("L"))
    if image.mode == "LAB":
        return np.asarray(shrink(image.getchannel(0), scale))
    return np.asarray(shrink(image.convert("L"), scale))


def eight_bits(values: NDArray[Any]) -> Luma:
    """Deep greys scaled, never clipped, to 8 bit: floats by their range, integers by 16 bits or by those in use."""
    if values.dtype.kind == "f":
        finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(finite.min()), float(finite.max())
        return np.asarray((finite - low) * (255 / max(high - low, 1e-9)), np.uint8)
    top = int(values.max())
    shift = 8 if 4096 <= top < 1 << 16 else max(top.bit_length() - 8, 0)
    eight = np.empty(values.shape, np.uint8)
    positive = np.maximum(values, 0) if values.dtype.kind == "i" else values
    np.right_shift(positive, shift, eight, casting="unsafe")
    return eight


_TURNS: dict[int, tuple[bool, bool, bool]] = {  # EXIF orientation: transpose first, then flip rows, then flip columns
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; unreadable metadata counts as upright, as in viewers."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001  ten different types were seen from damaged EXIF
        return 1
    return orientation if orientation in _TURNS else 1


def upright(layer: Layer, name: str, size: tuple[int, int], scale: int, orientation: int) -> View:
    """The view of a layer with EXIF orientation applied; `size` is the stored width and height."""
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    luma = layer.luma.T if swap else layer.luma
    luma = np.ascontiguousarray(luma[:: -1 if rows else 1, :: -1 if columns else 1])
    width, height = (size[1], size[0]) if swap else size
    return View(f"{name} {layer.label}".strip(), luma, width, height, scale)
