"""What a file says of its own making: content credentials, IPTC, EXIF, and the texts that generators leave behind."""

from services.screening.provenance.marks import Mark
from services.screening.provenance.trust_anchors import named, shipped_anchors

__all__ = ["VERSION", "Mark"]

VERSION = "marks.2" + named(shipped_anchors())
"""Changes with what the readers see and whom they trust, so that stored results are made anew."""
