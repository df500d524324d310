"""Which decoder made a fingerprint, for the versions that a verdict pins."""

from __future__ import annotations

from importlib.metadata import version

PIPELINE = "clearframe-luma-1"


def decoder_version() -> str:
    """The canonical picture's recipe and the libraries behind it."""
    return f"{PIPELINE} pillow/{version('pillow')} opencv/{version('opencv-python-headless')}"
