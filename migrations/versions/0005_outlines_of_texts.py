"""Where the texts of an article stand in its frozen bytes; what is published needs `kiku rebuild`."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("search_texts", sa.Column("outline", sa.Text(), nullable=True))
    op.execute("UPDATE search_texts SET outline = '[]'")
    with op.batch_alter_table("search_texts") as table:
        table.alter_column("outline", nullable=False)
    op.execute("UPDATE search_state SET version = ''")


def downgrade() -> None:
    with op.batch_alter_table("search_texts") as table:
        table.drop_column("outline")
