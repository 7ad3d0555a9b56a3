"""A tag may be merged into another."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
    with op.batch_alter_table("tags") as tags:
        tags.add_column(sa.Column("merged_into", key, nullable=True))
        tags.create_foreign_key(op.f("fk_tags_merged_into"), "tags", ["merged_into"], ["slug"])


def downgrade() -> None:
    with op.batch_alter_table("tags") as tags:
        tags.drop_constraint(op.f("fk_tags_merged_into"), type_="foreignkey")
        tags.drop_column("merged_into")
