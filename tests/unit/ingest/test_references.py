"""References: handed over, answered by the log, changed, withdrawn."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from shared.events import (
    BankChanged,
    BankSettings,
    Event,
    Fingerprints,
    ReferenceRefused,
    ReferenceRegistered,
    ReferenceSubmitted,
    ReferenceWithdrawn,
)
from tests.ingest_stack import PATIENCE, Stack, events_about, reference_parts

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def registered(event: ReferenceSubmitted) -> Event:
    prints = Fingerprints(sha256=event.sha256, pdq="f0" * 32, pdq_quality=90)
    about = {"reference_id": event.reference_id, "number": event.number, "details": event.details}
    if event.withdrawn:
        return ReferenceWithdrawn.model_validate(about | {"withdrawn_at": NOW})
    return ReferenceRegistered.model_validate(about | {"fingerprints": prints, "registered_at": NOW})


def refused(event: ReferenceSubmitted) -> Event:
    return ReferenceRefused(
        reference_id=event.reference_id,
        number=event.number,
        details=event.details,
        reason="too_poor",
        detail="a near-blank picture matches by chance",
        refused_at=NOW,
    )


async def handed_over(stack: Stack, client: httpx2.AsyncClient, title: str, count: int = 1) -> ReferenceSubmitted:
    """The newest event of the reference with this title, once it can be read."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [r for r in await listed(client) if r["title"] == title]):
            await asyncio.sleep(0.01)
    events = await events_about(stack.backends.bus, "references.submitted", found[0]["id"], count)
    last: ReferenceSubmitted = events[-1]
    return last


async def listed(client: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/v1/references", params=query)).json()["items"]
    return items


async def register(stack: Stack, client: httpx2.AsyncClient, title: str) -> dict[str, Any]:
    asking = asyncio.create_task(client.post("/v1/references", files=reference_parts(title=title)))
    await stack.publish(registered(await handed_over(stack, client, title)))
    answer = await asking
    assert answer.status_code == 201, answer.text
    reference: dict[str, Any] = answer.json()
    return reference


async def test_a_reference_is_created_once_the_log_has_it(stack: Stack, admin: httpx2.AsyncClient) -> None:
    reference = await register(stack, admin, "Created")
    assert (reference["status"], reference["bank"]) == ("registered", "protected")
    assert reference["fingerprints"]["pdq"] == "f0" * 32
    assert (await admin.get(reference["links"]["self"])).json() == reference


async def test_a_reference_that_is_too_poor_is_refused(stack: Stack, admin: httpx2.AsyncClient) -> None:
    asking = asyncio.create_task(admin.post("/v1/references", files=reference_parts(title="Blank")))
    await stack.publish(refused(await handed_over(stack, admin, "Blank")))
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (422, "too_poor")
    assert answer.json()["errors"][0]["field"] == "file"
    [shown] = [r for r in await listed(admin, status="refused") if r["title"] == "Blank"]
    assert shown["reason"] == "too_poor"


async def test_a_slow_reference_is_a_202(stack: Stack, admin: httpx2.AsyncClient) -> None:
    stack.app.state.closing.set()  # as if its time were over
    try:
        answer = await admin.post("/v1/references", files=reference_parts(title="Slow"))
    finally:
        stack.app.state.closing.clear()
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert answer.headers["location"] == answer.json()["links"]["self"]


async def test_a_change_and_a_withdrawal_count_on(stack: Stack, admin: httpx2.AsyncClient) -> None:
    reference = await register(stack, admin, "Changing")
    address = reference["links"]["self"]
    changing = asyncio.create_task(admin.patch(address, json={"title": "Changed", "owner": "Estate"}))
    event = await handed_over(stack, admin, "Changed", 2)
    assert (event.number, event.details.owner, event.withdrawn) == (2, "Estate", False)
    await stack.publish(registered(event))
    assert (await changing).status_code == 200
    withdrawing = asyncio.create_task(admin.delete(address))
    event = await handed_over(stack, admin, "Changed", 3)
    assert (event.number, event.withdrawn) == (3, True)
    await stack.publish(registered(event))
    answer = await withdrawing
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    assert (await admin.delete(address)).json() == answer.json()
    late = await admin.patch(address, json={"title": "Too late"})
    assert (late.status_code, late.json()["code"]) == (409, "withdrawn")


async def test_an_older_answer_changes_nothing(stack: Stack, admin: httpx2.AsyncClient) -> None:
    reference = await register(stack, admin, "Twice told")
    stack.app.state.closing.set()
    try:
        await admin.delete(reference["links"]["self"])
    finally:
        stack.app.state.closing.clear()
    event = await handed_over(stack, admin, "Twice told", 2)
    old = registered(event.model_copy(update={"number": 1, "withdrawn": False}))
    # Compaction keeps a key's last record, so the older one may only come in between, after a repeated batch.
    await stack.publish(registered(event), old, registered(event))
    await register(stack, admin, "A later one")
    assert (await admin.get(reference["links"]["self"])).json()["status"] == "withdrawn"


async def test_the_same_idempotency_key_makes_one_reference(stack: Stack, admin: httpx2.AsyncClient) -> None:
    headers, body = {"Idempotency-Key": "work"}, reference_parts(title="Once")
    asking = [asyncio.create_task(admin.post("/v1/references", files=body, headers=headers)) for _ in range(3)]
    await stack.publish(registered(await handed_over(stack, admin, "Once")))
    assert len({answer.text for answer in await asyncio.gather(*asking)}) == 1
    other = await admin.post("/v1/references", files=reference_parts(title="Other"), headers=headers)
    assert other.status_code == 409


async def test_banks_are_learned_from_the_log(stack: Stack, admin: httpx2.AsyncClient) -> None:
    unknown = await admin.post("/v1/references", files=reference_parts(title="Still", bank="stils"))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_bank")
    await stack.publish(BankChanged(bank="stills", settings=BankSettings(), changed_at=NOW))
    asking = asyncio.create_task(admin.post("/v1/references", files=reference_parts(title="Still", bank="stills")))
    await stack.publish(registered(await handed_over(stack, admin, "Still")))
    assert (await asking).json()["bank"] == "stills"
    misspelt = await admin.post("/v1/references", files=reference_parts(title="Still", bank="stils"))
    assert misspelt.json()["errors"][0]["remedy"] == "did you mean `stills`?"
    assert [r["title"] for r in await listed(admin, bank="stills")] == ["Still"]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "t" * 10_000}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"owenr": "x"}, "owenr"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"valid_from": "2026-01-01T00:00:00"}, "valid_from"),
    ],
)
async def test_wrong_details_are_named(admin: httpx2.AsyncClient, details: dict[str, Any], field: str) -> None:
    answer = await admin.post("/v1/references", files=reference_parts(**details))
    assert answer.status_code == 422, answer.text
    [fault] = answer.json()["errors"]
    assert fault["field"] == field
    assert fault["remedy"]


async def test_a_window_that_ends_before_it_begins(admin: httpx2.AsyncClient) -> None:
    body = reference_parts(valid_from="2026-02-01T00:00:00Z", valid_until="2026-01-01T00:00:00Z")
    answer = await admin.post("/v1/references", files=body)
    assert answer.status_code == 422
    assert "later" in answer.json()["detail"]
