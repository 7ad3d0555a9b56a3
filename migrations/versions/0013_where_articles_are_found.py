"""Cards know where search engines find their article and whether they may: the sitemap reads no article's bytes."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TOGETHER = 200
"""How many articles' bytes are in memory at a time."""
_READ = sa.text("SELECT article_id, body FROM snapshots WHERE article_id > :after ORDER BY article_id LIMIT :together")
_FILL = sa.text("UPDATE snapshot_cards SET canonical_url = :canonical_url, noindex = :noindex WHERE article_id = :id")


def _key() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("snapshot_cards", sa.Column("canonical_url", _key(), nullable=True))
    op.add_column("snapshot_cards", sa.Column("noindex", sa.Boolean(create_constraint=False), nullable=True))
    after = ""
    while True:
        rows = op.get_bind().execute(_READ, {"after": after, "together": TOGETHER}).all()
        if not rows:
            break
        op.get_bind().execute(_FILL, [_said(row.article_id, bytes(row.body)) for row in rows])
        after = rows[-1].article_id
    with op.batch_alter_table("snapshot_cards") as cards:
        cards.alter_column("noindex", existing_type=sa.Boolean(create_constraint=False), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("snapshot_cards") as cards:
        cards.drop_column("noindex")
        cards.drop_column("canonical_url")


def _said(id: str, body: bytes) -> dict[str, Any]:
    article = json.loads(body)
    return {"id": id, "canonical_url": article["canonical_url"], "noindex": article["seo"]["noindex"]}
