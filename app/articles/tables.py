"""The rows of the working copy. ``drafts.py`` turns them into documents, and nothing else does.

The ledger's rows are in ``sources.py``, ``publishers.py`` and ``tags.py``, slugs and external ids in ``slugs.py``,
collections in ``collections.py``.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from app.database import Bytes, Instant, Json, Key, metadata


def _article_id() -> Column[str]:
    return Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False)


articles = Table(
    "articles",
    metadata,
    Column("id", Key, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("status", Key, nullable=False),
    Column("in_review", Boolean(create_constraint=False), nullable=False),
    Column("publish_at", Instant),
    Column("unpublish_at", Instant),
    Column("slug", Key, nullable=False),
    Column("language", Key, nullable=False),
    Column("translation_key", Key),
    Column("title", Text, nullable=False),
    Column("title_reading", Text),
    Column("lead", Text, nullable=False),
    Column("hero_image", Json),
    Column("bylines", Json, nullable=False),
    Column("introduction", Text, nullable=False),
    Column("conclusion", Text, nullable=False),
    Column("corrections", Json, nullable=False),
    Column("canonical_url", Text),
    Column("seo", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("first_published_at", Instant),
    Column("published_version", Integer),
    Column("public_slug", Key),
    Column("trashed_at", Instant),
    Column("folded", Text, nullable=False),
    UniqueConstraint("translation_key", "language"),
    CheckConstraint("status IN ('draft', 'published', 'unpublished', 'archived', 'trashed')", name="status"),
    CheckConstraint("version > 0", name="version"),
)
Index("ix_articles_slug", articles.c.slug)
Index("ix_articles_updated_at_id", articles.c.updated_at, articles.c.id)
Index("ix_articles_status_updated_at_id", articles.c.status, articles.c.updated_at, articles.c.id)
# Of few articles each: the worker asks every second what is due.
for _column in (articles.c.publish_at, articles.c.unpublish_at, articles.c.trashed_at):
    _planned = _column.is_not(None)
    Index(f"ix_articles_{_column.name}", _column, sqlite_where=_planned, postgresql_where=_planned)

pages = Table(
    "pages",
    metadata,
    Column("id", Key, primary_key=True),
    _article_id(),
    Column("position", Integer, nullable=False),
    Column("title", Text),
    Column("teaser", Text),
)
Index("ix_pages_article_id", pages.c.article_id)

sections = Table(
    "sections",
    metadata,
    Column("id", Key, primary_key=True),
    _article_id(),
    Column("page_id", Key, ForeignKey("pages.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("heading", Text),
    Column("question", Text),
    Column("answer", Text),
    Column("transition", Text),
    Column("body", Text, nullable=False),
    Column("commentary", Json),
)
Index("ix_sections_article_id", sections.c.article_id)
Index("ix_sections_page_id", sections.c.page_id)

citations = Table(
    "citations",
    metadata,
    Column("id", Key, primary_key=True),
    _article_id(),
    Column("section_id", Key, ForeignKey("sections.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("source_id", Key, ForeignKey("sources.id"), nullable=False),
    Column("display_title", Text),
    Column("publisher_text", Text),
    Column("published_on", Key),
    Column("shows_published_on", Boolean(create_constraint=False), nullable=False),
    Column("url", Text),
    Column("image", Json),
    Column("labels", Json, nullable=False),
)
Index("ix_citations_article_id", citations.c.article_id)
Index("ix_citations_section_id", citations.c.section_id)
Index("ix_citations_source_id", citations.c.source_id)

# A key point without a citation is a takeaway of the article.
key_points = Table(
    "key_points",
    metadata,
    Column("id", Key, primary_key=True),
    _article_id(),
    Column("citation_id", Key, ForeignKey("citations.id", ondelete="CASCADE")),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
)
Index("ix_key_points_article_id", key_points.c.article_id)
Index("ix_key_points_citation_id", key_points.c.citation_id)

article_tags = Table(
    "article_tags",
    metadata,
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Key, ForeignKey("tags.slug"), primary_key=True),
    Column("position", Integer, nullable=False),
)
Index("ix_article_tags_tag", article_tags.c.tag)

revisions = Table(
    "revisions",
    metadata,
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", Bytes, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Key),
    Column("reason", Text),
)

# A page that came in once answers the article it became: its lines, normalised, are its key.
page_imports = Table(
    "page_imports",
    metadata,
    Column("lines_sha256", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("report", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index("ix_page_imports_article_id", page_imports.c.article_id)
