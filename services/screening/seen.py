"""What decoding saw of a file, without its pixels: kept, so that a rescan need not decode again."""

from services.screening.decoded import Decoded
from services.screening.fingerprint.model import ViewFingerprint
from shared.events import Fingerprints
from shared.findings import TrailingData, Unscreenable
from shared.frozen import Frozen


class SeenView(Frozen):
    """One page, frame or background with its hashes; `pdq` maps each of the 16 transforms to 64 hex digits."""

    name: str
    pdq: dict[str, str]
    pdq_quality: int
    phash: str | None

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


def seen_from(sha256: str, decoded: Decoded) -> SeenPicture:
    """The lasting part of a decode result."""
    prints, refusal, trailing = decoded.fingerprints, decoded.unscreenable, decoded.trailing
    return SeenPicture(
        sha256=sha256,
        format=decoded.format,
        width=decoded.width,
        height=decoded.height,
        pages=decoded.pages,
        views=tuple(_view(view) for view in prints.views) if prints else (),
        unscreenable=Unscreenable(reason=refusal.reason, detail=refusal.detail) if refusal else None,
        trailing=TrailingData(bytes=trailing.count, looks_like=trailing.kind) if trailing else None,
    )


def damaged(sha256: str, detail: str) -> SeenPicture:
    """The stored bytes are missing, or not those that were received."""
    return SeenPicture(sha256=sha256, unscreenable=Unscreenable(reason="integrity_error", detail=detail))


def _view(view: ViewFingerprint) -> SeenView:
    variants = {variant.name: variant.pdq for variant in view.variants}
    return SeenView(name=view.view, pdq=variants, pdq_quality=view.pdq_quality, phash=view.phash)
