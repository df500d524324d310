from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.ingest_stack import Stack, ingest_stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with ingest_stack(
        tmp_path_factory.mktemp("ingest"), max_upload_bytes=300_000, reference_wait_seconds=5
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def uploader(stack: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    async with stack.client(await stack.key("upload", "read")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(stack: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    async with stack.client(await stack.key("admin", productions=["*"], person="root")) as client:
        yield client
