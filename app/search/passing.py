"""Which articles a search may find: those that pass a filter are named, or each that is found is looked at.

To name them takes as long as there are of them, and a language may be that of all; to look, as long as are found.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select

from app.database import Reader
from app.delivery.part_lists import Filters
from app.delivery.parts import public_citations, public_tags
from app.delivery.snapshots import snapshot_cards
from app.search.index import facet, grams, search_articles

Passes = Callable[[ColumnElement[int]], ColumnElement[bool]]
"""Whether the article with a number may be found."""

_FEW = 2_000
"""So many are named however few are found."""


class _Demand(NamedTuple):
    """What one filter demands of an article's row in the index; and the ids of those that meet it, if they are indexed.

    An id may come several times, once for each citation.
    """

    met: ColumnElement[bool]
    by: Select[Any] | None


def passing(reader: Reader, filters: Filters, found: int) -> Passes | None:
    """What the filters ask of an article, whatever else they ask of its parts; None: nothing.

    ``found``: how many articles may have to be looked at.
    """
    demands = list(_demands(reader, filters))
    if not demands:
        return None
    few = max(_FEW, found)
    named = next((each.by for each in demands if each.by is not None and _is_short(reader, each.by, few)), None)
    looked_at = [each.met for each in demands if named is None or each.by is not named]

    def passes(number: ColumnElement[int]) -> ColumnElement[bool]:
        asked: list[ColumnElement[bool]] = []
        if named is not None:
            asked.append(number.in_(select(search_articles.c.number).where(search_articles.c.article_id.in_(named))))
        if looked_at:  # not by EXISTS: PostgreSQL would be free to look at all articles first
            here = select(and_(*looked_at)).where(search_articles.c.number == number)
            asked.append(here.scalar_subquery())
        return and_(*asked)

    return passes


def _is_short(reader: Reader, ids: Select[Any], most: int) -> bool:
    some = select(func.count()).select_from(ids.limit(most + 1).subquery())
    return int(reader.execute(some).scalar_one()) <= most


def _demands(reader: Reader, filters: Filters) -> Iterator[_Demand]:
    """Those of which fewer articles may be expected come first."""
    here, cards, cited, tagged = search_articles.c, snapshot_cards.c, public_citations.c, public_tags.c

    def counted(name: str, value: str) -> ColumnElement[bool]:
        return grams(reader).counted_by(here.facets, facet(name, value))  # type: ignore[no-any-return]

    if filters.article is not None:
        yield _Demand(
            here.article_id == filters.article, select(cards.article_id).where(cards.article_id == filters.article)
        )
    if filters.source is not None:
        by_source = select(cited.article_id).where(cited.source_id == filters.source)
        yield _Demand(by_source.where(cited.article_id == here.article_id).exists(), by_source)
    if filters.publisher is not None:
        by_publisher = select(cited.article_id).where(cited.publisher_id == filters.publisher)
        yield _Demand(counted("publisher", filters.publisher), by_publisher)
    if filters.tag is not None:
        by_tag = select(tagged.article_id).where(tagged.tag == filters.tag)
        yield _Demand(counted("tag", filters.tag), by_tag)
    between = []
    if filters.published_after is not None:
        between.append(cards.published_at >= filters.published_after)
    if filters.published_before is not None:
        between.append(cards.published_at <= filters.published_before)
    if between:
        its = select(and_(*between)).where(cards.article_id == here.article_id)
        yield _Demand(its.scalar_subquery(), select(cards.article_id).where(*between))
    if filters.language is not None:
        yield _Demand(counted("language", filters.language), None)
