"""From `assets.screened` to recorded verdict, API and events."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.verdict.tables import ledger
from shared.bus.port import Record
from shared.cloudevents import Envelope, encode
from shared.ids import new_id
from shared.store.engine import open_store
from tests.screenings import FINAL, MATCH, MOOD_BOARD, START, screened
from tests.verdict_service import Running, running, until


async def test_screenings_become_verdicts_that_can_be_read_replayed_and_verified(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a"), screened("b", declaration=FINAL), screened("c", findings=(MATCH,)))
        verdicts = await service.verdicts(3)
        assert {verdict["asset_id"]: verdict["outcome"] for verdict in verdicts} == {
            "a": "clear",
            "b": "escalate",
            "c": "escalate",
        }
        one = await service.get(f"/verdicts/{verdicts[0]['id']}")
        assert one == verdicts[0]
        for verdict in verdicts:
            assert (await service.post(f"/verdicts/{verdict['id']}/replay"))["same"]
        assert (await service.post("/ledger/verify"))["intact"]


async def test_lists_are_filtered_and_paged(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(*(screened(f"asset-{n}", declaration=FINAL if n % 2 else MOOD_BOARD) for n in range(6)))
        await service.verdicts(6)
        assert len(await service.verdicts(3, outcome="escalate")) == 3
        assert len(await service.verdicts(3, rule="A-FIN-1")) == 3
        assert len(await service.verdicts(1, asset_id="asset-3")) == 1
        seen, after = [], None
        while True:
            page = await service.get("/verdicts", limit=2, **({"after": after} if after else {}))
            seen += [verdict["sequence"] for verdict in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert seen == [6, 5, 4, 3, 2, 1]


async def test_another_production_reads_like_unknown(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", declaration=FINAL))
        (verdict,) = await service.verdicts(1)
        (case,) = (await service.get("/escalations"))["items"]
        assert (await service.get("/verdicts", key="bob"))["items"] == []
        assert (await service.get("/escalations", key="bob"))["items"] == []
        for method, path, body in _foreign(verdict["id"], case["id"]):
            answer = await service.call(method, path, key="bob", json=body)
            assert answer.status_code == 404, (path, answer.text)


async def test_schemas_are_served_and_take_what_the_service_takes(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        names = (await service.get("/schemas"))["items"]
        assert {"declaration", "rulebook", "tools", "verdict", "clearframe.verdict.reached.v1"} <= set(names)
        declaration = jsonschema.Draft202012Validator(await service.get("/schemas/declaration"))
        verdict = jsonschema.Draft202012Validator(await service.get("/schemas/verdict", key="eve"))
        assert (await service.call("GET", "/schemas/declaratoin")).status_code == 404
        await service.publish(screened("a"))
        (reached,) = await service.verdicts(1)
    assert declaration.is_valid(MOOD_BOARD)
    assert not declaration.is_valid(MOOD_BOARD | {"genai_used": "maybe"})
    assert verdict.is_valid(reached)


async def test_a_ledger_is_verified_whole_and_counts_what_the_key_reaches(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        elsewhere = MOOD_BOARD | {"production": "borealis"}
        await service.publish(screened("a"), screened("b"), screened("c", declaration=elsewhere))
        await service.verdicts(3)
        entries = [(await service.post("/ledger/verify", key=key))["entries"] for key in ("rita", "sam", "bob")]
        assert entries == [3, 2, 1]
        store = open_store(service.backends.store_url, "verdict")
        async with store.write() as connection:
            await connection.execute(ledger.update().where(ledger.c.asset_id == "c").values(outcome="caution"))
        await store.close()
        own, foreign = [await service.post("/ledger/verify", key=key) for key in ("bob", "sam")]
    assert (own["intact"], foreign["intact"], own["broken_at"]) == (False, False, foreign["broken_at"])
    assert own["detail"] == "outcome was changed"
    assert foreign["detail"] == "an entry does not fit"


def _foreign(verdict_id: str, case_id: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", f"/verdicts/{verdict_id}", None),
        ("POST", f"/verdicts/{verdict_id}/replay", None),
        ("GET", f"/escalations/{case_id}", None),
        ("POST", f"/escalations/{case_id}/claim", None),
        ("POST", f"/escalations/{case_id}/release", None),
        ("POST", f"/escalations/{case_id}/comment", {"text": "hello"}),
        ("POST", f"/escalations/{case_id}/decide", {"decision": "reject", "reason": "no"}),
    ]


async def test_a_key_without_review_sees_no_scores(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a", findings=(MATCH,)))
        (verdict,) = await service.verdicts(1)
        (coarse,) = await service.verdicts(1, key="eve")
    assert verdict["findings"][0]["score"] == 0.98
    assert "score" not in coarse["findings"][0]
    assert coarse["outcome"] == "escalate"


async def test_poison_is_put_aside_and_put_back(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        poison = Record("assets.screened", "x", b"{not json", {"ce_specversion": "1.0", "ce_type": "x"})
        await service.publish(screened("a"))
        await service.backends.bus.publish([poison])
        await service.publish(screened("b"))
        await service.verdicts(2)

        async def letters() -> Any:
            return (await service.get("/dead-letters"))["items"]

        (letter,) = await until(letters, "a dead letter")
        assert (letter["topic"], letter["reason"], letter["key"]) == ("assets.screened", "unknown_event_type", "x")
        whole = await service.get(f"/dead-letters/{letter['id']}")
        assert whole["value"] == "{not json"
        assert (await service.post(f"/dead-letters/{letter['id']}/replay"))["replayed_by"] == "rita"

        async def two() -> bool:
            return len(await letters()) == 2

        await until(two, "the letter's return")


async def test_a_restart_decides_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.publish(screened("a"), screened("b", declaration=FINAL))
        await service.verdicts(2)
        keys = service.keys
    async with running(tmp_path, keys=keys) as service:
        await service.publish(screened("a"), screened("b", declaration=FINAL), screened("c"))
        await service.verdicts(3)
        await service.at_rest()
        assert len(await service.verdicts(3)) == 3
        assert (await _escalations(service)) == 1


async def _escalations(service: Running) -> int:
    return len((await service.get("/escalations"))["items"])


async def test_broken_events_of_every_kind_leave_the_consumers_alive(tmp_path: Path) -> None:
    chance = random.Random(7)
    good = encode(Envelope(new_id(), "test", START, screened("a")))
    async with running(tmp_path) as service:
        for batch in range(8):
            broken = [_damaged(good, chance) for _ in range(40)]
            await service.backends.bus.publish(broken)
            # 100 in a row would stop the consumer: that is the breaker, tried elsewhere.
            await service.publish(screened(f"good-{batch}"))
            await service.verdicts(1, asset_id=f"good-{batch}")
            await service.at_rest()
        assert (await service.post("/ledger/verify"))["intact"]
        assert (await service.get("/dead-letters", limit=200))["next"] is not None


def _damaged(good: Record, chance: random.Random) -> Record:
    """One of many ways to be wrong, by chance."""
    data = json.loads(good.value)
    way = chance.randrange(6)
    if way == 0:
        return replace(good, value=good.value[: chance.randrange(len(good.value))])
    if way == 1:
        return replace(good, value=bytes(chance.randrange(256) for _ in range(200)))
    if way == 2:
        data.pop(chance.choice(["asset_id", "submitted", "findings", "versions", "number", "cause"]))
    elif way == 3:
        data[chance.choice(list(data))] = chance.choice([None, -1, [], {}, "x\0", 1e400, "y" * 500])
    elif way == 4:
        data["submitted"][chance.choice(["asset_id", "production", "submitted_at", "declaration"])] = "?"
    else:
        return replace(good, headers={**good.headers, chance.choice(["ce_type", "ce_specversion", "ce_time"]): "?"})
    return replace(good, value=json.dumps(data).encode())


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/verdicts/%00", None, "verdict_id"),
        ("GET", "/verdicts?rule=%00", None, "rule"),
        ("POST", "/escalations/x/comment", {"text": "a\0b"}, "text"),
        ("POST", "/rescans", {"with": ["rulebook"], "scope": {"production": "a\0"}}, "scope.production"),
    ],
)
async def test_a_nul_character_is_a_fault_that_is_named(
    tmp_path: Path, method: str, path: str, body: Any, field: str
) -> None:
    async with running(tmp_path) as service:
        answer = await service.call(method, path, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
