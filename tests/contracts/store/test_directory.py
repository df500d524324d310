"""Keys and productions, whatever the database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.store.directory import Directory
from shared.store.engine import Store
from shared.store.entries import InvalidEntry, Key, Production, UnknownKey
from shared.store.migrate import migrate


class Clock:
    """A clock that is set."""

    now = datetime(2026, 12, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def directory(open_another: Callable[[str], Store], clock: Clock) -> Directory:
    store = open_another("directory")
    await migrate(store, "directory")
    return Directory(store, now=clock)


@pytest.fixture
def elsewhere(directory: Directory, open_another: Callable[[str], Store]) -> Directory:
    """Another process's view, that remembers nothing."""
    return Directory(open_another("directory"), remembered=0)


async def a_key(directory: Directory, **changes: object) -> tuple[Key, str]:
    await directory.ensure_defaults()
    values: dict[str, object] = {"name": "laptop", "person": "ann", "scopes": ["upload"], "productions": ["default"]}
    return await directory.create_key(**(values | changes))  # type: ignore[arg-type]


async def test_a_fresh_directory_holds_the_default_production_and_one_admin(directory: Directory) -> None:
    secret = await directory.ensure_defaults()
    assert secret is not None
    principal = await directory.principal(secret)
    assert principal is not None
    assert principal.may("approve")
    assert principal.sees("anything")
    assert await directory.production("default") == Production("default", "Default production")
    assert await directory.ensure_defaults() is None
    assert len((await directory.keys()).items) == 1


async def test_processes_that_start_together_make_one_admin(directory: Directory, elsewhere: Directory) -> None:
    secrets = await asyncio.gather(directory.ensure_defaults(), elsewhere.ensure_defaults())
    assert sorted(secret is None for secret in secrets) == [False, True]
    assert len((await directory.keys()).items) == 1


async def test_a_key_opens_what_it_names(directory: Directory) -> None:
    key, secret = await a_key(directory)
    principal = await directory.principal(secret)
    assert principal is not None
    assert (principal.key_id, principal.name, principal.person) == (key.id, "laptop", "ann")
    assert principal.scopes == {"upload"}
    assert not principal.may("read")
    assert not principal.sees("atlas")


async def test_a_changed_secret_opens_nothing(directory: Directory) -> None:
    _, secret = await a_key(directory)
    for wrong in [secret[:-1], secret + "x", secret[:-1] + ("a" if secret[-1] != "a" else "b"), secret.upper(), ""]:
        assert await directory.principal(wrong) is None


async def test_a_secret_is_kept_nowhere(directory: Directory, open_another: Callable[[str], Store]) -> None:
    _, secret = await a_key(directory)
    async with open_another("directory").read() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM keys")).all()
    assert secret.rpartition("_")[2] not in repr(rows)


async def test_a_revoked_key_ends_here_at_once_and_elsewhere_soon(directory: Directory, elsewhere: Directory) -> None:
    key, secret = await a_key(directory)
    assert await directory.principal(secret)
    assert await elsewhere.principal(secret)
    assert (await directory.revoke_key(key.id)).revoked_at
    assert await directory.principal(secret) is None
    assert await elsewhere.principal(secret) is None
    assert (await directory.revoke_key(key.id)).revoked_at  # again does no harm


async def test_revoking_what_is_not_there_says_so(directory: Directory) -> None:
    with pytest.raises(UnknownKey, match="no API key 'x'"):
        await directory.revoke_key("x")


async def test_a_key_expires_while_it_is_remembered(directory: Directory, clock: Clock) -> None:
    _, secret = await a_key(directory, expires_at=clock.now + timedelta(hours=1))
    assert await directory.principal(secret)
    clock.now += timedelta(hours=1)
    assert await directory.principal(secret) is None


async def test_a_key_for_an_unknown_production_gets_a_suggestion(directory: Directory) -> None:
    with pytest.raises(InvalidEntry, match="did you mean `default`"):
        await a_key(directory, productions=["defualt"])


async def test_keys_come_in_pages_newest_first(directory: Directory) -> None:
    made = [(await a_key(directory, name=f"key {n}"))[0].name for n in range(4)]
    first = await directory.keys(limit=3)
    rest = await directory.keys(limit=3, after=first.next)
    assert [key.name for key in first.items + rest.items] == [*reversed(made), "admin"]
    assert rest.next is None


async def test_productions_come_in_pages_as_far_as_they_are_seen(directory: Directory) -> None:
    for slug in ["c", "a", "b"]:
        await directory.put_production(Production(slug, slug.upper()))
    first = await directory.productions(limit=2)
    rest = await directory.productions(limit=2, after=first.next)
    assert [p.slug for p in first.items + rest.items] == ["a", "b", "c"]
    seen = await directory.productions(among=frozenset({"b", "zebra"}))
    assert [p.slug for p in seen.items] == ["b"]
    assert (await directory.productions(among=frozenset())).items == ()


async def test_a_production_is_replaced_whole(directory: Directory, elsewhere: Directory) -> None:
    await directory.put_production(Production("atlas", "Atlas", "ann@example.org"))
    assert await elsewhere.production("atlas")
    changed = Production("atlas", "Atlas II", None, "Europe/Paris", {"union": {"effect": "none"}})
    await directory.put_production(changed)
    assert await directory.production("atlas") == changed
    assert await elsewhere.production("atlas") == changed
    assert await directory.production("nobody") is None
