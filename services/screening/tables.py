"""The tables of screening: what was looked at, what was decoded once, and the events on their way."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, UniqueConstraint

from shared.outbox import outbox_table
from shared.store.columns import Json, Utc
from shared.store.leases import lease_table

metadata = MetaData()

screenings = Table(
    "screenings",
    metadata,
    Column("asset_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("cause", String(40), nullable=False),
    Column("cause_id", String(36), nullable=False),
    Column("submission", Integer, nullable=False),
    Column("submitted", Json, nullable=False),
    Column("references_offset", BigInteger, nullable=False),
    Column("screened_at", Utc, nullable=False),
    UniqueConstraint("asset_id", "cause", "cause_id", name="screenings_once_per_cause"),
)

decoded = Table(
    "decoded",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("pipeline", String(120), primary_key=True),
    Column("content", Json, nullable=False),
    Column("at", Utc, nullable=False),
)

registrations = Table(
    "registrations",
    metadata,
    Column("reference_id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Utc, nullable=False),
)

outbox = outbox_table(metadata)
leases = lease_table(metadata)
