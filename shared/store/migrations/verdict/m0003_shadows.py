"""Rulebooks that run beside the one that decides, and what they would have said."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Utc

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "shadowing",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "shadows",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("verdict_id", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "verdict_id"),
    )
