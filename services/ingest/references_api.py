"""The routes of references."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.ingest import references
from services.ingest.assets_api import IdempotencyKey
from services.ingest.previews import Previews, binary
from services.ingest.reference_form import ReferenceChange, ReferenceForm
from services.ingest.reference_intake import ReferenceIntake
from services.ingest.references import Reference, Search
from services.ingest.settings import IngestSettings
from shared.events import CommonElement
from shared.principal import Principal
from shared.store.engine import Store
from shared.web.app import Closing
from shared.web.auth import require
from shared.web.faults import FieldFault
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.parts import multipart_body
from shared.web.problems import Problem, not_found

Operator = Annotated[Principal, Depends(require("operate"))]
# Uploaders must not see what they are compared with: exact hashes are a map around them.
Reader = Annotated[Principal, Depends(require("operate", "review", "approve"))]
ReferenceId = Annotated[str, InPath(pattern=r"^[0-9a-f-]{36}$")]
Status = Literal["pending", "registered", "refused", "withdrawn"]


class ReferenceLinks(BaseModel):
    """Where it is."""

    self: str


class ReferenceBody(BaseModel):
    """A protected work and what became of it."""

    id: str
    title: str
    owner: str | None
    bank: str
    label: str | None
    external_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    common: tuple[CommonElement, ...]
    filename: str
    sha256: str
    bytes: int
    media_type: str
    status: Status
    reason: str | None
    reason_detail: str | None
    number: int
    fingerprints: dict[str, Any] | None
    submitted_at: datetime
    links: ReferenceLinks


class Filter(BaseModel):
    """Which references to list."""

    bank: Annotated[str | None, Query(max_length=60)] = None
    status: Annotated[Status | None, Query()] = None
    sha256: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None


_ALSO_202: dict[int | str, dict[str, Any]] = {
    202: {"model": ReferenceBody, "description": "Handed over; `links.self` tells when it is done"}
}


Find = Callable[[str], Awaitable[Reference]]


def reference_router(store: Store, intake: ReferenceIntake, previews: Previews, settings: IngestSettings) -> APIRouter:
    """Everything under /v1/references."""
    router = APIRouter(prefix="/references", tags=["references"])

    async def find(reference_id: str) -> Reference:
        async with store.read() as connection:
            found = await references.find(connection, reference_id)
        if found is None:
            raise not_found("reference")
        return found

    _add_intake(router, intake, settings)
    _add_reading(router, store, find)
    _add_changes(router, intake, find)
    _add_preview(router, previews, find)
    return router


def _add_intake(router: APIRouter, intake: ReferenceIntake, settings: IngestSettings) -> None:
    @router.post(
        "",
        status_code=201,
        responses=_ALSO_202 | answers(409),
        openapi_extra=multipart_body("reference", ReferenceForm.model_json_schema()),
        max_body_size=settings.max_upload_bytes + 2 * settings.max_document_bytes,
    )
    async def register_reference(
        request: Request, response: Response, key: Operator, closing: Closing, idempotency_key: IdempotencyKey = None
    ) -> ReferenceBody:
        """Protects a work: 201 once every worker searches for it, 202 when that takes longer, 422 when too poor."""
        made = await intake.register(request, key, idempotency_key)
        reference = _accepted(await intake.answered(made, closing))
        response.status_code = 201 if reference.is_answered else 202
        response.headers["Location"] = _address(reference)
        return _body(reference)


def _add_reading(router: APIRouter, store: Store, find: Find) -> None:
    @router.get("")
    async def list_references(key: Reader, paging: Paging, wanted: Annotated[Filter, Depends()]) -> Page[ReferenceBody]:
        """Newest first."""
        async with store.read() as connection:
            rows = await references.newest(
                connection, Search(**wanted.model_dump()), before=paging.after, limit=paging.limit + 1
            )
        shown, following = paging.page(rows, lambda reference: reference.id)
        return Page(items=[_body(reference) for reference in shown], next=following)

    @router.get("/{reference_id}")
    async def get_reference(key: Reader, reference_id: ReferenceId) -> ReferenceBody:
        """One reference."""
        return _body(await find(reference_id))


def _add_changes(router: APIRouter, intake: ReferenceIntake, find: Find) -> None:
    @router.patch("/{reference_id}", responses=_ALSO_202 | answers(409))
    async def change_reference(
        response: Response, key: Operator, reference_id: ReferenceId, wanted: ReferenceChange, closing: Closing
    ) -> ReferenceBody:
        """Changes title, bank, validity and the like, or marks regions that do not alarm; the picture stays."""
        changed = await intake.answered(await intake.change(await find(reference_id), wanted, key.person), closing)
        response.status_code = 200 if changed.is_answered else 202
        return _body(_accepted(changed))

    @router.delete("/{reference_id}", responses=_ALSO_202 | answers(409))
    async def withdraw_reference(
        response: Response, key: Operator, reference_id: ReferenceId, closing: Closing
    ) -> ReferenceBody:
        """No longer searched for; the record stays."""
        withdrawn = await intake.answered(await intake.withdraw(await find(reference_id)), closing)
        response.status_code = 200 if withdrawn.is_answered else 202
        return _body(withdrawn)


def _add_preview(router: APIRouter, previews: Previews, find: Find) -> None:
    @router.get("/{reference_id}/preview", response_class=StreamingResponse, responses=binary("image/jpeg"))
    async def get_reference_preview(key: Reader, reference_id: ReferenceId) -> StreamingResponse:
        """A small JPEG of the work, re-encoded. 422 when it cannot be shown as a picture."""
        return await previews.shown((await find(reference_id)).sha256)


def _accepted(reference: Reference) -> Reference:
    """Raises a 422 `Problem` when screening refused it."""
    if reference.status == "refused" and reference.is_answered:
        fault = FieldFault(
            field="file",
            message=reference.reason_detail or (reference.reason or "it cannot be protected"),
            remedy="send a picture with more detail, in a common format",
        )
        raise Problem(422, reference.reason or "refused", errors=[fault])
    return reference


def _body(reference: Reference) -> ReferenceBody:
    return ReferenceBody(
        id=reference.id,
        **dict(reference.details) | {"common": reference.details.common or ()},
        filename=reference.filename,
        sha256=reference.sha256,
        bytes=reference.bytes,
        media_type=reference.media_type,
        status=reference.status,
        reason=reference.reason,
        reason_detail=reference.reason_detail,
        number=reference.number,
        fingerprints=reference.fingerprints,
        submitted_at=reference.submitted_at,
        links=ReferenceLinks(self=_address(reference)),
    )


def _address(reference: Reference) -> str:
    return f"/v1/references/{reference.id}"
