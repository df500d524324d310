"""Which rulebook was put in force when, by whom and why."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "activations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
