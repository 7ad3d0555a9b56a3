"""Of how many of the articles that were found each tag, publisher, language and year is.

Which articles those are is decided in ``hits.py`` and ``part_hits.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import CTE, Column, ColumnElement, Select, func, literal, null, select, union_all

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
# What articles are counted by, and whose rows say it of them.
_COUNTED: Mapping[Facet, tuple[ColumnElement[str], Column[str]]] = {
    "tag": (public_tags.c.tag, public_tags.c.article_id),
    "publisher": (public_citations.c.publisher_id, public_citations.c.article_id),
    "language": (snapshot_cards.c.language, snapshot_cards.c.article_id),
    "year": (func.substr(snapshot_cards.c.published_at, 1, 4), snapshot_cards.c.article_id),
}


def count(reader: Reader, numbers: Select[Any], names: Sequence[Facet]) -> Shape:
    """For each of the facets its values, the most frequent first: ``value``, ``name`` if it has one, ``count``."""
    found = select(search_articles.c.article_id).where(search_articles.c.number.in_(numbers))
    # Once for all of them: finding may cost as much as counting.
    articles = found.cte("found").prefix_with("MATERIALIZED")
    rows = reader.rows(union_all(*(_values(articles, name) for name in names)))
    counted: Shape = {name: [] for name in names}
    for row in sorted((row for row in rows if row["value"] is not None), key=lambda row: (-row["count"], row["value"])):
        named = {} if row["name"] is None else {"name": row["name"]}
        counted[row["facet"]].append({"value": row["value"], **named, "count": row["count"]})
    return {name: values[:_MOST] for name, values in counted.items()}


def _values(articles: CTE, facet: Facet) -> Select[Any]:
    value, article_id = _COUNTED[facet]
    name = (
        select(publishers.c.name).where(publishers.c.id == value).scalar_subquery() if facet == "publisher" else null()
    )
    return (
        select(
            literal(facet).label("facet"),
            value.label("value"),
            name.label("name"),
            func.count(article_id.distinct()).label("count"),
        )
        # An outer join goes from the articles to their rows: the other way SQLite reads the rows of all there are.
        .join_from(articles, article_id.table, article_id == articles.c.article_id, isouter=True)
        .group_by(value)
    )
