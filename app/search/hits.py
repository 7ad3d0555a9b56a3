"""Which articles, and which parts of them, a query finds, best first, asked of what ``index.py`` keeps.

How a query is read and what ranks above what is in ``query.py``. The statements are the same on both databases, but for
the grams in ``fts5.py`` and ``postgres.py``.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, false, func, literal, not_, select, union_all

from app.database import Reader, Row
from app.search import folding, index, query
from app.search.index import grams, search_articles, search_postings, search_state, search_terms, search_texts
from app.search.query import Query

CANDIDATES = 200
"""How many articles several words are answered with."""
DEEPEST = 1_000
"""How many hits can be paged through."""

_READ = 4_000
"""How many postings are read to find candidates: the rarest words' first."""
_RANKED = 100
"""How many of the best are ranked by their texts."""
# Scores are whole numbers, so that both databases find the same: thousandths, once they are added up.

_p, _t = search_postings.c, search_terms.c
_KNOWN = select(_t.id, _t.term, _t.df).where(_t.term.in_(bindparam("words", expanding=True)))
_TEXTS = select(search_texts.c.number, search_texts.c.folded).where(
    search_texts.c.number.in_(bindparam("numbers", expanding=True))
)
_IMPACTS = select(_p.number, _p.term_id, _p.impact).where(
    _p.term_id.in_(bindparam("terms", expanding=True)), _p.number.in_(bindparam("numbers", expanding=True))
)


@dataclass(frozen=True)
class Word:
    """A word of a query that stands in some article: its id, in how many, what it is worth (in thousandths)."""

    id: int
    df: int
    weight: int


@dataclass(frozen=True)
class Hits:
    """The numbers of articles, best first, and which articles there are in all, each by its number."""

    ranked: list[tuple[int, int]]
    """Each with its score in thousandths; at most ``DEEPEST``."""
    total: int
    exact: bool
    """Whether ``total`` are all there are; else there may be more."""
    every: Select[Any]


def weigh(reader: Reader, words: Sequence[str], before: Mapping[str, int] | None = None) -> dict[str, Word]:
    """Those of the words that stand in an article; ``before``: what they were worth on the page before."""
    known = [row for some in index.portions(words) for row in reader.rows(_KNOWN, {"words": some})]
    counted = reader.execute(select(search_state.c.articles)).scalar_one()
    every = max([1, counted, *(row["df"] for row in known)])
    worth = before or {}
    return {row["term"]: Word(row["id"], row["df"], worth.get(row["term"]) or _idf(every, row["df"])) for row in known}


def find(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None) -> Hits:
    """The articles that the query finds, of those whose numbers are ``allowed``; at most ``DEEPEST`` are ranked."""
    found = _all_of(reader, asked, words, allowed) if asked.together else _any_of(reader, asked, words, allowed)
    best, rest = found.ranked[:_RANKED], found.ranked[_RANKED:]
    texts = texts_of(reader, [number for _, number in best])
    weights = {word: known.weight for word, known in words.items()}
    better = query.rank(asked, weights, [(score, number, texts[number]) for score, number in best])
    return replace(found, ranked=sorted(better + rest, reverse=True))


def texts_of(reader: Reader, numbers: Sequence[int]) -> dict[int, str]:
    """The loosened texts of these articles."""
    return {row["number"]: row["folded"] for row in reader.rows(_TEXTS, {"numbers": list(numbers)})}


def rarest(words: Mapping[str, Word], most: int) -> dict[str, Word]:
    """At most so many of the words: the rarest, which come first, on both databases in the same order."""
    return dict(sorted(words.items(), key=lambda each: (each[1].df, each[0]))[:most])


def split(words: Mapping[str, Word]) -> tuple[list[Word], list[Word]]:
    """The rarest, whose postings are read through, one at least; and the others, looked up where those stand."""
    every = list(rarest(words, len(words)).values())
    read, postings_read = 0, 0
    for word in every:
        postings_read += word.df
        if read and postings_read > _READ:
            break
        read += 1
    return every[:read], every[read:]


def impacts(reader: Reader, words: Iterable[Word], numbers: Sequence[int]) -> list[Row]:
    """What these words weigh in these articles: ``number``, ``term_id`` and ``impact``."""
    return reader.rows(_IMPACTS, {"terms": [word.id for word in words], "numbers": list(numbers)})


def similar(reader: Reader, words: Mapping[str, Word], besides: int) -> list[tuple[int, int]]:
    """The numbers of the articles that share most with one that has these words, best first."""
    return [found for found in _candidates(reader, words, None)[0] if found[1] != besides]


def _all_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None) -> Hits:
    """One word, or a phrase: all articles in which all of its words stand, or itself, character for character."""
    sets = []
    literally = with_text(reader, asked, words, allowed)
    if not asked.phrase and asked.words and all(word in words for word in asked.words):
        together = list(rarest(words, len(words)).values())
        sets.append(_with_all(together, allowed))
        if literally is not None:
            there = [_stands(word, literally.selected_columns.number) for word in together]
            literally = literally.where(not_(and_(*there)))
    if literally is not None:
        sets.append(literally)
    if not sets:
        return Hits([], 0, exact=True, every=_none())
    hits = union_all(*sets).cte("hits")
    ordered = select(hits.c.number, hits.c.score, func.count().over().label("total"))
    rows = reader.rows(ordered.order_by(hits.c.score.desc(), hits.c.number.desc()).limit(DEEPEST))
    total = rows[0]["total"] if rows else 0
    ranked = [(int(row["score"]) // index.SCALE, row["number"]) for row in rows]
    return Hits(ranked, total, exact=True, every=select(hits.c.number))


def _any_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None) -> Hits:
    """Several words: the articles that have most of what is rare among them, and those in which all stands as asked."""
    ranked, complete = _candidates(reader, words, allowed)
    scores = {number: score for score, number in ranked}
    literally = with_text(reader, asked, words, allowed) if asked.unbroken else None
    if literally is not None:
        there = literally.subquery()
        rows = reader.rows(select(there.c.number, there.c.score).order_by(there.c.score.desc()).limit(CANDIDATES))
        scores |= {row["number"]: int(row["score"]) // index.SCALE for row in rows}
    numbers = select(search_articles.c.number).where(search_articles.c.number.in_(list(scores)))
    best = sorted(((score, number) for number, score in scores.items()), reverse=True)
    return Hits(best, len(best), complete and len(best) < CANDIDATES, numbers)


def _candidates(
    reader: Reader, words: Mapping[str, Word], allowed: Select[Any] | None
) -> tuple[list[tuple[int, int]], bool]:
    """The articles that have most of the rare words, scored by all; and whether these are all with any word."""
    read, rest = split(words)
    if not read:
        return [], True
    score = _score(read)
    query = select(_p.number, score.label("score")).where(_p.term_id.in_([word.id for word in read]))
    query = _among(query, _p.number, allowed).group_by(_p.number).order_by(score.desc(), _p.number.desc())
    scores = {row["number"]: int(row["score"]) for row in reader.rows(query.limit(CANDIDATES))}
    if rest:
        weights = {word.id: word.weight for word in rest}
        for row in impacts(reader, rest, list(scores)):
            scores[row["number"]] += row["impact"] * weights[row["term_id"]]
    ranked = sorted(((score // index.SCALE, number) for number, score in scores.items()), reverse=True)
    return ranked, not rest


def _with_all(together: Sequence[Word], allowed: Select[Any] | None) -> Select[Any]:
    """The articles in which all of these words stand, with their scores; the rarest comes first."""
    first = search_postings
    query, score = (
        select().select_from(first).where(first.c.term_id == together[0].id),
        first.c.impact * together[0].weight,
    )
    for word in together[1:]:
        other = search_postings.alias()
        query = query.join(other, (other.c.term_id == word.id) & (other.c.number == first.c.number))
        score = score + other.c.impact * word.weight
    return _among(query.add_columns(first.c.number, score.label("score")), first.c.number, allowed)


def with_text(
    reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None
) -> Select[Any] | None:
    """The articles in which the query stands as it is, with their scores; None: it has nothing to look for."""
    least = folding.least_grams(asked.loose)
    if not least:
        return None
    dialect = grams(reader)
    candidates = dialect.matching(least).subquery()
    number = candidates.c.number
    ids = [word.id for word in words.values()]
    here = select(func.coalesce(_score(list(words.values())), 0)).where(_p.number == number, _p.term_id.in_(ids))
    query = select(number, here.scalar_subquery().label("score") if ids else literal(0).label("score"))
    if asked.loose not in least:  # one gram alone is the text itself
        text = select(search_texts.c.number).where(
            search_texts.c.number == number, dialect.contains(search_texts.c.folded, asked.loose)
        )
        query = query.where(text.exists())
    return _among(query, number, allowed)


def _stands(word: Word, number: ColumnElement[int]) -> ColumnElement[bool]:
    return select(_p.number).where(_p.term_id == word.id, _p.number == number).exists()


def _score(words: Sequence[Word]) -> ColumnElement[int]:
    weights: ColumnElement[int] = case({word.id: word.weight for word in words}, value=_p.term_id, else_=0)
    return func.sum(_p.impact * weights)


def _among(query: Select[Any], number: ColumnElement[int], allowed: Select[Any] | None) -> Select[Any]:
    return query if allowed is None else query.where(number.in_(allowed))


def _none() -> Select[Any]:
    return select(search_articles.c.number).where(false())


def _idf(every: int, df: int) -> int:
    """What a word is worth that stands in so many articles of all, in thousandths."""
    return round(1_000 * math.log(1 + (max(every, df) - df + 0.5) / (df + 0.5)))
