"""What a container carries beside its picture, as undecoded pieces, each bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.headers import Buffer

Kind = Literal["exif", "xmp", "resources", "iim", "text", "credential", "flood"]
LARGEST = 2 << 20
"""Bytes that are taken of one piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`key` names a text; `size` is what the file holds, of which `data` may be the start; `cut` as for texts."""

    kind: Kind
    data: Buffer = b""
    key: str = ""
    size: int = 0
    cut: bool = False


def taken(kind: Kind, data: Buffer, start: int, end: int, key: str = "") -> Piece:
    """A piece of the file, at most its first `LARGEST` bytes."""
    return Piece(kind, bytes(data[start : min(end, start + LARGEST)]), key, end - start, end - start > LARGEST)
