"""Logs and metrics: how lines are written, what never appears in them, and who counts a consumer's work."""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared import metrics
from shared.bus.port import Message

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]
_REMOVED = "[removed]"
_SECRET_NAME = re.compile(r"secret|password|authorization|cookie|token|api_?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"\b(cf_[a-z2-7]{8,16})_[A-Za-z0-9_-]{20,}|(://[^/\s:@]*):[^/\s@]+(?=@)|\bwhsec_\S+")
_NOISY = ("sqlalchemy", "aiosqlite", "aiokafka", "alembic", "asyncio", "uvicorn.access")


def configure_logging(level: Level = "info", style: Format = "auto") -> None:
    """Every logger of the process writes lines to stderr: JSON, or for people on a terminal. Call once, at start."""
    if style == "auto":
        style = "console" if sys.stderr.isatty() else "json"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_last_steps(console=style == "console")
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    # A disk too full for a log line must not fail the work that the line tells of.
    logging.raiseExceptions = False


def without_secrets(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Removes what is named like a secret, and what looks like one of ours inside texts."""
    return {name: _REMOVED if _SECRET_NAME.search(name) else _masked(value) for name, value in line.items()}


class ConsumerMetrics:
    """The `Observer` of `shared.bus.consumer` that counts."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._handled = metrics.MESSAGES.labels(group, "handled")
        self._retried = metrics.MESSAGES.labels(group, "retried")
        self._rejected = metrics.MESSAGES.labels(group, "rejected")
        self._seconds = metrics.BATCH_SECONDS.labels(group)
        self._lag = metrics.LAG.labels(group)

    def handled(self, messages: int, seconds: float) -> None:
        """A batch is done and committed."""
        self._handled.inc(messages)
        self._seconds.observe(seconds)

    def retried(self, messages: int, error: Exception) -> None:
        """A batch will come again after a pause."""
        self._retried.inc(messages)

    def rejected(self, message: Message, code: str) -> None:
        """A message went to the dead letters."""
        self._rejected.inc()
        metrics.REJECTIONS.labels(self._group, code).inc()

    def lagging(self, records: int) -> None:
        """So many records were still to commit."""
        self._lag.set(records)


def observe_http(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a request: `build_app(..., observe=observe_http)`."""
    metrics.HTTP_SECONDS.labels(method, route, str(status)).observe(seconds)


def _last_steps(*, console: bool) -> list[Processor]:
    # Plain tracebacks: the prettier ones print local variables, and those hold whatever we handle.
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
        if console
        else structlog.processors.JSONRenderer(default=str)
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        without_secrets,
        renderer,
    ]


def _masked(value: object) -> object:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda match: f"{match[1] or match[2] or ''}{_REMOVED}", value)
    return value
