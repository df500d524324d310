"""What the directory holds: productions and API keys. Pure: values, and what makes them valid."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.declaration.faults import did_you_mean
from shared.errors import ClearframeError
from shared.principal import SCOPES, Principal, Scope

T = TypeVar("T")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_SECRET = re.compile(r"cf_([a-z2-7]{8,16})_[A-Za-z0-9_-]{20,100}")


class InvalidEntry(ClearframeError):  # noqa: N818 - names what was refused
    """A production or key cannot be kept like this: `field`, `message` and `remedy` are for a person."""

    def __init__(self, field_name: str, message: str, remedy: str) -> None:
        super().__init__(f"{field_name}: {message}; {remedy}")
        self.field = field_name
        self.message = message
        self.remedy = remedy


class UnknownKey(ClearframeError):  # noqa: N818
    """No API key has this id."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next` is what to pass as `after`, None at the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Production:
    """A show: the tenant. `defaults` are declaration fields that its uploads leave out."""

    slug: str
    title: str
    contact: str | None = None
    time_zone: str = "UTC"
    defaults: dict[str, Any] = field(default_factory=dict)

    def checked(self) -> "Production":
        """Itself. Raises `InvalidEntry`."""
        if not _SLUG.fullmatch(self.slug):
            raise InvalidEntry(
                "slug", f"{self.slug!r} is no slug", "use up to 60 of a-z, 0-9 and -, neither first nor last"
            )
        _check_text("title", self.title, 300)
        if self.contact is not None:
            _check_text("contact", self.contact, 300)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidEntry(
                "time_zone", f"{self.time_zone!r} is no time zone", "use one like Europe/Paris"
            ) from error
        return self


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret; `prefix` is the part of the secret that may be shown."""

    id: str
    prefix: str
    name: str
    person: str
    scopes: tuple[Scope, ...]
    productions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        """Its holder, as the routes see them."""
        return Principal(self.id, self.name, self.person, frozenset(self.scopes), frozenset(self.productions))

    def checked(self) -> "Key":
        """Itself. Raises `InvalidEntry`; whether its productions exist is the directory's to say."""
        _check_text("name", self.name, 200)
        _check_text("person", self.person, 200)
        if not self.scopes:
            raise InvalidEntry("scopes", "a key without scopes opens nothing", f"name some of {', '.join(SCOPES)}")
        for scope in self.scopes:
            if scope not in SCOPES:
                raise InvalidEntry("scopes", f"{scope!r} is no scope", suggestion(scope, SCOPES))
        if not self.productions:
            raise InvalidEntry("productions", "a key without productions opens nothing", 'name some, or "*" for all')
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise InvalidEntry("expires_at", "lies in the past", "give a later time, or leave it out")
        return self


def unknown_production(slug: str, known: Iterable[str], field_name: str = "production") -> InvalidEntry:
    """The error for a production that nobody made."""
    return InvalidEntry(field_name, f"there is no production {slug!r}", suggestion(slug, known))


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """The remedy for a misspelt name."""
    names = sorted(right)
    return did_you_mean(wrong, names[:200]) if names else "make it first"


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256. Enough, as secrets are 256 random bits and no passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def prefix_of(secret: str) -> str | None:
    """The part of a secret that may be shown; None when it was never made here."""
    match = _SECRET.fullmatch(secret)
    return match[1] if match else None


def _check_text(name: str, text: str, most: int) -> None:
    if not text.strip() or len(text) > most or not text.isprintable():
        raise InvalidEntry(name, "is empty, too long or holds control characters", f"use 1 to {most} characters")
