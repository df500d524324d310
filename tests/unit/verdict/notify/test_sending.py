"""One attempt at an endpoint that behaves well, or badly."""

import asyncio
import time
import tracemalloc

import pytest

from services.verdict.notify.sending import Answer, Sender
from tests.verdict_receiver import Behaviour, answers, dribbles, floods, receiving, resets, stays_silent


async def post(url: str, *, seconds: float = 5.0, allow_loopback: bool = True) -> Answer:
    sender = Sender(timeout_seconds=seconds, allow_loopback=allow_loopback)
    try:
        return await sender.post(url, b'{"type":"x"}', {"webhook-id": "m1"})
    finally:
        await sender.close()


async def test_a_good_endpoint_gets_headers_body_and_its_own_name() -> None:
    async with receiving() as receiver:
        assert await post(receiver.url) == Answer(204)
        (request,) = receiver.received
    assert request.body == '{"type":"x"}'
    assert request.headers["webhook-id"] == "m1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_any_other_status_is_a_failure_with_its_number(status: int) -> None:
    async with receiving(answers(status)) as receiver:
        answer = await post(receiver.url)
    assert answer.status == status
    assert str(status) in (answer.error or "")


async def test_a_wished_wait_is_passed_on() -> None:
    async with receiving(answers(429, "Retry-After: 120")) as receiver:
        assert (await post(receiver.url)).retry_after == 120.0


async def test_a_redirect_to_loopback_is_not_followed() -> None:
    async with receiving() as canary, receiving(answers(302, f"Location: {canary.url}")) as receiver:
        answer = await post(receiver.url)
        assert canary.received == []
    assert answer.status == 302
    assert "redirects are not followed" in (answer.error or "")


@pytest.mark.parametrize("behaves", [stays_silent, dribbles])
async def test_a_slow_endpoint_is_left_at_the_deadline(behaves: Behaviour) -> None:
    started = time.monotonic()
    async with receiving(behaves) as receiver:
        answer = await post(receiver.url, seconds=0.4)
    assert answer.error == "no answer within 0.4 s"
    assert time.monotonic() - started < 5


async def test_a_gigabyte_is_not_read() -> None:
    tracemalloc.start()
    async with receiving(floods) as receiver:
        answer = await post(receiver.url)
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer == Answer(200)
    assert peak < 30_000_000


async def test_a_reset_and_a_closed_port_are_failures() -> None:
    async with receiving(resets) as receiver:
        assert (await post(receiver.url)).error
    assert (await post(receiver.url)).error


async def test_an_address_that_is_private_by_now_is_not_connected_to() -> None:
    async with receiving() as canary:
        answer = await post(canary.url.replace("http:", "https:"), allow_loopback=False)
        await asyncio.sleep(0)
        assert canary.received == []
    assert "no public address" in (answer.error or "")
