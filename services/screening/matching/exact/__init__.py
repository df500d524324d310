"""Exact radius search for millions of hashes: immutable files, a live part, and their merging."""

from services.screening.matching.exact.segment import DamagedSegment, Segment
from services.screening.matching.exact.table import SegmentedTable

__all__ = ["DamagedSegment", "Segment", "SegmentedTable"]
