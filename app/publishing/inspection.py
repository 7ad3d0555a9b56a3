"""Look through what is stored for what should never be: bytes and rows that do not agree with one another.

Nothing is put right here. What an operator is told of it is said in ``app/cli/doctor.py``.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, or_, select, text

from app.articles import collections, publishers, slugs, sources, tags
from app.articles.tables import articles, revisions
from app.database import Reader
from app.delivery import parts, shapes, snapshots
from app.delivery.snapshots import snapshot_cards, snapshot_pages
from app.search import index
from app.sync import changes, jobs
from app.text import instant

_TOGETHER = 50
FAILED_DAYS = 7
"""How long it is told that a job failed, which nobody can mend afterwards: whoever looks once a week hears of it."""
_SHOWN = 3
"""How many of what is wrong are named."""
_MERGING = (
    (sources.sources, "source"),
    (publishers.publishers, "publisher"),
    (tags.tags, "tag"),
    (collections.collections, "collection"),
)
_PUBLIC = snapshots.snapshots
_FEED = changes.changes


def rows(reader: Reader, now: datetime) -> Iterator[str]:
    """What is wrong with rows, a sentence each."""
    yield from _references(reader)  # first: in a damaged file all else may fail
    for what, query in _suspicions(instant(now - timedelta(days=FAILED_DAYS))):
        found = [str(each) for (each,) in reader.tuples(query.limit(_SHOWN + 1))]
        if found:
            more = ", …" if len(found) > _SHOWN else ""
            yield f"{what}: {', '.join(found[:_SHOWN])}{more}"
    number, floor = reader.tuples(select(changes.feed.c.number, changes.feed.c.floor))[0]
    highest = reader.execute(select(func.max(_FEED.c.number))).scalar_one() or 0
    if max(highest, floor) > number:
        yield f"the feed has numbers up to {max(highest, floor)}, its counter stands at {number}"


def published(reader: Reader) -> Iterator[list[str]]:
    """For each published article what is wrong with its bytes, mostly nothing."""
    after = ""
    while True:
        query = select(_PUBLIC).where(_PUBLIC.c.article_id > after).order_by(_PUBLIC.c.article_id).limit(_TOGETHER)
        found = reader.rows(query)
        for row in found:
            yield [f"published article {row['article_id']}: {wrong}" for wrong in _bytes(reader, row)]
        if len(found) < _TOGETHER:
            return
        after = found[-1]["article_id"]


def _suspicions(since: str) -> Iterator[tuple[str, Select[Any]]]:
    """What there should be none of, each with how it is found; of what only happened, ``since`` then."""
    shown, fed, saved = _PUBLIC.c.article_id, _FEED.c.article_id, revisions.c.article_id
    is_published = articles.c.status == "published"
    yield "published, but readers get nothing", _lacking(articles.c.id, shown).where(is_published)
    unlike = or_(~is_published, articles.c.public_slug.is_distinct_from(_PUBLIC.c.slug))
    here = articles.c.id == shown
    yield "readers get what is not published, or elsewhere", select(articles.c.id).join(_PUBLIC, here).where(unlike)
    yield "published, but not in the feed", _lacking(shown, fed, _FEED.c.live)
    yield "in the feed, but not published", _lacking(fed, shown).where(_FEED.c.live)
    searched = index.search_articles.c.article_id
    yield "published, but not found by searches", _lacking(shown, searched)
    yield "found by searches, but not published", _lacking(searched, shown)
    for table in parts.TABLES:
        yield f"in {table.name}, but not published", _lacking(table.c.article_id, shown).distinct()
    latest = revisions.c.number == articles.c.version
    yield "the latest version is no revision", _lacking(articles.c.id, saved, latest)
    lives = (slugs.slugs.c.slug == articles.c.slug) & slugs.slugs.c.living
    yield "its slug is not its own", _lacking(articles.c.id, slugs.slugs.c.article_id, lives)
    for table, kind in _MERGING:
        (key,) = table.primary_key.columns
        other = table.alias()
        merged = select(key).join(other, other.c[key.name] == table.c.merged_into)
        yield f"a merged {kind} leads to a merged one", merged.where(other.c.merged_into.is_not(None))
    failed = (jobs.jobs.c.status == "failed", jobs.jobs.c.updated_at > since)
    yield f"a job failed within {FAILED_DAYS} days", select(jobs.jobs.c.id).where(*failed)


def _lacking(key: Column[Any], other: Column[Any], beside: ColumnElement[bool] | None = None) -> Select[Any]:
    """The keys of a table for which there is no row of another."""
    there = select(other).where(other == key)
    return select(key).where(~(there if beside is None else there.where(beside)).exists())


def _references(reader: Reader) -> Iterator[str]:
    if reader.on_postgresql:
        query = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
        yield from (
            f"a constraint was never held against the rows: {row['conname']}" for row in reader.rows(text(query))
        )
        return
    for row in reader.rows(text("PRAGMA quick_check")):
        if row["quick_check"] != "ok":
            yield f"the file is damaged: {row['quick_check']}"
    found = {(row["table"], row["parent"]) for row in reader.rows(text("PRAGMA foreign_key_check"))}
    yield from (f"a row of {table} names what is not in {parent}" for table, parent in sorted(found))


def _unpacked(compressed: bytes) -> bytes | None:
    try:
        return gzip.decompress(compressed)
    except (OSError, EOFError, zlib.error):
        return None


def _bytes(reader: Reader, row: Any) -> Iterator[str]:
    body = row["body"]
    if snapshots.etag_of(body) != row["etag"]:
        yield "its ETag is not that of its bytes"
        return
    if _unpacked(row["body_gzip"]) != body:
        yield "its compressed bytes are others"
    article = json.loads(body)
    if snapshots.content_sha256(article) != row["content_sha256"]:
        yield "its digest is not that of its content"
    here = row["article_id"]
    card = reader.rows(select(snapshot_cards.c.card).where(snapshot_cards.c.article_id == here))
    if [each["card"] for each in card] != [shapes.encode(shapes.card(article))]:
        yield "its card says something else"
    query = select(snapshot_pages).where(snapshot_pages.c.article_id == here).order_by(snapshot_pages.c.number)
    stored = reader.rows(query)
    if [each["body"] for each in stored] != [shapes.encode(page) for page in shapes.pages(article)]:
        yield "its pages say something else"
    for page in stored:
        if snapshots.etag_of(page["body"]) != page["etag"] or _unpacked(page["body_gzip"]) != page["body"]:
            yield f"the ETag or the compressed bytes of page {page['number']} are not those of its bytes"
