"""Of how many of the articles that were found each tag, publisher, language and year is.

What an article is counted by is kept with its number in ``index.py``: to read the rows of its tags and citations
instead takes several times as long, and thousands may be found.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from app.articles.publishers import publishers
from app.database import Reader, is_one_of
from app.delivery.shapes import Shape
from app.search.fields import SEPARATOR
from app.search.index import Facet, search_articles, search_terms

FACETS: tuple[Facet, ...] = ("tag", "publisher", "language", "year")

_MOST = 100
"""How many values a facet names: the most frequent."""
_TOGETHER = 5_000
"""How many articles are counted at a time: in memory there is as much for a hundred thousand that are found."""
_READ_AT_ONCE = 200
"""How many of those are parted at once: nothing else runs in the process meanwhile."""
_KEPT = select(search_articles.c.facets).where(is_one_of(search_articles.c.number, "numbers"))
_TERMS = select(search_terms.c.id, search_terms.c.term).where(is_one_of(search_terms.c.id, "ids"))
_NAMES = select(publishers.c.id, publishers.c.name).where(is_one_of(publishers.c.id, "ids"))


def count(reader: Reader, numbers: Sequence[int], names: Sequence[Facet]) -> Shape:
    """For each of the facets its values, the most frequent first: ``value``, ``name`` if it has one, ``count``."""
    sums: Counter[str] = Counter()
    for at in range(0, len(numbers), _TOGETHER):
        # One flat list of texts: thousands of small ones make the garbage collector run.
        rows = reader.tuples(_KEPT, {"numbers": numbers[at : at + _TOGETHER]})
        for begun in range(0, len(rows), _READ_AT_ONCE):
            some = rows[begun : begun + _READ_AT_ONCE]
            sums.update(",".join(facets for (facets,) in some).split(","))
    counted: dict[str, list[tuple[str, int]]] = {name: [] for name in FACETS}
    for id, term in reader.tuples(_TERMS, {"ids": list(map(int, sums))}):
        facet, _, value = term.removeprefix(SEPARATOR).partition(":")
        counted[facet].append((value, sums[str(id)]))
    return {name: _named(reader, name, counted[name]) for name in names}


def _named(reader: Reader, facet: Facet, counted: Sequence[tuple[str, int]]) -> list[Shape]:
    first = sorted(counted, key=lambda each: (-each[1], each[0]))[:_MOST]
    names = dict(reader.tuples(_NAMES, {"ids": [id for id, _ in first]})) if facet == "publisher" else {}
    return [
        {"value": value, **({"name": names[value]} if value in names else {}), "count": count} for value, count in first
    ]
