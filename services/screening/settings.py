"""The settings of screening, read once at start."""

from pathlib import Path

from pydantic import BaseModel, Field


class ScreeningSettings(BaseModel):
    """`CLEARFRAME_SCREENING__<NAME>`, or the table `[screening]` of the TOML file."""

    workers: int = Field(2, ge=1, le=64, description="decoding processes at most; they start when needed")
    batch: int = Field(32, ge=1, le=500, description="uploads taken from the bus at once")
    decode_seconds: float = Field(20.0, gt=0, description="wall-clock limit for decoding one file, in seconds")
    cpu_seconds: int = Field(5, ge=1, description="CPU limit for decoding one file, in seconds")
    memory_mb: int = Field(512, ge=128, description="memory limit of a decoding process, in MB")
    idle_seconds: float = Field(30.0, gt=0, description="an unused decoding process ends after this many seconds")
    partial_copies: bool = Field(True, description="search for parts of protected works by local features too")
    index: Path | None = Field(
        None, description="folder of the search index, which the topic can fill again; in the data folder if not given"
    )
    index_delta: int = Field(
        64_000, ge=1, description="changes of references that are searched by a scan before they are merged"
    )
    lookup_bytes: int = Field(200_000_000, ge=1, description="largest picture to look up, in bytes")
