"""The kinds of fingerprint, each with version and pipeline: a stored hash is comparable within its pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from services.screening.decode.version import PIPELINE


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: hex digits are `bits / 4`, matches lie within `radius` bits, quality below `least_quality` is noise."""

    name: str
    version: int
    pipeline: str
    bits: int
    radius: int
    least_quality: int = 0

    def parse(self, text: str) -> bytes:
        """The hash's bytes; raises ValueError naming the kind for anything but hex of its length."""
        try:
            value = bytes.fromhex(text)
        except ValueError:
            value = b""
        if len(value) * 8 != self.bits or len(text) != self.bits // 4:
            raise ValueError(f"{self.name}: give {self.bits // 4} hexadecimal digits")
        return value


PDQ = Kind("pdq", 1, PIPELINE, bits=256, radius=31, least_quality=50)
PHASH = Kind("phash", 1, PIPELINE, bits=64, radius=10)
KINDS = {kind.name: kind for kind in (PDQ, PHASH)}
