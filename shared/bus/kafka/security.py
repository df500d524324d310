"""How the brokers are to be trusted, and how we show who we are."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from aiokafka.helpers import create_ssl_context

from shared.errors import ConfigurationError

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class Options(TypedDict, total=False):
    """What every client of aiokafka takes."""

    security_protocol: str
    ssl_context: object
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str


@dataclass(frozen=True)
class KafkaSecurity:
    """TLS with the system's authorities unless `ca_file` is given; a client certificate, a password, or neither."""

    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    mechanism: Mechanism | None = None
    username: str = ""
    password: str = field(default="", repr=False)

    def options(self) -> Options:
        """Keyword arguments for a client. Raises `ConfigurationError` where the parts do not fit together."""
        options: Options = {"security_protocol": ("SASL_" if self.mechanism else "") + self._transport()}
        if self.tls:
            options["ssl_context"] = self._context()
        elif self.ca_file or self.certificate_file:
            raise ConfigurationError("kafka: certificates are given but TLS is off: turn `tls` on")
        if self.mechanism:
            if not (self.username and self.password):
                raise ConfigurationError(f"kafka: {self.mechanism} needs a username and a password")
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def _transport(self) -> str:
        if self.tls:
            return "SSL"
        return "PLAINTEXT"

    def _context(self) -> object:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ConfigurationError("kafka: a client certificate needs both `certificate_file` and `key_file`")
        try:
            return create_ssl_context(
                cafile=_text(self.ca_file),
                certfile=_text(self.certificate_file),
                keyfile=_text(self.key_file),
            )
        except OSError as error:
            raise ConfigurationError(f"kafka: the certificates cannot be read: {error}") from error


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
