"""What the directory refuses, and how it says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.store.entries import InvalidEntry, Key, Production, prefix_of, unknown_production

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KEY = Key("id", "abcdefgh", "laptop", "ann", ("upload",), ("default",), NOW)


@pytest.mark.parametrize("slug", ["a", "atlas-2", "0", "a" * 60])
def test_good_slugs(slug: str) -> None:
    assert Production(slug, "Title").checked().slug == slug


@pytest.mark.parametrize(
    ("production", "field"),
    [
        (Production("Atlas", "t"), "slug"),
        (Production("-a", "t"), "slug"),
        (Production("a" * 61, "t"), "slug"),
        (Production("a/../b", "t"), "slug"),
        (Production("", "t"), "slug"),
        (Production("a", ""), "title"),
        (Production("a", "x\x1b[2J"), "title"),
        (Production("a", "t", contact="x" * 301), "contact"),
        (Production("a", "t", time_zone="Mars/Olympus"), "time_zone"),
        (Production("a", "t", time_zone="../etc/passwd"), "time_zone"),
    ],
)
def test_bad_productions_name_the_field(production: Production, field: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        production.checked()
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("key", "field"),
    [
        (replace(KEY, name=" "), "name"),
        (replace(KEY, person="a\nb"), "person"),
        (replace(KEY, scopes=()), "scopes"),
        (replace(KEY, scopes=("uplaod",)), "scopes"),  # type: ignore[arg-type]  # a typing mistake
        (replace(KEY, productions=()), "productions"),
        (replace(KEY, expires_at=NOW), "expires_at"),
    ],
)
def test_bad_keys_name_the_field(key: Key, field: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        key.checked()
    assert caught.value.field == field


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(InvalidEntry, match="did you mean `upload`"):
        replace(KEY, scopes=("uplaod",)).checked()  # type: ignore[arg-type]  # a typing mistake
    assert "did you mean `atlas`" in str(unknown_production("atlsa", ["atlas", "default"]))


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    later = NOW + timedelta(days=1)
    assert KEY.is_good(later)
    assert replace(KEY, expires_at=later).is_good(NOW)
    assert not replace(KEY, expires_at=later).is_good(later)
    assert not replace(KEY, revoked_at=NOW).is_good(NOW)


@pytest.mark.parametrize("text", ["", "cf_", "cf_abcdefgh_short", "CF_abcdefgh_" + "x" * 43, "Bearer x", "é" * 60])
def test_what_was_never_made_here_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None
