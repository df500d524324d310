"""Bytes to views: limits first, then the cheapest decode, then the canonical picture."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageFile

from services.screening.decode import canonical, colour, formats, limits
from services.screening.decode.canonical import Detail
from services.screening.decode.frames import Gallery
from services.screening.decode.limits import Limits
from services.screening.decode.model import Picture, Refusal, Unscreenable, View
from services.screening.trailing import image_end
from shared.headers import Buffer, Size
from shared.media import HEAD_BYTES, identify

DEFAULT_LIMITS = Limits()
ANIMATION_VIEWS = 16
_LEAST_SHOWN_MS = 20.0  # browsers show frames of 10 ms or less for 100 ms
_JPEG_REDUCTION = 8


def decode(file: BinaryIO, detail: Detail, allowed: Limits = DEFAULT_LIMITS) -> Picture | Unscreenable:
    """The canonical views of an open file, or why there are none. Never raises for any content."""
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:  # an empty file cannot be mapped
        return Unscreenable("empty_file", "the file holds no bytes")
    with data:
        return decode_mapped(file, data, detail, allowed)


def decode_mapped(file: BinaryIO, data: Buffer, detail: Detail, allowed: Limits) -> Picture | Unscreenable:
    """As `decode`, for a file whose bytes are mapped already."""
    media = identify(data[:HEAD_BYTES])
    if not media.screenable:
        return Unscreenable("unsupported_format", f"{media.media_type} is not screened by its pixels")
    try:
        limits.check(data, media.format, allowed)
        with formats.strict_pillow(allowed.pixels):
            return _read(file, data, media.format, detail, allowed)
    except Exception as error:  # noqa: BLE001  ten different types were seen from decoders
        return _reason(error, data, media.format)


def _reason(error: Exception, data: Buffer, format_name: str) -> Unscreenable:
    if isinstance(error, Refusal) and error.value.reason != "undecodable":
        return error.value
    if isinstance(error, MemoryError) or (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem):
        return Unscreenable("resource_limit", "decoding needs more memory than allowed")
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return Unscreenable("too_many_pixels", str(error))
    detail = error.value.detail if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"[:300]
    return _undecodable(data, format_name, detail)


def _undecodable(data: Buffer, format_name: str, detail: str) -> Unscreenable:
    cut = isinstance(end := image_end(data, format_name), int) and end > len(data)
    return Unscreenable("truncated" if cut or "truncated" in detail.lower() else "undecodable", detail)


def _read(file: BinaryIO, data: Buffer, format_name: str, detail: Detail, allowed: Limits) -> Picture:
    if format_name == "webp" and formats.is_still_webp(data):
        return _read_still_webp(data, detail)
    file.seek(0)
    image = formats.open_picture(file, format_name)
    limits.check_size(Size(*image.size), allowed)
    if format_name == "jpeg":
        return _read_jpeg(image, file, detail)
    count = getattr(image, "n_frames", 1)
    if count > 1:
        return _read_frames(image, format_name, count, detail, allowed)
    views = tuple(_views(image, "picture", detail))
    return _picture(_distinct(views), format_name, 1)


def _read_jpeg(image: ImageFile.ImageFile, file: BinaryIO, detail: Detail) -> Picture:
    width, height = image.size
    scale = canonical.scale_for(width, height, detail)
    reduction = min(scale, _JPEG_REDUCTION)
    mode = "RGB" if colour.needs_conversion(image) else "L"
    image.draft(mode, (width // reduction, height // reduction))
    image.load()
    (layer,) = canonical.layers_of(image, scale // reduction)
    view = canonical.upright(layer, "picture", (width, height), scale, canonical.orientation_of(image))
    # Pillow stops reading with the block in which the picture ends.
    coded_until = max(file.tell() - 2 * ImageFile.MAXBLOCK, 0)
    return replace(_picture((view,), "jpeg", 1), coded_until=coded_until)


def _read_still_webp(data: Buffer, detail: Detail) -> Picture:
    still = formats.read_still_webp(data)
    height, width = still.pixels.shape[:2]
    scale = canonical.scale_for(width, height, detail)
    carrier = Image.new("L", (1, 1))
    carrier.info["exif"] = still.exif
    orientation = canonical.orientation_of(carrier)
    layers = _webp_layers(still, scale)
    views = tuple(canonical.upright(layer, "picture", (width, height), scale, orientation) for layer in layers)
    return _picture(_distinct(views), "webp", 1)


def _webp_layers(still: formats.StillWebP, scale: int) -> list[canonical.Layer]:
    pixels = still.pixels
    if pixels.ndim == 2:
        return [canonical.Layer("", canonical.shrink_luma(pixels, scale))]
    if still.icc:
        image = Image.fromarray(np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]))
        image.info["icc_profile"] = still.icc
        return canonical.layers_of(image, scale)
    # Without a profile no Pillow image is needed, which would copy four bytes a pixel.
    luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY), np.uint8)
    alpha = np.asarray(cv2.extractChannel(pixels, 3), np.uint8)
    if alpha.min() == 255:
        return [canonical.Layer("", canonical.shrink_luma(luma, scale))]
    return canonical.composites(luma, alpha, scale)


def _views(image: Image.Image, name: str, detail: Detail) -> Iterator[View]:
    image.load()
    scale = canonical.scale_for(*image.size, detail)
    orientation = canonical.orientation_of(image)
    for layer in canonical.layers_of(image, scale):
        yield canonical.upright(layer, name, image.size, scale, orientation)


def _read_frames(image: ImageFile.ImageFile, format_name: str, count: int, detail: Detail, allowed: Limits) -> Picture:
    pages = format_name == "tiff"
    if not pages:
        limits.check_frames(count, Size(*image.size), allowed)
    gallery = Gallery(3 * allowed.pages if pages else ANIMATION_VIEWS)
    for index in range(count):
        image.seek(index)
        limits.check_size(Size(*image.size), allowed)
        for view in _views(image, f"{'page' if pages else 'frame'} {index + 1}", detail):
            gallery.add(view, 1.0 if pages else _shown(image))
    return _picture(gallery.views(), format_name, count)


def _shown(image: Image.Image) -> float:
    duration = image.info.get("duration", 0)
    milliseconds = float(duration) if isinstance(duration, int | float) else 0.0
    return milliseconds if milliseconds >= _LEAST_SHOWN_MS else 100.0


def _distinct(views: tuple[View, ...]) -> tuple[View, ...]:
    if len(views) == 1:
        return views
    gallery = Gallery(len(views))
    for view in views:
        gallery.add(view, 1.0)
    return gallery.views()


def _picture(views: tuple[View, ...], format_name: str, pages: int) -> Picture:
    return Picture(views, views[0].full_width, views[0].full_height, format_name, pages)
