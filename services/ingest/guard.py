"""What is taken at the door: any file, under a name that harms nobody. What it is, its first bytes say. Pure."""

import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from shared.declaration.text import first_refused
from shared.media import identify

LONGEST_NAME = 255
NAMELESS = "unnamed"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A file as it is recorded."""

    filename: str
    media_type: str


def admit(head: bytes, filename: str) -> Admitted:
    """From the first bytes and the client's name for it. Refuses nothing: screening judges what it cannot read."""
    name = clean_name(filename)
    return Admitted(name, identify(head, name).media_type)


def clean_name(name: str) -> str:
    """The last part of a path, without control characters and direction overrides, at most 255 characters."""
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    kept = "".join("_" if first_refused(c) is not None else c for c in last).strip()
    if len(kept) > LONGEST_NAME:
        path = PurePosixPath(kept)
        ending = path.suffix if len(path.suffix) <= 20 else ""
        kept = kept[: LONGEST_NAME - len(ending)] + ending
    return kept if kept not in {"", ".", ".."} else NAMELESS
