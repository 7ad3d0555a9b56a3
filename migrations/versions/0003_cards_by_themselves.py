"""Cards lie by themselves, a few to a database page: a list reads no page of the articles' bytes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOVED = ("language", "translation_key", "published_at", "card")


def _key() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "snapshot_cards",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("translation_key", _key(), nullable=True),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("revised_at", _key(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["snapshots.article_id"], name=op.f("fk_snapshot_cards_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_snapshot_cards")),
    )
    op.execute(
        "INSERT INTO snapshot_cards (article_id, language, translation_key, published_at, revised_at, card)"
        " SELECT article_id, language, translation_key, published_at, revised_at, card FROM snapshots"
        " ORDER BY published_at, article_id"
    )
    for column in ("published_at", "revised_at"):
        op.drop_index(f"ix_snapshots_{column}_article_id", table_name="snapshots")
        op.create_index(f"ix_snapshot_cards_{column}_article_id", "snapshot_cards", [column, "article_id"])
    with op.batch_alter_table("snapshots") as snapshots:
        for column in MOVED:
            snapshots.drop_column(column)


def downgrade() -> None:
    with op.batch_alter_table("snapshots") as snapshots:
        for column in MOVED:
            snapshots.add_column(sa.Column(column, sa.LargeBinary() if column == "card" else _key(), nullable=True))
    for column in MOVED:
        op.execute(
            f"UPDATE snapshots SET {column} ="  # noqa: S608 - the names are ours
            f" (SELECT {column} FROM snapshot_cards c WHERE c.article_id = snapshots.article_id)"
        )
    with op.batch_alter_table("snapshots") as snapshots:
        for column in ("language", "published_at", "card"):
            snapshots.alter_column(column, nullable=False)
    for column in ("published_at", "revised_at"):
        op.create_index(f"ix_snapshots_{column}_article_id", "snapshots", [column, "article_id"])
    op.drop_table("snapshot_cards")
