"""What the contact of each production was told of clear verdicts."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Utc

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "digests",
        sa.Column("production", sa.String(length=200), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("production"),
    )
