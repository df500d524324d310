"""`/v1/dead-letters`: messages that were given up, and the way back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.verdict import dead_letters
from services.verdict.dead_letters import KeptLetter
from services.verdict.parts import Parts
from shared.principal import EVERY_PRODUCTION, Principal
from shared.web.auth import require
from shared.web.paging import Page, Paging
from shared.web.problems import Problem, not_found

Admitted = Annotated[Principal, Depends(require("operate"))]
_SHOWN_CHARACTERS = 10_000


class LetterView(BaseModel):
    """A message that was given up, with reason and place of origin."""

    id: str
    topic: str
    partition: int
    offset: int
    key: str
    reason: str
    detail: str
    sha256: str
    consumer: str
    arrived_at: datetime
    replayed_at: datetime | None
    replayed_by: str | None


class LetterDetail(LetterView):
    """The same with what it holds. `value` is cut after 10,000 characters."""

    headers: dict[str, str]
    value: str


@dataclass(frozen=True)
class DeadLetterRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    async def list_dead_letters(
        self,
        who: Admitted,
        paging: Paging,
        topic: Annotated[str | None, Query(max_length=80)] = None,
        waiting: Annotated[bool | None, Query(description="true: not put back yet")] = None,
    ) -> Page[LetterView]:
        """Letters, newest first."""
        _check_all_productions(who)
        async with self.parts.store.read() as connection:
            found = await dead_letters.newest(
                connection, topic=topic, waiting=waiting, before=paging.after, limit=paging.limit + 1
            )
        items, following = paging.page(found, lambda letter: letter.id)
        return Page(items=[LetterView.model_validate(_fields(letter)) for letter in items], next=following)

    async def read_dead_letter(self, who: Admitted, letter_id: str) -> LetterDetail:
        """One letter, whole."""
        _check_all_productions(who)
        async with self.parts.store.read() as connection:
            letter = await dead_letters.find(connection, letter_id)
        if letter is None:
            raise not_found("dead letter")
        value = letter.record.value.decode(errors="replace")[:_SHOWN_CHARACTERS]
        return LetterDetail.model_validate(_fields(letter) | {"headers": dict(letter.record.headers), "value": value})

    async def replay_dead_letter(self, who: Admitted, letter_id: str) -> LetterView:
        """Puts the original back on its topic. May be done again; handlers know what they have seen."""
        _check_all_productions(who)
        async with self.parts.store.write() as connection:
            letter = await dead_letters.find(connection, letter_id)
            if letter is None:
                raise not_found("dead letter")
            await dead_letters.put_back(
                connection, self.parts.settling.outbox, letter, who.person, now=self.parts.clock()
            )
            letter = await dead_letters.find(connection, letter_id)
        assert letter is not None
        self.parts.settling.outbox.wake()
        return LetterView.model_validate(_fields(letter))


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/dead-letters", tags=["operations"]), DeadLetterRoutes(parts)
    routes.get("")(handle.list_dead_letters)
    routes.get("/{letter_id}")(handle.read_dead_letter)
    routes.post("/{letter_id}/replay")(handle.replay_dead_letter)
    return routes


def _check_all_productions(who: Principal) -> None:
    """Letters are of every production, and some of none."""
    if not who.sees(EVERY_PRODUCTION):
        raise Problem(403, "every_production_needed", "dead letters need a key for all productions")


def _fields(letter: KeptLetter) -> dict[str, object]:
    names = [name for name in KeptLetter.__slots__ if name not in ("record", "code")]
    return {name: getattr(letter, name) for name in names} | {"reason": letter.code, "key": letter.record.key}
