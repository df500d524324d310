"""Lists come in pages: `{"items": [...], "next": cursor or null}`, asked for with `?limit=&after=`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from shared.web.problems import invalid

T = TypeVar("T")
LARGEST_PAGE = 200


class Page(BaseModel, Generic[T]):
    """One page of a list. `next` goes into `after` for the following one."""

    items: list[T]
    next: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """What to read: `limit` rows after the row with the key `after`. Ask for one row more to know if others follow."""

    limit: int
    after: str | None

    def page(self, rows: Sequence[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
        """From `limit + 1` rows: those of the page, and the cursor of the next."""
        shown = list(rows[: self.limit])
        return shown, encode_cursor(key(shown[-1])) if len(rows) > self.limit else None


def encode_cursor(key: str) -> str:
    """An opaque cursor for a row's key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The key again. Raises a 422 `Problem` for what was never a cursor."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid("after", "is no cursor of ours", "use the `next` of the page before") from error
    if "\0" in key:
        raise invalid("after", "is no cursor of ours", "use the `next` of the page before")
    return key


def _asked(
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="rows a page")] = 50,
    after: Annotated[str | None, Query(max_length=400, description="the `next` of the page before")] = None,
) -> Slice:
    return Slice(limit, None if after is None else decode_cursor(after))


Paging = Annotated[Slice, Depends(_asked)]
"""Declare a parameter of this type, and the route takes `?limit=&after=`."""
