"""On SQLite the index of grams holds words, too: articles that have them are left out by it, not one by one."""

from array import array
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TOGETHER = 200
"""How many articles' words are in memory at a time."""
_READ = sa.text("SELECT number, terms FROM search_texts WHERE number > :after ORDER BY number LIMIT :together")
# Beside what the index holds of an article: in a table without content nothing is replaced by that.
_ADD = sa.text("INSERT INTO search_grams (rowid, grams) VALUES (:number, :words)")
_TAKE_OUT = sa.text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :number, :words)")


def upgrade() -> None:
    _each(_ADD)


def downgrade() -> None:
    _each(_TAKE_OUT)


def _each(change: sa.TextClause) -> None:
    """Make the change for the words of each article."""
    bind = op.get_bind()
    after = 0
    while bind.dialect.name == "sqlite":
        rows = bind.execute(_READ, {"after": after, "together": TOGETHER}).all()
        if not rows:
            break
        bind.execute(change, [{"number": row.number, "words": _written(row.terms)} for row in rows])
        after = rows[-1].number


def _written(terms: bytes) -> str:
    return " ".join(f"id{id}" for id in array("I", terms))
