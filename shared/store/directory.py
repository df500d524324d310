"""The directory: productions and API keys, written by ingest's admin routes, read by every service."""

import base64
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import new_id
from shared.principal import EVERY_PRODUCTION, Principal, Scope
from shared.store.columns import upsert
from shared.store.directory_tables import keys, productions
from shared.store.engine import Store
from shared.store.entries import Key, Page, Production, UnknownKey, digest, prefix_of, unknown_production
from shared.store.remembered import Remembered

DEFAULT_PRODUCTION = Production("default", "Default production")
REMEMBERED_SECONDS = 3.0  # a revoked key ends within 5 s in every process
SERVICE = "directory"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Directory:
    """Who may, and for which production. Reads are remembered for at most `remembered` seconds."""

    def __init__(
        self, store: Store, *, now: Callable[[], datetime] = _utc_now, remembered: float = REMEMBERED_SECONDS
    ) -> None:
        self._store = store
        self._now = now
        self._keys: Remembered[str, tuple[str, Key]] = Remembered(self._find_key, seconds=remembered)
        self._productions: Remembered[str, Production] = Remembered(self._find_production, seconds=remembered)

    async def principal(self, secret: str) -> Principal | None:
        """The holder of a secret; None when it is unknown, revoked or expired."""
        prefix = prefix_of(secret)
        found = await self._keys.get(prefix) if prefix else None
        if found is None:
            return None
        expected, key = found
        genuine = hmac.compare_digest(expected, digest(secret))
        return key.principal() if genuine and key.is_good(self._now()) else None

    async def create_key(
        self,
        *,
        name: str,
        person: str,
        scopes: Iterable[Scope],
        productions: Iterable[str],
        expires_at: datetime | None = None,
    ) -> tuple[Key, str]:
        """The key and its secret, which is shown this once. Raises `InvalidEntry`."""
        key, secret = _new_key(
            self._now(), name=name, person=person, scopes=scopes, productions=productions, expires_at=expires_at
        )
        async with self._store.write() as connection:
            await _check_productions(connection, key.productions)
            await _insert_key(connection, key, secret)
        return key, secret

    async def revoke_key(self, key_id: str) -> Key:
        """Ends a key, here at once and elsewhere within 5 s; again does no harm. Raises `UnknownKey`."""
        end = keys.update().where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=self._now())
        async with self._store.write() as connection:
            await connection.execute(end)
            row = (await connection.execute(select(keys).where(keys.c.id == key_id))).first()
        self._keys.forget()
        if row is None:
            raise UnknownKey(f"there is no API key {key_id!r}")
        return _key(row)

    async def keys(self, *, limit: int = 50, after: str | None = None) -> Page[Key]:
        """All keys, revoked ones too, newest first."""
        older = select(keys).order_by(keys.c.id.desc())
        if after is not None:
            older = older.where(keys.c.id < after)
        found = [_key(row) for row in await self._rows(older, limit)]
        return _page(found, limit, lambda key: key.id)

    async def production(self, slug: str) -> Production | None:
        """The production of this slug."""
        return await self._productions.get(slug)

    async def productions(
        self, *, among: frozenset[str] | None = None, limit: int = 50, after: str | None = None
    ) -> Page[Production]:
        """Productions by slug; `among` is what the asking key sees (`Principal.visible()`), None for all."""
        rest = select(productions).order_by(productions.c.slug)
        if among is not None:
            rest = rest.where(productions.c.slug.in_(among))
        if after is not None:
            rest = rest.where(productions.c.slug > after)
        found = [_production(row) for row in await self._rows(rest, limit)]
        return _page(found, limit, lambda production: production.slug)

    async def put_production(self, production: Production) -> Production:
        """Makes a production or replaces it. Raises `InvalidEntry`."""
        values = _production_values(production.checked())
        async with self._store.write() as connection:
            await connection.execute(
                upsert(connection, productions)
                .values(**values)
                .on_conflict_do_update(index_elements=["slug"], set_=values)
            )
        self._productions.forget()
        return production

    async def ensure_defaults(self) -> str | None:
        """Makes what a fresh installation needs; the first admin key's secret, once, when there was no key."""
        key, secret = _new_key(
            self._now(), name="admin", person="admin", scopes=["admin"], productions=[EVERY_PRODUCTION]
        )
        async with self._store.write() as connection:
            await _insert_default(connection)
            # Locks out another process on PostgreSQL; on SQLite it waits for this transaction anyway.
            await connection.execute(
                select(productions).where(productions.c.slug == DEFAULT_PRODUCTION.slug).with_for_update()
            )
            if (await connection.execute(select(func.count()).select_from(keys))).scalar_one():
                return None
            await _insert_key(connection, key, secret)
        return secret

    async def close(self) -> None:
        """Lets the store go."""
        await self._store.close()

    async def _find_key(self, prefix: str) -> tuple[str, Key] | None:
        rows = await self._rows(select(keys).where(keys.c.prefix == prefix), 1)
        return (rows[0].sha256, _key(rows[0])) if rows else None

    async def _find_production(self, slug: str) -> Production | None:
        rows = await self._rows(select(productions).where(productions.c.slug == slug), 1)
        return _production(rows[0]) if rows else None

    async def _rows(self, query: Select[Any], limit: int) -> list[Row[Any]]:
        """One more than asked for tells whether there is a next page."""
        async with self._store.read() as connection:
            return list((await connection.execute(query.limit(limit + 1))).all())


def _page(found: list[Any], limit: int, cursor: Callable[[Any], str]) -> Page[Any]:
    items = tuple(found[:limit])
    return Page(items, cursor(items[-1]) if len(found) > limit and items else None)


def _new_key(
    now: datetime,
    *,
    name: str,
    person: str,
    scopes: Iterable[Scope],
    productions: Iterable[str],
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    prefix = base64.b32encode(secrets.token_bytes(5)).decode().lower()
    key = Key(
        new_id(), prefix, name, person, tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(productions)), now, expires_at
    )
    return key.checked(), f"cf_{prefix}_{secrets.token_urlsafe(32)}"


async def _insert_key(connection: AsyncConnection, key: Key, secret: str) -> None:
    await connection.execute(
        keys.insert().values(
            id=key.id,
            prefix=key.prefix,
            sha256=digest(secret),
            name=key.name,
            person=key.person,
            scopes=list(key.scopes),
            productions=list(key.productions),
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


async def _insert_default(connection: AsyncConnection) -> None:
    await connection.execute(
        upsert(connection, productions).values(**_production_values(DEFAULT_PRODUCTION)).on_conflict_do_nothing()
    )


async def _check_productions(connection: AsyncConnection, named: tuple[str, ...]) -> None:
    known = set((await connection.execute(select(productions.c.slug))).scalars())
    for slug in named:
        if slug != EVERY_PRODUCTION and slug not in known:
            raise unknown_production(slug, known, "productions")


def _key(row: Row[Any]) -> Key:
    return Key(
        row.id,
        row.prefix,
        row.name,
        row.person,
        tuple(row.scopes),
        tuple(row.productions),
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )


def _production(row: Row[Any]) -> Production:
    return Production(row.slug, row.title, row.contact, row.time_zone, row.defaults)


def _production_values(production: Production) -> dict[str, Any]:
    return {column.name: getattr(production, column.name) for column in productions.columns}
