"""A bench for each test, over either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.verdict_bench import Bench, open_bench


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}" if request.param == "sqlite" else str(request.getfixturevalue("postgres_database"))


@pytest.fixture
async def bench(store_url: str) -> AsyncIterator[Bench]:
    async with open_bench(store_url) as made:
        yield made
