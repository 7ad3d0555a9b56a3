"""What search keeps of an article says when it was published: a filter by time reads no cards."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
_CARD = "SELECT published_at FROM snapshot_cards WHERE snapshot_cards.article_id = search_articles.article_id"


def upgrade() -> None:
    op.add_column("search_articles", sa.Column("published_at", _INSTANT, nullable=True))
    op.execute(f"UPDATE search_articles SET published_at = coalesce(({_CARD}), '')")  # noqa: S608 - a constant
    with op.batch_alter_table("search_articles") as table:
        table.alter_column("published_at", existing_type=_INSTANT, nullable=False)
    op.create_index("ix_search_articles_published_at", "search_articles", ["published_at"])


def downgrade() -> None:
    op.drop_index("ix_search_articles_published_at", "search_articles")
    with op.batch_alter_table("search_articles") as table:
        table.drop_column("published_at")
