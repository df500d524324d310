"""Ingest on bad days: the bus is away, the process starts again, big files come, all at once."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

from shared.cloudevents import decode
from shared.events import AssetSubmitted
from tests.ingest_stack import DECLARATION, PATIENCE, Stack, events_about, ingest_stack, parts, verdict, working

BOUNDARY = "b0undary"


async def body(megabytes: int, *, cut: bool = False) -> AsyncIterator[bytes]:
    """An upload of so many MB, a piece at a time."""
    head = 'Content-Disposition: form-data; name="declaration"\r\nContent-Type: application/json\r\n\r\n'
    yield f"--{BOUNDARY}\r\n{head}{json.dumps(DECLARATION)}\r\n".encode()
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.tif"\r\n\r\n'.encode()
    for _ in range(megabytes * 16):
        yield b"\x5a" * 62_500
    if not cut:
        yield f"\r\n--{BOUNDARY}--\r\n".encode()


async def send(stack: Stack, content: AsyncIterator[bytes]) -> int:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with stack.client(await stack.key("upload")) as client:
        return (await client.post("/v1/assets", content=content, headers=headers)).status_code


async def test_uploads_are_accepted_while_nothing_leaves(tmp_path: Path) -> None:
    """The relay stands still, as if the bus were away; after a new start every event leaves once, in order."""
    async with ingest_stack(tmp_path, works=False) as stack, stack.client(await stack.key("upload", "read")) as client:
        answers = [await client.post("/v1/assets", files=parts(data=bytes([n]))) for n in range(1, 20)]
        assert {answer.status_code for answer in answers} == {202}
        ids = [answer.json()["id"] for answer in answers]
        assert (await client.get(f"/v1/assets/{ids[0]}")).json()["status"] == "received"
        assert await stack.backends.bus.end_offset("assets.submitted") == 0
    async with ingest_stack(tmp_path) as stack, stack.client(await stack.key("upload", "read")) as client:
        for asset_id in ids:
            [event] = await events_about(stack.backends.bus, "assets.submitted", asset_id)
            assert isinstance(event, AssetSubmitted)
        async with asyncio.timeout(PATIENCE):
            while (await client.get(f"/v1/assets/{ids[-1]}")).json()["status"] != "screening":
                await asyncio.sleep(0.01)


async def test_a_verdict_that_came_while_we_were_away_is_not_missed(tmp_path: Path) -> None:
    async with ingest_stack(tmp_path, works=False) as stack, stack.client(await stack.key("upload")) as client:
        asset_id = (await client.post("/v1/assets", files=parts())).json()["id"]
        await stack.publish(verdict(asset_id))
    async with ingest_stack(tmp_path) as stack, stack.client(await stack.key("upload")) as client:
        seen = (await client.get(f"/v1/assets/{asset_id}", params={"wait": PATIENCE})).json()
    assert (seen["status"], seen["verdict"]["outcome"]) == ("decided", "clear")


async def test_a_verdict_reaches_a_replica_that_did_not_read_it(tmp_path: Path) -> None:
    async with (
        ingest_stack(tmp_path, works=False) as one,
        ingest_stack(tmp_path, works=False) as other,
        one.client(await one.key("upload", "read")) as client,
    ):
        asset_id = (await client.post("/v1/assets", files=parts())).json()["id"]
        waiting = asyncio.create_task(client.get(f"/v1/assets/{asset_id}", params={"wait": PATIENCE}))
        async with working(other.service):
            await other.publish(verdict(asset_id))
            assert (await waiting).json()["status"] == "decided"


async def test_a_big_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    async with ingest_stack(tmp_path, works=False, max_upload_bytes=40_000_000) as stack:
        await send(stack, body(1))
        tracemalloc.start()
        try:
            assert await send(stack, body(32)) == 202
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000


async def test_what_is_refused_midway_leaves_nothing(tmp_path: Path) -> None:
    async with ingest_stack(tmp_path, works=False, max_upload_bytes=3_000_000) as stack:
        assert await send(stack, body(2, cut=True)) == 422
        assert await send(stack, body(4)) == 413
        assert list((tmp_path / "blobs" / "staging").iterdir()) == []
        async with stack.client(await stack.key("read")) as client:
            assert (await client.get("/v1/assets")).json()["items"] == []


async def test_many_at_once_wait_or_are_told_to_come_back(tmp_path: Path) -> None:
    async with (
        ingest_stack(tmp_path, works=False, uploads_at_once=2, uploads_waiting=10) as stack,
        stack.client(await stack.key("upload", "read")) as client,
    ):
        answers = await asyncio.gather(*(client.post("/v1/assets", files=parts(data=bytes([n]))) for n in range(1, 60)))
        accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        listed = (await client.get("/v1/assets", params={"limit": 200})).json()["items"]
    assert {answer.status_code for answer in refused} <= {429}
    assert all(answer.headers["retry-after"] for answer in refused)
    assert len(accepted) >= 12
    assert sorted(asset["id"] for asset in listed) == sorted(accepted)


async def test_one_upload_one_event_under_load(tmp_path: Path) -> None:
    async with ingest_stack(tmp_path) as stack, stack.client(await stack.key("upload", "read")) as client:
        answers = await asyncio.gather(*(client.post("/v1/assets", files=parts(data=bytes([n]))) for n in range(1, 41)))
        ids = {answer.json()["id"] for answer in answers}
        seen: list[str] = []
        async with asyncio.timeout(PATIENCE), stack.backends.bus.subscribe("counter", ["assets.submitted"]) as group:
            while set(seen) != ids:
                seen += [decode(m).data.key for m in await group.fetch(max_records=100, wait=1.0)]
    assert len(seen) == len(ids) == 40
