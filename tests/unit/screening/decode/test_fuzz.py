"""Damaged files of every format: always a value, never an exception."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.screening.decode.model import Picture, Unscreenable
from tests import drawings

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"]
bounded = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def content(request: pytest.FixtureRequest, encode: Callable[..., bytes]) -> bytes:
    frames = [drawings.photo(seed, (48, 40)) for seed in range(2)]
    many = request.param in ("WEBP", "GIF", "TIFF", "PNG")
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} if many else {}
    return encode(frames[0], request.param, **options)


@pytest.mark.parametrize("content", FORMATS, indirect=True)
@bounded
@given(data=st.data())
def test_truncation_never_raises(content: bytes, data: st.DataObject, decode_bytes: Callable[[bytes], Any]) -> None:
    length = data.draw(st.integers(0, len(content) - 1))
    assert isinstance(decode_bytes(content[:length]), Picture | Unscreenable)


@pytest.mark.parametrize("content", FORMATS, indirect=True)
@bounded
@given(data=st.data())
def test_flipped_bits_never_raise(content: bytes, data: st.DataObject, decode_bytes: Callable[[bytes], Any]) -> None:
    damaged = bytearray(content)
    where = st.one_of(st.integers(0, min(200, len(content) - 1)), st.integers(0, len(content) - 1))
    for at in data.draw(st.lists(where, min_size=1, max_size=8)):
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(decode_bytes(bytes(damaged)), Picture | Unscreenable)
