"""The one table of metrics. Bind labels once, where a part is made: `UPLOADS.labels("accepted")`. Never ids in labels.

Names are `clearframe_<noun>_<unit>`, counters end in `_total`; the second argument is what the metric means.
"""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)

HTTP_SECONDS = Histogram(
    "clearframe_http_seconds", "time to answer, by route template", ["method", "route", "status"], buckets=_QUICK
)
UPLOADS = Counter("clearframe_uploads_total", "uploads answered; result: accepted or the error's code", ["result"])
UPLOAD_BYTES = Counter("clearframe_upload_bytes_total", "bytes of accepted uploads")

MESSAGES = Counter(
    "clearframe_messages_total",
    "messages of a consumer group; result: handled, retried or rejected",
    ["group", "result"],
)
BATCH_SECONDS = Histogram("clearframe_batch_seconds", "time for a batch until committed", ["group"], buckets=_QUICK)
REJECTIONS = Counter("clearframe_rejections_total", "messages sent to the dead letters", ["group", "code"])
LAG = Gauge("clearframe_lag_messages", "messages that the group has still to commit", ["group"])
OUTBOX = Gauge("clearframe_outbox_events", "events that wait for the bus", ["service"])

SCREENINGS = Counter("clearframe_screenings_total", "result: screened, or why it was unscreenable", ["result"])
SCREENING_SECONDS = Histogram("clearframe_screening_seconds", "decode and fingerprint one batch", buckets=_QUICK)
MATCHES = Counter("clearframe_matches_total", "reference matches found", ["detector"])
INDEX_REFERENCES = Gauge("clearframe_index_references", "references that this process searches")
INDEX_REFUSED = Gauge("clearframe_index_refused_segments", "damaged segments set aside at the start")
INDEX_BEHIND = Gauge("clearframe_index_behind_messages", "records of the references log not applied yet")

VERDICTS = Counter("clearframe_verdicts_total", "new revisions", ["outcome", "cause"])
VERDICT_SECONDS = Histogram("clearframe_verdict_seconds", "from upload to its first verdict", buckets=_LONG)
ESCALATIONS_OPEN = Gauge("clearframe_escalations_open", "cases that wait for a person")
NOTIFICATIONS = Counter("clearframe_notifications_total", "webhook attempts; delivered, failed or dead", ["result"])

METRICS: tuple[MetricWrapperBase, ...] = (
    HTTP_SECONDS,
    UPLOADS,
    UPLOAD_BYTES,
    MESSAGES,
    BATCH_SECONDS,
    REJECTIONS,
    LAG,
    OUTBOX,
    SCREENINGS,
    SCREENING_SECONDS,
    MATCHES,
    INDEX_REFERENCES,
    INDEX_REFUSED,
    INDEX_BEHIND,
    VERDICTS,
    VERDICT_SECONDS,
    ESCALATIONS_OPEN,
    NOTIFICATIONS,
)


def describe_metrics() -> str:
    """Markdown: the table, for the documentation."""
    rows = [
        f"| `{name}` | {kind} | {', '.join(labels) or 'none'} | {meaning} |" for name, kind, labels, meaning in table()
    ]
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""])


def table() -> list[tuple[str, str, tuple[str, ...], str]]:
    """(name, kind, labels, meaning) of every metric, named as Prometheus shows it."""
    found = []
    for metric in METRICS:
        kind = type(metric).__name__.lower()
        name = f"{metric._name}_total" if kind == "counter" else metric._name
        found.append((name, kind, tuple(metric._labelnames), metric._documentation))
    return found
