"""Uploads: what is taken, what is refused and in which words."""

import asyncio
import hashlib
import json
from typing import Any

import httpx2
import pytest

from shared.events import AssetSubmitted
from tests.ingest_stack import DECLARATION, Stack, events_about, parts

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def test_an_upload_is_answered_kept_and_told(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    answer = await uploader.post("/v1/assets", files=parts(data=PNG))
    assert answer.status_code == 202, answer.text
    asset = answer.json()
    assert answer.headers["location"] == asset["links"]["self"] == f"/v1/assets/{asset['id']}"
    assert asset["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (asset["bytes"], asset["media_type"], asset["status"]) == (len(PNG), "image/png", "received")
    [event] = await events_about(stack.backends.bus, "assets.submitted", asset["id"])
    assert isinstance(event, AssetSubmitted)
    assert (event.asset_id, event.number, event.cause, event.cause_id) == (asset["id"], 1, "submitted", asset["id"])
    assert event.declaration.title == DECLARATION["title"]
    assert event.uploader.person == "sam"
    assert await stack.backends.blobs.size(asset["sha256"]) == len(PNG)


async def test_the_parts_may_come_in_either_order(uploader: httpx2.AsyncClient) -> None:
    backwards = dict(reversed(parts().items()))
    assert (await uploader.post("/v1/assets", files=backwards)).status_code == 202


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\plate.png", "plate.png"),
        ("a\x07b\u202egnp.png", "a_b_gnp.png"),
        ("x" * 400 + ".jpeg", "x" * 250 + ".jpeg"),
        ("", "unnamed"),
    ],
)
async def test_file_names_are_made_harmless(uploader: httpx2.AsyncClient, given: str, clean: str) -> None:
    boundary = "b0undary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="declaration"\r\n\r\n{json.dumps(DECLARATION)}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{given}"\r\n\r\n'
        f"x\r\n--{boundary}--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = await uploader.post("/v1/assets", content=body.encode(), headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.json()["filename"] == clean


FILE = ("a.png", b"x")
DOCUMENT = (None, json.dumps(DECLARATION), "application/json")


@pytest.mark.parametrize(
    ("files", "fields"),
    [
        ([("file", FILE)], ["declaration"]),
        ([("declaration", DOCUMENT)], ["file"]),
        ([("File", FILE), ("declaration", DOCUMENT)], ["File", "file"]),
        ([("image", FILE), ("meta", DOCUMENT)], ["image", "meta", "file", "declaration"]),
        ([("file", FILE), ("file", FILE), ("declaration", DOCUMENT)], ["file"]),
        ([("file", ("a.png", b"")), ("declaration", DOCUMENT)], ["file"]),
    ],
)
async def test_wrong_parts_are_named_all_at_once(uploader: httpx2.AsyncClient, files: Any, fields: list[str]) -> None:
    answer = await uploader.post("/v1/assets", files=files)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid_parts"
    assert [fault["field"] for fault in problem["errors"]] == fields
    assert all(fault["remedy"] for fault in problem["errors"])


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"", None, 415, "unsupported_media_type"),
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"", "multipart/form-data", 422, "invalid_multipart"),
        (b"", "multipart/form-data; boundary=x", 422, "invalid_multipart"),
        (b"garbage", "multipart/form-data; boundary=x", 422, "invalid_multipart"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut', "multipart/form-data; boundary=x", 422,
         "invalid_multipart"),
    ],
)  # fmt: skip
async def test_bodies_that_are_no_upload(
    uploader: httpx2.AsyncClient, content: bytes, content_type: str | None, status: int, code: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await uploader.post("/v1/assets", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_file_over_the_limit_is_refused_and_not_kept(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    data = b"x" * 300_001
    answer = await uploader.post("/v1/assets", files=parts(data=data))
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["field"] == "file"
    assert await stack.backends.blobs.size(hashlib.sha256(data).hexdigest()) is None
    assert list((stack.folder / "blobs" / "staging").iterdir()) == []


async def test_a_body_far_over_the_limit_is_refused_by_its_length(uploader: httpx2.AsyncClient) -> None:
    answer = await uploader.post("/v1/assets", files=parts(data=b"x" * 4_000_000))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]


async def test_every_fault_of_a_declaration_is_named(uploader: httpx2.AsyncClient) -> None:
    wrong = DECLARATION | {
        "usage": "mood_board",
        "deliverable": "perhaps",
        "title": "t" * 10_000,
        "production": "atlsa",
    }
    answer = await uploader.post("/v1/assets", files=parts(DECLARATION | wrong))
    assert answer.status_code == 422
    faults = {fault["field"]: fault for fault in answer.json()["errors"]}
    assert set(faults) == {"usage", "deliverable", "title", "production"}
    assert "`use`" in faults["usage"]["remedy"]
    assert "`atlas`" in faults["production"]["remedy"]


@pytest.mark.parametrize(
    "document", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"production": "atlas", "production": "borealis"}', b'{"a": NaN}']
)
async def test_a_declaration_that_is_no_json(uploader: httpx2.AsyncClient, document: bytes) -> None:
    files = {"declaration": (None, document, "application/json"), "file": FILE}
    answer = await uploader.post("/v1/assets", files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_json")
    assert answer.json()["errors"][0]["field"] == "declaration"


@pytest.mark.parametrize("document", [b"[]", b"null", b'"text"', b"{}"])
async def test_json_that_is_no_declaration(uploader: httpx2.AsyncClient, document: bytes) -> None:
    files = {"declaration": (None, document, "application/json"), "file": FILE}
    answer = await uploader.post("/v1/assets", files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_declaration")


async def test_control_characters_in_a_title_are_named(uploader: httpx2.AsyncClient) -> None:
    answer = await uploader.post("/v1/assets", files=parts(DECLARATION | {"title": "a\x00b"}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "title"


async def test_a_forbidden_production_reads_like_an_unknown_one(uploader: httpx2.AsyncClient) -> None:
    forbidden = await uploader.post("/v1/assets", files=parts(DECLARATION | {"production": "borealis"}))
    unknown = await uploader.post("/v1/assets", files=parts(DECLARATION | {"production": "boreally"}))
    assert forbidden.status_code == unknown.status_code == 422
    assert forbidden.json()["errors"][0]["remedy"] == unknown.json()["errors"][0]["remedy"] == "use one of: atlas"


async def test_a_production_fills_in_what_its_uploads_leave_out(stack: Stack, admin: httpx2.AsyncClient) -> None:
    form = {"title": "Corona", "defaults": {"territories": ["FR"], "use": "previs"}}
    assert (await admin.put("/v1/productions/corona", json=form)).status_code == 200
    answer = await admin.post("/v1/assets", files=parts(DECLARATION | {"production": "corona"}))
    [event] = await events_about(stack.backends.bus, "assets.submitted", answer.json()["id"])
    assert event.declaration.territories == ("FR",)
    assert event.declaration.use == "mood_board"


async def test_the_same_idempotency_key_makes_one_asset(uploader: httpx2.AsyncClient) -> None:
    headers, body = {"Idempotency-Key": "once"}, parts(data=b"sent eight times")
    answers = await asyncio.gather(*(uploader.post("/v1/assets", files=body, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    listed = await uploader.get("/v1/assets", params={"sha256": answers[0].json()["sha256"]})
    assert len(listed.json()["items"]) == 1


async def test_an_idempotency_key_with_another_content_is_a_conflict(uploader: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "twice"}
    await uploader.post("/v1/assets", files=parts(), headers=headers)
    other = await uploader.post("/v1/assets", files=parts(data=b"other"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_an_idempotency_key_belongs_to_its_api_key(stack: Stack, uploader: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "mine"}
    first = await uploader.post("/v1/assets", files=parts(), headers=headers)
    async with stack.client(await stack.key("upload", person="kim")) as other:
        second = await other.post("/v1/assets", files=parts(), headers=headers)
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_that_cannot_be_kept(uploader: httpx2.AsyncClient, key: str) -> None:
    answer = await uploader.post("/v1/assets", files=parts(), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
