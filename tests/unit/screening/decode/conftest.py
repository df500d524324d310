"""Files for the decoder, written by Pillow or by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.screening.decode.canonical import Detail
from services.screening.decode.limits import Limits
from services.screening.decode.model import Picture, Unscreenable
from services.screening.decode.reader import decode

Decode = Callable[..., Picture | Unscreenable]


def encoded(picture: Image.Image, format_name: str, **options: Any) -> bytes:
    """The picture's bytes as Pillow writes them."""
    buffer = io.BytesIO()
    if format_name == "AVIF":
        options.setdefault("speed", 10)
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


@pytest.fixture
def encode() -> Callable[..., bytes]:
    return encoded


@pytest.fixture
def decode_bytes(tmp_path: Path) -> Decode:
    def run(content: bytes, limits: Limits | None = None, detail: Detail = Detail.FEATURES) -> Picture | Unscreenable:
        path = tmp_path / "upload"
        path.write_bytes(content)
        with path.open("rb") as file:
            return decode(file, detail, limits or Limits())

    return run


@pytest.fixture
def views_of(decode_bytes: Decode) -> Callable[[bytes], Picture]:
    def run(content: bytes) -> Picture:
        picture = decode_bytes(content)
        assert isinstance(picture, Picture), picture
        return picture

    return run
