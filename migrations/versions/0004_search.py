"""The search index: words, where they stand, folded texts and grams; what is published needs `kiku rebuild`.

Citations get an index by article and publisher in place of that by article: facets are counted by it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GRAMS = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_grams USING fts5(grams, content='', detail=none, columnsize=0, tokenize='ascii')",
    ),
    "postgresql": (
        'CREATE TABLE search_grams (number integer NOT NULL, grams text[] COLLATE "C" NOT NULL)',
        # Hashed, so that nobody can read through all arrays by it: the planner takes that for cheap.
        "CREATE INDEX ix_search_grams_number ON search_grams USING hash (number)",
        # What was put in lately lies in a list that each search reads through: a short one.
        "CREATE INDEX ix_search_grams_grams ON search_grams USING gin (grams) WITH (gin_pending_list_limit = 256)",
    ),
}


def _key() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_articles",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_search_articles_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_articles")),
        sa.UniqueConstraint("article_id", name=op.f("uq_search_articles_article_id")),
    )
    op.create_table(
        "search_terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term", _key(), nullable=False),
        sa.Column("reading", _key(), nullable=True),
        sa.Column("df", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_terms")),
        sa.UniqueConstraint("term", name=op.f("uq_search_terms_term")),
    )
    op.create_index("ix_search_terms_reading", "search_terms", ["reading"])
    op.create_table(
        "search_postings",
        sa.Column("term_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("term_id", "number", name=op.f("pk_search_postings"), postgresql_include=["impact"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_texts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["search_articles.number"], name=op.f("fk_search_texts_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_texts")),
    )
    op.create_table(
        "search_uncounted",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_uncounted")),
    )
    op.create_table(
        "search_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_state")),
    )
    op.execute("INSERT INTO search_state (id, articles, counts, version) VALUES (1, 0, 0, '')")
    op.drop_index("ix_public_citations_article_id", table_name="public_citations")
    op.create_index("ix_public_citations_article_id_publisher_id", "public_citations", ["article_id", "publisher_id"])
    for statement in GRAMS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_public_citations_article_id_publisher_id", table_name="public_citations")
    op.create_index("ix_public_citations_article_id", "public_citations", ["article_id"])
    op.drop_table("search_grams")
    for table in ("state", "uncounted", "texts", "postings"):
        op.drop_table(f"search_{table}")
    op.drop_index("ix_search_terms_reading", table_name="search_terms")
    op.drop_table("search_terms")
    op.drop_table("search_articles")
