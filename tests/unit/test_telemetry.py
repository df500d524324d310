"""What logs must never show, and that the table of metrics is sound."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from shared import metrics
from shared.bus.port import Message
from shared.telemetry import ConsumerMetrics, configure_logging, without_secrets

SECRET = "cf_abcdefgh_" + "x" * 43


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.root
    before = (root.handlers, root.level, logging.raiseExceptions, structlog.get_config())
    yield
    root.handlers, root.level, logging.raiseExceptions = before[:3]
    structlog.configure(**before[3])


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_reaches_a_line(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", style)  # type: ignore[arg-type]
    password = "hunter2"
    try:
        int(f"postgresql://ann:{password}@host/name")
    except ValueError:
        structlog.get_logger("a").exception("failed", api_key=SECRET, text=f"Bearer {SECRET}")
    logging.getLogger("foreign").warning("with %s", SECRET)
    lines = capsys.readouterr().err
    assert "failed" in lines
    assert "foreign" in lines
    assert "x" * 20 not in lines
    assert password not in lines


@pytest.mark.usefixtures("_as_before")
def test_json_lines_carry_level_time_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger("a.b").info("kept", asset_id="1")
    structlog.get_logger("a.b").debug("not shown")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"], line["asset_id"]) == ("kept", "info", "a.b", "1")
    assert line["timestamp"].endswith("Z")


def test_what_is_no_secret_stays() -> None:
    line = {"event": "cf_abc https://host/path a@b.c", "key": "asset-1", "count": 3}
    assert without_secrets(None, "info", dict(line)) == line


def test_metrics_are_named_alike_and_explained() -> None:
    for name, kind, labels, meaning in metrics.table():
        assert re.fullmatch(r"clearframe_[a-z]+(_[a-z]+)*", name), name
        assert kind != "counter" or name.endswith("_total")
        assert meaning
        assert not {label for label in labels if label.endswith("id")}


def test_a_consumers_work_is_counted() -> None:
    group = "counted-here"
    observer = ConsumerMetrics(group)
    observer.handled(5, 0.1)
    observer.retried(2, ValueError())
    observer.rejected(Message("t", 0, 0, "k", b"", {}, 0), "invalid_event")
    observer.lagging(7)
    read = metrics.MESSAGES.labels(group, "handled")._value.get
    assert read() == 5
    assert metrics.MESSAGES.labels(group, "retried")._value.get() == 2
    assert metrics.REJECTIONS.labels(group, "invalid_event")._value.get() == 1
    assert metrics.LAG.labels(group)._value.get() == 7
