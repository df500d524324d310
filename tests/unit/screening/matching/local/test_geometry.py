from __future__ import annotations

import math

import numpy as np
import pytest

from services.screening.matching.local.geometry import area, clipped_area, corners, mapped, words

SQUARE = corners(0, 0, 1, 1)


def rotation(degrees: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([cosine, sine, 0, -sine, cosine, 0])  # counter-clockwise, y downwards


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (SQUARE, 1.0),
        (SQUARE + 0.5, 0.25),
        (SQUARE - (0.25, 0), 0.75),
        (SQUARE + 2, 0.0),
        (SQUARE * 3 - 1, 1.0),
    ],
)
def test_the_area_within_the_upload(points: np.ndarray[tuple[int, int], np.dtype[np.float64]], expected: float) -> None:
    assert clipped_area(points, (1.0, 1.0)) == pytest.approx(expected)


def test_a_turned_square_keeps_its_area() -> None:
    assert area(mapped(rotation(30), SQUARE)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("degrees", "mirrored", "inverted", "expected"),
    [
        (0, False, False, "identity"),
        (1.5, False, False, "identity"),
        (90, False, False, "rotate_90"),
        (-90, False, True, "rotate_270_negative"),
        (12, False, False, "turned_12"),
        (0, True, False, "mirrored"),
        (180, True, False, "flipped"),
        (-20, True, True, "mirrored_turned_20_negative"),
        (0, False, True, "negative"),
    ],
)
def test_transforms_in_words(degrees: float, mirrored: bool, inverted: bool, expected: str) -> None:
    assert words(rotation(degrees), mirrored=mirrored, inverted=inverted) == expected
