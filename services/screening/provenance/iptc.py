"""IPTC-IIM datasets, raw or inside Photoshop's image resources (8BIM 0x0404)."""

from __future__ import annotations

from collections.abc import Iterator

from services.screening.provenance.texts import Text, text_of

_NAMES = {
    5: "title", 25: "keywords", 40: "instructions", 65: "software", 70: "version", 80: "artist", 105: "headline",
    110: "credit", 115: "source", 116: "copyright", 120: "description",
}  # fmt: skip
_IIM_RESOURCE = 0x0404
_MOST = 512


def iim_in_resources(data: bytes) -> Iterator[bytes]:
    """The IIM blocks among Photoshop's image resources."""
    at = 0
    for _ in range(_MOST):
        if data[at : at + 4] != b"8BIM" or at + 12 > len(data):
            return
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = 1 + data[at + 6]
        at += 6 + name + (name & 1)
        size = int.from_bytes(data[at : at + 4], "big")
        if number == _IIM_RESOURCE:
            yield data[at + 4 : at + 4 + size]
        at += 4 + size + (size & 1)


def iim_texts(data: bytes) -> Iterator[Text]:
    """The text datasets of record 2, by name."""
    at = 0
    for _ in range(_MOST):
        if at + 5 > len(data) or data[at] != 0x1C:
            return
        record, dataset = data[at + 1], data[at + 2]
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if size & 0x8000:  # an extended dataset: the length's own length
            width = min(size & 0x7FFF, 8)
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if record == 2 and dataset in _NAMES:
            yield text_of(_NAMES[dataset], data[at : at + size])
        at += size
