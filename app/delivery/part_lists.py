"""Public lists of parts: sections, key points, questions and citations, the newest article's first.

Parts of one article follow in the order of their ids, which is their reading order where they were made together: an id
never changes, so whoever pages through while articles are published anew meets each part once.
They are made of the rows that ``parts.py`` writes and of the cards of their articles. Lists of articles,
and of one article's sections, are in ``listings.py``; of sources, publishers and tags in ``ledger_lists.py``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Select, Table, Text, and_, cast, func, literal, not_, select, tuple_

from app.database import Reader, Row, is_one_of
from app.delivery import parts
from app.delivery.parts import public_citations, public_key_points, public_questions, public_sections, public_tags
from app.delivery.snapshots import snapshot_cards

Kind = Literal["section", "key_point", "question", "citation"]
Place = tuple[str, int]
"""The id of a part's article, and the part's place among those of its kind there, from 0."""
Position = tuple[str, str, str]
"""Where a page ended: when the article of its last part was published, that article's id, the part's."""

_TABLES: dict[Kind, Table] = {
    "section": public_sections,
    "key_point": public_key_points,
    "question": public_questions,
    "citation": public_citations,
}


@dataclass(frozen=True)
class Filters:
    """Which parts a list holds; None means any.

    ``article, tag, language, published_after, published_before`` are about the part's article. ``kind`` is a
    key point's.
    """

    article: str | None = None
    tag: str | None = None
    publisher: str | None = None
    source: str | None = None
    language: str | None = None
    published_after: str | None = None
    published_before: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Found:
    """One part as readers see it, and the article it belongs to."""

    article_id: str
    body: bytes


def latest(
    reader: Reader, kind: Kind, filters: Filters, after: Position | None, limit: int
) -> list[tuple[Position, bytes]]:
    """Up to ``limit`` parts behind ``after``, each with its position: newest article first, then by id."""
    table = _TABLES[kind]
    # By the tag's own rows where a tag is asked for: they lie in this order, and a rare tag reads only its own.
    ordering = table if filters.tag is None else public_tags
    published_at, article_id = ordering.c.published_at, ordering.c.article_id
    near: list[ColumnElement[bool]] = []
    if filters.publisher is not None and filters.source is None and "publisher_id" not in table.c:
        near, filters = _nearest(table, filters, after, limit), replace(filters, publisher=None)
    id = _id(table)
    query = _selected(table, filters, published_at, article_id, id.label("id"), table.c.body, snapshot_cards.c.card)
    query = query.join(snapshot_cards, snapshot_cards.c.article_id == table.c.article_id).where(*near)
    if after is not None:
        shown = and_(article_id == after[1], id <= after[2])
        query = query.where(_from(ordering, after), not_(shown))
    order = (published_at.desc(), article_id.desc(), id)
    return [
        ((row["published_at"], row["article_id"], row["id"]), parts.with_card(row["body"], row["card"]))
        for row in reader.rows(query.order_by(*order).limit(limit))
    ]


def within(reader: Reader, kind: Kind, places: Collection[Place]) -> dict[Place, Row]:
    """The parts at these places, each with ``id``, ``body`` and ``card``, a citation with its ``source_id``."""
    return {(row["article_id"], row["position"]): row for row in reader.rows(_whole(kind), _named(places))}


def standing(reader: Reader, kind: Kind, filters: Filters, places: Collection[Place]) -> dict[Place, str]:
    """The parts at these places that pass the filters, each with its id, a citation with that of its source."""
    table = _TABLES[kind]
    id = table.c.source_id if kind == "citation" else _id(table)
    query = _selected(table, filters, table.c.article_id, table.c.position, id)
    rows = reader.tuples(query.where(*_at(table)), _named(places))
    return {(article_id, position): id for article_id, position, id in rows}


def count(reader: Reader, kind: Kind, filters: Filters, cap: int | None) -> int:
    """How many parts the list holds; counting stops one beyond ``cap``."""
    table = _TABLES[kind]
    query = _selected(table, filters, table.c.position)
    if cap is not None:
        query = query.limit(cap + 1)
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def find(reader: Reader, kind: Literal["section", "key_point"], id: str) -> Found | None:
    """The part with this id, or None where nothing public has it."""
    table = _TABLES[kind]
    query = select(table.c.article_id, table.c.body, snapshot_cards.c.card)
    query = query.join(snapshot_cards, snapshot_cards.c.article_id == table.c.article_id).where(table.c.id == id)
    row = reader.row(query)
    return Found(row["article_id"], parts.with_card(row["body"], row["card"])) if row else None


def _nearest(table: Table, filters: Filters, after: Position | None, limit: int) -> list[ColumnElement[bool]]:
    """Conditions for the sections or questions that cite the publisher, in no more articles than a page can need.

    A publisher may stand in every third section (45 ms to sort them all, at 10,000 articles); each article holds
    one at least, and that in which the page before ended may have no other.
    """
    cited = public_citations.c
    articles = select(cited.published_at, cited.article_id).distinct().where(*_conditions(public_citations, filters))
    if filters.tag is not None:
        tagged = select(public_tags.c.article_id).where(public_tags.c.tag == filters.tag)
        articles = articles.where(cited.article_id.in_(tagged))
    if after is not None:
        articles = articles.where(_from(public_citations, after))
    newest = articles.order_by(cited.published_at.desc(), cited.article_id.desc()).limit(limit + 1).subquery()
    here = (cited.section_id == _section_id(table), cited.article_id == table.c.article_id)
    cites = select(cited.id).where(*here, cited.publisher_id == filters.publisher).exists()
    return [table.c.article_id.in_(select(newest.c.article_id)), cites]


def _from(table: Table, after: Position) -> ColumnElement[bool]:
    """Whether a row's article is the one at ``after`` or stands behind it."""
    return tuple_(table.c.published_at, table.c.article_id) <= tuple_(literal(after[0]), literal(after[1]))


@cache
def _whole(kind: Kind) -> Select[Any]:
    """The parts at the places that ``_named`` names, with their cards; made once, for searches ask it each time."""
    table = _TABLES[kind]
    source = [table.c.source_id] if "source_id" in table.c else []
    here = (table.c.article_id, table.c.position, _id(table).label("id"), table.c.body, snapshot_cards.c.card, *source)
    cards = snapshot_cards.c.article_id == table.c.article_id
    return select(*here).join(snapshot_cards, cards).where(*_at(table))


def _at(table: Table) -> Sequence[ColumnElement[bool]]:
    """Whether a part stands at one of the places that ``_named`` names."""
    # Pairs are what is meant, but for a list of those SQLite looks through the whole table.
    place = table.c.article_id + " " + cast(table.c.position, Text)
    return is_one_of(table.c.article_id, "articles"), is_one_of(place, "places")


def _named(places: Collection[Place]) -> dict[str, list[str]]:
    return {
        "articles": list({article_id for article_id, _ in places}),
        "places": [f"{article_id} {position}" for article_id, position in places],
    }


def _id(table: Table) -> Column[Any]:
    return table.c.section_id if table is public_questions else table.c.id


def _section_id(table: Table) -> Column[Any]:
    return table.c.id if table is public_sections else table.c.section_id


def _selected(table: Table, filters: Filters, *columns: ColumnElement[Any]) -> Select[Any]:
    query: Select[Any] = select(*columns).select_from(table)
    if filters.tag is not None:
        query = query.join(public_tags, public_tags.c.article_id == table.c.article_id)
        query = query.where(public_tags.c.tag == filters.tag)
    return query.where(*_conditions(table, filters))


def _conditions(table: Table, filters: Filters) -> Sequence[ColumnElement[bool]]:
    named = {"article_id": filters.article, "language": filters.language, "kind": filters.kind}
    conditions = [table.c[column] == wanted for column, wanted in named.items() if wanted is not None]
    for column, wanted in (("source_id", filters.source), ("publisher_id", filters.publisher)):
        if wanted is None:
            continue
        if column in table.c:
            conditions.append(table.c[column] == wanted)
        else:
            cited_in = select(public_citations.c.section_id).where(public_citations.c[column] == wanted)
            conditions.append(_section_id(table).in_(cited_in))
    if filters.published_after is not None:
        conditions.append(table.c.published_at >= filters.published_after)
    if filters.published_before is not None:
        conditions.append(table.c.published_at <= filters.published_before)
    return conditions
