"""Bad input over HTTP: an exact answer with field and remedy, never a 5xx, and nothing kept."""

import json
import resource
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installation import MOOD_BOARD, parts
from tests.peopled import PAPER, House

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
DECLARED = MOOD_BOARD | {"production": "borealis"}
LONG = "t" * 10_000


def declared(**changes: Any) -> dict[str, Any]:
    return parts("declaration", DECLARED | changes, b"some bytes", "plate.png")


UPLOADS: dict[str, tuple[dict[str, Any], int, str, str, str]] = {
    "an empty body": ({"content": b""}, 415, "unsupported_media_type", "", ""),
    "an empty multipart body": (
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        422, "invalid_multipart", "body", "closing boundary",
    ),
    "a body cut short": (
        {"content": b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf a fi',
         "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        422, "invalid_multipart", "body", "closing boundary",
    ),
    "a wrong part name": (
        {"files": {"files": ("a.png", b"x"), "declaration": (None, json.dumps(DECLARED))}},
        422, "invalid_parts", "files", "`file`",
    ),
    "no declaration": ({"files": {"file": ("a.png", b"x")}}, 422, "invalid_parts", "declaration", "add a part"),
    "no JSON": (
        {"files": {"file": ("a.png", b"x"), "declaration": (None, b"{production:")}},
        422, "invalid_json", "declaration", "send JSON",
    ),
    "an unknown field": ({"files": declared(delivrable="final")}, 422, "invalid_declaration", "delivrable",
                         "`deliverable`"),
    "an empty file": ({"files": parts("declaration", DECLARED, b"", "a.png")}, 422, "invalid_parts", "file", "bytes"),
    "a long title": ({"files": declared(title=LONG)}, 422, "invalid_declaration", "title", ""),
    "a control character": ({"files": declared(title="a\x07b")}, 422, "invalid_declaration", "title", ""),
    "a NUL": ({"files": declared(title="a\0b")}, 422, "invalid_declaration", "title", ""),
    "half a surrogate": ({"files": declared(title="\ud800")}, 422, "invalid_declaration", "title", ""),
    "an unknown production": ({"files": declared(production="boraelis")}, 422, "unknown_production", "production",
                              "`borealis`"),
    "an empty Idempotency-Key": ({"files": declared(), "headers": {"Idempotency-Key": ""}}, 422, "invalid",
                                 "Idempotency-Key", "printable"),
}  # fmt: skip


@pytest.mark.parametrize("what", UPLOADS)
async def test_a_bad_upload_is_told_its_fault_and_leaves_nothing(house: House, what: str) -> None:
    request, status, code, field, remedy = UPLOADS[what]
    before = await kept(house)
    answer = await house.bob.client.post("/v1/assets", **request)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if field:
        fault = answer.json()["errors"][0]
        assert fault["field"] == field
        assert fault["remedy"]
        assert remedy in fault["remedy"]
    assert await kept(house) == before


async def kept(house: House) -> tuple[Any, list[Path]]:
    """The newest assets, and every file of the blob store."""
    assert house.line.settings is not None
    folder = house.line.settings.shared.data / "blobs"
    return await house.bob.get("/assets"), sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("announced", [True, False])
async def test_201_megabytes_are_too_many_and_are_not_held(house: House, announced: bool) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    if announced:
        headers["Content-Length"] = str(len(head) + 201_000_000)

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(201):
            yield bytes(1_000_000)

    before, peak = await kept(house), peak_bytes()
    answer = await house.bob.client.post("/v1/assets", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["errors"][0]["field"] == "file"
    assert await kept(house) == before
    assert peak_bytes() - peak < 100_000_000


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def bomb() -> bytes:
    """A PNG of 3 kB that says it has 400 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(2_501 * 1000), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack("!IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


async def test_a_decompression_bomb_waits_for_a_person(house: House) -> None:
    verdict = await house.bob.screened(bomb(), name="bomb.png")
    (finding,) = [found for found in verdict["findings"] if found["kind"] == "unscreenable"]
    assert (verdict["outcome"], finding["reason"]) == ("escalate", "too_many_pixels")
    looked = await house.bob.client.post("/v1/lookups", files={"file": ("bomb.png", bomb())})
    assert (looked.status_code, looked.json()["unscreenable"]["reason"]) == (200, "too_many_pixels")


CASE = "/escalations/01999f3a-0000-7000-8000-00000000dead"
NOON, OWN = "2026-01-01T12:00:00Z", {"production": "borealis"}
JSON_BODIES: dict[str, tuple[str, str, Any]] = {
    "a document": ("POST", "/documents", PAPER | {"scope": OWN, "title": "t", "valid_until": NOON}),
    "a webhook": (
        "POST",
        "/webhooks",
        {"url": "https://example.org/", "description": "d", "productions": ["borealis"]},
    ),
    "a rescan": (
        "POST",
        "/rescans",
        {"with": ["rulebook"], "scope": OWN | {"since": NOON, "outcome": "clear"}},
    ),
    "a bank": ("PUT", "/banks/own", {"purpose": "protect", "max_distance": 3, "paused_until": NOON}),
    "a lookup": ("POST", "/lookups", {"pdq": "0" * 64}),
    "a comment": ("POST", f"{CASE}/comment", {"text": "t"}),
    "a ruling": ("POST", f"{CASE}/decide", {"decision": "reject", "reason": "r", "scope": {"valid_until": NOON}}),
    "a rulebook": ("POST", "/rulebooks/validate", {"sources": {"a.yaml": "rules: []"}}),
    "a key": ("POST", "/keys", {"name": "n", "scopes": ["read"], "productions": ["borealis"], "expires_at": NOON}),
    "a production": ("PUT", "/productions/own", {"title": "t", "contact": "c", "time_zone": "UTC", "defaults": {}}),
}
TOO_LATE, TOO_EARLY = '"9999-12-31T23:59:59.999999-14:00"', '"0001-01-01T00:00:00+14:00"'
HOSTILE = [
    *('"\\ud800"', '"\\u0000"', f'"{LONG}"', "1" + "0" * 400, "-1", "1e999", "NaN", "null", "[]", "{}", "true"),
    *(TOO_LATE, TOO_EARLY, "[" * 2000 + "]" * 2000, ""),
]


@pytest.mark.slow
@pytest.mark.parametrize("what", JSON_BODIES)
async def test_no_value_of_any_field_breaks_a_route(house: House, what: str) -> None:
    method, path, body = JSON_BODIES[what]
    who, headers = house.line.admin.client, {"Content-Type": "application/json"}
    for spoilt in spoilt_copies(body):
        for value in HOSTILE:
            text = json.dumps(spoilt).replace(json.dumps(SPOILT), value)
            answer = await who.request(method, f"/v1{path}", content=text, headers=headers)
            assert answer.status_code < 500, f"{text[:200]}: {answer.text}"
            if answer.status_code >= 400:
                check_problem(answer)


SPOILT = "to be spoilt"


def spoilt_copies(body: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each field, and for each field of its scope."""
    copies = [body | {field: SPOILT} for field in [*body, "unkown_field"]]
    scope = body.get("scope", {})
    return copies + [body | {"scope": scope | {field: SPOILT}} for field in scope]


def check_problem(answer: httpx2.Response) -> None:
    problem = answer.json()
    assert problem["code"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code != 422 or problem["errors"], problem
    assert all(fault["field"] and fault["message"] and fault["remedy"] for fault in problem["errors"]), problem


QUERIES = [
    *("limit=0", "limit=201", "limit=1e3", "after=%00", "after=AAAA", "after=ÿ", "after=" + "a" * 401, "lmit=5"),
    *("since=yesterday", "since=2026-01-01", "since=9999-12-31T23:59:59-14:00", "since=0001-01-01T00:00:00%2B14:00"),
    *("since=12345", "since=%ED%A0%80", "production=%00", "outcome=nice"),
]
LISTS = [
    *("/assets", "/verdicts", "/references", "/escalations", "/documents", "/rescans", "/dead-letters"),
    *("/banks", "/productions", "/keys", "/rulebooks/activations"),
]


@pytest.mark.parametrize("path", LISTS)
async def test_no_question_breaks_a_list(house: House, path: str) -> None:
    for query in QUERIES:
        answer = await house.line.admin.client.get(f"/v1{path}?{query}")
        assert answer.status_code < 500, f"{query}: {answer.text}"
        if answer.status_code >= 400:
            assert answer.status_code == 422
            check_problem(answer)


async def test_an_unknown_field_gets_a_suggestion(house: House) -> None:
    answer = await house.bob.client.post(
        "/v1/documents", json=PAPER | {"scope": {"production": "borealis"}, "titel": "t"}
    )
    assert answer.json()["errors"] == [
        {"field": "titel", "message": "there is no such field", "remedy": "did you mean `title`?"}
    ]
