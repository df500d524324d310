"""What every application answers: problems, pages, probes, the document."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from shared.connect import open_store
from shared.errors import OutOfSpace, Retry, Unavailable
from shared.principal import Principal
from shared.service import Check, Service
from shared.store.directory import Directory
from shared.web.app import Application, build_app
from shared.web.limits import RateLimit
from shared.web.paging import Page, Paging
from shared.web.problems import Problem


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: str = "red"


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int
    inner: list[Inner] = []


class Ailing:
    """A part that can be made to fail."""

    error: Exception | None = None
    note: str | None = None

    async def ask(self) -> str | None:
        if self.error is not None:
            raise self.error
        return self.note


@pytest.fixture
def part() -> Ailing:
    return Ailing()


@pytest.fixture
async def app(tmp_path: Path, part: Ailing) -> AsyncIterator[Application]:
    router = APIRouter()

    @router.post("/forms")
    async def take_form(form: Form) -> Form:
        return form

    @router.get("/rows")
    async def list_rows(paging: Paging) -> Page[int]:
        after = int(paging.after or 0)
        rows, following = paging.page([*range(after + 1, 6)][: paging.limit + 1], str)
        return Page(items=rows, next=following)

    @router.get("/tints")
    async def list_tints(limit: int = 1, tint: Annotated[list[str] | None, Query()] = None) -> list[str]:
        return (tint or [])[:limit]

    @router.get("/ailing")
    async def ailing() -> None:
        await part.ask()

    directory = Directory(open_store(f"sqlite://{tmp_path}", "directory"))
    yield build_app([Service("test", (router,), (), (Check("part", part.ask),))], directory)
    await directory.close()


@pytest.fixture
async def client(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "fields"),
    [
        ("GET", "/nothing", {}, 404, []),
        ("GET", "/v1/nothing", {}, 404, []),
        ("DELETE", "/v1/rows", {}, 405, []),
        ("POST", "/v1/forms", {"json": {}}, 422, ["number"]),
        ("POST", "/v1/forms", {"json": {"number": "x", "nummer": 1}}, 422, ["number", "nummer"]),
        ("POST", "/v1/forms", {"json": {"number": 1, "inner": [{"color": "x"}]}}, 422, ["inner[0].color"]),
        ("POST", "/v1/forms", {"json": []}, 422, ["body"]),
        ("POST", "/v1/forms", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, ["body"]),
        ("POST", "/v1/forms", {"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 422, ["body"]),
        ("POST", "/v1/forms", {"content": b"{}"}, 422, ["body"]),
        ("POST", "/v1/forms", {"content": b"x" * 2_000_000}, 413, []),
        ("GET", "/v1/rows", {"params": {"limit": "many"}}, 422, ["limit"]),
        ("GET", "/v1/rows", {"params": {"limti": 3, "x": 1}}, 422, ["limti", "x"]),
        ("GET", "/v1/rows?limit=1&limit=2", {}, 422, ["limit"]),
        ("GET", "/v1/tints?limit=1&tint=red&tint=blue&limit=1", {}, 422, ["limit"]),
    ],
)
async def test_every_refusal_is_a_problem(
    client: httpx2.AsyncClient, method: str, path: str, options: Any, status: int, fields: list[str]
) -> None:
    answer = await client.request(method, path, **options)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert (problem["status"], problem["type"]) == (status, f"urn:clearframe:problem:{problem['code']}")
    assert [fault["field"] for fault in problem["errors"]] == fields
    assert all(fault["message"] and fault["remedy"] for fault in problem["errors"])


async def test_a_parameter_that_is_a_list_may_be_repeated(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/v1/tints?limit=2&tint=red&tint=blue")).json() == ["red", "blue"]


async def test_a_misspelt_field_gets_a_suggestion(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/forms", json={"number": 1, "inner": [{"color": "x"}]})
    assert answer.json()["errors"][0]["remedy"] == "did you mean `colour`?"
    answer = await client.get("/v1/rows", params={"limti": 3})
    assert answer.json()["errors"][0]["remedy"] == "did you mean `limit`?"


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("gone"), 503), (Retry("locked"), 503), (OutOfSpace("full"), 507)]
)
async def test_our_errors_say_when_to_come_back(
    client: httpx2.AsyncClient, part: Ailing, error: Exception, status: int
) -> None:
    part.error = error
    answer = await client.get("/v1/ailing")
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) > 0


async def test_lists_turn_pages(client: httpx2.AsyncClient) -> None:
    first = (await client.get("/v1/rows", params={"limit": 3})).json()
    second = (await client.get("/v1/rows", params={"limit": 3, "after": first["next"]})).json()
    assert (first["items"], second) == ([1, 2, 3], {"items": [4, 5], "next": None})


@pytest.mark.parametrize("cursor", ["%", "AA", "gA", "=" * 300, "ü"])
async def test_a_forged_cursor_is_refused(client: httpx2.AsyncClient, cursor: str) -> None:
    answer = await client.get("/v1/rows", params={"after": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


async def test_readiness_names_what_is_missing(client: httpx2.AsyncClient, part: Ailing) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready", "checks": ["part"], "notes": {}}
    part.note = "a little worn"
    assert (await client.get("/readyz")).json()["notes"] == {"part": "a little worn"}
    part.error = Unavailable("the part is gone")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["errors"][0] == {"field": "part", "message": "the part is gone", "remedy": "see its log"}
    assert (await client.get("/livez")).status_code == 200


async def test_metrics_and_docs_are_there(client: httpx2.AsyncClient) -> None:
    await client.get("/v1/rows")
    assert (
        'clearframe_http_seconds_count{method="GET",route="/rows",status="200"}' in (await client.get("/metrics")).text
    )
    page = await client.get("/docs")
    assert "/v1/forms" in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False)])
async def test_request_ids_come_back(client: httpx2.AsyncClient, given: str, kept: bool) -> None:
    answer = await client.get("/livez", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept


async def test_the_document_names_every_error(app: Application) -> None:
    document = app.openapi()
    operation = document["paths"]["/v1/forms"]["post"]
    assert operation["operationId"] == "take_form"
    assert {"200", "401", "403", "413", "422", "429", "503", "507"} <= set(operation["responses"])
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "Problem" in document["components"]["schemas"]


async def test_one_key_may_ask_so_often_and_admins_more() -> None:
    limit = RateLimit(per_minute=3)
    other = Principal("k2", "n", "p", frozenset({"read"}), frozenset({"*"}))
    admin = Principal("k3", "n", "p", frozenset({"admin"}), frozenset({"*"}))
    principal = Principal("k1", "n", "p", frozenset({"read"}), frozenset({"*"}))
    for _ in range(3):
        await limit.check(principal)
    with pytest.raises(Problem) as refused:
        await limit.check(principal)
    assert refused.value.status == 429
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    await limit.check(other)
    for _ in range(10):
        await limit.check(admin)


async def test_a_wrong_method_names_the_right_ones(client: httpx2.AsyncClient) -> None:
    assert (await client.delete("/v1/forms")).headers["allow"] == "POST"
    assert (await client.post("/v1/rows")).headers["allow"] == "GET"
