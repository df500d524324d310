"""Opens a backend by its address. Here alone a backend is chosen, and imported when it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from shared.settings.models import KafkaSettings
    from shared.store.engine import Store


def open_bus(url: str, *, settings: "KafkaSettings | None" = None, prefix: str = "") -> Bus:
    """`embedded:///folder/bus.sqlite` or `kafka://host:port,host:port`. Raises `ConfigurationError`.

    `settings` and `prefix` (of topics and groups) are Kafka's alone.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "embedded":
        from shared.bus.embedded import EmbeddedBus

        return EmbeddedBus(_file(rest, "CLEARFRAME_BUS", "embedded:///folder/bus.sqlite"))
    if scheme == "kafka":
        return _kafka(rest, settings, prefix)
    raise ConfigurationError(
        f"CLEARFRAME_BUS: {scheme!r} is no bus; use embedded:///folder/bus.sqlite or kafka://host:port"
    )


def open_blobs(url: str) -> Blobs:
    """`file:///folder`, or `s3://`, `gs://`, `az://bucket/prefix`. Raises `ConfigurationError`."""
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        from shared.blobs.files import FileBlobs

        return FileBlobs(_file(rest, "CLEARFRAME_BLOBS", "file:///folder"))
    if scheme in {"s3", "gs", "az"}:
        return _objects(url)
    raise ConfigurationError(f"CLEARFRAME_BLOBS: {scheme!r} is no blob store; use file:///folder or s3://bucket/prefix")


def open_store(url: str, service: str) -> "Store":
    """`sqlite:///folder` keeps one file a service, `postgresql://host/name` one schema. Raises `ConfigurationError`."""
    from shared.store.engine import open_store as open_it

    return open_it(url, service)


def _kafka(brokers: str, settings: "KafkaSettings | None", prefix: str) -> Bus:
    try:
        from shared.bus.kafka import KafkaBus
    except ImportError as error:
        raise _missing("CLEARFRAME_BUS", "kafka", error) from error
    return KafkaBus(brokers, settings=settings, prefix=prefix)


def _objects(url: str) -> Blobs:
    try:
        from shared.blobs.objects import ObjectBlobs
    except ImportError as error:
        raise _missing("CLEARFRAME_BLOBS", "s3", error) from error
    return ObjectBlobs.at(url)


def _missing(setting: str, extra: str, error: ImportError) -> ConfigurationError:
    return ConfigurationError(f"{setting}: {error.name} is not installed; install clearframe[{extra}]")


def _file(path: str, setting: str, example: str) -> Path:
    found = Path(path)
    if not found.is_absolute():
        raise ConfigurationError(f"{setting}: {path!r} is not absolute; write it like {example}")
    return found
