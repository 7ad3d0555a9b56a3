"""Of how many of the articles that were found each tag, publisher, language and year is.

Which articles those are is decided in ``hits.py`` and ``part_hits.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select

from app.articles.publishers import publishers
from app.database import Reader
from app.delivery.parts import public_citations, public_tags
from app.delivery.shapes import Shape
from app.delivery.snapshots import snapshot_cards
from app.search.index import search_articles

Facet = Literal["tag", "publisher", "language", "year"]
FACETS: tuple[Facet, ...] = ("tag", "publisher", "language", "year")

_MOST = 100
"""How many values a facet names: the most frequent."""
_YEAR = func.substr(snapshot_cards.c.published_at, 1, 4)
# What articles are counted by, the rows that say it of them, and a name where the value is an id.
_COUNTED: Mapping[Facet, tuple[ColumnElement[str], ColumnElement[str], ColumnElement[str] | None]] = {
    "tag": (public_tags.c.tag, public_tags.c.article_id, None),
    "publisher": (public_citations.c.publisher_id, public_citations.c.article_id, publishers.c.name),
    "language": (snapshot_cards.c.language, snapshot_cards.c.article_id, None),
    "year": (_YEAR, snapshot_cards.c.article_id, None),
}


def count(reader: Reader, numbers: Select[Any], names: Sequence[Facet]) -> Shape:
    """For each of the facets its values, the most frequent first: ``value``, ``name`` if it has one, ``count``."""
    return {name: _values(reader, numbers, name) for name in names}


def _values(reader: Reader, numbers: Select[Any], facet: Facet) -> list[Shape]:
    value, article_id, name = _COUNTED[facet]
    found = select(search_articles.c.article_id).where(search_articles.c.number.in_(numbers))
    articles = func.count(article_id.distinct()).label("count")
    query = select(value.label("value"), articles).where(article_id.in_(found), value.is_not(None)).group_by(value)
    if name is not None:
        query = query.add_columns(name.label("name")).join(publishers, publishers.c.id == value).group_by(name)
    rows = reader.rows(query.order_by(articles.desc(), value).limit(_MOST))
    named = [] if name is None else ["name"]
    return [{each: row[each] for each in ("value", *named, "count")} for row in rows]
