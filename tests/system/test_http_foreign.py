"""Every route of the document, asked by a key of another production, by a wrong key, and by none."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installation import MOOD_BOARD, parts
from tests.peopled import PAPER, House

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
NOBODY = "01999f3a-0000-7000-8000-00000000dead"
ATLAS = {"production": "atlas"}
BODIES: dict[str, dict[str, Any]] = {
    "submit_asset": {"files": parts("declaration", MOOD_BOARD | ATLAS, b"x", "x.png")},
    "amend_declaration": {"json": MOOD_BOARD | ATLAS},
    "register_reference": {"files": parts("reference", {"title": "t"}, b"x", "x.png")},
    "change_reference": {"json": {"title": "t"}},
    "put_production": {"json": {}},
    "create_key": {"json": {"name": "n", "scopes": ["read"], "productions": ["atlas"]}},
    "lookup": {"json": {"sha256": "0" * 64}},
    "put_bank": {"json": {}},
    "comment_escalation": {"json": {"text": "t"}},
    "decide_escalation": {"json": {"decision": "approve", "reason": "r"}},
    "add_document": {"json": PAPER | {"scope": ATLAS}},
    "revoke_document": {"json": {"reason": "r"}},
    "add_webhook": {"json": {"url": "http://127.0.0.1:9/", "productions": ["atlas"]}},
    "change_webhook": {"json": {"enabled": False}},
    "record_rulebook": {"json": {"sources": {"a.yaml": "rules: []"}}},
    "validate_rulebook": {"json": {"sources": {"a.yaml": "rules: []"}}},
    "backtest_texts": {"json": {"sources": {"a.yaml": "rules: []"}}},
    "backtest_rulebook": {"json": {}},
    "activate_rulebook": {"json": {"reason": "r"}},
    "rollback_rulebook": {"json": {"reason": "r"}},
    "start_shadow": {"json": {"reason": "r"}},
    "start_rescan": {"json": {"scope": ATLAS, "with": ["rulebook"]}},
}
"""What each route needs; where a body names a production, it names the other one."""
OWNED = ("{asset_id}", "{verdict_id}", "{escalation_id}", "{document_id}", "{webhook_id}", "{rescan_id}", "{slug}")
ADMIN = {"put_production", "list_keys", "create_key", "revoke_key"}
FORBIDDEN = (
    dict.fromkeys(ADMIN, "missing_scope")
    | dict.fromkeys(("list_dead_letters", "read_dead_letter", "replay_dead_letter"), "every_production_needed")
    | dict.fromkeys(("activate_rulebook", "rollback_rulebook", "start_shadow", "end_shadow"), "forbidden")
)
"""What concerns all productions, and the code with which a key of one is turned away."""
OPEN_TO_UPLOADERS = {
    "submit_asset",
    "get_asset",
    "amend_declaration",
    "lookup",
    "list_banks",
    "get_bank",
    "list_productions",
    "get_production",
    "list_schemas",
    "read_schema",
}
NAMED_IN_BODY = {
    "submit_asset": "production",
    "add_document": "scope.production",
    "add_webhook": "productions",
    "start_rescan": "scope.production",
}


@dataclass(frozen=True)
class Route:
    """One operation of the document."""

    method: str
    path: str
    name: str

    def __str__(self) -> str:
        return self.name


ROUTES = [
    Route(method.upper(), path, operation["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/v1")
]
HIDDEN = [route for route in ROUTES if any(name in route.path for name in OWNED) and route.name not in ADMIN]
LISTS = [
    route
    for route in ROUTES
    if route.method == "GET" and "{" not in route.path and route.name not in FORBIDDEN
    if not route.path.endswith("/stream")
]


async def ask(house: House, who: httpx2.AsyncClient, route: Route, **ids: str) -> httpx2.Response:
    """The route about what is `atlas`'s, but for these ids."""
    path = route.path.format_map(house.there | ids)
    return await who.request(route.method, path, **BODIES.get(route.name, {}))


@pytest.mark.parametrize("route", HIDDEN, ids=str)
async def test_what_another_production_has_reads_like_nothing(house: House, route: Route) -> None:
    foreign = await ask(house, house.bob.client, route)
    unknown = {name: NOBODY for name in house.there if name.endswith("_id")} | {"slug": "no-such-one"}
    nothing = await ask(house, house.bob.client, route, **unknown)
    assert (foreign.status_code, foreign.json()) == (404, nothing.json())


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_lists_leave_out_what_another_production_has(house: House, route: Route) -> None:
    answer = await ask(house, house.bob.client, route)
    assert answer.status_code == 200
    shared = {"reference_id"}  # works are protected from every production
    foreign = {value for name, value in house.there.items() if name.endswith("_id") and name not in shared}
    assert not [value for value in foreign - {"studio-genai"} if value in answer.text]
    takes = [parameter["name"] for parameter in DOCUMENT["paths"][route.path]["get"].get("parameters", [])]
    if "production" in takes:
        named = await house.bob.client.get(route.path, params=ATLAS)
        assert named.json() == {"items": [], "next": None}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name in FORBIDDEN], ids=str)
async def test_what_is_for_all_productions_is_not_for_a_key_of_one(house: House, route: Route) -> None:
    answer = await ask(house, house.bob.client, route)
    assert (answer.status_code, answer.json()["code"]) == (403, FORBIDDEN[route.name])


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name in NAMED_IN_BODY], ids=str)
async def test_a_body_that_names_another_production_is_refused(house: House, route: Route) -> None:
    answer = await ask(house, house.bob.client, route)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [NAMED_IN_BODY[route.name]]


async def test_an_own_asset_cannot_move_to_another_production(house: House) -> None:
    own = await house.bob.upload(b"x", name="x.bin")
    answer = await house.bob.client.put(f"/v1/assets/{own['id']}/declaration", json=MOOD_BOARD | ATLAS)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "production")


async def test_no_backtest_tells_of_another_production(house: House) -> None:
    (route,) = [route for route in ROUTES if route.name == "backtest_rulebook"]
    answer = await ask(house, house.bob.client, route)
    assert answer.status_code == 200, answer.text
    assert house.there["asset_id"] not in answer.text


WRONG_KEYS = {"": "no_key", "cf_aaaaaaaa_" + "x" * 43: "unknown_key"}


@pytest.mark.slow
@pytest.mark.parametrize("key", WRONG_KEYS)
async def test_every_route_asks_for_a_key(house: House, key: str) -> None:
    who = house.line.holding(key).client
    for route in ROUTES:
        answer = await ask(house, who, route)
        assert (answer.status_code, answer.json()["code"]) == (401, WRONG_KEYS[key]), route
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.slow
async def test_a_key_without_the_scope_learns_nothing(house: House) -> None:
    eve = await house.line.person("eve", "upload", production="borealis")
    for route in ROUTES:
        answer = await ask(house, eve.client, route)
        refused = answer.status_code == 403 and answer.json()["code"] == "missing_scope"
        assert refused != (route.name in OPEN_TO_UPLOADERS), (route, answer.text)


async def test_no_route_is_left_out() -> None:
    tried = {route.name for route in [*HIDDEN, *LISTS]} | set(FORBIDDEN) | set(NAMED_IN_BODY)
    shared = {"register_reference", "get_reference", "change_reference", "withdraw_reference", "get_bank", "put_bank"}
    reading = {"lookup", "verify_ledger", "read_rulebook", "diff_rulebooks", "validate_rulebook", "record_rulebook"}
    shared.add("get_reference_preview")
    reading |= {"list_schemas", "read_schema"}
    elsewhere = {"backtest_rulebook", "backtest_texts", "stream_verdicts", "read_shadow"}
    assert {route.name for route in ROUTES} <= tried | shared | reading | elsewhere


async def test_every_body_that_a_route_needs_is_sent() -> None:
    needing = {
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    }
    assert needing <= set(BODIES)
