"""Published bytes and their ETags: article, pages and card, written at publish and served as they are.

What the bytes say is decided in ``shapes.py``; rows for public lists of parts are in ``parts.py``.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    delete,
    func,
    select,
)

from app import text
from app.articles.slugs import slugs
from app.database import Bytes, Instant, Key, Reader, Writer, metadata
from app.delivery import shapes
from app.delivery.shapes import encode

snapshots = Table(
    "snapshots",
    metadata,
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("slug", Key, nullable=False, unique=True),
    Column("revised_at", Instant, nullable=False),
    Column("etag", Key, nullable=False),
    Column("content_sha256", Key, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("body_gzip", Bytes, nullable=False),
)
# By themselves: some three lie on a page of the database, beside the bodies each would lie on one of its own.
snapshot_cards = Table(
    "snapshot_cards",
    metadata,
    Column("article_id", Key, ForeignKey("snapshots.article_id", ondelete="CASCADE"), primary_key=True),
    Column("language", Key, nullable=False),
    Column("translation_key", Key),
    Column("published_at", Instant, nullable=False),
    Column("revised_at", Instant, nullable=False),
    Column("card", Bytes, nullable=False),
    Column("canonical_url", Key),
    Column("noindex", Boolean(create_constraint=False), nullable=False),
)
Index("ix_snapshot_cards_published_at_article_id", snapshot_cards.c.published_at, snapshot_cards.c.article_id)
Index("ix_snapshot_cards_revised_at_article_id", snapshot_cards.c.revised_at, snapshot_cards.c.article_id)
snapshot_pages = Table(
    "snapshot_pages",
    metadata,
    Column("article_id", Key, ForeignKey("snapshots.article_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("etag", Key, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("body_gzip", Bytes, nullable=False),
)
snapshot_external_ids = Table(
    "snapshot_external_ids",
    metadata,
    Column("system", Key, primary_key=True),
    Column("external_id", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("snapshots.article_id", ondelete="CASCADE"), nullable=False),
)
Index("ix_snapshot_external_ids_article_id", snapshot_external_ids.c.article_id)

# Built once: building these anew for each publication costs several times what running them does.
_DROP = delete(snapshots).where(snapshots.c.article_id == bindparam("article"))
_STORED_CONTENT = select(snapshots.c.content_sha256, snapshots.c.revised_at, snapshots.c.etag).where(
    snapshots.c.article_id == bindparam("article")
)


@dataclass(frozen=True)
class Found:
    """What is stored for one address: whose it is, its ETag (quoted), and the bytes asked for."""

    article_id: str
    etag: str
    body: bytes


def etag_of(body: bytes) -> str:
    """The strong ETag of identity bytes: their SHA-256, quoted."""
    return f'"{hashlib.sha256(body).hexdigest()}"'


def content_sha256(article: shapes.Shape) -> str:
    """What the public article says, whenever it was revised: the same digest means nothing changed."""
    said = {name: value for name, value in article.items() if name != "revised_at"}
    return hashlib.sha256(encode(said)).hexdigest()


def put(writer: Writer, article: shapes.Shape) -> Found:
    """Freeze the public article, its pages and its card, of which nothing is stored; returns what it is now."""
    body = encode(article)
    etag = etag_of(body)
    row = {
        "article_id": article["id"],
        "slug": article["slug"],
        "revised_at": article["revised_at"],
        "etag": etag,
        "content_sha256": content_sha256(article),
        "body": body,
        "body_gzip": _gzip(body),
    }
    writer.execute(snapshots.insert(), row)
    own = ("language", "translation_key", "published_at", "revised_at", "canonical_url")
    row = {name: article[name] for name in own} | {"article_id": article["id"], "noindex": article["seo"]["noindex"]}
    row |= {"card": encode(shapes.card(article))}
    writer.execute(snapshot_cards.insert(), row)
    rows = []
    for page in shapes.pages(article):
        page_body = encode(page)
        row = {"article_id": article["id"], "number": page["number"], "etag": etag_of(page_body), "body": page_body}
        rows.append(row | {"body_gzip": _gzip(page_body)})
    if rows:
        writer.execute(snapshot_pages.insert(), rows)
    external = [
        {"system": system, "external_id": external_id, "article_id": article["id"]}
        for system, external_id in article["external_ids"].items()
    ]
    for row in external:  # an id that has moved to another article since stays there
        writer.insert_absent(snapshot_external_ids, row)
    return Found(article["id"], etag, body)


def claim_external_ids(writer: Writer, article_id: str, external_ids: Mapping[str, str]) -> list[str]:
    """Let external ids lead to the article, once it has a snapshot; the ids of others to which they led before."""
    before: dict[str, None] = {}
    for system, external_id in external_ids.items():
        here = (snapshot_external_ids.c.system == system, snapshot_external_ids.c.external_id == external_id)
        taken = delete(snapshot_external_ids).where(*here).returning(snapshot_external_ids.c.article_id)
        before |= {row["article_id"]: None for row in writer.rows(taken) if row["article_id"] != article_id}
    return [*before]


def drop(writer: Writer, article_id: str) -> None:
    """Take the article's bytes from the readers."""
    writer.execute(_DROP, {"article": article_id})


def stored_content(reader: Reader, article_id: str) -> tuple[str, str, str] | None:
    """The digest, revision time and ETag of what readers see of the article, or None."""
    row = reader.row(_STORED_CONTENT, {"article": article_id})
    return (row["content_sha256"], row["revised_at"], row["etag"]) if row else None


def find_etag(reader: Reader, key: str, page: int | None = None) -> tuple[str, str] | None:
    """The article's id and the ETag at this address, without touching the bytes; None where nothing is public."""
    column = snapshots.c.etag if page is None else snapshot_pages.c.etag
    row = reader.row(_at(select(snapshots.c.article_id, column), key, page))
    return (row["article_id"], row["etag"]) if row else None


def read(reader: Reader, key: str, page: int | None = None, *, compressed: bool = False) -> Found | None:
    """The bytes at this address (``key``: id, slug, ``ext:{system}:{id}``); one SELECT. None: not public."""
    table = snapshots if page is None else snapshot_pages
    body = table.c.body_gzip if compressed else table.c.body
    query = select(snapshots.c.article_id, table.c.etag, body.label("body"))
    row = reader.row(_at(query, key, page))
    return Found(row["article_id"], row["etag"], row["body"]) if row else None


def ids(reader: Reader, after: str | None, limit: int) -> list[str]:
    """The ids of up to ``limit`` published articles behind ``after``, in their order."""
    query = select(snapshots.c.article_id).order_by(snapshots.c.article_id).limit(limit)
    if after is not None:
        query = query.where(snapshots.c.article_id > after)
    return [row["article_id"] for row in reader.rows(query)]


def count(reader: Reader) -> int:
    """How many articles are published."""
    return int(reader.execute(select(func.count()).select_from(snapshots)).scalar_one())


def moved_to(reader: Reader, slug: str) -> str | None:
    """The public slug of the article for which ``slug`` was public once, of several the one that was revised last."""
    # One statement, whatever there is: how long it takes tells nothing of what readers do not see.
    was = (slugs.c.slug == slug, slugs.c.was_public, snapshots.c.slug != slug)
    query = select(snapshots.c.slug).join(slugs, slugs.c.article_id == snapshots.c.article_id).where(*was)
    row = reader.row(query.order_by(snapshots.c.revised_at.desc(), snapshots.c.article_id.desc()).limit(1))
    return row["slug"] if row else None


def _at(query: Any, key: str, page: int | None) -> Any:
    if page is not None:
        here = (snapshot_pages.c.article_id == snapshots.c.article_id, snapshot_pages.c.number == page)
        query = query.select_from(snapshots).join(snapshot_pages, here[0]).where(here[1])
    return query.where(_named(key))


def _named(key: str) -> ColumnElement[bool]:
    if key.startswith("ext:"):
        system, _, external_id = key.removeprefix("ext:").partition(":")
        named = (snapshot_external_ids.c.system == system, snapshot_external_ids.c.external_id == external_id)
        return snapshots.c.article_id.in_(select(snapshot_external_ids.c.article_id).where(*named))
    if text.uuid_shaped(key):
        return snapshots.c.article_id == key.lower()
    return snapshots.c.slug == (text.slug(key) or key)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)
