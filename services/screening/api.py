"""The routes of screening: lookups and banks."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import UploadFile

from services.screening.banks import Banks
from services.screening.catalogue import Bank
from services.screening.findings import SHIPPED_SCORE
from services.screening.lookups import Lookup, Lookups
from services.screening.settings import ScreeningSettings
from shared.events import BankSettings
from shared.principal import Principal
from shared.web.auth import require
from shared.web.faults import faults_of
from shared.web.paging import Page, Paging
from shared.web.problems import Problem, invalid, not_found
from shared.web.times import Time

_CHUNK = 1 << 20
_OVERHEAD_BYTES = 10_000  # the multipart frame around the picture
Reader = Annotated[Principal, Depends(require("upload", "read", "review"))]
Operator = Annotated[Principal, Depends(require("operate"))]
Name = Annotated[str, InPath(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Score = Annotated[float, Query(ge=0, le=1, description="0.5 is the shipped threshold; lower shows weaker candidates")]


class HashLookup(BaseModel):
    """One of the three."""

    model_config = ConfigDict(extra="forbid")
    pdq: str | None = Field(None, pattern=r"^[0-9a-fA-F]{64}$")
    phash: str | None = Field(None, pattern=r"^[0-9a-fA-F]{16}$")
    sha256: str | None = Field(None, pattern=r"^[0-9a-fA-F]{64}$")


class BankChange(BaseModel):
    """What to set; what is left out takes its default."""

    model_config = ConfigDict(extra="forbid")
    purpose: Literal["protect", "allow"] = "protect"
    enabled: bool = True
    paused_until: Time | None = None
    max_distance: int = Field(31, ge=0, le=64)
    whole_share: float = Field(0.30, ge=0, le=1)
    part_coverage: float = Field(0.10, ge=0, le=1)
    hide_titles: bool = False
    productions: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field((), max_length=200)

    @model_validator(mode="after")
    def _only_allowing(self) -> "BankChange":
        if self.productions and self.purpose != "allow":
            raise ValueError("productions: what protects a work protects it from all; give them to an allow bank")
        return self


class BankBody(BankSettings):
    """A bank with its settings and how many live references it holds."""

    name: str
    references: int


_LOOKUP_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            },
            "application/json": {"schema": HashLookup.model_json_schema()},
        },
    }
}


def build_router(lookups: Lookups, banks: Banks, settings: ScreeningSettings) -> APIRouter:
    """Everything under /v1 that screening answers."""
    router = APIRouter(tags=["matching"])

    @router.post("/lookups", max_body_size=settings.lookup_bytes + _OVERHEAD_BYTES, openapi_extra=_LOOKUP_BODY)
    async def lookup(request: Request, key: Reader, min_score: Score = SHIPPED_SCORE) -> Lookup:
        """What a picture (part `file`) or a hash matches. Nothing is stored. Exact scores need the scope `review`."""
        exact = key.may("review")
        found = await _looked_up(lookups, request, min_score if exact else SHIPPED_SCORE)
        return found if exact else found.coarse()

    @router.get("/banks")
    async def list_banks(key: Reader, paging: Paging) -> Page[BankBody]:
        """Every bank by name."""
        rows = [bank for bank in banks.all() if paging.after is None or bank.name > paging.after]
        shown, following = paging.page(rows[: paging.limit + 1], lambda bank: bank.name)
        return Page(items=[_body(bank) for bank in shown], next=following)

    @router.get("/banks/{name}")
    async def get_bank(key: Reader, name: Name) -> BankBody:
        """One bank."""
        bank = banks.find(name)
        if bank is None:
            raise not_found("bank")
        return _body(bank)

    @router.put("/banks/{name}")
    async def put_bank(key: Operator, name: Name, change: BankChange) -> BankBody:
        """Makes a bank or changes its settings; every worker has them within a second.

        An allow bank lifts matches: a key for some productions makes one for these, and names them.
        """
        _check_reach(key, banks.find(name), change)
        return _body(await banks.put(name, BankSettings(**change.model_dump())))

    return router


def _check_reach(key: Principal, before: Bank | None, change: BankChange) -> None:
    """Raises Problem where the key would allow, or stop allowing, something for productions that it does not reach."""
    visible = key.visible()
    allowed = [change.productions] if change.purpose == "allow" else []
    if before is not None and before.settings.purpose == "allow":
        allowed.append(before.settings.productions)
    if visible is None or all(named and visible.issuperset(named) for named in allowed):
        return
    message = "an allow bank for productions that this key does not reach"
    raise invalid("productions", message, "name productions of this key, or use a key for all (`*`)")


def _body(bank: Bank) -> BankBody:
    return BankBody(name=bank.name, references=bank.references, **bank.settings.model_dump())


async def _looked_up(lookups: Lookups, request: Request, least_score: float) -> Lookup:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _by_picture(lookups, request, least_score)
    if kind == "application/json":
        return await _by_hash(lookups, await request.body(), least_score)
    raise Problem(415, detail="send multipart/form-data with the part `file`, or application/json with one hash")


async def _by_picture(lookups: Lookups, request: Request, least_score: float) -> Lookup:
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("file", "is missing", "send the picture as the multipart part `file`")
        return await lookups.by_picture(_chunks(file), least_score)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


async def _by_hash(lookups: Lookups, body: bytes, least_score: float) -> Lookup:
    try:
        asked = HashLookup.model_validate_json(body)
    except ValidationError as error:
        raise Problem(422, errors=faults_of(error.errors())) from error
    given = {name: value.lower() for name, value in asked.model_dump().items() if value is not None}
    if len(given) != 1:
        raise invalid("body", f"names {len(given)} hashes", "give exactly one of pdq, phash, sha256")
    return await lookups.by_hash(
        sha256=given.get("sha256"), pdq=given.get("pdq"), phash=given.get("phash"), least_score=least_score
    )
