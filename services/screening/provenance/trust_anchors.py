"""Whose content credentials are trusted: PEM certificates in a file beside the code, none as shipped."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files


@cache
def shipped_anchors() -> str:
    """The certificates of `trust_anchors.pem`; empty where there is no such file: then nobody is trusted."""
    file = files(__package__).joinpath("trust_anchors.pem")
    return file.read_text("utf-8") if file.is_file() else ""


def named(anchors: str) -> str:
    """A short name of the list, for versions; empty for an empty list."""
    return f".{hashlib.sha256(anchors.encode()).hexdigest()[:8]}" if anchors else ""
