"""What a client says of a reference: strictly read, all faults at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.ingest.declared import read_json
from services.ingest.references import FIRST_BANK
from shared.declaration.text import Code, Name, Title
from shared.events import CommonElement, ReferenceDetails
from shared.web.faults import faults_of
from shared.web.problems import Problem
from shared.web.times import Time

Fraction = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Fraction, Fraction]


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


class CommonMark(BaseModel):
    """A region to mark: its corners in fractions of width and height, or null for the whole work."""

    model_config = ConfigDict(extra="forbid")

    region: tuple[Corner, Corner, Corner, Corner] | None = None
    note: Name


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
    common: list[CommonMark] | None = Field(
        None, max_length=50, description="regions that many works share and that do not alarm; replaces those marked"
    )

    def applied(self, details: ReferenceDetails, person: str, now: datetime) -> ReferenceDetails:
        """The details with this change, made by `person`. Raises a 422 `Problem`."""
        changed = self.model_dump(exclude_unset=True, exclude={"common"})
        made = _details(details.model_dump(exclude={"common"}) | changed)
        common = details.common if "common" not in self.model_fields_set else self._marks(details, person, now)
        return made.model_copy(update={"common": common})

    def _marks(self, details: ReferenceDetails, person: str, now: datetime) -> tuple[CommonElement, ...] | None:
        """A mark that stood already keeps who made it, and when."""
        held = {(mark.region, mark.note): mark for mark in details.common or ()}
        marks = tuple(
            held.get((mark.region, mark.note))
            or CommonElement(region=mark.region, note=mark.note, marked_by=person, marked_at=now)
            for mark in self.common or ()
        )
        return marks or None


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
