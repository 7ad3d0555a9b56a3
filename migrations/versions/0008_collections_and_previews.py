"""A collection may be merged into another, its articles have places that stay; links show working copies."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BY_PLACE = "ix_collection_articles_collection_id_place"


def upgrade() -> None:
    with op.batch_alter_table("collections") as collections:
        collections.add_column(sa.Column("merged_into", _key(), nullable=True))
        collections.create_foreign_key(op.f("fk_collections_merged_into"), "collections", ["merged_into"], ["id"])
    op.add_column("collection_articles", sa.Column("place", _key(), nullable=True))
    # 50,000,000 is the first place that app/articles/places.py gives.
    op.execute("UPDATE collection_articles SET place = CAST(50000000 + position AS TEXT)")
    with op.batch_alter_table("collection_articles") as members:
        members.alter_column("place", existing_type=_key(), nullable=False)
        members.drop_column("position")
    op.create_index(BY_PLACE, "collection_articles", ["collection_id", "place"])
    op.create_table(
        "preview_links",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("created_by", _key(), nullable=True),
        sa.Column("expires_at", _key(), nullable=False),
        sa.Column("revoked_at", _key(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_preview_links_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_links")),
    )
    op.create_index("ix_preview_links_article_id_id", "preview_links", ["article_id", "id"])


def downgrade() -> None:
    op.drop_table("preview_links")
    op.drop_index(BY_PLACE, table_name="collection_articles")
    op.add_column("collection_articles", sa.Column("position", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE collection_articles SET position = (SELECT count(*) FROM collection_articles AS before"
        " WHERE before.collection_id = collection_articles.collection_id AND before.place < collection_articles.place)"
    )
    with op.batch_alter_table("collection_articles") as members:
        members.alter_column("position", existing_type=sa.Integer(), nullable=False)
        members.drop_column("place")
    with op.batch_alter_table("collections") as collections:
        collections.drop_constraint(op.f("fk_collections_merged_into"), type_="foreignkey")
        collections.drop_column("merged_into")


def _key() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
