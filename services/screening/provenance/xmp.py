"""XMP packets: digital source types, tools and texts, read without entities and within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.screening.provenance.marks import plain
from services.screening.provenance.texts import LOOKED_AT, Text

LARGEST = 1 << 20
_DEEPEST, _NODES = 64, 20_000
_KEYS = {
    "digitalsourcetype": "digitalsourcetype", "digitalsourcefiletype": "digitalsourcetype",
    "creatortool": "software", "softwareagent": "software", "aisystemused": "ai_system",
    "aisystemversionused": "ai_system", "aipromptinformation": "ai_prompt", "credit": "credit",
    "usercomment": "usercomment", "description": "description", "instructions": "instructions", "aigc": "aigc",
    "provenance": "remote_manifest", "source": "source", "parameters": "parameters", "creator": "artist",
}  # fmt: skip
_PACKET = re.compile(rb"<(?:\w{1,16}:)?(?:xmpmeta|RDF)\b.*</(?:\w{1,16}:)?(?:xmpmeta|RDF)\s*>", re.S)


class UnreadableXmp(Exception):  # noqa: N818
    """The packet is too large, too deep, declares entities or is no XML; the message says which."""


def xmp_texts(packet: bytes) -> list[Text]:
    """The properties that may hold marks, by lower-case name. Raises `UnreadableXmp`."""
    if len(packet) > LARGEST:
        raise UnreadableXmp(f"XMP of more than {LARGEST >> 10} KiB")
    packet = packet.strip(b"\0 \r\n\t")
    try:
        root = _parsed(packet)
    except ParseError as error:
        inner = _PACKET.search(packet)
        if inner is None or len(inner[0]) == len(packet):
            raise UnreadableXmp(f"XMP is no XML: {error}") from error
        return xmp_texts(inner[0])
    return [Text(key, value) for key, value in _properties(root) if value]


class _Bounded:
    """Stops the parser before a tree grows deep or wide; passes the rest on."""

    def __init__(self, parser: DefusedXMLParser) -> None:
        self._start, self._end = parser.parser.StartElementHandler, parser.parser.EndElementHandler
        self._depth = self._nodes = 0
        parser.parser.StartElementHandler, parser.parser.EndElementHandler = self.start, self.end

    def start(self, tag: str, attributes: list[str]) -> None:
        self._depth += 1
        self._nodes += 1
        if self._depth > _DEEPEST or self._nodes > _NODES:
            raise UnreadableXmp(f"XMP deeper than {_DEEPEST} or of more than {_NODES} elements")
        self._start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._end(tag)


def _parsed(packet: bytes) -> Element:
    parser = DefusedXMLParser(forbid_dtd=True)
    _Bounded(parser)
    try:
        parser.feed(packet)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UnreadableXmp(f"XMP with a document type or entities ({type(error).__name__})") from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise UnreadableXmp(f"XMP in an unknown coding: {plain(str(error), 80)}") from error
    return root


def _properties(root: Element) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        own = _key(element.tag)
        for name, value in element.attrib.items():
            key = own if name.endswith("}resource") else _key(name)
            if key is not None:
                yield key, value
        if own is not None:
            yield own, _text(element)


def _text(element: Element) -> str:
    """The element's own text, or that of the items of its list."""
    return " ".join(part for part in (text.strip() for text in element.itertext()) if part)[:LOOKED_AT]


def _key(name: str) -> str | None:
    namespace, _, local = name.rpartition("}")
    if local == "Description" and "rdf-syntax" in namespace:
        return None
    return _KEYS.get(local.lower())
