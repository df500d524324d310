"""The server over a real socket: refusals that arrive, streams that end, workers that stop last."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import EventSourceResponse

from shared.connect import open_store
from shared.errors import ConfigurationError
from shared.service import Service, Worker
from shared.store.directory import Directory
from shared.web.app import Closing, build_app
from shared.web.problems import Problem
from shared.web.server import listen, serve

PATIENCE = 20


@asynccontextmanager
async def served(directory: Directory, service: Service) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """(address, the server's task); stopped after the block if it still runs."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    app = build_app([service], directory)
    task = asyncio.create_task(serve(app, [service], port=0, started=address.set_result, stop=stop))
    try:
        yield await asyncio.wait_for(address, PATIENCE), task
    finally:
        stop.set()
        await asyncio.wait([task], timeout=PATIENCE)


@pytest.fixture
async def directory(tmp_path: Any) -> AsyncIterator[Directory]:
    directory = Directory(open_store(f"sqlite://{tmp_path}", "directory"))
    yield directory
    await directory.close()


def a_service(*workers: Worker) -> Service:
    router = APIRouter()

    @router.post("/early", max_body_size=10_000_000)
    async def refuse(request: Request) -> None:
        """Refuses without reading."""
        raise Problem(413)

    @router.post("/small", max_body_size=1000)
    async def small(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream(closing: Closing) -> AsyncIterator[dict[str, int]]:
        yield {"n": 1}
        await closing.wait()

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a bug")

    return Service("test", (router,), workers)


async def test_a_refusal_reaches_a_client_that_is_still_sending(directory: Directory) -> None:
    async with served(directory, a_service()) as (address, _), httpx2.AsyncClient(base_url=address) as client:
        for _ in range(3):
            answer = await client.post("/v1/early", content=b"x" * 20_000_000)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("announced", [True, False])
async def test_the_native_body_limit_answers_with_a_problem(directory: Directory, announced: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    content = b" " * 2000 if announced else chunks()
    headers = {"Content-Type": "application/json"}
    async with served(directory, a_service()) as (address, _), httpx2.AsyncClient(base_url=address) as client:
        answer = await client.post("/v1/small", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_bug_is_a_problem_too(directory: Directory) -> None:
    async with served(directory, a_service()) as (address, _), httpx2.AsyncClient(base_url=address) as client:
        answer = await client.get("/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["x-request-id"]


async def test_sigterm_ends_streams_then_workers(directory: Directory) -> None:
    order: list[str] = []

    async def work(stopping: asyncio.Event) -> None:
        await stopping.wait()
        order.append("worker")

    async with served(directory, a_service(Worker("w", work))) as (address, task):
        async with httpx2.AsyncClient(base_url=address) as client, client.stream("GET", "/v1/stream") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == 'data: {"n":1}'
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                async for _ in lines:
                    pass
            order.append("stream")
        async with asyncio.timeout(PATIENCE):
            await task
    assert order == ["stream", "worker"]


async def test_a_broken_worker_stops_the_process(directory: Directory) -> None:
    begin = asyncio.Event()

    async def breaks(_: asyncio.Event) -> None:
        await begin.wait()
        raise RuntimeError("an unknown trouble")

    async def works(stopping: asyncio.Event) -> None:
        await stopping.wait()

    async with served(directory, a_service(Worker("bad", breaks), Worker("good", works))) as (address, task):
        async with httpx2.AsyncClient(base_url=address) as client:
            assert (await client.get("/livez")).status_code == 200
        begin.set()
        with pytest.raises(RuntimeError, match="an unknown trouble"):
            await asyncio.wait_for(asyncio.shield(task), PATIENCE)


async def test_a_taken_port_says_so(directory: Directory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = a_service()
        with pytest.raises(ConfigurationError, match="--port"):
            await serve(build_app([service], directory), [service], port=taken.getsockname()[1])


async def test_answers_are_not_held_back_on_a_connection_that_stays_open() -> None:
    taken: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: taken.put_nowait(writer), sock=listen("127.0.0.1", 0))
    async with server:
        _, asking = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        answering = await taken.get()
        assert answering.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for writer in (asking, answering):
            writer.close()
            await writer.wait_closed()
