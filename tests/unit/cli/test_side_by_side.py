from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.cli.side_by_side import side_by_side
from tests.drawings import photo, png, poster

WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_every_match_is_a_row_with_its_regions_drawn(tmp_path: Path) -> None:
    upload = tmp_path / "plate.png"
    upload.write_bytes(png(photo(1)))
    seen = {
        "reference": {"id": "r1", "title": "Night Train"},
        "extent": "part",
        "score": 0.91,
        "transform": "mirrored",
        "share_of_upload": 0.08,
        "coverage_of_reference": 0.5,
        "upload_region": [[0.2, 0.2], [0.6, 0.2], [0.6, 0.8], [0.2, 0.8]],
        "reference_region": WHOLE,
    }
    coarse = {"reference": {"id": "r2", "title": None}, "extent": "whole", "upload_region": WHOLE}
    side_by_side(upload, [(seen, png(poster(2))), (coarse, None)], tmp_path / "out.png")
    drawn = np.asarray(Image.open(tmp_path / "out.png").convert("RGB")).astype(int)
    red = (abs(drawn - (214, 40, 57)).sum(axis=2) < 12).sum(axis=1)
    middle = len(red) // 2
    assert red[:middle].sum() > 1000
    assert red[middle:].sum() > 1000


@pytest.mark.slow
def test_a_picture_that_is_too_large_is_refused_not_drawn(tmp_path: Path) -> None:
    upload = tmp_path / "bomb.png"
    upload.write_bytes(png(Image.new("L", (20_000, 20_000))))
    with pytest.raises(ValueError, match="limit"):
        side_by_side(upload, [], tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()
