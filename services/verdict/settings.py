"""The settings of the verdict service."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class VerdictSettings(BaseModel):
    """`CLEARFRAME_VERDICT__<NAME>`, or the table `[verdict]` of the TOML file."""

    model_config = ConfigDict(frozen=True)

    rulebook: Path | None = Field(None, description="YAML file, or folder of them; else the shipped rulebook")
    tools: Path | None = Field(None, description="YAML file of tools whose terms are on record; see docs/rulebook.md")
    batch: int = Field(100, ge=1, le=1000, description="most screenings decided in one transaction")
    escalation_due_hours: float = Field(24.0, gt=0, description="hours until an opened case is due")
    webhook_timeout_seconds: float = Field(15.0, gt=0, le=60, description="seconds for one attempt at an endpoint")
    allow_loopback_webhooks: bool = Field(False, description="for development: webhooks to this machine, http too")
    secret_rotation_hours: float = Field(24.0, gt=0, description="hours in which a rotated secret still signs")
    digest_hour: int = Field(8, ge=0, le=23, description="hour, in a production's time zone, of its digest of clears")
    rescan_outstanding: int = Field(200, ge=1, description="most assets of rescans on their way at a time")
