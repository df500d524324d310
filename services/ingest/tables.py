"""What ingest keeps: assets, references, the banks it heard of, remembered requests, previews, events on their way."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

from shared.outbox import outbox_table
from shared.store.columns import Json, Utc
from shared.store.leases import lease_table

metadata = MetaData()
outbox = outbox_table(metadata)
leases = lease_table(metadata)

_ID = String(36)
_SHA256 = String(64)

assets = Table(
    "assets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("production", String(100), nullable=False),
    Column("title", String(300)),
    Column("filename", String(255), nullable=False),
    Column("sha256", _SHA256, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("number", Integer, nullable=False),  # counts the declarations
    Column("declaration", Text, nullable=False),
    Column("key_id", _ID, nullable=False),
    Column("person", String(200), nullable=False),
    Column("submitted_at", Utc, nullable=False),
    Column("revision", Integer, nullable=False, default=0),  # of the verdict held; 0 for none
    Column("outcome", String(20)),
    Column("verdict", Text),
    Index("assets_of_production", "production", "id"),
    Index("assets_by_content", "sha256"),
)

references = Table(
    "reference_works",  # REFERENCES is an SQL word
    metadata,
    Column("id", _ID, primary_key=True),
    Column("bank", String(60), nullable=False),
    Column("details", Json, nullable=False),
    Column("filename", String(255), nullable=False),
    Column("sha256", _SHA256, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("number", Integer, nullable=False),  # counts the changes handed over
    Column("answered", Integer, nullable=False, default=0),  # the newest of them that came back
    Column("status", String(20), nullable=False),
    Column("withdrawn", Boolean, nullable=False, default=False),
    Column("reason", String(100)),
    Column("reason_detail", Text),
    Column("fingerprints", Json),
    Column("submitted_at", Utc, nullable=False),
    Index("references_of_bank", "bank", "id"),
)

banks = Table(
    "banks",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("changed_at", Utc, nullable=False),
)

remembered = Table(
    "remembered_requests",
    metadata,
    Column("key_id", _ID, nullable=False),
    Column("route", String(40), nullable=False),
    Column("idempotency_key", String(255), nullable=False),
    Column("content", _SHA256, nullable=False),
    Column("made", _ID, nullable=False),  # the asset or reference that the first request made
    Column("at", Utc, nullable=False),
    PrimaryKeyConstraint("key_id", "route", "idempotency_key"),
    Index("remembered_requests_by_age", "at"),
)

# The status of an undecided asset asks whether its event still waits here.
Index("outbox_by_key", outbox.c.key)

previews = Table(
    "previews",
    metadata,
    Column("sha256", _SHA256, primary_key=True),
    Column("preview", _SHA256),  # null: it cannot be shown, for `reason`
    Column("reason", String(100)),
    Column("at", Utc, nullable=False),
)
