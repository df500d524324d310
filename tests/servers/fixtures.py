"""Real servers, shared by all workers: `kafka_url`, `postgres_url`, `postgres_database`, `s3_env`, `s3_url`.

`own_kafka` and `own_postgres` belong to one test alone, which may stop, freeze and kill them.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.servers.choice import address, stop_all
from tests.servers.local import Address, LocalServer, NotToBeHadError

RUN = "CLEARFRAME_TEST_RUN"


def pytest_configure(config: pytest.Config) -> None:
    """The controller makes a folder for the servers of this run; workers inherit its name."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = str(_folder())


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controller stops what any worker started."""
    if not hasattr(config, "workerinput"):
        run = Path(os.environ.pop(RUN))
        stop_all(run)
        shutil.rmtree(run)


@pytest.fixture(scope="session")
def kafka_url() -> str:
    """`kafka://host:port`; take topics and groups with a prefix of your own."""
    return _had("kafka").url


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A database that tests share and may not write to; see `postgres_database`."""
    return _had("postgres").url


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[str]:
    """The URL of a fresh database, dropped after the test."""
    import asyncpg

    name = f"t_{secrets.token_hex(8)}"
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def s3_env() -> Iterator[dict[str, str]]:
    """The `AWS_*` variables of the S3 server, set for the rest of the session."""
    env = _had("s3").env
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        yield env


@pytest.fixture
def s3_url(s3_env: dict[str, str]) -> str:
    """`s3://bucket/prefix`, an empty prefix for each test; `s3_env` is set."""
    return f"{_had('s3').url}/{secrets.token_hex(8)}"


@pytest.fixture
def own_kafka() -> Iterator[LocalServer]:
    """A broker of this test's own, running."""
    yield from _own("kafka")


@pytest.fixture
def own_postgres() -> Iterator[LocalServer]:
    """A database server of this test's own, running."""
    yield from _own("postgres")


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Like `tmp_path`, but the user `postgres` may enter it."""
    folder = _folder()
    yield folder
    shutil.rmtree(folder)


def _own(name: str) -> Iterator[LocalServer]:
    folder = _folder()
    server = LocalServer(name, folder / name)
    _or_skip(server.start)
    yield server
    server.stop()
    shutil.rmtree(folder)


def _had(name: str) -> Address:
    return _or_skip(lambda: address(name, Path(os.environ[RUN])))


def _or_skip(start: Callable[[], Address]) -> Address:
    try:
        return start()
    except NotToBeHadError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have every server: {reason}")
        pytest.skip(str(reason))


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="clearframe-test-"))
    folder.chmod(0o711)
    return folder
