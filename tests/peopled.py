"""An installation with something behind every address: an asset decided, a case, a document, a letter and so on."""

from dataclasses import dataclass
from typing import Any

from shared.bus.port import Record
from tests.drawings import photo, png, poster
from tests.installation import Installation, Person, rescan, until

PAPER: dict[str, Any] = {"kind": "legal_review", "rules": ["A-FIN-1"], "given_by": "The studio's lawyer"}


@dataclass(frozen=True)
class House:
    """Two productions: what there is of `atlas`, and somebody of `borealis` who may do everything but administer."""

    line: Installation
    there: dict[str, str]
    bob: Person


async def house_of(line: Installation) -> House:
    """Both productions."""
    there = await people(line, "atlas")
    scopes = ("upload", "read", "review", "approve", "operate")
    return House(line, there, await line.person("bob", *scopes, production="borealis"))


async def people(line: Installation, production: str) -> dict[str, str]:
    """A value for every path parameter of the API, all of this production."""
    rita = await line.person(
        f"rita of {production}", "upload", "read", "review", "approve", "operate", production=production
    )
    asset = await rita.upload(png(photo(31)), deliverable="final")
    verdict = await rita.decided(asset["id"])
    reference = await rita.protect(png(poster(31)), "Night Train")
    document = await rita.post("/documents", PAPER | {"scope": {"production": production}}, status=201)
    webhook = await rita.post("/webhooks", {"url": "http://127.0.0.1:9/hook"}, status=201)
    delivery = await rita.post(f"/webhooks/{webhook['id']}/test", status=202)
    return {
        "asset_id": asset["id"],
        "verdict_id": verdict["id"],
        "escalation_id": (await rita.get("/escalations", asset_id=asset["id"]))["items"][0]["id"],
        "reference_id": reference["id"],
        "document_id": document["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "rescan_id": (await rescan(rita, "rulebook"))["id"],
        "letter_id": await _letter(line, production),
        "key_id": (await line.person("eve", "read", production=production)).key_id,
        "slug": production,
        "name": "protected",
        "rulebook_id": "studio-genai",
        "version": (await rita.get("/rulebooks"))["items"][0]["version"],
    }


async def _letter(line: Installation, key: str) -> str:
    async with line.bus() as bus:
        await bus.publish([Record("assets.submitted", key, b"no event", {})])
    admin: Person = line.admin

    async def found() -> str | None:
        letters = (await admin.get("/dead-letters", limit=200))["items"]
        return next((letter["id"] for letter in letters if letter["key"] == key), None)

    return str(await until(found, "the letter"))
