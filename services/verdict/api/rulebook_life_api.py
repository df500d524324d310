"""`/v1/rulebooks`: checking, comparing and trying out rulebooks, and putting them in force."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.verdict import activations, shadows
from services.verdict.activations import Act, Action
from services.verdict.api.rulebook_texts import (
    ActivationView,
    BacktestRequest,
    BacktestScope,
    BacktestView,
    FaultView,
    ReasonRequest,
    RulebookRequest,
    ShadowView,
    ValidationView,
    activation_view,
    backtest_view,
    shadow_view,
    validation_view,
)
from services.verdict.api.rulebooks_api import Reader, RulebookView, view
from services.verdict.backtest import Asked, backtest
from services.verdict.parts import Parts
from services.verdict.rulebook_life import RulebookLife, digest_of
from services.verdict.rulebooks import on_record, sources_of
from shared.principal import Principal
from shared.rulebook.diff import RulebookDiff, diff
from shared.rulebook.model import Rulebook
from shared.web.auth import require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.problems import Problem, not_found

Operator = Annotated[Principal, Depends(require("operate"))]


@dataclass(frozen=True)
class RulebookLifeRoutes:
    """The handlers, over the service's parts."""

    parts: Parts
    life: RulebookLife

    async def validate_rulebook(self, _who: Reader, asked: RulebookRequest) -> ValidationView:
        """Reads a rulebook and runs its examples. Stores nothing."""
        try:
            rulebook = await self.life.read(asked.sources)
        except Problem as problem:
            return ValidationView(valid=False, faults=[FaultView(**fault.model_dump()) for fault in problem.errors])
        return validation_view(rulebook)

    async def record_rulebook(self, _who: Operator, asked: RulebookRequest, response: Response) -> RulebookView:
        """Puts a version on record. It decides nothing until it is activated."""
        version = (await self.life.record(asked.sources, self.parts.clock())).version
        response.headers["Location"] = f"/v1/rulebooks/{version.id}/{version.version}"
        return await self._shown(version.id, version.version)

    async def activate_rulebook(
        self, who: Operator, rulebook_id: str, version: str, asked: ReasonRequest
    ) -> RulebookView:
        """From now on this version decides. Verdicts reached before stay; a rescan decides them again."""
        _check_decides_for_all(who)
        await self.life.activate(rulebook_id, version, self._act("activated", who, asked))
        return await self._shown(rulebook_id, version)

    async def rollback_rulebook(self, who: Operator, asked: ReasonRequest) -> RulebookView:
        """Puts the version in force that decided before. Verdicts reached since stay."""
        _check_decides_for_all(who)
        await self.life.rollback(self._act("rolled_back", who, asked))
        async with self.parts.store.read() as connection:
            version = (await self.parts.settling.rulebooks.active(connection)).version
        return await self._shown(version.id, version.version)

    async def list_activations(self, _who: Reader, paging: Paging) -> Page[ActivationView]:
        """Who put which rulebook in force, newest first."""
        async with self.parts.store.read() as connection:
            found = await activations.listed(connection, before=paging.after, limit=paging.limit + 1)
            versions = {one.version.sha256: one.version for one in await on_record(connection)}
        items, following = paging.page(found, lambda one: one.id)
        return Page(items=[activation_view(one, versions) for one in items], next=following)

    async def diff_rulebooks(
        self,
        _who: Reader,
        rulebook_id: str,
        version: str,
        against: Annotated[
            str | None, Query(pattern=r"^[a-z0-9-]{1,60}/[0-9.]{1,30}$", description="`id/version`; else the active")
        ] = None,
    ) -> RulebookDiff:
        """Rules and examples that change from `against` to this version."""
        after = await self._on_record(rulebook_id, version)
        if against is None:
            async with self.parts.store.read() as connection:
                before = await self.parts.settling.rulebooks.active(connection)
        else:
            other_id, _, other_version = against.partition("/")
            before = await self._on_record(other_id, other_version)
        return await asyncio.to_thread(diff, before, after)

    async def backtest_texts(self, who: Operator, asked: BacktestRequest) -> BacktestView:
        """Decides recorded assets again by a rulebook that need not be on record. Stores nothing."""
        return await self._backtest(who, await self.life.read(asked.sources), asked)

    async def backtest_rulebook(
        self, who: Operator, rulebook_id: str, version: str, asked: BacktestScope
    ) -> BacktestView:
        """Decides recorded assets again by this version. Stores nothing."""
        return await self._backtest(who, await self._on_record(rulebook_id, version), asked)

    async def start_shadow(self, who: Operator, rulebook_id: str, version: str, asked: ReasonRequest) -> ShadowView:
        """From now on this version decides beside the one in force: recorded, never counting."""
        _check_decides_for_all(who)
        await self.life.shadow(rulebook_id, version, self._act("activated", who, asked))
        return await self.read_shadow(who, rulebook_id, version)

    async def end_shadow(self, who: Operator, rulebook_id: str, version: str) -> ShadowView:
        """It decides no more; what it said stays on record."""
        _check_decides_for_all(who)
        await self.life.end_shadow(rulebook_id, version)
        return await self.read_shadow(who, rulebook_id, version)

    async def read_shadow(self, who: Reader, rulebook_id: str, version: str) -> ShadowView:
        """What this version said in shadow, beside what was decided."""
        async with self.parts.store.read() as connection:
            sha256 = await digest_of(connection, rulebook_id, version)
            if sha256 is None:
                raise not_found("rulebook")
            rulebook = await self.parts.settling.rulebooks.pinned(connection, sha256)
            found = await shadows.compared(connection, sha256, productions=who.visible(), most=20)
        return shadow_view(rulebook, found)

    async def _backtest(self, who: Principal, rulebook: Rulebook, scope: BacktestScope) -> BacktestView:
        asked = Asked(**scope.model_dump(exclude={"sources"}), visible=who.visible())
        settling = self.parts.settling
        tested = await backtest(self.parts.store, rulebook, settling.tools, asked, self.parts.clock())
        return backtest_view(rulebook.version, tested)

    async def _on_record(self, rulebook_id: str, version: str) -> Rulebook:
        async with self.parts.store.read() as connection:
            sha256 = await digest_of(connection, rulebook_id, version)
            if sha256 is None:
                raise not_found("rulebook")
            return await self.parts.settling.rulebooks.pinned(connection, sha256)

    async def _shown(self, rulebook_id: str, version: str) -> RulebookView:
        async with self.parts.store.read() as connection:
            found = await sources_of(connection, rulebook_id, version)
        assert found is not None
        return view(found[0])

    def _act(self, action: Action, who: Principal, asked: ReasonRequest) -> Act:
        return Act(action, who.person, asked.reason, self.parts.clock())


def _check_decides_for_all(who: Principal) -> None:
    if who.visible() is not None:
        raise Problem(403, detail="a rulebook decides for every production; it takes a key for all (`*`)")


def router(parts: Parts) -> APIRouter:
    """The routes."""
    handle = RulebookLifeRoutes(parts, RulebookLife(parts.store, parts.settling.rulebooks))
    routes = APIRouter(prefix="/rulebooks", tags=["rulebooks"])
    routes.post("", status_code=201, responses=answers(409))(handle.record_rulebook)
    routes.post("/validate")(handle.validate_rulebook)
    routes.post("/backtest")(handle.backtest_texts)
    routes.post("/rollback", responses=answers(409))(handle.rollback_rulebook)
    routes.get("/activations")(handle.list_activations)
    routes.get("/{rulebook_id}/{version}/diff")(handle.diff_rulebooks)
    routes.post("/{rulebook_id}/{version}/activate")(handle.activate_rulebook)
    routes.get("/{rulebook_id}/{version}/shadow")(handle.read_shadow)
    routes.post("/{rulebook_id}/{version}/shadow", responses=answers(409))(handle.start_shadow)
    routes.delete("/{rulebook_id}/{version}/shadow")(handle.end_shadow)
    routes.post("/{rulebook_id}/{version}/backtest")(handle.backtest_rulebook)
    return routes
