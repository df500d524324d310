"""How a store is named, and what a wrong name says."""

from pathlib import Path

import pytest

from shared.connect import open_blobs, open_bus, open_store
from shared.errors import ConfigurationError


@pytest.mark.parametrize("slashes", ["sqlite://", "sqlite:///"])
async def test_each_service_has_a_file_in_an_absolute_folder(tmp_path: Path, slashes: str) -> None:
    store = open_store(f"{slashes}{tmp_path}/deep/store", "ingest")
    async with store.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE t (a)")
    await store.close()
    assert (tmp_path / "deep" / "store" / "ingest.sqlite").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/name", "CLEARFRAME_STORE: 'mysql' is no store; use sqlite:///folder"),
        ("folder", "CLEARFRAME_STORE: 'folder' is no store"),
        ("sqlite://relative/folder", "is not absolute; write it like sqlite:///folder"),
    ],
)
def test_a_wrong_store_names_the_setting_and_the_remedy(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        open_store(url, "ingest")


async def test_postgresql_understands_libpqs_ssl_mode() -> None:
    pytest.importorskip("asyncpg")
    store = open_store("postgresql://ann@host/name?sslmode=require", "ingest")
    assert store.engine.url.query == {"ssl": "require"}
    await store.close()


@pytest.mark.parametrize("url", ["http://host", "nats://host", "bus.sqlite"])
def test_a_wrong_bus_or_blob_store_names_the_setting_and_the_remedy(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CLEARFRAME_BUS: .* is no bus; use embedded:"):
        open_bus(url)
    with pytest.raises(ConfigurationError, match=r"CLEARFRAME_BLOBS: .* is no blob store; use file:"):
        open_blobs(url)


def test_relative_folders_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="is not absolute; write it like embedded:///folder"):
        open_bus("embedded://bus.sqlite")
    with pytest.raises(ConfigurationError, match="is not absolute; write it like file:///folder"):
        open_blobs("file://blobs")
