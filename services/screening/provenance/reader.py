"""All marks of one file, for the decode process: every reader is bounded, and none raises for any content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from services.screening.provenance.containers import pieces_of
from services.screening.provenance.generators import generator_of, is_known
from services.screening.provenance.iptc import iim_in_resources, iim_texts
from services.screening.provenance.marks import Mark, Source, distinct, gave_up
from services.screening.provenance.pieces import Kind, Piece
from services.screening.provenance.source_types import source_type
from services.screening.provenance.texts import Text, text_of, user_comment_of, wide_text_of
from services.screening.provenance.tiff_tags import C2PA, IPTC, PHOTOSHOP, TEXTS, USER_COMMENT, WIDE_TEXTS, XMP, tags_of
from services.screening.provenance.xmp import UnreadableXmp, xmp_texts
from shared.headers import Buffer

_MOST_PIECES = 256
_TAGS: Mapping[int, Kind] = {XMP: "xmp", IPTC: "iim", PHOTOSHOP: "resources", C2PA: "credential"}
_SOURCE_TYPE, _ELSEWHERE, _ADDRESSES = "digitalsourcetype", "remote_manifest", ("http://", "https://")


def read_provenance(data: Buffer, format_name: str) -> tuple[Mark, ...]:
    """What the file says of how it was made; `format_name` as in `shared.media`. Never raises for any content."""
    try:
        return distinct(_marks(data, format_name))
    except Exception as error:  # noqa: BLE001  metadata is as hostile as the picture beside it
        return distinct([gave_up("exif", f"metadata could not be read: {type(error).__name__}")])


def warm_readers() -> None:
    """Load what reading needs, while files may still be opened."""
    from services.screening.provenance.credentials import context
    from services.screening.provenance.trust_anchors import shipped_anchors

    context(shipped_anchors())
    source_type("")
    is_known("")


def _marks(data: Buffer, format_name: str) -> Iterator[Mark]:
    credential, linked = 0, False
    for count, piece in enumerate(_all_pieces(data, format_name)):
        if piece.kind == "flood" or count == _MOST_PIECES:
            yield gave_up("exif", "more pieces of metadata than are read")
            break
        if piece.kind == "credential":
            credential += piece.size
            continue
        source = _source(piece, format_name)
        try:
            texts = list(_texts(piece))
        except UnreadableXmp as error:
            yield gave_up(source, str(error))
            continue
        linked = linked or any(text.key == _ELSEWHERE and text.value.startswith(_ADDRESSES) for text in texts)
        yield from _text_marks(texts, source)
    if credential or linked:
        from services.screening.provenance.credentials import credential_marks

        yield from credential_marks(data, format_name, credential, linked=linked)


def _all_pieces(data: Buffer, format_name: str) -> Iterator[Piece]:
    """The container's pieces, and those that its TIFF tags hold."""
    for piece in pieces_of(data, format_name):
        if piece.kind != "exif":
            yield piece
            continue
        for tag, value in tags_of(piece.data):
            yield Piece(_TAGS.get(tag, "exif"), value, str(tag), len(value))


def _source(piece: Piece, format_name: str) -> Source:
    if piece.kind == "xmp":
        return "iptc_xmp"
    if piece.kind in ("iim", "resources"):
        return "iptc_iim"
    return "png_text" if piece.kind == "text" and format_name == "png" else "exif"


def _texts(piece: Piece) -> Iterator[Text]:
    """The texts of a piece. Raises `UnreadableXmp`."""
    data = bytes(piece.data)
    if piece.kind == "xmp":
        yield from xmp_texts(data)
    elif piece.kind == "iim":
        yield from iim_texts(data)
    elif piece.kind == "resources":
        for block in iim_in_resources(data):
            yield from iim_texts(block)
    elif piece.kind == "exif":
        yield _exif_text(int(piece.key), data)
    elif is_known(piece.key) or piece.key == _SOURCE_TYPE:
        text = text_of(piece.key, data)
        yield Text(text.key, text.value, text.cut or piece.cut)


def _exif_text(tag: int, value: bytes) -> Text:
    if tag == USER_COMMENT:
        return user_comment_of(value)
    return wide_text_of(WIDE_TEXTS[tag], value) if tag in WIDE_TEXTS else text_of(TEXTS[tag], value)


def _text_marks(texts: Iterable[Text], source: Source) -> Iterator[Mark]:
    for text in texts:
        found = [*_source_types(text)]
        if (name := generator_of(text)) is not None:
            found.append((name, True))
        for claim, generative in found:
            yield Mark(source, claim, "untrusted", generative, f"{text.key}: {text.value[:400]}")
        if text.cut and not found and text.key != "makernote":
            yield gave_up(source, f"{text.key}: a text that is too long or broken")


def _source_types(text: Text) -> Iterator[tuple[str, bool]]:
    """Digital source types: of the property itself, or as a URI in any other text."""
    if text.key == _SOURCE_TYPE:
        yield from (source_type(word) for word in text.value.split()[:8])
        return
    lowered = text.value.lower()
    at = lowered.find("/digitalsourcetype/")
    if at >= 0:
        words = text.value[at : at + 100].split()
        yield source_type(words[0].strip("\"'<>,;)"))
