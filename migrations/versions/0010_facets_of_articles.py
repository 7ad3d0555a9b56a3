"""What an article is counted by, kept with its number in the index; what is published needs `kiku rebuild`."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("search_articles", sa.Column("facets", sa.Text(), nullable=True))
    op.execute("UPDATE search_articles SET facets = '\"language:\"'")
    with op.batch_alter_table("search_articles") as table:
        table.alter_column("facets", nullable=False)
    op.execute("UPDATE search_state SET version = ''")


def downgrade() -> None:
    with op.batch_alter_table("search_articles") as table:
        table.drop_column("facets")
