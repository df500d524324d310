"""What decoding yields: views of one canonical picture, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REASONS: dict[str, str] = {
    "empty_file": "the file holds no bytes",
    "unsupported_format": "no format that is screened by its pixels",
    "undecodable": "the decoder refuses the content",
    "truncated": "the file ends before its picture does",
    "too_many_pixels": "the header announces more pixels or a longer side than allowed",
    "too_many_frames": "more frames, pages or pixels over all frames than allowed",
    "too_many_scans": "a JPEG of more scans than allowed",
    "too_many_chunks": "a PNG of more chunks than allowed",
    "resource_limit": "decoding took more memory, CPU or time than allowed",
    "integrity_error": "the stored bytes are missing or not those that were received",
    "name_mismatch": "the content is not what the file's name says",
}


@dataclass(frozen=True, slots=True)
class Unscreenable:
    """Why a file could not be screened: a reason of `REASONS` and a detail for a person."""

    reason: str
    detail: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"reason: {self.reason!r} is not documented; use one of {', '.join(REASONS)}")


@dataclass(frozen=True, slots=True)
class View:
    """One way of seeing the picture: uint8 luma [H, W] in sRGB, upright, reduced by the power of two `scale`.

    `full_width` and `full_height` are the upright picture's; luma holds their quotients rounded up.
    """

    name: str
    luma: NDArray[np.uint8]
    full_width: int
    full_height: int
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded file: its views, the most shown first, its upright size, and how many frames or pages it has.

    `coded_until` is a position that lies inside its coded data (0 if unknown), from where its end is sought.
    """

    views: tuple[View, ...]
    width: int
    height: int
    format: str
    pages: int
    coded_until: int = 0


class Refusal(Exception):  # noqa: N818
    """Decoding ends here for the reason held; caught by `decode`, which returns the value."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.value = Unscreenable(reason, detail)
