"""Partial copies by local features: crops, posters in scenes, collages, mirrored and inverted.

Importing this loads no compiler; `compile_kernels` does, and so do the first extraction and the first index.
"""

from services.screening.matching.kernels import compile_kernels
from services.screening.matching.local.extract import extract_features
from services.screening.matching.local.features import Features
from services.screening.matching.local.index import LocalIndex, PartialHit

__all__ = ["Features", "LocalIndex", "PartialHit", "compile_kernels", "extract_features"]
