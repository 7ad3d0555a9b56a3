"""Parts are found by their place in an article, and citations there by their source, without a look at the rows."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEFORE = {
    "public_sections": ["article_id"],
    "public_key_points": ["article_id"],
    "public_questions": ["article_id"],
    "public_citations": ["article_id", "publisher_id"],
}
_NOW = {
    "public_sections": ["article_id", "position"],
    "public_key_points": ["article_id", "position"],
    "public_questions": ["article_id", "position"],
    "public_citations": ["article_id", "position", "source_id"],
}


def upgrade() -> None:
    _change(_BEFORE, _NOW)


def downgrade() -> None:
    _change(_NOW, _BEFORE)


def _change(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    for table, columns in before.items():
        op.drop_index("_".join(["ix", table, *columns]), table)
    for table, columns in after.items():
        op.create_index("_".join(["ix", table, *columns]), table, columns)
