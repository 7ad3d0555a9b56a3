"""Which articles a search may find: those that pass a filter are named, or each that is found is looked at.

To name them takes as long as there are of them, and a language may be that of all; to look, as long as are found.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, func, select

from app.database import Reader, Row
from app.delivery.part_lists import Filters
from app.delivery.parts import public_citations
from app.search.index import Facet, Term, facet, search_articles, search_postings

Demand = Callable[[ColumnElement[int]], ColumnElement[bool]]
"""What is demanded of the article with a number; one object for each way of demanding something."""

_NOWHERE = Term(0, 0, 0, counted=False)
_EVER = "\U0010ffff"
"""Behind every instant."""

_a, _cited = search_articles.c, public_citations.c


class Passes(NamedTuple):
    """Which articles may be found: those that meet all demands, none: any."""

    demands: tuple[Demand, ...]
    parameters: Row
    """What statements need for them."""

    def of(self, found: Select[Any]) -> Select[Any]:
        """Those of what is selected, each with its article's number, that may be found."""
        return _meeting(found, self.demands)

    def from_on(self, number: int) -> "Passes":
        """Those of them that have this number or a later one."""
        return Passes((*self.demands, _from_on), {**self.parameters, "from_on": number})


EVERY = Passes((), {})


class _Filter(NamedTuple):
    """Two ways to demand the same of an article."""

    named: Demand
    looked_at: Demand


def terms(filters: Filters) -> dict[str, str]:
    """The facets by which articles are filtered, as they stand among words, each with its name."""
    wanted: dict[Facet, str | None] = {
        "tag": filters.tag,
        "publisher": filters.publisher,
        "language": filters.language,
    }
    return {facet(name, value): name for name, value in wanted.items() if value is not None}


def demanded(reader: Reader, filters: Filters, known: Mapping[str, Term], found: int) -> Passes:
    """What the filters ask of an article, whatever else they ask of its parts.

    ``known``: those of their ``terms`` that stand in some article; ``found``: how many may have to be looked at.
    """
    parameters: dict[str, Any] = {}
    asked: list[tuple[int, _Filter]] = []
    """Each with how many pass it, or with one more than are found."""
    for term, name in terms(filters).items():
        its = known.get(term, _NOWHERE)
        if its.counted and its.df == its.articles:
            continue  # all articles have it, as all of a site may be in its language
        parameters[f"{name}_term"] = its.id
        asked.append((its.df, _by_facet(name)))
    if filters.article is not None:
        parameters["article"] = filters.article
        asked.append((1, _BY_ARTICLE))
    if filters.source is not None:
        parameters["source"] = filters.source
        asked.append((_many(reader, _CITING, parameters, found), _BY_SOURCE))
    if filters.published_after is not None or filters.published_before is not None:
        parameters |= {"after": filters.published_after or "", "before": filters.published_before or _EVER}
        asked.append((_many(reader, _BETWEEN, parameters, found), _BY_TIME))
    asked.sort(key=lambda each: each[0])
    demands = [each.looked_at for _, each in asked]
    if asked and asked[0][0] <= found:
        demands[0] = asked[0][1].named
    return Passes(tuple(demands), parameters)


@lru_cache(maxsize=256)
def _meeting(found: Select[Any], demands: tuple[Demand, ...]) -> Select[Any]:
    # Built once for each: building one takes longer than running it.
    return found.where(*(demand(found.selected_columns.number) for demand in demands))


def _many(reader: Reader, ids: Select[Any], parameters: Row, most: int) -> int:
    some = select(func.count()).select_from(ids.limit(most + 1).subquery())
    return int(reader.execute(some, parameters).scalar_one())


# What is looked at is a scalar, not EXISTS: PostgreSQL would be free to look at all articles first.


@cache
def _by_facet(name: str) -> _Filter:
    """A tag, a publisher or a language, which stands among the words of an article."""
    its = search_postings.alias()
    numbers = select(its.c.number).where(its.c.term_id == bindparam(f"{name}_term", type_=Integer))
    return _Filter(
        lambda number: number.in_(numbers),
        lambda number: numbers.where(its.c.number == number).scalar_subquery().is_not(None),
    )


def _by_articles(named: ColumnElement[bool], met: ColumnElement[bool]) -> _Filter:
    """By a condition on an article's row in the index: those ``named`` by it, or whether it is ``met`` by one."""
    return _Filter(
        lambda number: number.in_(select(_a.number).where(named)),
        lambda number: select(met).where(_a.number == number).scalar_subquery(),
    )


def _from_on(number: ColumnElement[int]) -> ColumnElement[bool]:
    return number >= bindparam("from_on", type_=Integer)


def _is_that_of(number: ColumnElement[int]) -> ColumnElement[bool]:
    return number == select(_a.number).where(_a.article_id == bindparam("article", type_=Text())).scalar_subquery()


_CITING = select(_cited.article_id).where(_cited.source_id == bindparam("source", type_=Text()))
_BY_SOURCE = _by_articles(_a.article_id.in_(_CITING), _CITING.where(_cited.article_id == _a.article_id).exists())
_SINCE = _a.published_at.between(bindparam("after", type_=Text()), bindparam("before", type_=Text()))
_BETWEEN = select(_a.number).where(_SINCE)
_BY_TIME = _by_articles(_SINCE, _SINCE)
_BY_ARTICLE = _Filter(_is_that_of, _is_that_of)
