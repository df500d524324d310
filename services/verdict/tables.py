"""What the verdict service keeps. Its tables are its own; others learn of verdicts by events."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from shared.outbox import outbox_table
from shared.store.columns import Json, Utc
from shared.store.leases import lease_table

metadata = MetaData()
outbox = outbox_table(metadata)
leases = lease_table(metadata)

_ID = String(40)
_NAME = String(200)
_OPEN = text("closed_at IS NULL")

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("id", _ID, nullable=False, unique=True),
    Column("asset_id", _NAME, nullable=False),
    Column("production", _NAME, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("rules", Text, nullable=False, doc="ids of the rules that fired, each between blanks, to search by"),
    Column("decided_at", Utc, nullable=False),
    Column("record", Text, nullable=False, doc="canonical JSON without personal text: what the chain covers"),
    Column("personal", Text, doc="canonical JSON of the texts and the inputs; null once purged"),
    Column("salt", String(64), doc="makes the hash of the personal part unguessable; purged with it"),
    Column("personal_hash", String(64), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ledger_asset", "asset_id", "sequence"),
    Index("ledger_production", "production", "sequence"),
    Index("ledger_decided", "decided_at"),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("asset_id", _NAME, primary_key=True),
    Column("production", _NAME, nullable=False),
    Column("number", Integer, nullable=False, doc="of the screening held"),
    Column("screened", Text, nullable=False, doc="that AssetScreened, to decide again from"),
    Column("submitted_at", Utc, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("verdict_id", _ID, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("rules", Text, nullable=False),
    Column("basis", String(64), nullable=False, doc="digest of outcome, reasons and findings"),
    Index("assets_production", "production", "asset_id"),
)

handled = Table(
    "handled",
    metadata,
    Column("asset_id", _NAME, nullable=False),
    Column("cause", String(40), nullable=False),
    Column("cause_id", _NAME, nullable=False),
    Column("result", String(20), nullable=False, doc="revised, unchanged or stale"),
    PrimaryKeyConstraint("asset_id", "cause", "cause_id"),
)

leaning = Table(
    "leaning",
    metadata,
    Column("document_id", _ID, primary_key=True),
    Column("asset_id", _NAME, primary_key=True),
    Index("leaning_asset", "asset_id"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("asset_id", _NAME, nullable=False),
    Column("production", _NAME, nullable=False),
    Column("verdict_id", _ID, nullable=False, doc="the newest verdict of the case"),
    Column("title", Text),
    Column("summary", Text, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("claimed_by", _NAME),
    Column("decision", String(20)),
    Column("closed_at", Utc),
    Index("escalations_open", "asset_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("escalations_production", "production", "id"),
)

case_notes = Table(
    "case_notes",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("escalation_id", _ID, ForeignKey("escalations.id"), nullable=False),
    Column("person", _NAME, nullable=False),
    Column("action", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index("case_notes_case", "escalation_id", "id"),
)

dismissals = Table(
    "dismissals",
    metadata,
    Column("id", _ID, nullable=False),
    Column("asset_id", _NAME, nullable=False),
    Column("reference_id", _NAME, nullable=False),
    Column("person", _NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    PrimaryKeyConstraint("asset_id", "reference_id"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("production", _NAME, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("asset_id", _NAME, doc="where its scope is one asset"),
    Column("content", Json, nullable=False, doc="the Document, as decide reads it"),
    Column("added_at", Utc, nullable=False),
    Column("confirmed_at", Utc),
    Column("revocation", Text, doc="who revoked it, and why"),
    Column("begins_at", Utc, doc="start of validity, until acted on"),
    Column("ends_at", Utc, doc="end of validity, until acted on"),
    Index("documents_production", "production", "asset_id"),
    Index("documents_begins", "begins_at"),
    Index("documents_ends", "ends_at"),
)

reconsiderations = Table(
    "reconsiderations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("cause", String(40), nullable=False),
    Column("cause_id", _NAME, nullable=False),
    Column("document_id", _ID, nullable=False),
    Column("cursor", _NAME, nullable=False, doc="the last asset decided again"),
)

rulebooks = Table(
    "rulebooks",
    metadata,
    Column("id", _NAME, nullable=False),
    Column("version", String(40), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("sources", Json, nullable=False, doc="file name -> text"),
    Column("loaded_at", Utc, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("id", "version"),
)

activations = Table(
    "activations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("action", String(20), nullable=False, doc="installed, activated or rolled_back"),
    Column("sha256", String(64), nullable=False, doc="what decides from then on"),
    Column("previous_sha256", String(64), doc="what decided until then"),
    Column("person", _NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

shadowing = Table(
    "shadowing",
    metadata,
    Column("sha256", String(64), primary_key=True, doc="of a rulebook that runs in shadow"),
    Column("person", _NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Utc, nullable=False),
)

shadows = Table(
    "shadows",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("verdict_id", _ID, primary_key=True, doc="the verdict beside which it stands"),
    Column("outcome", String(20), nullable=False),
    Column("rules", Text, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("outcomes", Json, nullable=False),
    Column("productions", Json, nullable=False),
    Column("secret", Text, nullable=False),
    Column("old_secret", Text),
    Column("old_secret_until", Utc),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_because", Text),
    Column("created_by", _NAME, nullable=False),
    Column("created_at", Utc, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("webhook_id", _ID, ForeignKey("webhooks.id"), nullable=False),
    Column("event_key", _NAME, nullable=False),
    Column("type", _NAME, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(12), nullable=False, doc="pending, delivered or dead"),
    Column("attempts", Integer, nullable=False),
    Column("wait_seconds", Float, nullable=False, doc="from the last attempt to the next"),
    Column("attempted_at", Utc, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    UniqueConstraint("webhook_id", "event_key"),
    Index("deliveries_state", "state", "webhook_id", "id"),
)

digests = Table(
    "digests",
    metadata,
    Column("production", _NAME, primary_key=True),
    Column("told", Integer, nullable=False, doc="the ledger's sequence up to which clear verdicts were told"),
    Column("due_at", Utc, doc="of the next digest; null while there is nothing to tell"),
)

rescans = Table(
    "rescans",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("state", String(12), nullable=False, doc="running, done or cancelled"),
    Column("scope", Json, nullable=False),
    Column("anew", Json, nullable=False),
    Column("asked_by", _NAME, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("total", Integer, nullable=False),
    Column("cursor", _NAME, nullable=False, doc="the last asset fed to the workers"),
    Column("fed", Boolean, nullable=False),
)

rescan_items = Table(
    "rescan_items",
    metadata,
    Column("rescan_id", _ID, ForeignKey("rescans.id"), nullable=False),
    Column("asset_id", _NAME, nullable=False),
    Column("state", String(12), nullable=False, doc="waiting, changed, unchanged, stale or failed"),
    Column("before", String(20), nullable=False),
    Column("after", String(20)),
    Column("verdict_id", _ID),
    PrimaryKeyConstraint("rescan_id", "asset_id"),
    Index("rescan_items_state", "rescan_id", "state"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("letter", _NAME, nullable=False, unique=True, doc="its own place: dead topic, partition, offset"),
    Column("topic", String(80), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("code", _NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("consumer", _NAME, nullable=False, doc="the group that gave it up"),
    Column("arrived_at", Utc, nullable=False),
    Column("replayed_at", Utc),
    Column("replayed_by", _NAME),
)
