"""Times in requests: RFC 3339 texts with a zone, and nothing that merely could be read as one."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_LOOKS_RIGHT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _text_only(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _LOOKS_RIGHT.match(value)):
        return value
    raise PydanticCustomError("datetime_parsing", "is no time")


Time = Annotated[AwareDatetime, BeforeValidator(_text_only)]
"""A point in time with its zone. Numbers are no times, here."""
