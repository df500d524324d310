from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.screening.matching.local import Features, extract_features
from tests import drawings


def random_features(count: int, positive: int, seed: int) -> Features:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (count, 4)).astype(np.float32)
    points[:, 2] = points[:, 2] * 0.2 + 0.001
    points[:, 3] *= 6.28
    return Features(rng.integers(0, 2**63, (count, 2), dtype=np.uint64), points, positive, (1.0, 0.75))


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 100))
def test_bytes_give_back_what_was_put_in(count: int, positive: int, seed: int) -> None:
    features = random_features(count, min(count, positive), seed)
    again = Features.from_bytes(features.to_bytes())
    assert np.array_equal(again.codes, features.codes)
    assert again.positive == features.positive
    assert again.extent == pytest.approx(features.extent, abs=1e-4)
    np.testing.assert_allclose(again.points[:, :2], features.points[:, :2], atol=1e-4)
    np.testing.assert_allclose(again.points[:, 2], features.points[:, 2], rtol=0.03)
    apart = np.abs(again.points[:, 3] - features.points[:, 3])
    assert (np.minimum(apart, 2 * np.pi - apart) < 0.013).all()
    assert again.to_bytes() == features.to_bytes()


def test_a_reference_takes_at_most_12000_bytes() -> None:
    features = extract_features(np.asarray(drawings.photo(1, (900, 700)).convert("L")), "reference")
    assert len(features) > 200
    assert len(features.to_bytes()) <= 12_000


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="features"):
        Features.from_bytes(data)


@pytest.mark.parametrize("at", [4, 6, 8, 12])
def test_a_damaged_head_is_refused(at: int) -> None:
    data = bytearray(random_features(20, 10, 0).to_bytes())
    data[at : at + 2] = b"\0\0" if at == 12 else b"\xff\xff"
    with pytest.raises(ValueError, match="extract them again"):
        Features.from_bytes(bytes(data))


def test_cut_bytes_are_refused() -> None:
    data = random_features(20, 10, 0).to_bytes()
    with pytest.raises(ValueError, match="damaged"):
        Features.from_bytes(data[:-1])
