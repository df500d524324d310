"""Files with marks, made and signed by the tests."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.unit.screening.provenance.signing import Encode, Signer, new_signer


@pytest.fixture(scope="session")
def encode() -> Encode:
    """A small picture in a format, with Pillow's options for saving."""
    image = Image.effect_noise((160, 120), 70).convert("RGB")

    def encoded(form: str = "JPEG", **options: Any) -> bytes:
        out = io.BytesIO()
        image.save(out, form, **options)
        return out.getvalue()

    return encoded


@pytest.fixture(scope="session")
def signer() -> Signer:
    """One certificate for all tests."""
    return new_signer()
