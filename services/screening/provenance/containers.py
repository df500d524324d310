"""Where each format keeps its metadata. Nothing here interprets it, and no picture data is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.screening.provenance.pieces import Piece, taken
from services.screening.provenance.png import png_pieces
from services.screening.provenance.scan import scanned
from shared.headers import Buffer, jpeg_segments, riff_chunks

_STEPS = 20_000
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"


def pieces_of(data: Buffer, format_name: str) -> Iterator[Piece]:
    """The metadata of a file whose format (as in `shared.media`) is known. A broken container ends early."""
    walker = _WALKERS.get(format_name)
    if walker is not None:
        yield from walker(data)
    elif format_name not in _WITHOUT:
        yield from scanned(data)


def _jpeg(data: Buffer) -> Iterator[Piece]:
    credential = 0
    for step, (marker, start, end) in enumerate(jpeg_segments(data)):
        if step > _STEPS:
            yield Piece("flood")
            break
        if marker == 0xE1:
            yield from _app1(data, start, end)
        elif marker == 0xED and data[start : start + len(_PHOTOSHOP)] == _PHOTOSHOP:
            yield taken("resources", data, start + len(_PHOTOSHOP), end)
        elif marker == 0xEB and data[start : start + 2] == b"JP":
            credential += end - start
        elif marker == 0xFE:
            yield taken("text", data, start, end, "comment")
    if credential:
        yield Piece("credential", size=credential)


def _app1(data: Buffer, start: int, end: int) -> Iterator[Piece]:
    if data[start : start + len(_EXIF)] == _EXIF:
        yield taken("exif", data, start + 6, end)
    elif data[start : start + len(_XMP)] == _XMP:
        yield taken("xmp", data, start + len(_XMP), end)


def _webp(data: Buffer) -> Iterator[Piece]:
    for step, (code, start, end) in enumerate(riff_chunks(data)):
        if step > _STEPS:
            yield Piece("flood")
            return
        if code == b"EXIF":
            yield taken("exif", data, start + 6 * (data[start : start + len(_EXIF)] == _EXIF), end)
        elif code == b"XMP ":
            yield taken("xmp", data, start, end)
        elif code == b"C2PA":
            yield Piece("credential", size=end - start)


def _tiff(data: Buffer) -> Iterator[Piece]:
    yield Piece("exif", data, size=len(data))


_WALKERS: dict[str, Callable[[Buffer], Iterator[Piece]]] = {
    "jpeg": _jpeg,
    "png": png_pieces,
    "webp": _webp,
    "tiff": _tiff,
}
_WITHOUT = frozenset({"bmp", "ico", "zip"})
