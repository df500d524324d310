"""Every row of the table finds its own examples, and not those that only look like it."""

from typing import Any

import pytest

from services.screening.provenance.generators import generator_of, read_table
from services.screening.provenance.texts import Text

ROWS = read_table()["generator"]


def _name(row: dict[str, Any]) -> str:
    return f"{row['name']}: {'+'.join(row['contains']) or row['keys'][0]}"


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_row_finds_its_examples(row: dict[str, Any]) -> None:
    assert row["found"]
    assert row["not_found"]
    for key, text in row["found"]:
        assert generator_of(Text(key, text)) == row["name"], (key, text)
    for key, text in row["not_found"]:
        assert generator_of(Text(key, text)) != row["name"], (key, text)


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_row_is_written_in_lower_case(row: dict[str, Any]) -> None:
    words = [*row["keys"], *row["contains"], *row.get("unless", ())]
    assert words == [word.lower() for word in words]
    assert set(row) <= {"name", "keys", "contains", "unless", "found", "not_found"}


def test_case_does_not_matter() -> None:
    assert generator_of(Text("software", "ADOBE FIREFLY")) == "Adobe Firefly"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("software", "Adobe Photoshop 26.1 (Macintosh)"),
        ("software", "GIMP 3.0"),
        ("description", "A street sign in the rain, take 4"),
        ("comment", "Created with GIMP"),
        ("make", "Canon"),
        ("model", "iPhone 17 Pro"),
        ("parameters", ""),
        ("title", "Firefly, season 1"),
        ("artist", "Dall-E Street Studio"),
    ],
)
def test_ordinary_texts_are_no_marks(key: str, text: str) -> None:
    assert generator_of(Text(key, text)) is None
