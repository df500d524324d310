"""Hashes given as text."""

import pytest

from services.screening.fingerprint.kinds import PDQ, PHASH


@pytest.mark.parametrize("text", ["", "0", "g" * 64, "0" * 63, "0" * 66, " " + "0" * 63, "0 " * 32, "00 " * 21 + "0"])
def test_refuses_what_is_no_hash_and_says_what_to_give(text: str) -> None:
    with pytest.raises(ValueError, match="pdq: give 64 hexadecimal digits"):
        PDQ.parse(text)


def test_parses_hex_of_its_length() -> None:
    assert PDQ.parse("0f" * 32) == b"\x0f" * 32
    assert PHASH.parse("00ff00FF00ff00ff") == b"\x00\xff" * 4
