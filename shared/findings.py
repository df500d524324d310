"""Findings: the facts that screening observed on one upload, each with its evidence. Pure data."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from shared.frozen import Frozen

Corner = tuple[float, float]
Region = tuple[Corner, Corner, Corner, Corner]
"""Four corners in fractions of width and height, clockwise from the reference's top left."""

Extent = Literal["whole", "part", "element", "common"]
"""How much of a protected work the upload holds: rows S-MATCH-WHOLE, -PART, -ELEMENT, or an element marked common."""

Detector = Literal["sha256", "pdq", "phash", "local"]
WHOLE_PICTURE: Region = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class ReferenceRef(Frozen):
    """The protected work a finding points at."""

    id: str
    bank: str
    title: str | None = None
    external_id: str | None = None
    hidden: bool = Field(False, description="its bank keeps titles from whoever does not review")


class ReferenceMatch(Frozen):
    """The upload holds a protected work, or a part of it. `score` 0.5 is the shipped threshold of every detector."""

    kind: Literal["reference_match"] = "reference_match"
    reference: ReferenceRef
    detector: Detector
    score: float = Field(ge=0, le=1)
    distance: int | None = Field(None, ge=0, description="differing bits, for detectors that hash the whole picture")
    transform: str = "identity"
    extent: Extent = "whole"
    purpose: Literal["protect", "allow"] = "protect"
    share_of_upload: float = 1.0
    coverage_of_reference: float = 1.0
    upload_region: Region = WHOLE_PICTURE
    reference_region: Region = WHOLE_PICTURE
    view: str = Field("picture", description="which page, frame or background of the upload was compared")


class Provenance(Frozen):
    """A mark inside the file that says how it was made. `claim`: an IPTC digital source type, or a generator's name."""

    kind: Literal["provenance"] = "provenance"
    source: Literal["c2pa", "iptc_xmp", "iptc_iim", "exif", "png_text"]
    claim: str
    trust: Literal["trusted", "untrusted", "tampered", "unresolved"] = "untrusted"
    generative: bool = True
    detail: str = ""


class Likeness(Frozen):
    """A protected performer was recognised. Carries a name and a score, never a biometric vector."""

    kind: Literal["likeness"] = "likeness"
    performer: str
    score: float = Field(ge=0, le=1)
    upload_region: Region = WHOLE_PICTURE


class Unscreenable(Frozen):
    """The bytes could not be compared. `reason` is a stable code such as `truncated` or `resource_limit`."""

    kind: Literal["unscreenable"] = "unscreenable"
    reason: str
    detail: str = ""


class NotMatched(Frozen):
    """A file that is no picture: judged by declaration and provenance, its content not compared."""

    kind: Literal["not_matched"] = "not_matched"
    media: Literal["audio", "video", "document"]


class TrailingData(Frozen):
    """Bytes after the picture's end, where a second file may hide."""

    kind: Literal["trailing_data"] = "trailing_data"
    bytes: int
    looks_like: str = "unknown"


_KINDS = ("reference_match", "provenance", "likeness", "unscreenable", "not_matched", "trailing_data")


class UnknownFinding(Frozen):
    """A finding of a newer writer. Read as something that could not be screened, the safe direction."""

    model_config = ConfigDict(extra="allow")
    kind: str = Field(json_schema_extra={"not": {"enum": list(_KINDS)}})


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in _KINDS else "unknown"


Finding = Annotated[
    Annotated[ReferenceMatch, Tag("reference_match")]
    | Annotated[Provenance, Tag("provenance")]
    | Annotated[Likeness, Tag("likeness")]
    | Annotated[Unscreenable, Tag("unscreenable")]
    | Annotated[NotMatched, Tag("not_matched")]
    | Annotated[TrailingData, Tag("trailing_data")]
    | Annotated[UnknownFinding, Tag("unknown")],
    Discriminator(_kind),
]

FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])
