"""The tables of the directory: who may, and for which production."""

from sqlalchemy import Column, MetaData, String, Table

from shared.store.columns import Json, Utc

metadata = MetaData()

productions = Table(
    "productions",
    metadata,
    Column("slug", String(60), primary_key=True),
    Column("title", String(300), nullable=False),
    Column("contact", String(300)),
    Column("time_zone", String(60), nullable=False),
    Column("defaults", Json, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("prefix", String(16), nullable=False, unique=True, doc="the part of the secret that may be shown"),
    Column("sha256", String(64), nullable=False, doc="of the whole secret"),
    Column("name", String(200), nullable=False),
    Column("person", String(200), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("productions", Json, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc),
    Column("revoked_at", Utc),
)
