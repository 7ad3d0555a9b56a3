"""Send out all there is, as the lines of a bundle: one snapshot of the database, in one order, a few rows at a time.

Keys, the audit, jobs, webhooks and preview links stay here. What comes in is in ``incoming.py``.
"""

import json
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, select

from app.articles import collections, mapping, publishers, revisions, site, slugs, sources, tables, tags
from app.articles.entries import Load
from app.database import Reader, Row
from app.delivery.shapes import Shape, encode
from app.delivery.snapshots import snapshot_cards, snapshots
from app.formats import bundle
from app.formats.bundle import Kind, Life

ARTICLE = b'{"kind":"article",'
"""How the line of an article begins."""
_TOGETHER = 200
"""How many ids are read at a time."""
_LIFE = tuple(name for name in Life.model_fields if name != "public_slugs")
_SAVED = ("created_at", "created_by", "reason")
_LEDGER: tuple[tuple[Kind, Table, Load], ...] = (
    ("publisher", publishers.publishers, publishers.load),
    ("source", sources.sources, sources.load),
    ("tag", tags.tags, tags.load),
)
"""Each kind behind those it names."""

_ARTICLE = select(tables.articles).where(tables.articles.c.id == bindparam("article"))
_PUBLIC = (
    select(snapshots.c.body, snapshot_cards.c.published_at, snapshot_cards.c.revised_at)
    .join(snapshot_cards, snapshot_cards.c.article_id == snapshots.c.article_id)
    .where(snapshots.c.article_id == bindparam("article"))
)
_ONCE_PUBLIC = (
    select(slugs.slugs.c.slug)
    .where(slugs.slugs.c.article_id == bindparam("article"), slugs.slugs.c.was_public)
    .order_by(slugs.slugs.c.slug)
)
_PAGE_IMPORTS = (
    select(tables.page_imports)
    .where(tables.page_imports.c.article_id == bindparam("article"))
    .order_by(tables.page_imports.c.lines_sha256)
)
_EARLIER = (
    select(tables.revisions.c.number)
    .join(tables.articles, tables.articles.c.id == tables.revisions.c.article_id)
    .where(tables.articles.c.id == bindparam("article"), tables.revisions.c.number < tables.articles.c.version)
    .order_by(tables.revisions.c.number)
)


def count(reader: Reader) -> int:
    """How many articles there are: nearly all of the work."""
    return int(reader.execute(select(func.count()).select_from(tables.articles)).scalar_one())


def lines(reader: Reader, *, with_revisions: bool) -> Iterator[bytes]:
    """Every line of the bundle, with its line feed; what is the same gives the same bytes, on whatever database."""
    yield _line("header", format=bundle.FORMAT, kiku=metadata.version("kiku"), revisions=with_revisions)
    stored = reader.row(select(site.site))
    if stored is not None:
        document = site.load(reader).document.model_dump()
        yield _line("site", version=stored["version"], updated_at=stored["updated_at"], document=document)
    for kind, table, load in _LEDGER:
        yield from _entries(reader, kind, table, load)
    for article_id in _behind(reader, tables.articles.c.id):
        yield _article(reader, article_id, with_saved=with_revisions)
        if with_revisions:
            yield from _revisions(reader, article_id)
    yield from _entries(reader, "collection", collections.collections, collections.load)


def _line(kind: Kind, **members: Any) -> bytes:
    return encode({"kind": kind, **members}) + b"\n"


def _behind(reader: Reader, key: ColumnElement[str], *conditions: ColumnElement[bool]) -> Iterator[str]:
    """The keys of a table's rows, in their order."""
    query = select(key).where(*conditions).order_by(key).limit(_TOGETHER)
    found = reader.tuples(query)
    while found:
        yield from (each for (each,) in found)
        found = reader.tuples(query.where(key > found[-1][0]))


def _entries(reader: Reader, kind: Kind, table: Table, load: Load) -> Iterator[bytes]:
    """Entries, those that were merged behind those they were merged into."""
    (key,) = table.primary_key.columns
    into = table.c.merged_into
    for among in (into.is_(None), into.is_not(None)):
        for each in _behind(reader, key, among):
            entry = load(reader, each)
            # Its names are a publisher's own only when those are merged that had them.
            merged = {"merged": list(_behind(reader, key, into == each))} if kind == "publisher" else {}
            yield _line(kind, **entry.resource, merged_into=entry.merged_into, **merged)


def _article(reader: Reader, article_id: str, *, with_saved: bool) -> bytes:
    named = {"article": article_id}
    (row,) = reader.rows(_ARTICLE, named)
    document = mapping.read(reader, row).model_dump()
    life = {name: row[name] for name in _LIFE} | {
        "public_slugs": [each for (each,) in reader.tuples(_ONCE_PUBLIC, named)]
    }
    known = [_page_import(each) for each in reader.rows(_PAGE_IMPORTS, named)]
    public, saved = _public(reader, document, named), None
    if with_saved:
        revision = revisions.load(reader, article_id, row["version"])
        saved = {name: revision[name] for name in _SAVED}
        saved["document"] = None if revision["document"] == document else revision["document"]
    return _line("article", document=document, life=life, public=public, saved=saved, page_imports=known)


def _public(reader: Reader, document: Shape, named: Row) -> Shape | None:
    """What readers see of the article; its document only where it is not the working copy."""
    row = reader.row(_PUBLIC, named)
    if row is None:
        return None
    times = {name: row[name] for name in ("published_at", "revised_at")}
    if encode(document | times) == row["body"]:
        return {"document": None, **times}
    seen = json.loads(row["body"])
    return {"document": {name: value for name, value in seen.items() if name not in times}, **times}


def _page_import(row: Row) -> Shape:
    return {name: row[name] for name in ("lines_sha256", "report", "created_at")}


def _revisions(reader: Reader, article_id: str) -> Iterator[bytes]:
    for (number,) in reader.tuples(_EARLIER, {"article": article_id}):
        revision = revisions.load(reader, article_id, number)
        said = {name: revision[name] for name in _SAVED}
        yield _line("revision", article_id=article_id, number=number, **said, document=revision["document"])
