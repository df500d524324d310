"""The routes of productions and API keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from shared.principal import Principal, Scope
from shared.store.directory import Directory
from shared.store.entries import InvalidEntry, Key, Production, UnknownKey
from shared.web.auth import require
from shared.web.paging import Page, Paging, encode_cursor
from shared.web.problems import invalid, not_found
from shared.web.times import Time

Admin = Annotated[Principal, Depends(require("admin"))]
AnyKey = Annotated[Principal, Depends(require())]
Slug = Annotated[str, InPath(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$")]
KeyId = Annotated[str, InPath(pattern=r"^[0-9a-f-]{36}$")]


class ProductionBody(BaseModel):
    """A production: the tenant."""

    slug: str
    title: str
    contact: str | None
    time_zone: str
    defaults: dict[str, Any]


class ProductionForm(BaseModel):
    """What to set; what is left out takes its default."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, max_length=300, description="the slug where left out")
    contact: str | None = Field(None, max_length=300, description="who is informed at the studio")
    time_zone: str = Field("UTC", max_length=60, description="an IANA name such as Europe/Paris")
    defaults: dict[str, Any] = Field(default_factory=dict, description="declaration fields that uploads leave out")


class KeyForm(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    person: str | None = Field(None, max_length=200, description="whose it is; two keys of one person count as one")
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    productions: list[Annotated[str, Field(max_length=100)]] = Field(
        min_length=1, max_length=500, description='slugs, or "*" for all'
    )
    expires_at: Time | None = None


class KeyBody(BaseModel):
    """A key, never its secret."""

    id: str
    prefix: str
    name: str
    person: str
    scopes: list[Scope]
    productions: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKeyBody(KeyBody):
    """A key with its secret, which is shown this once."""

    key: str


def admin_router(directory: Directory) -> APIRouter:
    """Everything under /v1/productions and /v1/keys."""
    router = APIRouter(tags=["administration"])

    @router.get("/productions")
    async def list_productions(key: AnyKey, paging: Paging) -> Page[ProductionBody]:
        """The productions that the key sees, by slug."""
        page = await directory.productions(among=key.visible(), limit=paging.limit, after=paging.after)
        return Page(items=[_production(entry) for entry in page.items], next=_cursor(page.next))

    @router.get("/productions/{slug}")
    async def get_production(key: AnyKey, slug: Slug) -> ProductionBody:
        """One production."""
        found = await directory.production(slug) if key.sees(slug) else None
        if found is None:
            raise not_found("production")
        return _production(found)

    @router.put("/productions/{slug}")
    async def put_production(key: Admin, slug: Slug, form: ProductionForm) -> ProductionBody:
        """Makes a production, or replaces its settings."""
        if not key.sees(slug):
            raise not_found("production")
        wanted = Production(slug, form.title or slug, form.contact, form.time_zone, form.defaults)
        with _explained():
            return _production(await directory.put_production(wanted))

    @router.get("/keys")
    async def list_keys(key: Admin, paging: Paging) -> Page[KeyBody]:
        """Every key, revoked ones too, newest first."""
        page = await directory.keys(limit=paging.limit, after=paging.after)
        return Page(items=[KeyBody(**_key(entry)) for entry in page.items], next=_cursor(page.next))

    @router.post("/keys", status_code=201)
    async def create_key(key: Admin, form: KeyForm) -> NewKeyBody:
        """Makes a key. The answer shows it, this once."""
        with _explained():
            made, secret = await directory.create_key(
                name=form.name,
                person=form.person or form.name,
                scopes=form.scopes,
                productions=form.productions,
                expires_at=form.expires_at,
            )
        return NewKeyBody(**_key(made), key=secret)

    @router.delete("/keys/{key_id}", status_code=204)
    async def revoke_key(key: Admin, key_id: KeyId) -> Response:
        """Ends a key, everywhere within five seconds."""
        try:
            await directory.revoke_key(key_id)
        except UnknownKey as error:
            raise not_found("key") from error
        return Response(status_code=204)

    return router


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except InvalidEntry as error:
        raise invalid(error.field, error.message, error.remedy) from error


def _production(production: Production) -> ProductionBody:
    return ProductionBody(**asdict(production))


def _key(key: Key) -> dict[str, Any]:
    return asdict(key)


def _cursor(following: str | None) -> str | None:
    return None if following is None else encode_cursor(following)
