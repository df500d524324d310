"""The routes of assets."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.ingest import assets
from services.ingest.assets import Asset, Search
from services.ingest.intake import Intake
from services.ingest.previews import SANDBOX, Previews, binary
from services.ingest.settings import IngestSettings
from services.ingest.waiting import Waiting
from shared.blobs.port import Blobs
from shared.coarse import for_reader
from shared.declaration.model import Declaration
from shared.principal import Principal
from shared.store.engine import Store
from shared.verdicts import Verdict
from shared.web.app import Closing
from shared.web.auth import check_sees, require
from shared.web.openapi import answers
from shared.web.paging import Page, Paging
from shared.web.parts import multipart_body
from shared.web.problems import Problem, not_found
from shared.web.times import Time

Uploader = Annotated[Principal, Depends(require("upload"))]
Reader = Annotated[Principal, Depends(require("read", "review"))]
Follower = Annotated[Principal, Depends(require("read", "review", "upload"))]
AssetId = Annotated[str, InPath(pattern=r"^[0-9a-f-]{36}$")]
Wait = Annotated[float, Query(ge=0, le=60, description="seconds to hold the answer until the asset is decided")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="makes a repeated request harmless for 24 hours")
]
_UNSAFE = frozenset({"text/html", "image/svg+xml"})


class AssetLinks(BaseModel):
    """Where more is to be had."""

    self: str
    content: str
    preview: str
    verdicts: str


class AssetBody(BaseModel):
    """An upload and where it stands."""

    id: str
    production: str
    title: str | None
    filename: str
    sha256: str
    bytes: int
    media_type: str
    declaration_number: int
    submitted_at: datetime
    status: Literal["received", "screening", "decided"]
    verdict: dict[str, Any] | None
    links: AssetLinks


class Filter(BaseModel):
    """Which assets to list."""

    production: Annotated[str | None, Query(max_length=100)] = None
    status: Annotated[Literal["received", "screening", "decided"] | None, Query()] = None
    outcome: Annotated[Literal["clear", "caution", "escalate"] | None, Query()] = None
    sha256: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None
    since: Annotated[Time | None, Query()] = None


Find = Callable[[Principal, str], Awaitable[Asset]]


def asset_router(
    store: Store, blobs: Blobs, intake: Intake, previews: Previews, *, waiting: Waiting, settings: IngestSettings
) -> APIRouter:
    """Everything under /v1/assets."""
    router = APIRouter(prefix="/assets", tags=["assets"])

    async def find(key: Principal, asset_id: str) -> Asset:
        async with store.read() as connection:
            found = await assets.find(connection, asset_id)
        if found is None:
            raise not_found("asset")
        check_sees(key, found.production, "asset")
        return found

    _add_intake(router, intake, find, settings)
    _add_reading(router, store, find, waiting)
    _add_content(router, blobs, previews, find)
    return router


def _add_intake(router: APIRouter, intake: Intake, find: Find, settings: IngestSettings) -> None:
    @router.post(
        "",
        status_code=202,
        responses=answers(409),
        openapi_extra=multipart_body("declaration", Declaration.model_json_schema()),
        max_body_size=settings.max_upload_bytes + 2 * settings.max_document_bytes,
    )
    async def submit_asset(
        request: Request, response: Response, key: Uploader, idempotency_key: IdempotencyKey = None
    ) -> AssetBody:
        """Takes a file (part `file`) with its declaration (part `declaration`, JSON). Any file type is taken."""
        asset = await intake.submit(request, key, idempotency_key)
        response.headers["Location"] = _address(asset)
        return _body(asset, dict)

    @router.put(
        "/{asset_id}/declaration",
        status_code=202,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Declaration.model_json_schema()}},
            }
        },
    )
    async def amend_declaration(request: Request, key: Uploader, asset_id: AssetId) -> AssetBody:
        """Replaces the declaration; the asset is decided again and gets a new revision if that changes anything."""
        amended = await intake.amend(await find(key, asset_id), await request.body(), key)
        return _bodies(key, amended)[0]


def _add_reading(router: APIRouter, store: Store, find: Find, waiting: Waiting) -> None:
    @router.get("")
    async def list_assets(key: Reader, paging: Paging, wanted: Annotated[Filter, Depends()]) -> Page[AssetBody]:
        """The assets that the key sees, newest first."""
        search = Search(visible=key.visible(), **wanted.model_dump())
        async with store.read() as connection:
            rows = await assets.newest(connection, search, before=paging.after, limit=paging.limit + 1)
        shown, following = paging.page(rows, lambda asset: asset.id)
        return Page(items=_bodies(key, *shown), next=following)

    @router.get("/{asset_id}")
    async def get_asset(key: Follower, asset_id: AssetId, closing: Closing, wait: Wait = 0) -> AssetBody:
        """One asset with its present verdict. `wait` holds the answer until it is decided.

        After an amended declaration the verdict that stands is given at once: one that stays as it is gets no revision.
        """
        asset = await waiting.until(
            asset_id, lambda: find(key, asset_id), lambda a: a.status == "decided", seconds=wait, closing=closing
        )
        return _bodies(key, asset)[0]


def _add_content(router: APIRouter, blobs: Blobs, previews: Previews, find: Find) -> None:
    @router.get("/{asset_id}/content", response_class=StreamingResponse, responses=binary("*/*"))
    async def get_asset_content(key: Reader, asset_id: AssetId) -> StreamingResponse:
        """The original bytes, always as a download."""
        asset = await find(key, asset_id)
        if await blobs.size(asset.sha256) != asset.bytes:
            raise Problem(404, "content_missing", "the stored bytes are missing or damaged")
        kind = "application/octet-stream" if asset.media_type in _UNSAFE else asset.media_type
        disposition = f"attachment; filename*=UTF-8''{quote(asset.filename, safe='')}"
        headers = {"Content-Disposition": disposition, "Content-Length": str(asset.bytes), **SANDBOX}
        return StreamingResponse(blobs.read(asset.sha256), media_type=kind, headers=headers)

    @router.get("/{asset_id}/preview", response_class=StreamingResponse, responses=binary("image/jpeg"))
    async def get_asset_preview(key: Reader, asset_id: AssetId) -> StreamingResponse:
        """A small JPEG, re-encoded. 422 when the content cannot be shown as a picture."""
        return await previews.shown((await find(key, asset_id)).sha256)


def _bodies(key: Principal, *found: Asset) -> list[AssetBody]:
    return [_body(asset, lambda verdict: for_reader(verdict, key)) for asset in found]


def _body(asset: Asset, shown: Callable[[Verdict], dict[str, Any]]) -> AssetBody:
    address = _address(asset)
    return AssetBody(
        id=asset.id,
        production=asset.production,
        title=asset.title,
        filename=asset.filename,
        sha256=asset.sha256,
        bytes=asset.bytes,
        media_type=asset.media_type,
        declaration_number=asset.number,
        submitted_at=asset.submitted_at,
        status=asset.status,
        verdict=shown(Verdict.model_validate_json(asset.verdict)) if asset.verdict else None,
        links=AssetLinks(
            self=address,
            content=f"{address}/content",
            preview=f"{address}/preview",
            verdicts=f"/v1/verdicts?asset_id={asset.id}",
        ),
    )


def _address(asset: Asset) -> str:
    return f"/v1/assets/{asset.id}"
