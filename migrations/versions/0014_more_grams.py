"""Articles are found by every three characters, too; on SQLite they are left out by the ids of their words.

What the index of grams holds is made anew from the texts.
"""

import re
from array import array
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TOGETHER = 200
"""How many articles' texts are in memory at a time."""
_MAKE = {
    "sqlite": "CREATE VIRTUAL TABLE search_grams USING fts5"
    "(grams, content='', detail=none, columnsize=0, tokenize='ascii')",
    "postgresql": 'CREATE TABLE search_grams (number integer NOT NULL, grams text[] COLLATE "C" NOT NULL)',
}
# Once the rows are there: of so many, each would be put into them by itself.
_INDEX = (
    "CREATE INDEX ix_search_grams_number ON search_grams USING hash (number)",
    "CREATE INDEX ix_search_grams_grams ON search_grams USING gin (grams) WITH (gin_pending_list_limit = 256)",
)
_READ = sa.text("SELECT number, folded, terms FROM search_texts WHERE number > :after ORDER BY number LIMIT :together")
_PUT = {
    "sqlite": sa.text("INSERT INTO search_grams (rowid, grams) VALUES (:number, :grams)"),
    "postgresql": sa.text("INSERT INTO search_grams (number, grams) VALUES (:number, string_to_array(:grams, ' '))"),
}
# As app/search/folding.py and app/search/fts5.py have them at this revision.
_UNBROKEN = re.compile(
    r"[^\x00-\x20!-#%-*,-/:;?@\[-\]_{}\x7f-\xa0\xa1\xa7\xab\xb6\xb7\xbb\xbf\u1680\u2000-\u206f\u2e00-\u2e7f"
    r"\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303d\u30a0\u30fb\ufe10-\ufe19\ufe30-\ufe6f\uff5f-\uff65]+"
)
_SAFE = {code: chr(0xF0000 + code) for code in range(0x21, 0x80) if not chr(code).isalnum()}


def upgrade() -> None:
    _make_anew(longest=3, words=True)


def downgrade() -> None:
    _make_anew(longest=2, words=False)


def _make_anew(longest: int, *, words: bool) -> None:
    """Let articles be found by up to so many characters, and on SQLite be left out by their ``words``."""
    bind = op.get_bind()
    name = bind.dialect.name
    op.drop_table("search_grams")
    op.execute(_MAKE[name])
    after = 0
    while rows := bind.execute(_READ, {"after": after, "together": TOGETHER}).all():
        new = []
        for row in rows:
            grams = " ".join(_grams(row.folded, longest))
            if name == "sqlite":
                ids = [f"word{id}" for id in array("I", row.terms)] if words else []
                grams = " ".join([grams.translate(_SAFE), *ids])
            new.append({"number": row.number, "grams": grams})
        bind.execute(_PUT[name], new)
        after = rows[-1].number
    for statement in _INDEX if name == "postgresql" else ():
        op.execute(statement)


def _grams(loose: str, longest: int) -> set[str]:
    runs = _UNBROKEN.findall(loose)
    return {run[at : at + size] for run in runs for size in range(1, longest + 1) for at in range(len(run) - size + 1)}
