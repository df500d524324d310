"""The fingerprints of a file as values; importing this loads no array library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """The hash to look up for uploads that are `transform` of a reference, with inverted tones if `negative`."""

    transform: str
    negative: bool
    pdq: str

    @property
    def name(self) -> str:
        """The transform as findings state it: `mirrored`, `negative`, `mirrored_negative`."""
        if not self.negative:
            return self.transform
        return "negative" if self.transform == "identity" else f"{self.transform}_negative"


@dataclass(frozen=True, slots=True)
class ViewFingerprint:
    """One view's hashes in lower-case hex; `variants` are the 16 PDQ hashes to look up, its own first."""

    view: str
    pdq: str
    pdq_quality: int
    phash: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprints of a file, one for each view, the most shown first; never empty."""

    views: tuple[ViewFingerprint, ...]

    @property
    def first(self) -> ViewFingerprint:
        """The most shown view's, which stands for the file where one answer is asked."""
        return self.views[0]
