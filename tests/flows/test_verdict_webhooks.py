"""Every escalation reaches every endpoint once, whatever is repeated, restarted or slow."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.bus.port import Record
from tests.screenings import FINAL, MATCH, MOOD_BOARD, screened
from tests.verdict_receiver import Receiver, answers, receiving, stays_silent
from tests.verdict_service import Running, running, until

pytestmark = pytest.mark.slow

EVERYTHING = [
    "clearframe.verdict.reached.v1",
    "clearframe.verdict.escalated.v1",
    "clearframe.escalation.closed.v1",
]


async def hook(service: Running, receiver: Receiver, **body: Any) -> Any:
    """A new endpoint, with its secret."""
    return await service.post("/webhooks", {"url": receiver.url} | body, status=201)


async def arrivals(receiver: Receiver, count: int) -> None:
    async def enough() -> bool:
        return len(receiver.received) >= count

    await until(enough, f"{count} webhooks, {len(receiver.received)} so far")


async def test_one_escalation_is_one_message_despite_duplicates_and_a_restart(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with running(tmp_path) as service:
            await hook(service, receiver)
            await service.publish(*[screened("a", declaration=FINAL)] * 20)
            await arrivals(receiver, 1)
            await service.publish(*[screened("a", declaration=FINAL)] * 20, *[screened("b", findings=(MATCH,))] * 5)
            await arrivals(receiver, 2)
            keys = service.keys
        async with running(tmp_path, keys=keys) as service:
            await service.publish(screened("a", declaration=FINAL), screened("c", declaration=FINAL))
            await arrivals(receiver, 3)
            await service.at_rest()
        assert len(receiver.ids()) == len(set(receiver.ids())) == 3
        told = [json.loads(request.body) for request in receiver.received]
        assert sorted(one["data"]["asset_id"] for one in told) == ["a", "b", "c"]
        assert {one["type"] for one in told} == {"clearframe.verdict.escalated.v1"}


async def test_repeated_events_on_the_bus_find_their_delivery_already_there(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as service:
        await hook(service, receiver, events=EVERYTHING)
        await service.publish(screened("a", declaration=FINAL))
        await arrivals(receiver, 2)
        repeated = [record async for record in _records(service, "escalations")]
        await service.backends.bus.publish(repeated * 10)
        await service.publish(screened("b"))
        await arrivals(receiver, 3)
        await service.at_rest()
        assert len(receiver.received) == 3


async def _records(service: Running, topic: str) -> Any:
    async with service.backends.bus.subscribe("test", [topic]) as subscription:
        for message in await subscription.fetch(max_records=100, wait=1.0):
            yield Record(topic, message.key, message.value or b"", message.headers)


async def test_messages_are_signed_and_tampering_shows(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as service:
        made = await hook(service, receiver)
        await service.publish(screened("a", declaration=FINAL))
        await arrivals(receiver, 1)
        first = receiver.received[0]
        assert Webhook(made["secret"]).verify(first.body, first.headers)["data"]["asset_id"] == "a"
        with pytest.raises(WebhookVerificationError):
            Webhook(made["secret"]).verify(first.body.replace("atlas", "atlaz"), first.headers)
        rotated = await service.post(f"/webhooks/{made['id']}/rotate")
        await service.post(f"/webhooks/{made['id']}/test", status=202)
        await arrivals(receiver, 2)
        second = receiver.received[1]
        for secret in (made["secret"], rotated["secret"]):
            assert Webhook(secret).verify(second.body, second.headers)["data"]["message"]


async def test_a_silent_endpoint_holds_nobody_else_up(tmp_path: Path) -> None:
    async with receiving(stays_silent) as silent, receiving() as good, running(tmp_path) as service:
        await hook(service, silent)
        await hook(service, good)
        await service.publish(*(screened(f"asset-{n}", declaration=FINAL) for n in range(12)))
        await asyncio.wait_for(arrivals(good, 12), 10)
        assert len(silent.received) <= 4


async def test_a_failed_message_waits_and_may_be_redelivered_under_its_id(tmp_path: Path) -> None:
    async with receiving(answers(500)) as receiver, running(tmp_path) as service:
        made = await hook(service, receiver)
        await service.publish(screened("a", declaration=FINAL))

        async def failed() -> Any:
            (one,) = (await service.get(f"/webhooks/{made['id']}/deliveries"))["items"] or [{}]
            return one if one.get("attempts") else None

        one = await until(failed, "an attempt")
        assert (one["state"], one["status"]) == ("pending", 500)
        assert 5.0 <= one["next_in_seconds"] <= 5.5
        receiver.behaves = answers(204)
        await service.post(f"/webhooks/{made['id']}/deliveries/{one['id']}/redeliver", status=202)
        await arrivals(receiver, 2)
        assert receiver.ids() == [one["id"]] * 2


async def test_gone_switches_the_endpoint_off(tmp_path: Path) -> None:
    async with receiving(answers(410)) as receiver, running(tmp_path) as service:
        made = await hook(service, receiver)
        await service.publish(screened("a", declaration=FINAL))

        async def off() -> Any:
            endpoint = await service.get(f"/webhooks/{made['id']}")
            return endpoint if not endpoint["enabled"] else None

        assert "410" in (await until(off, "the switch"))["disabled_because"]
        await service.publish(screened("b", declaration=FINAL))
        await service.verdicts(2)
        await service.at_rest()
        assert len(receiver.received) == 1


async def test_an_endpoint_hears_of_its_productions_and_outcomes_alone(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as service:
        await hook(service, receiver, events=EVERYTHING, outcomes=["clear"], productions=["borealis"])
        await service.publish(
            screened("a"),
            screened("b", declaration=FINAL | {"production": "borealis"}),
            screened("c", declaration=MOOD_BOARD | {"production": "borealis"}),
        )
        await arrivals(receiver, 1)
        await service.at_rest()
        (one,) = receiver.received
    assert json.loads(one.body)["data"]["asset_id"] == "c"


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://example.com/", "https://169.254.169.254/", "nonsense"])
async def test_a_private_address_is_refused_when_it_is_handed_in(tmp_path: Path, url: str) -> None:
    async with running(tmp_path) as service:
        problem = await service.post("/webhooks", {"url": url}, status=422)
        assert problem["code"] == "refused_address"


async def test_a_key_sees_and_makes_webhooks_of_its_productions_alone(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as service:
        made = await hook(service, receiver)
        assert (await service.get("/webhooks", key="bob"))["items"] == []
        answer = await service.call("GET", f"/webhooks/{made['id']}", key="bob")
        assert answer.status_code == 404
        own = await service.post("/webhooks", {"url": receiver.url}, key="bob", status=201)
        assert own["productions"] == ["borealis"]
        await service.post("/webhooks", {"url": receiver.url, "productions": ["atlas"]}, key="bob", status=422)
        assert "secret" not in await service.get(f"/webhooks/{own['id']}", key="bob")
