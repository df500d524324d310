"""What a client says of a reference: strictly read, all faults at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from services.ingest.declared import read_json
from services.ingest.references import FIRST_BANK
from shared.declaration.text import Code, Name, Title
from shared.events import ReferenceDetails
from shared.web.faults import faults_of
from shared.web.problems import Problem
from shared.web.times import Time


class ReferenceForm(BaseModel):
    """The part `reference` of the body."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    bank: Code = FIRST_BANK
    owner: Name | None = None
    label: Code | None = None
    external_id: Name | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None

    @model_validator(mode="after")
    def _window(self) -> "ReferenceForm":
        check_window(self.valid_from, self.valid_until)
        return self


class ReferenceChange(BaseModel):
    """What to change; what is left out stays, a null clears."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    bank: Code | None = None
    owner: Name | None = None
    label: Code | None = None
    external_id: Name | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None

    def applied(self, details: ReferenceDetails) -> ReferenceDetails:
        """The details with this change. Raises a 422 `Problem`."""
        return _details(details.model_dump() | self.model_dump(exclude_unset=True))


def read_details(document: bytes) -> ReferenceDetails:
    """From the JSON part. Raises a 422 `Problem` with every fault."""
    return _details(read_json(document, "reference"))


def check_window(start: datetime | None, end: datetime | None) -> None:
    """Raises `ValueError` when the end does not lie after the start."""
    if start is not None and end is not None and end <= start:
        raise ValueError("valid_until must be later than valid_from")


def _details(data: Mapping[str, Any] | Any) -> ReferenceDetails:
    try:
        return ReferenceDetails.model_validate(ReferenceForm.model_validate(data).model_dump())
    except ValidationError as error:
        faults = faults_of(error.errors(), ReferenceForm)
        raise Problem(422, "invalid_reference", errors=faults) from error
