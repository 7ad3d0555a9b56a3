"""Public lists of articles and of an article's sections: keyset pages of stored bytes.

How a cursor is written and read is decided in ``app/wire/paging.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_

from app.articles.collections import collection_articles, collections, named
from app.database import Reader
from app.delivery import parts
from app.delivery.parts import public_citations, public_sections, public_tags
from app.delivery.snapshots import snapshot_cards

SORTS = ("-published_at", "published_at", "-revised_at", "revised_at")

Position = tuple[str, str]
"""Where a page ended: the sort value and the id of its last article."""


@dataclass(frozen=True)
class Filters:
    """Which articles a list holds; None and empty mean any. ``collection``: its slug or id."""

    tag: str | None = None
    publisher: str | None = None
    source: str | None = None
    language: str | None = None
    translation_key: str | None = None
    collection: str | None = None
    published_after: str | None = None
    published_before: str | None = None
    ids: tuple[str, ...] = ()


def latest(
    reader: Reader, filters: Filters, sort: str, after: Position | None, limit: int
) -> list[tuple[Position, bytes]]:
    """Up to ``limit`` cards behind ``after``, each with its position; ``sort`` is one of ``SORTS``."""
    column = snapshot_cards.c[sort.removeprefix("-")]
    descending = sort.startswith("-")
    query = select(column.label("value"), snapshot_cards.c.article_id, snapshot_cards.c.card).where(
        *_conditions(filters)
    )
    here = (column, snapshot_cards.c.article_id)
    if after is not None:
        # Compared as a row: both databases then begin in the index where the page does, however deep.
        position, there = tuple_(*here), tuple_(*map(literal, after))
        query = query.where(position < there if descending else position > there)
    order = tuple(part.desc() for part in here) if descending else here
    rows = reader.rows(query.order_by(*order).limit(limit))
    return [((row["value"], row["article_id"]), row["card"]) for row in rows]


def matching(filters: Filters) -> Select[Any]:
    """The ids of the articles that pass the filters."""
    if filters.tag is not None and filters == Filters(tag=filters.tag):
        return _tagged(filters.tag)  # each once, and public: to look them up among the cards takes as long again
    return select(snapshot_cards.c.article_id).where(*_conditions(filters))


def count(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many articles the list holds; counting stops one beyond ``cap``."""
    return _counted(reader, matching(filters), cap)


def sections(reader: Reader, article_id: str, after: int | None, limit: int) -> list[tuple[tuple[int], bytes]]:
    """Up to ``limit`` public sections of one article behind position ``after``, in reading order."""
    query = (
        select(public_sections.c.position, public_sections.c.body, snapshot_cards.c.card)
        .join(snapshot_cards, snapshot_cards.c.article_id == public_sections.c.article_id)
        .where(public_sections.c.article_id == article_id)
    )
    if after is not None:
        query = query.where(public_sections.c.position > after)
    rows = reader.rows(query.order_by(public_sections.c.position).limit(limit))
    return [((row["position"],), parts.with_card(row["body"], row["card"])) for row in rows]


def count_sections(reader: Reader, article_id: str, cap: int | None) -> int:
    """How many public sections the article has; counting stops one beyond ``cap``."""
    query: Select[Any] = select(public_sections.c.id).where(public_sections.c.article_id == article_id)
    return _counted(reader, query, cap)


def _counted(reader: Reader, query: Select[Any], cap: int | None) -> int:
    if cap is not None:
        query = query.limit(cap + 1)
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _tagged(tag: str) -> Select[Any]:
    return select(public_tags.c.article_id).where(public_tags.c.tag == tag)


def _conditions(filters: Filters) -> Sequence[ColumnElement[bool]]:
    article_id = snapshot_cards.c.article_id
    conditions: list[ColumnElement[bool]] = []
    if filters.tag is not None:
        conditions.append(article_id.in_(_tagged(filters.tag)))
    for column, wanted in (
        (public_citations.c.publisher_id, filters.publisher),
        (public_citations.c.source_id, filters.source),
    ):
        if wanted is not None:
            conditions.append(article_id.in_(select(public_citations.c.article_id).where(column == wanted)))
    if filters.collection is not None:
        # A merged one is the one it was merged into.
        found = select(func.coalesce(collections.c.merged_into, collections.c.id)).where(named(filters.collection))
        members = select(collection_articles.c.article_id)
        conditions.append(article_id.in_(members.where(collection_articles.c.collection_id.in_(found))))
    if filters.language is not None:
        conditions.append(snapshot_cards.c.language == filters.language)
    if filters.translation_key is not None:
        conditions.append(snapshot_cards.c.translation_key == filters.translation_key)
    if filters.published_after is not None:
        conditions.append(snapshot_cards.c.published_at >= filters.published_after)
    if filters.published_before is not None:
        conditions.append(snapshot_cards.c.published_at <= filters.published_before)
    if filters.ids:
        conditions.append(article_id.in_(filters.ids))
    return conditions
