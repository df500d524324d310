"""Formats whose boxes are not walked (GIF, AVIF, HEIC, film, sound, PDF …): known beginnings are sought instead."""

from __future__ import annotations

from collections.abc import Iterator

from services.screening.provenance.pieces import Piece
from shared.headers import Buffer

_HEAD, _TAIL = 16 << 20, 4 << 20
_PACKETS = (
    (b"<x:xmpmeta", b"</x:xmpmeta>"),
    (b"<xmp:xmpmeta", b"</xmp:xmpmeta>"),
    (b"<rdf:RDF", b"</rdf:RDF>"),  # the element around it may be left out
)
_MOST = 4
_EXIF = (b"Exif\0\0II*\0", b"Exif\0\0MM\0*")
# The box type of JUMBF with C2PA's identifier, and ISO media's uuid box.
_CREDENTIALS = (b"jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"))


def scanned(data: Buffer) -> Iterator[Piece]:
    """Packets, EXIF blocks and credentials within the first 16 MiB and the last 4 MiB."""
    parts = [bytes(data[:_HEAD])]
    if len(data) > _HEAD:
        parts.append(bytes(data[max(_HEAD, len(data) - _TAIL) :]))
    for part in parts:
        yield from _packets(part)
        yield from _exif(part)
    if any(sign in part for part in parts for sign in _CREDENTIALS):
        yield Piece("credential", size=1)


def _packets(part: bytes) -> Iterator[Piece]:
    for opening, closing in _PACKETS:
        at = 0
        for _ in range(_MOST):
            start = part.find(opening, at)
            end = part.find(closing, start)
            if start < 0 or end < 0:
                break
            at = end + len(closing)
            yield Piece("xmp", part[start:at], size=at - start)


def _exif(part: bytes) -> Iterator[Piece]:
    for opening in _EXIF:
        at = part.find(opening)
        if at >= 0:
            yield Piece("exif", part[at + 6 : at + 6 + (1 << 20)], size=1)
