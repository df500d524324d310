"""What people do with documents: put them on record, confirm them as the second person, revoke them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.verdict import registry
from services.verdict.ledger import lock_head
from services.verdict.parts import Parts
from services.verdict.registry import Registered
from services.verdict.rulebooks import on_record
from services.verdict.state import held_assets
from shared.declaration.faults import did_you_mean, shown
from shared.ids import new_id
from shared.principal import Principal
from shared.rulebook.documents import Document
from shared.rulebook.pins import pins_for
from shared.web.faults import FieldFault
from shared.web.problems import Problem, invalid, not_found


async def visible(connection: AsyncConnection, document_id: str, who: Principal) -> Registered:
    """One document. Raises Problem 404 where the key does not reach its production."""
    found = await registry.find(connection, document_id)
    if found is None or not who.sees(found.document.scope.production):
        raise not_found("document")
    return found


async def add(parts: Parts, who: Principal, content: dict[str, Any]) -> Registered:
    """Records what was handed in. For named assets it pins the facts that it was given for."""
    scope = content["scope"]
    if not who.sees(scope["production"]):
        raise invalid("scope.production", "is no production that this key reaches", "name one of its productions")
    async with parts.store.write() as connection:
        await lock_head(connection)
        await _check_rules(parts, connection, content["rules"])
        pins = await _pins(parts, connection, scope["production"], tuple(scope["assets"]), tuple(content["rules"]))
        document = Document.model_validate(content | {"id": new_id(), "recorded_by": who.person, "pins": pins})
        await registry.add(connection, document, now=parts.clock())
        found = await visible(connection, document.id, who)
    parts.documents_changed.set()
    return found


async def confirm(parts: Parts, who: Principal, document_id: str) -> Registered:
    """Raises Problem 409 when it is confirmed or revoked already, 403 for the person who recorded it."""
    async with parts.store.write() as connection:
        await lock_head(connection)
        document = (await visible(connection, document_id, who)).document
        if document.revoked_at is not None:
            raise Problem(409, "revoked", "the document was revoked; put a new one on record")
        if document.confirmed_by is not None:
            raise Problem(409, "already_confirmed", f"{document.confirmed_by} has confirmed it")
        if _same(who.person, document.recorded_by):
            raise Problem(403, "second_person_needed", "another person than the one who recorded it must confirm it")
        await registry.confirm(connection, document, who.person, parts.clock())
        found = await visible(connection, document_id, who)
    parts.documents_changed.set()
    return found


async def revoke(parts: Parts, who: Principal, document_id: str, reason: str) -> Registered:
    """Again does no harm: the first revocation stands."""
    async with parts.store.write() as connection:
        await lock_head(connection)
        found = await visible(connection, document_id, who)
        if found.document.revoked_at is None:
            await registry.revoke(connection, found.document, who.person, reason, now=parts.clock())
            found = await visible(connection, document_id, who)
    parts.documents_changed.set()
    return found


async def _check_rules(parts: Parts, connection: AsyncConnection, named: Sequence[str]) -> None:
    """Raises Problem 422 for rules that no rulebook on record has: a misspelt document would lift nothing, silently."""
    rulebooks = parts.settling.rulebooks
    known: dict[str, None] = {}
    for one in await on_record(connection):
        rulebook = await rulebooks.pinned(connection, one.version.sha256)
        known |= {name: None for rule in rulebook.rules for name in (rule.id, rule.row)}
    faults = [
        FieldFault(field=f"rules[{index}]", message=f"there is no rule {shown(rule)}", remedy=did_you_mean(rule, known))
        for index, rule in enumerate(named)
        if rule not in known
    ]
    if faults:
        raise Problem(422, "unknown_rule", errors=faults)


async def _pins(
    parts: Parts, connection: AsyncConnection, production: str, assets: tuple[str, ...], rules: tuple[str, ...]
) -> tuple[str, ...]:
    if not assets:
        return ()
    held = await held_assets(connection, assets)
    for asset_id in assets:
        if asset_id not in held or held[asset_id].screened.production != production:
            raise invalid("scope.assets", f"{asset_id} has no verdict in {production}", "name decided assets")
    rulebook = await parts.settling.rulebooks.active(connection)
    return tuple(
        sorted({pin for one in held.values() for pin in pins_for(rulebook, one.facts(parts.settling.tools), rules)})
    )


def _same(person: str, other: str) -> bool:
    return person.strip().casefold() == other.strip().casefold()
