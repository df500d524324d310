"""first tables."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Json, Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    _from_assets()
    _from_previews()


def _from_assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("production", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("declaration", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("submitted_at", Utc, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("assets_by_content", "assets", ["sha256"], unique=False)
    op.create_index("assets_of_production", "assets", ["production", "id"], unique=False)
    op.create_table(
        "banks",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("changed_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("until", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_by_key", "outbox", ["key"], unique=False)


def _from_previews() -> None:
    op.create_table(
        "previews",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("preview", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "reference_works",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("bank", sa.String(length=60), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column("reason_detail", sa.Text(), nullable=True),
        sa.Column("fingerprints", Json, nullable=True),
        sa.Column("submitted_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("references_of_bank", "reference_works", ["bank", "id"], unique=False)
    op.create_table(
        "remembered_requests",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("made", sa.String(length=36), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "route", "idempotency_key"),
    )
    op.create_index("remembered_requests_by_age", "remembered_requests", ["at"], unique=False)
