"""The base of everything that travels: immutable, and tolerant of fields that a newer writer added."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable model. Unknown fields are ignored, so an old reader understands a new writer."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
