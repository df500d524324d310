"""The demo's declarations are valid, and its pictures are what they are said to be."""

import io

import pytest
from PIL import Image

from services.cli.demo.scenario import UPLOADS, Upload
from services.cli.demo.works import WORKS
from shared.declaration.parse import parse_declaration


def test_the_demo_is_large_enough_to_show_everything() -> None:
    assert len(WORKS) >= 12
    assert len(UPLOADS) >= 16
    assert {upload.outcome for upload in UPLOADS} == {"clear", "caution", "escalate"}


@pytest.mark.parametrize("upload", UPLOADS, ids=lambda upload: upload.name)
def test_a_declaration_of_the_demo_is_valid(upload: Upload) -> None:
    assert parse_declaration(dict(upload.declared)).production == "atlas"


@pytest.mark.parametrize("name", sorted(WORKS))
def test_a_work_is_drawn_the_same_each_time(name: str) -> None:
    _, _, draw = WORKS[name]
    first = draw()
    assert first.tobytes() == draw().tobytes()
    assert min(first.size) >= 700


@pytest.mark.parametrize("name", ["moodboard-lagoon.jpg", "windows-thumb.png", "astronomer-turned.webp"])
def test_an_upload_is_a_picture_of_its_format(name: str) -> None:
    (upload,) = [upload for upload in UPLOADS if upload.name == name]
    with Image.open(io.BytesIO(upload.make())) as image:
        assert image.format is not None
        assert image.format.lower() in {"jpeg", "png", "webp"}
        image.load()


def test_the_undeclared_picture_carries_its_generators_parameters() -> None:
    (upload,) = [upload for upload in UPLOADS if "S-UNDECLARED" in upload.rules]
    with Image.open(io.BytesIO(upload.make())) as image:
        assert "Steps: " in image.info["parameters"]
    assert upload.declared["genai_used"] == "no"
