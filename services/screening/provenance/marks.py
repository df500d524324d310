"""A mark of provenance as it leaves the decode process, its hostile text cut and cleaned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Source = Literal["c2pa", "iptc_xmp", "iptc_iim", "exif", "png_text"]
Trust = Literal["trusted", "untrusted", "tampered", "unresolved"]

GAVE_UP = "unreadable"
"""The claim of a mark that tells of metadata which was not read to its end. Never generative."""
MOST_MARKS = 16
_DETAIL, _CLAIM = 200, 100


@dataclass(frozen=True, slots=True)
class Mark:
    """One statement. `claim`: an IPTC digital source type, a generator's name, or `GAVE_UP`."""

    source: Source
    claim: str
    trust: Trust = "untrusted"
    generative: bool = True
    detail: str = ""

    def cleaned(self) -> Mark:
        """Claim and detail without control characters, in one line and short."""
        return Mark(self.source, plain(self.claim, _CLAIM), self.trust, self.generative, plain(self.detail, _DETAIL))


def gave_up(source: Source, why: str) -> Mark:
    """The reader stopped: nothing is said of how the file was made."""
    return Mark(source, GAVE_UP, "unresolved", generative=False, detail=why)


def plain(text: str, length: int) -> str:
    """One line of printable characters: line ends become spaces, all that directs a terminal or a reader is dropped."""
    spaced = " ".join(text[: 8 * length].split())
    kept = "".join(char for char in spaced if char.isprintable())
    return kept if len(kept) <= length else kept[: length - 1] + "…"


def distinct(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """At most `MOST_MARKS`, one a source, claim and trust; generative and broken ones first."""
    first: dict[tuple[str, str, str, bool], Mark] = {}
    for mark in marks:
        first.setdefault((mark.source, mark.claim, mark.trust, mark.generative), mark.cleaned())
    return tuple(sorted(first.values(), key=_weight)[:MOST_MARKS])


def _weight(mark: Mark) -> tuple[bool, bool]:
    return (not mark.generative, mark.trust != "tampered")
