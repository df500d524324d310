"""How the brokers are to be trusted, and how we show who we are."""

from pathlib import Path
from ssl import SSLContext
from typing import TypedDict

from aiokafka.helpers import create_ssl_context

from shared.errors import ConfigurationError
from shared.settings.models import KafkaSettings


class Options(TypedDict, total=False):
    """What every client of aiokafka takes."""

    security_protocol: str
    ssl_context: SSLContext
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str


def client_options(settings: KafkaSettings) -> Options:
    """Keyword arguments for a client. Raises `ConfigurationError` where the settings do not fit together."""
    options: Options = {"security_protocol": settings.security_protocol}
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _context(settings)
    elif settings.ca_file or settings.certificate_file:
        raise ConfigurationError("kafka: certificates are given but not used: set security_protocol to SSL or SASL_SSL")
    if settings.security_protocol.startswith("SASL"):
        if not (settings.username and settings.password):
            raise ConfigurationError(f"kafka: {settings.sasl_mechanism} needs `username` and `password`")
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.username
        options["sasl_plain_password"] = settings.password.get_secret_value()
    return options


def _context(settings: KafkaSettings) -> SSLContext:
    if (settings.certificate_file is None) != (settings.key_file is None):
        raise ConfigurationError("kafka: a client certificate needs both `certificate_file` and `key_file`")
    try:
        return create_ssl_context(
            cafile=_text(settings.ca_file),
            certfile=_text(settings.certificate_file),
            keyfile=_text(settings.key_file),
        )
    except OSError as error:
        raise ConfigurationError(f"kafka: the certificates cannot be read: {error}") from error


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
