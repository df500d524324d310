"""Assets after the upload: status, lists, content, previews, amended declarations."""

import asyncio
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from shared.findings import ReferenceMatch, ReferenceRef
from shared.verdicts import Outcome
from tests.ingest_stack import DECLARATION, Stack, events_about, parts, verdict

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def upload(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/v1/assets", files=parts(**body))
    assert answer.status_code == 202, answer.text
    asset: dict[str, Any] = answer.json()
    return asset


async def decided(client: httpx2.AsyncClient, asset_id: str) -> dict[str, Any]:
    asset: dict[str, Any] = (await client.get(f"/v1/assets/{asset_id}", params={"wait": 20})).json()
    assert asset["status"] == "decided", asset
    return asset


def picture(mode: str = "RGB", size: tuple[int, int] = (2000, 1000), **options: Any) -> bytes:
    out = BytesIO()
    Image.new(mode, size, "green").save(out, options.pop("format", "PNG"), **options)
    return out.getvalue()


async def test_waiting_ends_when_the_verdict_arrives(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    waiting = asyncio.create_task(decided(uploader, asset["id"]))
    await events_about(stack.backends.bus, "assets.submitted", asset["id"])
    assert (await uploader.get(f"/v1/assets/{asset['id']}")).json()["status"] in {"received", "screening"}
    await stack.publish(verdict(asset["id"], outcome=Outcome.CAUTION))
    async with asyncio.timeout(10):
        seen = await waiting
    assert seen["verdict"]["outcome"] == "caution"


async def test_waiting_ends_when_its_time_is_over(uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    seen = (await uploader.get(f"/v1/assets/{asset['id']}", params={"wait": 0.05})).json()
    assert (seen["status"], seen["verdict"]) == ("received", None) or seen["status"] == "screening"


async def test_waiting_ends_when_the_server_stops(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    stack.app.state.closing.set()
    try:
        async with asyncio.timeout(10):
            assert (await uploader.get(f"/v1/assets/{asset['id']}", params={"wait": 60})).status_code == 200
    finally:
        stack.app.state.closing.clear()


async def test_the_highest_revision_stands_in_any_order(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    first, second = verdict(asset["id"]), verdict(asset["id"], revision=2, outcome=Outcome.ESCALATE)
    await stack.publish(second, first, second, first, verdict("01999f3a-0000-7000-8000-00000000dead"))
    last = await upload(uploader, data=b"a later one")
    await stack.publish(verdict(last["id"]))
    await decided(uploader, last["id"])
    seen = await decided(uploader, asset["id"])
    assert (seen["verdict"]["revision"], seen["verdict"]["outcome"]) == (2, "escalate")


async def test_reviewers_see_scores_and_others_do_not(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    match = ReferenceMatch(
        reference=ReferenceRef(id="r", bank="b", title="Dusk"), detector="pdq", score=0.9, distance=4
    )
    await stack.publish(verdict(asset["id"], findings=(match,)))
    [coarse] = (await decided(uploader, asset["id"]))["verdict"]["findings"]
    assert "score" not in coarse
    assert coarse["reference"]["title"] == "Dusk"
    async with stack.client(await stack.key("read", "review", person="rae")) as reviewer:
        [full] = (await decided(reviewer, asset["id"]))["verdict"]["findings"]
    assert (full["score"], full["distance"]) == (0.9, 4)


async def test_lists_filter_and_turn_pages(stack: Stack, admin: httpx2.AsyncClient) -> None:
    await admin.put("/v1/productions/pages", json={})
    made = [
        await upload(admin, declaration=DECLARATION | {"production": "pages"}, data=bytes([n]) * 9) for n in range(5)
    ]
    seen: list[str] = []
    after = None
    while True:
        query = {"production": "pages", "limit": 2} | ({"after": after} if after else {})
        page = (await admin.get("/v1/assets", params=query)).json()
        seen += [asset["id"] for asset in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [asset["id"] for asset in reversed(made)]
    await stack.publish(verdict(made[0]["id"], outcome=Outcome.ESCALATE))
    await decided(admin, made[0]["id"])
    for query in ({"status": "decided"}, {"outcome": "escalate"}, {"sha256": made[0]["sha256"]}):
        found = (await admin.get("/v1/assets", params={"production": "pages"} | query)).json()["items"]
        assert [asset["id"] for asset in found] == [made[0]["id"]], query
    undecided = []
    for status in ("received", "screening"):
        undecided += (await admin.get("/v1/assets", params={"production": "pages", "status": status})).json()["items"]
    assert len({asset["id"] for asset in undecided}) == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 10_000}, "limit"),
        ({"after": "%%%"}, "after"),
        ({"since": "2026-10-01T00:00:00"}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"outcome": "fine"}, "outcome"),
        ({"prodcution": "atlas"}, "prodcution"),
    ],
)
async def test_a_wrong_filter_is_named(uploader: httpx2.AsyncClient, query: dict[str, Any], field: str) -> None:
    answer = await uploader.get("/v1/assets", params=query)
    assert answer.status_code == 422, answer.text
    [fault] = answer.json()["errors"]
    assert fault["field"] == field
    assert fault["remedy"]


async def test_content_is_a_download(uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader, data=b"<html><script>alert(1)</script>", name='a"b\u00e9.html')
    answer = await uploader.get(asset["links"]["content"])
    assert answer.content == b"<html><script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''a")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("options", [{}, {"mode": "RGBA"}, {"mode": "I;16"}, {"format": "WEBP"}, {"format": "GIF"}])
async def test_a_preview_is_a_small_jpeg(uploader: httpx2.AsyncClient, options: dict[str, Any]) -> None:
    data = picture(**options) if options.get("mode") != "I;16" else _deep_grey()
    asset = await upload(uploader, data=data)
    for _ in range(2):  # made, then kept
        answer = await uploader.get(asset["links"]["preview"])
        assert answer.headers["content-type"] == "image/jpeg", answer.text
        with Image.open(BytesIO(answer.content)) as shown:
            assert max(shown.size) == 1024


def _deep_grey() -> bytes:
    out = BytesIO()
    Image.new("I;16", (2000, 1000), 30_000).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"text named .png",
        picture()[:200],
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0" + b"\0" * 100,
    ],
    ids=["text", "cut", "bomb"],
)
async def test_what_cannot_be_shown_says_so(uploader: httpx2.AsyncClient, data: bytes) -> None:
    asset = await upload(uploader, data=data)
    answer = await uploader.get(asset["links"]["preview"])
    assert (answer.status_code, answer.json()["code"]) == (422, "no_preview")


async def test_lost_bytes_are_a_clear_answer(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader, data=picture(size=(32, 32)))
    [blob] = [path for path in (stack.folder / "blobs").rglob(asset["sha256"]) if path.is_file()]
    blob.unlink()
    for name in ("content", "preview"):
        answer = await uploader.get(asset["links"][name])
        assert (answer.status_code, answer.json()["code"]) == (404, "content_missing")


async def test_an_amended_declaration_is_a_new_submission(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    changed = DECLARATION | {"use": "key_visual", "title": "Another title"}
    answer = await uploader.put(f"/v1/assets/{asset['id']}/declaration", json=changed)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["declaration_number"], answer.json()["title"]) == (2, "Another title")
    first, second = await events_about(stack.backends.bus, "assets.submitted", asset["id"], 2)
    assert (first.number, second.number, second.cause) == (1, 2, "declaration_amended")
    assert second.cause_id not in {asset["id"], first.cause_id}
    assert second.declaration.use == "key_visual"
    assert second.sha256 == first.sha256


async def test_an_asset_stays_with_its_production(admin: httpx2.AsyncClient) -> None:
    asset = await upload(admin)
    moved = await admin.put(f"/v1/assets/{asset['id']}/declaration", json=DECLARATION | {"production": "borealis"})
    assert moved.status_code == 422
    assert moved.json()["errors"][0]["field"] == "production"


async def test_a_wrong_amendment_names_every_fault(uploader: httpx2.AsyncClient) -> None:
    asset = await upload(uploader)
    answer = await uploader.put(f"/v1/assets/{asset['id']}/declaration", json=DECLARATION | {"use": 1, "x": 2})
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {"use", "x"}
