"""`/v1/documents`: what discharges rules. Adding, confirming and revoking decide again whatever they touch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.verdict import documents, registry
from services.verdict.parts import Parts
from services.verdict.registry import Registered
from shared.principal import Principal
from shared.rulebook.documents import DocumentScope
from shared.verdicts import DocumentKind
from shared.web.auth import require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.times import Time

Reader = Annotated[Principal, Depends(require("read", "review", "approve"))]
Approver = Annotated[Principal, Depends(require("approve"))]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ScopeRequest(BaseModel):
    """What a document covers. An empty list sets no limit."""

    model_config = ConfigDict(extra="forbid")
    production: Name
    assets: list[Name] = Field([], max_length=100)
    uses: list[Name] = Field([], max_length=50)
    stages: list[Name] = Field([], max_length=50)
    talent: list[Name] = Field([], max_length=100)
    territory: list[Name] = Field([], max_length=250)


class DocumentRequest(BaseModel):
    """A document to put on record."""

    model_config = ConfigDict(extra="forbid")
    kind: DocumentKind
    rules: list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]*(/[a-z0-9-]+)?$", max_length=80)]] = Field(
        min_length=1, max_length=100, description="rows such as P3, which cover their variants, or single variants"
    )
    scope: ScopeRequest
    given_by: Name = Field(description="who gave it: the performer, the studio's lawyer, ...")
    title: str = Field("", max_length=300)
    valid_from: Time | None = None
    valid_until: Time | None = None
    file_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the signed paper")

    @model_validator(mode="after")
    def _dates_in_order(self) -> "DocumentRequest":
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_until must be later than valid_from")
        return self


class RevokeRequest(BaseModel):
    """Why a document ends."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


class DocumentView(BaseModel):
    """A document as shown. `state`: pending, in_force, expired or revoked."""

    id: str
    kind: DocumentKind
    rules: list[str]
    scope: DocumentScope
    given_by: str
    title: str
    file_sha256: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    state: str
    recorded_by: str
    added_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    revoked_at: datetime | None
    revocation: str | None


@dataclass(frozen=True)
class DocumentRoutes:
    """The handlers, over the service's parts."""

    parts: Parts

    def _shown(self, found: Registered) -> DocumentView:
        return DocumentView(
            **found.document.model_dump(exclude={"pins"}),
            state=found.state(self.parts.clock()),
            added_at=found.added_at,
            confirmed_at=found.confirmed_at,
            revocation=found.revocation,
        )

    async def list_documents(
        self,
        who: Reader,
        paging: Paging,
        production: Annotated[str | None, Query(max_length=200)] = None,
        kind: DocumentKind | None = None,
    ) -> Page[DocumentView]:
        """Documents, newest first."""
        async with self.parts.store.read() as connection:
            found = await registry.listed(
                connection,
                productions=who.visible(),
                production=production,
                kind=kind,
                before=paging.after,
                limit=paging.limit + 1,
            )
        items, following = paging.page(found, lambda one: one.document.id)
        return Page(items=[self._shown(one) for one in items], next=following)

    async def add_document(self, who: Approver, asked: DocumentRequest, response: Response) -> DocumentView:
        """Puts a document on record. Where a rule asks for two people, it counts once a second one confirmed it."""
        found = await documents.add(self.parts, who, asked.model_dump())
        response.headers["Location"] = f"/v1/documents/{found.document.id}"
        return self._shown(found)

    async def read_document(self, who: Reader, document_id: str) -> DocumentView:
        """One document."""
        async with self.parts.store.read() as connection:
            return self._shown(await documents.visible(connection, document_id, who))

    async def confirm_document(self, who: Approver, document_id: str) -> DocumentView:
        """The second person's word; never that of the one who recorded it."""
        return self._shown(await documents.confirm(self.parts, who, document_id))

    async def revoke_document(self, who: Approver, document_id: str, asked: RevokeRequest) -> DocumentView:
        """Ends a document; every verdict that leaned on it is decided again."""
        return self._shown(await documents.revoke(self.parts, who, document_id, asked.reason))


def router(parts: Parts) -> APIRouter:
    """The routes."""
    routes, handle = APIRouter(prefix="/documents", tags=["documents"]), DocumentRoutes(parts)
    routes.get("")(handle.list_documents)
    routes.post("", status_code=201)(handle.add_document)
    routes.get("/{document_id}")(handle.read_document)
    routes.post("/{document_id}/confirm", responses=answers(409))(handle.confirm_document)
    routes.post("/{document_id}/revoke")(handle.revoke_document)
    return routes
