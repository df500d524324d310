"""What decoding saw of a file, without its pixels: kept, so that a rescan need not decode again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pydantic import Field

from services.screening.decoded import Decoded
from services.screening.fingerprint.model import Fingerprints as ViewFingerprints
from services.screening.fingerprint.model import ViewFingerprint
from services.screening.provenance.marks import distinct
from shared.events import Fingerprints
from shared.findings import Provenance, TrailingData, Unscreenable
from shared.frozen import Frozen

FEATURES = "features"


class SeenView(Frozen):
    """One page, frame or background with its hashes; `pdq` maps each of the 16 transforms to 64 hex digits."""

    name: str
    pdq: dict[str, str]
    pdq_quality: int
    phash: str | None
    features: str | None = Field(None, description="digest of the blob that holds its local features")

    def pdq_variants(self) -> list[tuple[str, bytes]]:
        """(transform, 32 bytes) for the search."""
        return [(transform, bytes.fromhex(value)) for transform, value in self.pdq.items()]


class SeenPicture(Frozen):
    """The fingerprints of one content. Without views it could not be compared, or is no picture to compare."""

    sha256: str
    format: str = "unknown"
    width: int = 0
    height: int = 0
    pages: int = 0
    views: tuple[SeenView, ...] = ()
    unscreenable: Unscreenable | None = None
    trailing: TrailingData | None = None
    marks: tuple[Provenance, ...] = ()

    def fingerprints(self, pipeline: str) -> Fingerprints:
        """What events carry: the hashes of the view that stands for the file."""
        if not self.views:
            return Fingerprints(sha256=self.sha256)
        first = self.views[0]
        return Fingerprints(
            sha256=self.sha256,
            pdq=first.pdq.get("identity"),
            pdq_quality=first.pdq_quality,
            phash=first.phash,
            pipeline=pipeline,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What is searched for: the record, and the local features of its views in their order, as bytes."""

    picture: SeenPicture
    features: tuple[bytes, ...] = ()

    def named_features(self) -> list[tuple[str, bytes]]:
        """(view, features)."""
        return [(view.name, features) for view, features in zip(self.picture.views, self.features, strict=False)]


def features_of(decoded: Decoded) -> tuple[bytes, ...]:
    """The local features of each view, where they were extracted."""
    return tuple(view[FEATURES].tobytes() for view in decoded.features)


def seen_from(sha256: str, decoded: Decoded, features: Sequence[str] = ()) -> SeenPicture:
    """The lasting part of a decode result; `features` are the digests of its views' local features, in order."""
    prints, refusal, trailing = decoded.fingerprints, decoded.unscreenable, decoded.trailing
    return SeenPicture(
        sha256=sha256,
        format=decoded.format,
        width=decoded.width,
        height=decoded.height,
        pages=decoded.pages,
        views=_views(prints, features) if prints else (),
        unscreenable=Unscreenable(reason=refusal.reason, detail=refusal.detail) if refusal else None,
        trailing=TrailingData(bytes=trailing.count, looks_like=trailing.kind) if trailing else None,
        marks=tuple(Provenance(**asdict(mark)) for mark in distinct(decoded.marks)),
    )


def damaged(sha256: str, detail: str) -> Seen:
    """The stored bytes are missing, or not those that were received."""
    return Seen(SeenPicture(sha256=sha256, unscreenable=Unscreenable(reason="integrity_error", detail=detail)))


def _views(prints: ViewFingerprints, features: Sequence[str]) -> tuple[SeenView, ...]:
    digests: Sequence[str | None] = features or [None] * len(prints.views)
    return tuple(_view(view, digest) for view, digest in zip(prints.views, digests, strict=True))


def _view(view: ViewFingerprint, features: str | None) -> SeenView:
    variants = {variant.name: variant.pdq for variant in view.variants}
    return SeenView(name=view.view, pdq=variants, pdq_quality=view.pdq_quality, phash=view.phash, features=features)
