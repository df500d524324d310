"""PNG chunks that hold metadata."""

from __future__ import annotations

from collections.abc import Iterator

from services.screening.provenance.pieces import LARGEST, Piece, taken
from services.screening.provenance.texts import inflated
from shared.headers import Buffer

_STEPS = 50_000
_TEXTS = 64
_XMP_KEY = "xml:com.adobe.xmp"
_PROFILES = {"exif": "exif", "app1": "exif", "xmp": "xmp", "iptc": "resources", "8bim": "resources"}


def png_pieces(data: Buffer) -> Iterator[Piece]:
    """The metadata chunks up to the end, at most 64 texts."""
    at, texts = 8, 0
    for _ in range(_STEPS):
        head = data[at : at + 8]
        if len(head) < 8 or head[4:] == b"IEND":
            return
        start, end, kind = at + 8, at + 8 + int.from_bytes(head[:4], "big"), head[4:]
        at = end + 4
        if kind == b"IDAT":
            continue
        if kind == b"eXIf":
            yield taken("exif", data, start, end)
        elif kind == b"caBX":
            yield Piece("credential", size=end - start)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            texts += 1
            if texts > _TEXTS:
                break
            yield from _text(kind, taken("text", data, start, end))
    yield Piece("flood")


def _text(kind: bytes, chunk: Piece) -> Iterator[Piece]:
    keyword, separator, rest = bytes(chunk.data[:LARGEST]).partition(b"\0")
    if not separator or len(keyword) > 79:
        return
    key, cut = keyword.decode("latin-1").lower(), chunk.cut
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed, rest = kind == b"zTXt", rest[1:] if kind == b"zTXt" else rest
    if packed:
        rest, broken = inflated(rest, LARGEST)
        cut = cut or broken
    if key.startswith("raw profile type "):
        yield from _profile(key.removeprefix("raw profile type "), rest)
    else:
        yield Piece("xmp" if key == _XMP_KEY else "text", rest, key, len(rest), cut)


def _profile(name: str, text: bytes) -> Iterator[Piece]:
    """ImageMagick's way: name, length and the bytes in hexadecimal."""
    kind = _PROFILES.get(name)
    lines = text.split(None, 2)
    if kind is None or len(lines) < 3:
        return
    try:
        found = bytes.fromhex(lines[2].decode("ascii", "ignore"))
    except ValueError:
        return
    if b"ns.adobe.com/xap" in found[:40]:
        yield Piece("xmp", found.partition(b"\0")[2], size=len(found))
    else:
        yield Piece(kind, found[6:] if found[:5] == b"Exif\0" else found, size=len(found))  # type: ignore[arg-type]
