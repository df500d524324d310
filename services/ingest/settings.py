"""The settings of ingest, read once at start."""

from pydantic import BaseModel, ConfigDict, Field


class IngestSettings(BaseModel):
    """`CLEARFRAME_INGEST__<NAME>`, or the table `[ingest]` of the TOML file."""

    model_config = ConfigDict(frozen=True)

    max_upload_bytes: int = Field(200_000_000, ge=1, description="largest file that is taken, in bytes")
    max_document_bytes: int = Field(1_000_000, ge=1_000, description="largest declaration part, in bytes")
    uploads_at_once: int = Field(64, ge=1, description="uploads that are read at the same time; others wait")
    uploads_waiting: int = Field(512, ge=0, description="uploads that may wait for their turn; more get a 429")
    reference_wait_seconds: float = Field(10.0, ge=0, le=60, description="how long a reference's 201 is waited for")
    idempotency_hours: float = Field(24.0, gt=0, description="how long an Idempotency-Key is remembered, in hours")
    preview_pixels: int = Field(1024, ge=64, le=4096, description="longer side of a preview, in pixels")
    preview_seconds: float = Field(10.0, gt=0, description="wall-clock limit for making one preview, in seconds")
    preview_memory_mb: int = Field(512, ge=128, description="memory limit for making one preview, in MB")
    previews_at_once: int = Field(2, ge=1, le=32, description="previews that are made at the same time")
