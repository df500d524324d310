"""What screening a file's pixels yields, as it crosses from the decode process: JSON and raw arrays, never pickles.

The child may have been taken over by the file it decoded, so the parent validates what it reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from services.screening.decode.model import Unscreenable
from services.screening.fingerprint.model import Fingerprints
from services.screening.provenance import Mark
from services.screening.trailing import Trailing

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Arrays by name. `Any`, since the adapter below must read this without loading numpy.
Features = Mapping[str, Any]
_DTYPES = {"uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "int16": 2, "int32": 4, "float32": 4, "float64": 8}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's fingerprints and upright size, or why it is unscreenable; `features` a mapping a view, if asked."""

    format: str = "unknown"
    width: int = 0
    height: int = 0
    pages: int = 0
    fingerprints: Fingerprints | None = None
    trailing: Trailing | None = None
    unscreenable: Unscreenable | None = None
    marks: tuple[Mark, ...] = ()
    features: tuple[Features, ...] = field(default=(), compare=False)

    @property
    def trailing_bytes(self) -> int:
        """Bytes after the picture's end."""
        return self.trailing.count if self.trailing else 0


@dataclass(frozen=True, slots=True)
class ArrayHead:
    """Where an array belongs and how to read it: view index, name, dtype, shape."""

    view: int
    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the array; raises ValueError for a dtype that features do not use or a negative length."""
        if self.dtype not in _DTYPES or any(length < 0 for length in self.shape):
            raise ValueError(f"array {self.name}: dtype {self.dtype} of shape {self.shape} is not allowed")
        return math.prod(self.shape) * _DTYPES[self.dtype]


@dataclass(frozen=True, slots=True)
class _Wire:
    decoded: Decoded
    views: int
    arrays: tuple[ArrayHead, ...]


_WIRE = TypeAdapter(_Wire)


def to_wire(decoded: Decoded) -> tuple[bytes, bytes]:
    """JSON head and the arrays' bytes, in the head's order."""
    heads, parts = [], []
    for view, features in enumerate(decoded.features):
        for name, array in features.items():
            heads.append(ArrayHead(view, name, str(array.dtype), array.shape))
            parts.append(array.tobytes())
    wire = _Wire(replace(decoded, features=()), len(decoded.features), tuple(heads))
    return _WIRE.dump_json(wire), b"".join(parts)


def from_wire(head: bytes, body: bytes) -> Decoded:
    """The inverse of `to_wire`. Raises ValueError (pydantic's too) for anything that is not its product."""
    wire = _WIRE.validate_json(head)
    if sum(array.size for array in wire.arrays) != len(body):
        raise ValueError("arrays: the announced sizes are not those received")
    if not wire.arrays and not wire.views:
        return wire.decoded
    return replace(wire.decoded, features=_features(wire, body))


def _features(wire: _Wire, body: bytes) -> tuple[Features, ...]:
    import numpy as np

    found: list[dict[str, NDArray[Any]]] = [{} for _ in range(min(wire.views, 1_000))]
    at = 0
    for array in wire.arrays:
        if not 0 <= array.view < len(found):
            raise ValueError(f"array {array.name}: there is no view {array.view}")
        count = math.prod(array.shape)
        found[array.view][array.name] = np.frombuffer(body, array.dtype, count, at).reshape(array.shape)
        at += array.size
    return tuple(found)
