"""Fixtures of whole installations: one over the backends of one machine, one over real servers."""

import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from tests.installation import Installation, installed
from tests.peopled import House, house_of
from tests.servers.choice import address
from tests.servers.fixtures import RUN

Opening = Callable[..., AbstractAsyncContextManager[Installation]]
_SETTINGS: dict[str, Any] = {"verdict": {"allow_loopback_webhooks": True}}
_LIGHT = {"screening": {"workers": 1, "partial_copies": False}}
"""What keeps the fast tier fast; real servers are tried with screening as it is shipped."""


@pytest.fixture(scope="session", params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opening:
    """Opens fresh installations of one kind; takes settings."""
    if request.param == "real":
        kafka, postgres = str(request.getfixturevalue("kafka_url")), str(request.getfixturevalue("postgres_url"))
        request.getfixturevalue("s3_env")

    @asynccontextmanager
    async def open_one(**settings: Any) -> AsyncIterator[Installation]:
        overrides = {"data": tmp_path_factory.mktemp("installation"), **_SETTINGS, **settings}
        if request.param == "embedded":
            async with installed(_LIGHT | overrides) as installation:
                yield installation
            return
        async with _database(postgres) as store:
            token = secrets.token_hex(8)
            places = {"bus": kafka, "store": store, "blobs": f"{_bucket()}/{token}", "topic_prefix": f"line-{token}."}
            async with installed(overrides | places) as installation:
                yield installation

    return open_one


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def line(opening: Opening) -> AsyncIterator[Installation]:
    """An installation that the tests share, each in productions of its own."""
    async with opening() as installation:
        yield installation


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(line: Installation) -> House:
    """Two productions of it, with something behind every address of one of them."""
    return await house_of(line)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[str]:
    import asyncpg

    name = f"line_{secrets.token_hex(8)}"
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def _bucket() -> str:
    return address("s3", Path(os.environ[RUN])).url
