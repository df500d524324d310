"""The shape of an error answer on the wire."""

from pydantic import BaseModel

from shared.web.faults import FieldFault

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldFault] = []
