"""The settings: environment, TOML file, files with secrets. Read once at start; a misspelt name is an error.

Each service declares a model of its own in `services/<name>/settings.py`: `class IngestSettings(BaseModel)` with a
default and a description for each field. It is read from `CLEARFRAME_INGEST__<NAME>` or the table `[ingest]`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

M = TypeVar("M", bound=BaseModel)


class KafkaSettings(BaseModel):
    """`CLEARFRAME_KAFKA__<NAME>`, or the table `[kafka]` of the TOML file."""

    model_config = ConfigDict(frozen=True)

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to speak to the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how to prove who we are, with SASL"
    )
    username: str | None = Field(None, description="user name for SASL")
    password: SecretStr | None = Field(None, description="password for SASL")
    ca_file: Path | None = Field(None, description="certificates to trust, PEM; else the system's")
    certificate_file: Path | None = Field(None, description="our certificate for mutual TLS, PEM")
    key_file: Path | None = Field(None, description="the private key of that certificate, PEM")
    replication_factor: int = Field(
        -1, ge=-1, description="copies of each topic we create; -1: three, where there are brokers enough"
    )


class SharedSettings(BaseModel):
    """`CLEARFRAME_<NAME>`, or a name at the top of the TOML file. The same for all services."""

    model_config = ConfigDict(frozen=True)

    data: Path = Field(Path("clearframe-data"), description="folder for all that has no address of its own")
    bus: str | None = Field(None, description="`embedded:///folder/bus.sqlite` or `kafka://host:port,host:port`")
    store: SecretStr | None = Field(None, description="`sqlite:///folder` or `postgresql://user:password@host/name`")
    blobs: str | None = Field(None, description="`file:///folder`, `s3://`, `gs://` or `az://bucket/prefix`")
    topic_prefix: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$", description="put before the name of every Kafka topic")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="`auto`: console on a terminal")
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)

    @property
    def bus_url(self) -> str:
        """The address of the bus; in the data folder unless one is given."""
        return self.bus or f"embedded://{self.data.resolve() / 'bus.sqlite'}"

    @property
    def store_url(self) -> str:
        """The address of the database; in the data folder unless one is given."""
        return self.store.get_secret_value() if self.store else f"sqlite://{self.data.resolve() / 'store'}"

    @property
    def blobs_url(self) -> str:
        """The address of the blobs; in the data folder unless one is given."""
        return self.blobs or f"file://{self.data.resolve() / 'blobs'}"


@dataclass(frozen=True)
class Settings:
    """What all was set: `settings.shared`, and each service's by its class: `settings.of(IngestSettings)`."""

    shared: SharedSettings
    sections: tuple[BaseModel, ...]

    def of(self, kind: type[M]) -> M:
        """The settings of one service."""
        return next(section for section in self.sections if isinstance(section, kind))


def section_name(kind: type[BaseModel]) -> str:
    """`IngestSettings` is `ingest`."""
    return kind.__name__.removesuffix("Settings").lower()
