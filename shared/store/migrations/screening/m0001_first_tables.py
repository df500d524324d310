"""first tables."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Json, Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "decoded",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pipeline", sa.String(length=120), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("sha256", "pipeline"),
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
    op.create_table(
        "registrations",
        sa.Column("reference_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("reference_id"),
    )
    op.create_table(
        "screenings",
        sa.Column("asset_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=36), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("submitted", Json, nullable=False),
        sa.Column("references_offset", sa.BigInteger(), nullable=False),
        sa.Column("screened_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "number"),
        sa.UniqueConstraint("asset_id", "cause", "cause_id", name="screenings_once_per_cause"),
    )
