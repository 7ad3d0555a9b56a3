"""Sources, publishers and tags as readers see them: only those that a published article uses.

Whether one is used is read from the rows of ``parts.py``, what it says from the source_ledger. Citations of a source
are listed in ``part_lists.py``; the ledger changes in ``app/publishing``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, func, literal, select, tuple_

from app.articles import sources as source_ledger
from app.articles.publishers import publishers
from app.articles.sources import sources
from app.articles.tags import tags
from app.database import Reader, Row, is_one_of
from app.delivery.parts import public_citations, public_tags
from app.delivery.shapes import Shape, encode

_CITED_AS = (public_citations.c.article_id, public_citations.c.published_at)
_SOURCE = select(sources, publishers.c.name.label("publisher_name")).outerjoin(
    publishers, publishers.c.id == sources.c.publisher_id
)


@dataclass(frozen=True)
class Filters:
    """Which entries a list holds; None means any.

    ``article, tag, published_after, published_before``: used by one published article of which all of them
    hold. ``publisher``: of sources, who published it; of tags, cited beside it, as ``source``. ``language``,
    ``type`` and ``country`` are the entry's own; ``language`` is a tag's articles'.
    """

    article: str | None = None
    tag: str | None = None
    publisher: str | None = None
    source: str | None = None
    language: str | None = None
    published_after: str | None = None
    published_before: str | None = None
    type: str | None = None
    country: str | None = None


def list_sources(reader: Reader, filters: Filters, after: str | None, limit: int) -> list[tuple[str, bytes]]:
    """Up to ``limit`` cited sources behind the id ``after``, the newest in the ledger first, each with its id."""
    query = _SOURCE.where(*_sources(filters))
    if after is not None:
        query = query.where(sources.c.id < after)
    rows = reader.rows(query.order_by(sources.c.id.desc()).limit(limit))
    return [(row["id"], encode(_source(row))) for row in rows]


def sources_of(reader: Reader, filters: Filters, ids: Collection[str]) -> dict[str, bytes]:
    """Those of the sources with these ids that the list holds, by id."""
    rows = reader.rows(_SOURCE.where(is_one_of(sources.c.id, "ids"), *_sources(filters)), {"ids": ids})
    return {row["id"]: encode(_source(row)) for row in rows}


def listed_sources(reader: Reader, filters: Filters, ids: Collection[str]) -> set[str]:
    """Which of the sources with these ids the list holds."""
    query = select(sources.c.id).where(is_one_of(sources.c.id, "ids"), *_sources(filters))
    return {id for (id,) in reader.tuples(query, {"ids": ids})}


def count_sources(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many sources the list holds; counting stops one beyond ``cap``."""
    return _counted(reader, select(sources.c.id).where(*_sources(filters)), cap)


def find_source(reader: Reader, id: str) -> bytes | None:
    """The cited source with this id, or None."""
    row = reader.row(_SOURCE.where(sources.c.id == id, *_sources(Filters())))
    return encode(_source(row)) if row else None


def find_source_at(reader: Reader, url: str) -> bytes | None:
    """The cited source that any form of this address leads to, merges followed, or None."""
    row = reader.row(_SOURCE.where(source_ledger.at(url), *_sources(Filters())))
    return encode(_source(row)) if row else None


def source_merged_into(reader: Reader, id: str) -> str | None:
    """The id of the cited source that the source with this id was merged into, or None."""
    return _merged_into(reader, sources, id, _sources(Filters()))


def list_publishers(
    reader: Reader, filters: Filters, after: tuple[str, str] | None, limit: int
) -> list[tuple[tuple[str, str], bytes]]:
    """Up to ``limit`` publishers of cited sources behind the name and id ``after``, by name, each with both."""
    query = select(publishers).where(*_publishers(filters))
    if after is not None:
        query = query.where(tuple_(publishers.c.name, publishers.c.id) > tuple_(literal(after[0]), literal(after[1])))
    rows = reader.rows(query.order_by(publishers.c.name, publishers.c.id).limit(limit))
    return [((row["name"], row["id"]), encode(_publisher(row))) for row in rows]


def count_publishers(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many publishers the list holds; counting stops one beyond ``cap``."""
    return _counted(reader, select(publishers.c.id).where(*_publishers(filters)), cap)


def find_publisher(reader: Reader, id: str) -> bytes | None:
    """The publisher with this id, or None where no cited source is its own."""
    row = reader.row(select(publishers).where(publishers.c.id == id, *_publishers(Filters())))
    return encode(_publisher(row)) if row else None


def publisher_merged_into(reader: Reader, id: str) -> str | None:
    """The id of the publisher of cited sources that the publisher with this id was merged into, or None."""
    return _merged_into(reader, publishers, id, _publishers(Filters()))


def list_tags(reader: Reader, filters: Filters, after: str | None, limit: int) -> list[tuple[str, bytes]]:
    """Up to ``limit`` tags of published articles behind the slug ``after``, by slug, each with its slug."""
    query = select(tags.c.slug, tags.c.name).where(_borne(filters))
    if after is not None:
        query = query.where(tags.c.slug > after)
    rows = reader.rows(query.order_by(tags.c.slug).limit(limit))
    return [(row["slug"], encode({"slug": row["slug"], "name": row["name"]})) for row in rows]


def count_tags(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many tags the list holds; counting stops one beyond ``cap``."""
    return _counted(reader, select(tags.c.slug).where(_borne(filters)), cap)


def _merged_into(reader: Reader, table: Table, id: str, public: Sequence[ColumnElement[bool]]) -> str | None:
    # One statement, whatever there is: how long it takes tells nothing of what readers do not see.
    old = table.alias()
    target = select(old.c.merged_into).where(old.c.id == id).scalar_subquery()
    row = reader.row(select(table.c.id).where(table.c.id == target, *public))
    return row["id"] if row else None


def _source(row: Row) -> Shape:
    publisher_id = row["publisher_id"]
    publisher = None if publisher_id is None else {"id": publisher_id, "name": row["publisher_name"]}
    before, after = ("id", "url", "canonical_url", "title"), ("published_on", "authors", "language", "type", "image")
    said = {name: row[name] for name in before} | {"publisher": publisher} | {name: row[name] for name in after}
    return said | {"archive_urls": row["archive_urls"], "note": row["note"]}


def _publisher(row: Row) -> Shape:
    return {name: row[name] for name in ("id", "name", "aliases", "hosts", "homepage_url", "country", "language")}


def _sources(filters: Filters) -> list[ColumnElement[bool]]:
    own = {"publisher_id": filters.publisher, "language": filters.language, "type": filters.type}
    conditions = [sources.c[name] == wanted for name, wanted in own.items() if wanted is not None]
    return [*conditions, sources.c.merged_into.is_(None), _cited(sources.c.id, public_citations.c.source_id, filters)]


def _publishers(filters: Filters) -> list[ColumnElement[bool]]:
    own = {"language": filters.language, "country": filters.country}
    conditions = [publishers.c[name] == wanted for name, wanted in own.items() if wanted is not None]
    cited = _cited(publishers.c.id, public_citations.c.publisher_id, filters)
    return [*conditions, publishers.c.merged_into.is_(None), cited]


def _cited(id: Column[Any], cited_id: Column[Any], filters: Filters) -> ColumnElement[bool]:
    """Whether a citation that readers see names this ``id``, in an article of which the filters hold."""
    conditions = [*_in_article(*_CITED_AS, filters)]
    if filters.tag is not None:
        tagged = select(public_tags.c.article_id).where(public_tags.c.tag == filters.tag)
        conditions.append(public_citations.c.article_id.in_(tagged))
    if filters.article is not None:  # a few citations: from them to the ledger, not through all of it
        return id.in_(select(cited_id).where(*conditions))
    return select(public_citations.c.id).where(cited_id == id, *conditions).exists()


def _borne(filters: Filters) -> ColumnElement[bool]:
    """Whether an article that readers see bears the tag, one of which the filters hold."""
    article_id = public_tags.c.article_id
    conditions = [public_tags.c.tag == tags.c.slug, *_in_article(article_id, public_tags.c.published_at, filters)]
    if filters.language is not None:
        conditions.append(public_tags.c.language == filters.language)
    for column, wanted in (("publisher_id", filters.publisher), ("source_id", filters.source)):
        if wanted is not None:
            citing = select(public_citations.c.article_id).where(public_citations.c[column] == wanted)
            conditions.append(article_id.in_(citing))
    return select(article_id).where(*conditions).exists()


def _in_article(
    article_id: ColumnElement[str], published_at: ColumnElement[str], filters: Filters
) -> Sequence[ColumnElement[bool]]:
    conditions = []
    if filters.article is not None:
        conditions.append(article_id == filters.article)
    if filters.published_after is not None:
        conditions.append(published_at >= filters.published_after)
    if filters.published_before is not None:
        conditions.append(published_at <= filters.published_before)
    return conditions


def _counted(reader: Reader, query: Select[Any], cap: int | None) -> int:
    if cap is not None:
        query = query.limit(cap + 1)
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())
