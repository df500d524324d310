"""Whole-picture fingerprints of every view of a decoded file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from services.screening.decode.canonical import Detail, scale_for
from services.screening.decode.model import View
from services.screening.fingerprint.grids import grids
from services.screening.fingerprint.model import Fingerprints, ViewFingerprint
from services.screening.fingerprint.pdq import spectrum, variants
from services.screening.fingerprint.phash import phash


def fingerprint(views: Iterable[View]) -> Fingerprints:
    """PDQ in 16 variants and pHash of each view. Pure."""
    return Fingerprints(tuple(_of_view(view) for view in views))


def _of_view(view: View) -> ViewFingerprint:
    view = _at_hash_scale(view)
    grid = grids(view.luma, view.full_width, view.full_height, view.scale)
    found = spectrum(grid.box)
    turned = variants(found.coefficients)
    return ViewFingerprint(view.name, turned[0].pdq, found.quality, phash(grid.lanczos), turned)


def _at_hash_scale(view: View) -> View:
    """Hashes are taken at their own scale, so that they cost and say the same whatever else is extracted."""
    scale = max(view.scale, scale_for(view.full_width, view.full_height, Detail.HASHES))
    if scale == view.scale:
        return view
    luma = np.asarray(Image.fromarray(view.luma).reduce(scale // view.scale))
    return View(view.name, luma, view.full_width, view.full_height, scale)
