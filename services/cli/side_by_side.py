"""A picture of what matches what: the upload and each work beside it, with the regions drawn on both."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

_CELL, _GAP, _CAPTION = 560, 24, 64
_PAPER, _INK, _MARK = (250, 250, 248), (30, 30, 30), (214, 40, 57)
Pair = tuple[dict[str, Any], bytes | None]


def side_by_side(upload: Path, pairs: Sequence[Pair], out: Path) -> None:
    """Writes one row a match: (match, the work's picture or None where it cannot be shown).

    Raises OSError or ValueError when the upload cannot be shown, or `out` not be written.
    """
    try:
        with Image.open(upload) as opened:
            shown = ImageOps.exif_transpose(opened).convert("RGB")
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error
    height = _CELL + _CAPTION + _GAP
    sheet = Image.new("RGB", (2 * _CELL + 3 * _GAP, height * len(pairs) + _GAP), _PAPER)
    for number, (match, work) in enumerate(pairs):
        top = _GAP + number * height
        _paste(sheet, _outlined(shown, match["upload_region"]), (_GAP, top))
        if work is not None:
            with Image.open(io.BytesIO(work)) as opened:
                beside = _outlined(opened.convert("RGB"), match.get("reference_region"))
            _paste(sheet, beside, (2 * _GAP + _CELL, top))
        ImageDraw.Draw(sheet).multiline_text(
            (_GAP, top + _CELL + 10), _words(match), fill=_INK, font=ImageFont.load_default(20), spacing=6
        )
    sheet.save(out)


def _outlined(picture: Image.Image, region: Any) -> Image.Image:
    fitted = ImageOps.contain(picture, (_CELL, _CELL))
    if region:
        corners = [(x * (fitted.width - 1), y * (fitted.height - 1)) for x, y in region]
        ImageDraw.Draw(fitted).line([*corners, corners[0]], fill=_MARK, width=5, joint="curve")
    return fitted


def _paste(sheet: Image.Image, picture: Image.Image, at: tuple[int, int]) -> None:
    sheet.paste(picture, (at[0] + (_CELL - picture.width) // 2, at[1] + (_CELL - picture.height) // 2))


def _words(match: dict[str, Any]) -> str:
    title = match["reference"].get("title") or match["reference"]["id"]
    said = [match["extent"]]
    if match.get("transform", "identity") != "identity":
        said.append(match["transform"].replace("_", " "))
    if "score" in match:
        said.append(f"score {match['score']:.2f}")
    if "share_of_upload" in match:
        said.append(f"{match['share_of_upload']:.0%} of the upload, {match['coverage_of_reference']:.0%} of the work")
    return f"{title}\n{', '.join(said)}"
