"""The ground floor: working copies, ledger, snapshots, feed, keys, jobs, idempotency, audit."""

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _key() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:  # noqa: PLR0915 - one statement a table
    op.create_table(
        "articles",
        sa.Column("id", _key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", _key(), nullable=False),
        sa.Column("in_review", sa.Boolean(), nullable=False),
        sa.Column("publish_at", _key(), nullable=True),
        sa.Column("unpublish_at", _key(), nullable=True),
        sa.Column("slug", _key(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("translation_key", _key(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_reading", sa.Text(), nullable=True),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("hero_image", sa.JSON(), nullable=True),
        sa.Column("bylines", sa.JSON(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("corrections", sa.JSON(), nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=True),
        sa.Column("seo", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("updated_at", _key(), nullable=False),
        sa.Column("first_published_at", _key(), nullable=True),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.Column("public_slug", _key(), nullable=True),
        sa.Column("trashed_at", _key(), nullable=True),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'unpublished', 'archived', 'trashed')", name=op.f("ck_articles_status")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_articles_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("translation_key", "language", name=op.f("uq_articles_translation_key_language")),
    )
    op.create_index("ix_articles_slug", "articles", ["slug"], unique=False)
    op.create_index("ix_articles_status_updated_at_id", "articles", ["status", "updated_at", "id"], unique=False)
    op.create_index("ix_articles_updated_at_id", "articles", ["updated_at", "id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", _key(), nullable=False),
        sa.Column("key_id", _key(), nullable=True),
        sa.Column("action", _key(), nullable=False),
        sa.Column("object_kind", _key(), nullable=False),
        sa.Column("object_id", _key(), nullable=False),
        sa.Column("version_before", sa.Integer(), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("request_id", _key(), nullable=True),
        sa.Column("address_hash", _key(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "changes",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("changed_at", _key(), nullable=False),
        sa.Column("surrogate_keys", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_changes")),
        sa.UniqueConstraint("number", name=op.f("uq_changes_number")),
    )
    op.create_table(
        "collections",
        sa.Column("id", _key(), nullable=False),
        sa.Column("slug", _key(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("updated_at", _key(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("slug", name=op.f("uq_collections_slug")),
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("epoch", _key(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_feed_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
    )
    op.create_table(
        "idempotency",
        sa.Column("key_id", _key(), nullable=False),
        sa.Column("method", _key(), nullable=False),
        sa.Column("path", _key(), nullable=False),
        sa.Column("idempotency_key", _key(), nullable=False),
        sa.Column("request_sha256", _key(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("expires_at", _key(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "method", "path", "idempotency_key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"], unique=False)

    op.create_table(
        "jobs",
        sa.Column("id", _key(), nullable=False),
        sa.Column("kind", _key(), nullable=False),
        sa.Column("status", _key(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("created_by", _key(), nullable=True),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("updated_at", _key(), nullable=False),
        sa.Column("leased_until_at", _key(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_table(
        "keys",
        sa.Column("id", _key(), nullable=False),
        sa.Column("name", _key(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=True),
        sa.Column("rate_limit", _key(), nullable=True),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("expires_at", _key(), nullable=True),
        sa.Column("revoked_at", _key(), nullable=True),
        sa.Column("last_used_at", _key(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
    )
    op.create_table(
        "publishers",
        sa.Column("id", _key(), nullable=False),
        sa.Column("name", _key(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("homepage_url", sa.Text(), nullable=True),
        sa.Column("country", _key(), nullable=True),
        sa.Column("language", _key(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("updated_at", _key(), nullable=False),
        sa.Column("merged_into", _key(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["publishers.id"], name=op.f("fk_publishers_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publishers")),
    )
    op.create_index("ix_publishers_name_id", "publishers", ["name", "id"], unique=False)

    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("updated_at", _key(), nullable=True),
        sa.Column("updated_by", _key(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_site_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "tags",
        sa.Column("slug", _key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_tags")),
    )
    op.create_table(
        "article_tags",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("tag", _key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_article_tags_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag"], ["tags.slug"], name=op.f("fk_article_tags_tag")),
        sa.PrimaryKeyConstraint("article_id", "tag", name=op.f("pk_article_tags")),
    )
    op.create_index("ix_article_tags_tag", "article_tags", ["tag"], unique=False)

    op.create_table(
        "collection_articles",
        sa.Column("collection_id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_collection_articles_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_collection_articles_collection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "article_id", name=op.f("pk_collection_articles")),
    )
    op.create_index("ix_collection_articles_article_id", "collection_articles", ["article_id"], unique=False)

    op.create_table(
        "external_ids",
        sa.Column("system", _key(), nullable=False),
        sa.Column("external_id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_external_ids_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system", "external_id", name=op.f("pk_external_ids")),
        sa.UniqueConstraint("article_id", "system", name=op.f("uq_external_ids_article_id_system")),
    )
    op.create_table(
        "key_secrets",
        sa.Column("secret_sha256", _key(), nullable=False),
        sa.Column("key_id", _key(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("expires_at", _key(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_key_secrets_key_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_key_secrets")),
    )
    op.create_index("ix_key_secrets_key_id", "key_secrets", ["key_id"], unique=False)

    op.create_table(
        "page_imports",
        sa.Column("lines_sha256", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_page_imports_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("lines_sha256", name=op.f("pk_page_imports")),
    )
    op.create_index("ix_page_imports_article_id", "page_imports", ["article_id"], unique=False)

    op.create_table(
        "pages",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("teaser", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_pages_article_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
    )
    op.create_index("ix_pages_article_id", "pages", ["article_id"], unique=False)

    op.create_table(
        "public_citations",
        sa.Column("id", _key(), nullable=False),
        sa.Column("section_id", _key(), nullable=False),
        sa.Column("source_id", _key(), nullable=False),
        sa.Column("publisher_id", _key(), nullable=True),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_public_citations_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_citations")),
    )
    op.create_index("ix_public_citations_article_id", "public_citations", ["article_id"], unique=False)
    op.create_index(
        "ix_public_citations_publisher_id",
        "public_citations",
        ["publisher_id", "published_at", "article_id"],
        unique=False,
    )
    op.create_index(
        "ix_public_citations_source_id", "public_citations", ["source_id", "published_at", "article_id"], unique=False
    )

    op.create_table(
        "public_key_points",
        sa.Column("id", _key(), nullable=False),
        sa.Column("kind", _key(), nullable=False),
        sa.Column("section_id", _key(), nullable=True),
        sa.Column("citation_id", _key(), nullable=True),
        sa.Column("source_id", _key(), nullable=True),
        sa.Column("publisher_id", _key(), nullable=True),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_public_key_points_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_key_points")),
    )
    op.create_index("ix_public_key_points_article_id", "public_key_points", ["article_id"], unique=False)
    op.create_index(
        "ix_public_key_points_published_at", "public_key_points", ["published_at", "article_id"], unique=False
    )
    op.create_index(
        "ix_public_key_points_publisher_id",
        "public_key_points",
        ["publisher_id", "published_at", "article_id"],
        unique=False,
    )
    op.create_index(
        "ix_public_key_points_source_id", "public_key_points", ["source_id", "published_at", "article_id"], unique=False
    )

    op.create_table(
        "public_questions",
        sa.Column("section_id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_public_questions_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("section_id", name=op.f("pk_public_questions")),
    )
    op.create_index("ix_public_questions_article_id", "public_questions", ["article_id"], unique=False)
    op.create_index(
        "ix_public_questions_published_at", "public_questions", ["published_at", "article_id"], unique=False
    )

    op.create_table(
        "public_sections",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_public_sections_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_sections")),
    )
    op.create_index("ix_public_sections_article_id", "public_sections", ["article_id"], unique=False)
    op.create_index("ix_public_sections_published_at", "public_sections", ["published_at", "article_id"], unique=False)

    op.create_table(
        "public_tags",
        sa.Column("tag", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("published_at", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_public_tags_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag", "article_id", name=op.f("pk_public_tags")),
    )
    op.create_index("ix_public_tags_article_id", "public_tags", ["article_id"], unique=False)
    op.create_index("ix_public_tags_tag", "public_tags", ["tag", "published_at", "article_id"], unique=False)

    op.create_table(
        "publisher_hosts",
        sa.Column("host", _key(), nullable=False),
        sa.Column("publisher_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publishers.id"], name=op.f("fk_publisher_hosts_publisher_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_publisher_hosts")),
    )
    op.create_index("ix_publisher_hosts_publisher_id", "publisher_hosts", ["publisher_id"], unique=False)

    op.create_table(
        "publisher_names",
        sa.Column("folded", _key(), nullable=False),
        sa.Column("publisher_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publishers.id"], name=op.f("fk_publisher_names_publisher_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("folded", name=op.f("pk_publisher_names")),
    )
    op.create_index("ix_publisher_names_publisher_id", "publisher_names", ["publisher_id"], unique=False)

    op.create_table(
        "revisions",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("created_by", _key(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_revisions_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "slugs",
        sa.Column("slug", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("living", sa.Boolean(), nullable=False),
        sa.Column("was_public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_slugs_article_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("slug", "article_id", name=op.f("pk_slugs")),
    )
    op.create_index("ix_slugs_article_id", "slugs", ["article_id"], unique=False)
    op.create_index(
        "uq_slugs_living",
        "slugs",
        ["slug"],
        unique=True,
        sqlite_where=sa.text("living"),
        postgresql_where=sa.text("living"),
    )

    op.create_table(
        "snapshots",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("slug", _key(), nullable=False),
        sa.Column("language", _key(), nullable=False),
        sa.Column("translation_key", _key(), nullable=True),
        sa.Column("published_at", _key(), nullable=False),
        sa.Column("revised_at", _key(), nullable=False),
        sa.Column("etag", _key(), nullable=False),
        sa.Column("content_sha256", _key(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_gzip", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_snapshots_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("slug", name=op.f("uq_snapshots_slug")),
    )
    op.create_index("ix_snapshots_published_at_article_id", "snapshots", ["published_at", "article_id"], unique=False)
    op.create_index("ix_snapshots_revised_at_article_id", "snapshots", ["revised_at", "article_id"], unique=False)

    op.create_table(
        "sources",
        sa.Column("id", _key(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=False),
        sa.Column("canonical_sha256", _key(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("publisher_id", _key(), nullable=True),
        sa.Column("published_on", _key(), nullable=True),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("language", _key(), nullable=True),
        sa.Column("type", _key(), nullable=False),
        sa.Column("image", sa.JSON(), nullable=True),
        sa.Column("archive_urls", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _key(), nullable=False),
        sa.Column("updated_at", _key(), nullable=False),
        sa.Column("merged_into", _key(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["sources.id"], name=op.f("fk_sources_merged_into")),
        sa.ForeignKeyConstraint(["publisher_id"], ["publishers.id"], name=op.f("fk_sources_publisher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("canonical_sha256", name=op.f("uq_sources_canonical_sha256")),
    )
    op.create_index("ix_sources_publisher_id", "sources", ["publisher_id"], unique=False)

    op.create_table(
        "sections",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("page_id", _key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("transition", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("commentary", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_sections_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_sections_page_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
    )
    op.create_index("ix_sections_article_id", "sections", ["article_id"], unique=False)
    op.create_index("ix_sections_page_id", "sections", ["page_id"], unique=False)

    op.create_table(
        "snapshot_external_ids",
        sa.Column("system", _key(), nullable=False),
        sa.Column("external_id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["snapshots.article_id"],
            name=op.f("fk_snapshot_external_ids_article_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("system", "external_id", name=op.f("pk_snapshot_external_ids")),
    )
    op.create_index("ix_snapshot_external_ids_article_id", "snapshot_external_ids", ["article_id"], unique=False)

    op.create_table(
        "snapshot_pages",
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("etag", _key(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_gzip", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["snapshots.article_id"], name=op.f("fk_snapshot_pages_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_snapshot_pages")),
    )
    op.create_table(
        "citations",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("section_id", _key(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source_id", _key(), nullable=False),
        sa.Column("display_title", sa.Text(), nullable=True),
        sa.Column("publisher_text", sa.Text(), nullable=True),
        sa.Column("published_on", _key(), nullable=True),
        sa.Column("shows_published_on", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("image", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_citations_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["section_id"], ["sections.id"], name=op.f("fk_citations_section_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_citations_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citations")),
    )
    op.create_index("ix_citations_article_id", "citations", ["article_id"], unique=False)
    op.create_index("ix_citations_section_id", "citations", ["section_id"], unique=False)
    op.create_index("ix_citations_source_id", "citations", ["source_id"], unique=False)

    op.create_table(
        "key_points",
        sa.Column("id", _key(), nullable=False),
        sa.Column("article_id", _key(), nullable=False),
        sa.Column("citation_id", _key(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_key_points_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["citation_id"], ["citations.id"], name=op.f("fk_key_points_citation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_points")),
    )
    op.create_index("ix_key_points_article_id", "key_points", ["article_id"], unique=False)
    op.create_index("ix_key_points_citation_id", "key_points", ["citation_id"], unique=False)

    op.execute(
        sa.text("INSERT INTO feed (id, number, floor, epoch) VALUES (1, 0, 0, :epoch)").bindparams(epoch=str(uuid4()))
    )


def downgrade() -> None:
    op.drop_table("key_points")
    op.drop_table("citations")
    op.drop_table("snapshot_pages")
    op.drop_table("snapshot_external_ids")
    op.drop_table("sections")
    op.drop_table("sources")
    op.drop_table("snapshots")
    op.drop_table("slugs")
    op.drop_table("revisions")
    op.drop_table("publisher_names")
    op.drop_table("publisher_hosts")
    op.drop_table("public_tags")
    op.drop_table("public_sections")
    op.drop_table("public_questions")
    op.drop_table("public_key_points")
    op.drop_table("public_citations")
    op.drop_table("pages")
    op.drop_table("page_imports")
    op.drop_table("key_secrets")
    op.drop_table("external_ids")
    op.drop_table("collection_articles")
    op.drop_table("article_tags")
    op.drop_table("tags")
    op.drop_table("site")
    op.drop_table("publishers")
    op.drop_table("keys")
    op.drop_table("jobs")
    op.drop_table("idempotency")
    op.drop_table("feed")
    op.drop_table("collections")
    op.drop_table("changes")
    op.drop_table("audit")
    op.drop_table("articles")
