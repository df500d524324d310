"""Server-sent events: live, resumed without loss, filtered, scoped, and out of the way at shutdown."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.screenings import FINAL, MOOD_BOARD, screened
from tests.verdict_service import Running, listening, running


@asynccontextmanager
async def opened(
    service: Running, url: str, query: str = "", *, key: str = "rita", last: str = ""
) -> AsyncIterator[Any]:
    """An iterator of (event id, verdict)."""
    headers = {"Authorization": f"Bearer {service.keys[key]}"} | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx2.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{url}/v1/verdicts/stream{query}", headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        await anext(lines)
        yield _events(lines)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], json.loads(fields["data"])
            fields = {}


async def take(events: AsyncIterator[Any], count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def test_verdicts_arrive_live_and_a_reader_resumes_where_it_left_off(tmp_path: Path) -> None:
    async with running(tmp_path) as service, listening(service) as url:
        async with opened(service, url) as events:
            await service.publish(*(screened(f"asset-{n}") for n in range(5)))
            seen = await take(events, 2)
        await service.publish(*(screened(f"late-{n}") for n in range(5)))
        async with opened(service, url, last=seen[-1][0]) as events:
            seen += await take(events, 8)
        assert [int(event_id) for event_id, _ in seen] == list(range(1, 11))
        assert [verdict["sequence"] for _, verdict in seen] == list(range(1, 11))


async def test_from_the_beginning_filtered_and_scoped(tmp_path: Path) -> None:
    foreign = MOOD_BOARD | {"production": "borealis"}
    async with running(tmp_path) as service, listening(service) as url:
        await service.publish(screened("a"), screened("b", declaration=FINAL), screened("c", declaration=foreign))
        await service.verdicts(3)
        async with opened(service, url, "?from=beginning&outcome=escalate") as events:
            assert [verdict["asset_id"] for _, verdict in await take(events, 1)] == ["b"]
        async with opened(service, url, "?from=beginning", key="bob") as events:
            assert [verdict["asset_id"] for _, verdict in await take(events, 1)] == ["c"]
        async with opened(service, url, "?from=beginning", key="eve") as events:
            assert {verdict["asset_id"] for _, verdict in await take(events, 2)} == {"a", "b"}


async def test_by_default_only_what_comes_from_now_on(tmp_path: Path) -> None:
    async with running(tmp_path) as service, listening(service) as url:
        await service.publish(screened("old"))
        await service.verdicts(1)
        async with opened(service, url) as events:
            await service.publish(screened("new"))
            assert [verdict["asset_id"] for _, verdict in await take(events, 1)] == ["new"]


async def test_an_open_stream_does_not_hold_the_shutdown_up(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        server = listening(service)
        url = await server.__aenter__()
        async with opened(service, url) as events:
            started = time.monotonic()
            closing = asyncio.create_task(server.__aexit__(None, None, None))
            with pytest.raises(StopAsyncIteration):
                async with asyncio.timeout(10):
                    await anext(events)
            await closing
            assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("query", "last"), [("?from=yesterday", ""), ("?outcome=nice", ""), ("", "not-a-number"), ("?colour=red", "")]
)
async def test_a_wrong_question_is_answered_with_its_fault(tmp_path: Path, query: str, last: str) -> None:
    async with running(tmp_path) as service:
        headers = {"Last-Event-ID": last} if last else {}
        answer = await service.call("GET", f"/verdicts/stream{query}", headers=headers)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
