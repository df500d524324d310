"""Who hears of a verdict, and what proves it: webhooks, streams, dead letters, replays, restarts, on both backends."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from shared.bus.port import Record
from shared.rulebook.loader import SHIPPED
from tests.drawings import photo, png
from tests.installation import MOOD_BOARD, Installation, Person, rescan, team, until
from tests.verdict_receiver import receiving

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
SIGN: dict[str, Any] = {
    "use": "background_element",
    "placement": {**MOOD_BOARD["placement"], "on_camera": "yes"},
}


async def test_an_escalation_is_told_once_and_signed(line: Installation) -> None:
    uma, rita = await team(line, "webhooks")
    async with receiving() as receiver:
        made = await rita.post("/webhooks", {"url": receiver.url}, status=201)
        asset = await uma.upload(png(photo(11)), deliverable="final")
        await uma.decided(asset["id"])

        async def told() -> bool:
            return bool(receiver.received)

        await until(told, "a webhook")
        (record,) = await line.events("escalations", asset["id"])
        async with line.bus() as bus:
            await bus.publish([record] * 5)
        later = await uma.upload(png(photo(12)), deliverable="final")

        async def told_again() -> bool:
            return len(receiver.received) > 1

        await until(told_again, "the next webhook")
        bodies = [Webhook(made["secret"]).verify(one.body, one.headers) for one in receiver.received]
        await rita.ask("DELETE", f"/webhooks/{made['id']}", status=204)
    assert [body["data"]["asset_id"] for body in bodies] == [asset["id"], later["id"]]
    assert {body["type"] for body in bodies} == {"clearframe.verdict.escalated.v1"}


async def test_a_reader_of_the_stream_resumes_without_loss(line: Installation) -> None:
    uma, _ = await team(line, "stream")
    pictures = [png(photo(number)) for number in range(13, 17)]
    async with stream(uma) as events:
        first = await uma.screened(pictures[0])
        event_id, seen = await anext(events)
        assert (seen["id"], int(event_id)) == (first["id"], first["sequence"])
    missed = [await uma.screened(picture) for picture in pictures[1:]]
    async with stream(uma, event_id) as events:
        resumed = [(await anext(events))[1] for _ in missed]
    assert resumed == missed


@asynccontextmanager
async def stream(who: Person, last: str = "") -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """(id, verdict) of each event."""
    headers = {"Last-Event-ID": last} if last else {}
    async with asyncio.timeout(30), who.client.stream("GET", "/v1/verdicts/stream", headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.aiter_lines()
        await anext(lines)
        yield _events(lines)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    fields: dict[str, str] = {}
    async for text in lines:
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], json.loads(fields["data"])
            fields = {}


async def test_the_same_event_fifty_times_is_one_verdict(line: Installation) -> None:
    uma, _ = await team(line, "repeated")
    asset = await uma.upload(png(photo(17)))
    await uma.decided(asset["id"])
    events = [*await line.events("assets.submitted", asset["id"]), *await line.events("assets.screened", asset["id"])]
    async with line.bus() as bus:
        await bus.publish(events * 50)
    after = await uma.upload(png(photo(18)))
    await uma.decided(after["id"])
    assert len((await uma.get("/verdicts", asset_id=asset["id"]))["items"]) == 1


HEADERS = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "test", "ce_time": "2026-11-01T09:00:00Z"}
NO_EVENTS = {
    "unknown_event_type": (HEADERS | {"ce_type": "clearframe.asset.painted.v1"}, b"{}"),
    "invalid_event": (HEADERS | {"ce_type": "clearframe.asset.submitted.v1"}, b'{"asset_id": 7}'),
    "not_a_cloudevent": ({}, b"\xff\x00 no event at all"),
}


@pytest.mark.parametrize("reason", sorted(NO_EVENTS))
async def test_what_is_no_event_becomes_a_dead_letter_that_can_be_put_back(line: Installation, reason: str) -> None:
    admin, (headers, value) = line.admin, NO_EVENTS[reason]
    async with line.bus() as bus:
        await bus.publish([Record("assets.submitted", reason, value, headers)])

    async def letters() -> list[Any]:
        found = (await admin.get("/dead-letters", topic="assets.submitted", limit=200))["items"]
        return [letter for letter in found if letter["reason"] == reason]

    (letter,) = await until(letters, "the letter")
    assert (letter["key"], letter["replayed_at"]) == (reason, None)
    assert (await admin.get(f"/dead-letters/{letter['id']}"))["value"] == value.decode(errors="replace")
    put_back = await admin.post(f"/dead-letters/{letter['id']}/replay")
    assert put_back["replayed_at"] is not None

    async def again() -> bool:
        return len(await letters()) == 2

    await until(again, "its second death")
    uma, _ = await team(line, "after-letters")
    assert (await uma.screened(png(photo(19))))["outcome"] == "clear"


@pytest.mark.slow
async def test_a_restart_keeps_everything_and_a_new_rulebook_changes_what_it_should(
    line: Installation, tmp_path: Path
) -> None:
    uma, rita = await team(line, "restart")
    sign, mood = await uma.upload(png(photo(20)), **SIGN), await uma.upload(png(photo(21)))
    before = [await uma.decided(asset["id"]) for asset in (sign, mood)]
    assert [verdict["outcome"] for verdict in before] == ["caution", "clear"]
    await line.stop()
    await line.start(verdict={"rulebook": stricter(tmp_path)})
    uma, rita = line.again(uma), line.again(rita)
    assert [await uma.decided(asset["id"]) for asset in (sign, mood)] == before
    assert (await uma.client.get(mood["links"]["content"])).content == png(photo(21))
    done = await rescan(rita, "rulebook")
    assert [(one["asset_id"], one["before"], one["after"]) for one in done["changed"]] == [
        (sign["id"], "caution", "escalate")
    ]
    assert done["counts"] == {"changed": 1, "unchanged": 1}
    await proven(line)


def stricter(folder: Path) -> Path:
    """The shipped rulebook, a version on: a sign on camera escalates."""
    for file in SHIPPED.glob("*.yaml"):
        text = file.read_text().replace("version: 1.0.0", "version: 1.0.1")
        rule = r"(id: M-CAU-1\n(?:    .*\n)*?    outcome: )caution\n"
        text = re.sub(rule, r"\1escalate\n    needs: [[written_approval]]\n", text)
        (folder / file.name).write_text(text)
    return folder


async def proven(line: Installation) -> None:
    """Every verdict is decided the same from its record, and the chain holds."""
    admin = line.admin
    verdicts, after = [], None
    while True:
        page = await admin.get("/verdicts", limit=200, **({"after": after} if after else {}))
        verdicts += page["items"]
        after = page["next"]
        if after is None:
            break
    for verdict in verdicts:
        replayed = await admin.post(f"/verdicts/{verdict['id']}/replay")
        assert replayed["same"], replayed
    ledger = await admin.post("/ledger/verify")
    assert (ledger["intact"], ledger["entries"]) == (True, len(verdicts))
