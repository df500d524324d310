"""First tables."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Json, Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    _from_assets()
    _from_documents()
    _from_leaning()
    _from_outbox()
    _from_webhooks()
    _from_deliveries()


def _from_assets() -> None:
    op.create_table(
        "assets",
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("production", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("screened", sa.Text(), nullable=False),
        sa.Column("submitted_at", Utc, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("verdict_id", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("asset_id"),
    )
    op.create_index("assets_production", "assets", ["production", "asset_id"], unique=False)
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("letter", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("consumer", sa.String(length=200), nullable=False),
        sa.Column("arrived_at", Utc, nullable=False),
        sa.Column("replayed_at", Utc, nullable=True),
        sa.Column("replayed_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("letter"),
    )
    op.create_table(
        "dismissals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("reference_id", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "reference_id"),
    )


def _from_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("production", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("added_at", Utc, nullable=False),
        sa.Column("confirmed_at", Utc, nullable=True),
        sa.Column("revocation", sa.Text(), nullable=True),
        sa.Column("begins_at", Utc, nullable=True),
        sa.Column("ends_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("documents_begins", "documents", ["begins_at"], unique=False)
    op.create_index("documents_ends", "documents", ["ends_at"], unique=False)
    op.create_index("documents_production", "documents", ["production", "asset_id"], unique=False)
    op.create_table(
        "escalations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("production", sa.String(length=200), nullable=False),
        sa.Column("verdict_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("opened_at", Utc, nullable=False),
        sa.Column("due_at", Utc, nullable=False),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("closed_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "escalations_open",
        "escalations",
        ["asset_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("escalations_production", "escalations", ["production", "id"], unique=False)
    op.create_table(
        "handled",
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=200), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "cause", "cause_id"),
    )


def _from_leaning() -> None:
    op.create_table(
        "leaning",
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "asset_id"),
    )
    op.create_index("leaning_asset", "leaning", ["asset_id"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("until", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("production", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("decided_at", Utc, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=True),
        sa.Column("personal_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ledger_asset", "ledger", ["asset_id", "sequence"], unique=False)
    op.create_index("ledger_decided", "ledger", ["decided_at"], unique=False)
    op.create_index("ledger_production", "ledger", ["production", "sequence"], unique=False)
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _from_outbox() -> None:
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
        "reconsiderations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=200), nullable=False),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rescans",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("scope", Json, nullable=False),
        sa.Column("anew", Json, nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("finished_at", Utc, nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.String(length=200), nullable=False),
        sa.Column("fed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rulebooks",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sources", Json, nullable=False),
        sa.Column("loaded_at", Utc, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version"),
        sa.UniqueConstraint("sha256"),
    )


def _from_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("productions", Json, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", Utc, nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "case_notes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("escalation_id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_notes_case", "case_notes", ["escalation_id", "id"], unique=False)


def _from_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("webhook_id", sa.String(length=40), nullable=False),
        sa.Column("event_key", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("wait_seconds", sa.Float(), nullable=False),
        sa.Column("attempted_at", Utc, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "event_key"),
    )
    op.create_index("deliveries_state", "deliveries", ["state", "webhook_id", "id"], unique=False)
    op.create_table(
        "rescan_items",
        sa.Column("rescan_id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=True),
        sa.Column("verdict_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["rescan_id"],
            ["rescans.id"],
        ),
        sa.PrimaryKeyConstraint("rescan_id", "asset_id"),
    )
    op.create_index("rescan_items_state", "rescan_items", ["rescan_id", "state"], unique=False)
