"""Times in requests: RFC 3339 texts with a zone, and nothing that merely could be read as one."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_LOOKS_RIGHT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _text_only(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _LOOKS_RIGHT.match(value)):
        return value
    raise PydanticCustomError("datetime_parsing", "is no time")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:  # the first and the last day that there are, seen from elsewhere
        raise PydanticCustomError("datetime_parsing", "is no time") from error


Time = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""A point in time, in UTC. Numbers are no times, here, nor is a text without a zone."""
