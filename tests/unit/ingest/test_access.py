"""Who may: every route without a key, with the wrong scope, and with another production's key."""

from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.ingest_stack import DECLARATION, Stack, parts, reference_parts

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "01999f3a-0000-7000-8000-00000000dead"
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/assets", {"files": parts()}),
    ("GET", "/v1/assets", {}),
    ("GET", "/v1/assets/{asset}", {}),
    ("GET", "/v1/assets/{asset}/content", {}),
    ("GET", "/v1/assets/{asset}/preview", {}),
    ("PUT", "/v1/assets/{asset}/declaration", {"json": DECLARATION}),
    ("POST", "/v1/references", {"files": reference_parts()}),
    ("GET", "/v1/references", {}),
    ("GET", f"/v1/references/{NOBODY}", {}),
    ("GET", f"/v1/references/{NOBODY}/preview", {}),
    ("PATCH", f"/v1/references/{NOBODY}", {"json": {"title": "t"}}),
    ("DELETE", f"/v1/references/{NOBODY}", {}),
    ("GET", "/v1/productions", {}),
    ("GET", "/v1/productions/atlas", {}),
    ("PUT", "/v1/productions/atlas", {"json": {}}),
    ("GET", "/v1/keys", {}),
    ("POST", "/v1/keys", {"json": {"name": "n", "scopes": ["read"], "productions": ["atlas"]}}),
    ("DELETE", f"/v1/keys/{NOBODY}", {}),
]
OF_ONE_PRODUCTION = [route for route in ROUTES if "{asset}" in route[1]] + [("GET", "/v1/productions/atlas", {})]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asset(uploader: httpx2.AsyncClient) -> str:
    made: str = (await uploader.post("/v1/assets", files=parts())).json()["id"]
    return made


async def test_no_route_is_left_out(stack: Stack) -> None:
    documented = {
        (method.upper(), path)
        for path, methods in stack.app.openapi()["paths"].items()
        if path.startswith("/v1")
        for method in methods
    }
    assert len(documented) == len(ROUTES)


@pytest.mark.parametrize("secret", [None, "cf_aaaaaaaa_" + "x" * 43, "nonsense", "x" * 5000, "ключ"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
async def test_without_a_good_key_it_is_401(stack: Stack, asset: str, route: Any, secret: str | None) -> None:
    method, path, options = route
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}".encode()}
    async with stack.client() as client:
        answer = await client.request(method, path.format(asset=asset), headers=headers, **options)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route[:2] not in {("GET", "/v1/productions"), ("GET", "/v1/productions/atlas")}],
    ids=lambda route: f"{route[0]} {route[1]}",
)
async def test_without_the_scope_it_is_403(stack: Stack, asset: str, route: Any) -> None:
    method, path, options = route
    # `operate` opens references alone, `read` opens what is read of assets.
    scope = "read" if "references" in path or method in {"POST", "PUT"} else "operate"
    async with stack.client(await stack.key(scope)) as client:
        answer = await client.request(method, path.format(asset=asset), **options)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize("route", OF_ONE_PRODUCTION, ids=lambda route: f"{route[0]} {route[1]}")
async def test_another_production_reads_like_nothing(stack: Stack, asset: str, route: Any) -> None:
    method, path, options = route
    secret = await stack.key("upload", "read", "review", "approve", "operate", productions=["borealis"])
    async with stack.client(secret) as client:
        foreign = await client.request(method, path.format(asset=asset), **options)
        missing = await client.request(method, path.format(asset=NOBODY).replace("atlas", "nothing"), **options)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json()


async def test_lists_leave_other_productions_out(stack: Stack, asset: str) -> None:
    async with stack.client(await stack.key("read", productions=["borealis"])) as client:
        assert (await client.get("/v1/assets")).json()["items"] == []
        assert (await client.get("/v1/assets", params={"production": "atlas"})).json()["items"] == []
        shown = (await client.get("/v1/productions")).json()["items"]
    assert [production["slug"] for production in shown] == ["borealis"]


async def test_an_uploader_may_follow_its_upload(stack: Stack, asset: str) -> None:
    async with stack.client(await stack.key("upload")) as client:
        assert (await client.get(f"/v1/assets/{asset}")).status_code == 200


async def test_a_revoked_key_ends(stack: Stack, admin: httpx2.AsyncClient) -> None:
    form = {"name": "short-lived", "scopes": ["read"], "productions": ["atlas"]}
    made = (await admin.post("/v1/keys", json=form)).json()
    async with stack.client(made["key"]) as client:
        assert (await client.get("/v1/assets")).status_code == 200
        assert (await admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
        assert (await client.get("/v1/assets")).status_code == 401
    assert made["key"] not in (await admin.get("/v1/keys")).text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"scopes": ["raed"]}, "scopes[0]"),
        ({"scopes": []}, "scopes"),
        ({"productions": ["atlsa"]}, "productions"),
        ({"productions": []}, "productions"),
        ({"name": "a\x07"}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"person_name": "x"}, "person_name"),
    ],
)
async def test_a_wrong_key_form_is_explained(admin: httpx2.AsyncClient, form: dict[str, Any], field: str) -> None:
    answer = await admin.post("/v1/keys", json={"name": "n", "scopes": ["read"], "productions": ["atlas"]} | form)
    assert answer.status_code == 422, answer.text
    [fault] = answer.json()["errors"]
    assert fault["field"] == field
    assert fault["remedy"]


async def test_productions_are_made_and_changed(admin: httpx2.AsyncClient) -> None:
    made = await admin.put("/v1/productions/dusk", json={"title": "Dusk", "time_zone": "Europe/Paris"})
    assert made.json() == {
        "slug": "dusk",
        "title": "Dusk",
        "contact": None,
        "time_zone": "Europe/Paris",
        "defaults": {},
    }
    assert (await admin.get("/v1/productions/dusk")).json() == made.json()
    wrong = await admin.put("/v1/productions/dusk", json={"time_zone": "Europe/Paaris"})
    assert wrong.json()["errors"][0]["field"] == "time_zone"
    assert (await admin.put("/v1/productions/No%20Slug", json={})).status_code == 422
