"""Webhooks, what they are told, and how it gets there; the feed keeps by what filters choose an article."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("traits", sa.JSON(), nullable=True))
    op.create_table(
        "webhooks",
        sa.Column("id", _key(), nullable=False),
        sa.Column("url", _key(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("language", _key(), nullable=True),
        sa.Column("tag", _key(), nullable=True),
        sa.Column("publisher", _key(), nullable=True),
        sa.Column("enabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("disabled_reason", _key(), nullable=True),
        sa.Column("secret", _key(), nullable=False),
        sa.Column("earlier_secret", _key(), nullable=True),
        sa.Column("earlier_secret_until_at", _key(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("failing_since_at", _key(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", _key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("type", _key(), nullable=False),
        sa.Column("at", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=True),
        sa.Column("slug", _key(), nullable=True),
        sa.Column("surrogate_keys", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("number", name=op.f("uq_webhook_events_number")),
    )
    op.create_index("ix_webhook_events_at", "webhook_events", ["at"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", _key(), nullable=False),
        sa.Column("webhook_id", _key(), nullable=False),
        sa.Column("event_id", _key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("status", _key(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _key(), nullable=False),
        sa.Column("leased_until_at", _key(), nullable=True),
        sa.Column("attempted_at", _key(), nullable=True),
        sa.Column("response_code", sa.Integer(), nullable=True),
        sa.Column("error", _key(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["webhook_events.id"], name=op.f("fk_webhook_deliveries_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_webhook_id", "webhook_deliveries", ["webhook_id", "id"])
    queue, is_test = ["webhook_id", "status", "due_at", "id"], sa.text("number IS NULL")
    op.create_index("ix_webhook_deliveries_due_at", "webhook_deliveries", queue)
    op.create_index(
        "ix_webhook_deliveries_test", "webhook_deliveries", queue, sqlite_where=is_test, postgresql_where=is_test
    )
    op.create_index("uq_webhook_deliveries_event_id", "webhook_deliveries", ["event_id", "webhook_id"], unique=True)


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhook_events", "webhooks"):
        op.drop_table(table)
    op.drop_column("changes", "traits")


def _key() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
