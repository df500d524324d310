"""What a file is, told by its first bytes and never by its name. Pure: no decoder is touched.

Magic numbers follow each format's specification; `HEAD_BYTES` of the file are enough for every entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

HEAD_BYTES = 4096


class MediaKind(StrEnum):
    """The coarse kind of an upload, which rules may refer to."""

    PICTURE = "picture"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Media:
    """A recognised format: short stable name, kind, IANA media type and the file endings it goes by."""

    format: str
    kind: MediaKind
    media_type: str
    endings: frozenset[str] = frozenset()

    @property
    def screenable(self) -> bool:
        """Whether the decoder accepts this format for matching."""
        return self.format in SCREENABLE


def _media(name: str, kind: MediaKind, media_type: str, endings: str = "") -> Media:
    return Media(name, kind, media_type, frozenset((endings or name).split()))


_P, _A, _V, _D = MediaKind.PICTURE, MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.DOCUMENT

SCREENABLE = frozenset({"jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"})
UNKNOWN = Media("unknown", MediaKind.UNKNOWN, "application/octet-stream")

_MEDIA = {
    media.format: media
    for media in (
        _media("jpeg", _P, "image/jpeg", "jpg jpeg jpe jfif mpo"),
        _media("png", _P, "image/png", "png apng"),
        _media("webp", _P, "image/webp"),
        _media("gif", _P, "image/gif"),
        _media("tiff", _P, "image/tiff", "tif tiff dng nef cr2 arw"),
        _media("bmp", _P, "image/bmp", "bmp dib"),
        _media("avif", _P, "image/avif", "avif avifs"),
        _media("heic", _P, "image/heic", "heic heif hif"),
        _media("jp2", _P, "image/jp2", "jp2 jpf jpx j2k"),
        _media("jxl", _P, "image/jxl"),
        _media("svg", _P, "image/svg+xml"),
        _media("psd", _P, "image/vnd.adobe.photoshop", "psd psb"),
        _media("exr", _P, "image/x-exr"),
        _media("dpx", _P, "image/x-dpx"),
        _media("ico", _P, "image/vnd.microsoft.icon", "ico cur"),
        _media("mp4", _V, "video/mp4", "mp4 m4v mov 3gp"),
        _media("mov", _V, "video/quicktime", "mov qt mp4"),
        _media("webm", _V, "video/webm", "webm mkv"),
        _media("mkv", _V, "video/matroska", "mkv mka webm"),
        _media("avi", _V, "video/vnd.avi"),
        _media("mxf", _V, "application/mxf"),
        _media("m4a", _A, "audio/mp4", "m4a m4b mp4"),
        _media("wav", _A, "audio/wav", "wav wave bwf"),
        _media("aiff", _A, "audio/aiff", "aif aiff aifc"),
        _media("mp3", _A, "audio/mpeg"),
        _media("flac", _A, "audio/flac"),
        _media("ogg", _A, "audio/ogg", "ogg oga ogv opus"),
        _media("pdf", _D, "application/pdf", "pdf ai"),
        _media("zip", _D, "application/zip", "zip docx xlsx pptx odt ods odp epub usdz kra ora jar"),
        _media("html", _D, "text/html", "html htm xhtml"),
    )
}

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"8BPS", "psd"),
    (b"v/1\x01", "exr"),
    (b"SDPX", "dpx"),
    (b"XPDS", "dpx"),
    (b"\0\0\x01\0", "ico"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "mxf"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)

_CONTAINED = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi", b"AIFF": "aiff", b"AIFC": "aiff"}
_BRANDS = {
    b"avif": "avif", b"avis": "avif",
    b"heic": "heic", b"heix": "heic", b"heim": "heic", b"heis": "heic", b"hevc": "heic", b"hevx": "heic",
    b"M4A ": "m4a", b"M4B ": "m4a", b"qt  ": "mov",
}  # fmt: skip
_MARKUP = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>|<!--.*?-->|<!doctype\s[^>]*>|\s)*<(svg|html|head|body)\b", re.I | re.S
)
_HTML_DOCTYPE = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<!doctype\s+html", re.I)
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_MPEG_AUDIO = re.compile(rb"\A\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]", re.S)


def identify(head: bytes, name: str | None = None) -> Media:
    """The format of a file from its first `HEAD_BYTES`. The name only tells MP4 audio from video, never the format."""
    found = _by_prefix(head) or _by_structure(head) or _by_markup(head)
    if found is None:
        return UNKNOWN
    if found == "mp4" and name is not None and ending_of(name) in _MEDIA["m4a"].endings - {"mp4"}:
        found = "m4a"
    return _MEDIA[found]


def media_named(name: str) -> Media:
    """The format of that short name; `UNKNOWN` for any other."""
    return _MEDIA.get(name, UNKNOWN)


def ending_of(name: str) -> str:
    """The lower-case file ending without its dot, empty when there is none."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().removeprefix(".")


def contradicts_name(media: Media, name: str | None) -> bool:
    """Whether the name promises a known format that the content is not (text named `.jpg`, a PNG named `.webp`).

    Names without an ending, or with one that no known format uses, promise nothing.
    """
    ending = ending_of(name) if name else ""
    promised = any(ending in known.endings for known in _MEDIA.values())
    return promised and ending not in media.endings


def _by_prefix(head: bytes) -> str | None:
    return next((name for prefix, name in _PREFIXES if head.startswith(prefix)), None)


def _by_structure(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return _CONTAINED.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip") and len(head) >= 16:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return "mp3" if _MPEG_AUDIO.match(head) else None


def _by_brand(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), 256, len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if known:
        return known[0]
    return "heic" if brands[0] in (b"mif1", b"msf1") else "mp4"


def _by_markup(head: bytes) -> str | None:
    if _HTML_DOCTYPE.match(head):
        return "html"
    found = _MARKUP.match(head)
    if found is None:
        return None
    return "svg" if found[1].lower() == b"svg" else "html"
