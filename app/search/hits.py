"""Which articles a query finds, best first, asked of what ``index.py`` keeps. Their parts are in ``part_hits.py``.

How a query is read and what ranks above what is in ``query.py``. The statements are the same on both databases, but for
the grams in ``fts5.py`` and ``postgres.py``.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    func,
    literal,
    select,
)

from app.database import Reader, Row, is_one_of
from app.search import folding, index, query
from app.search.dialects import Dialect, dialect_of
from app.search.index import Term, search_postings, search_texts
from app.search.passing import EVERY, Passes
from app.search.query import Query

CANDIDATES = 200
"""How many articles several words are answered with."""
DEEPEST = 1_000
"""How many hits can be paged through."""
RANKED = 100
"""How many of the best are ranked by their texts."""

READ = 4_000
"""How many postings are read to find candidates: the rarest words' first."""
_LOOKED_INTO = 2 * CANDIDATES
"""In how many articles, the newest with all its grams, a query of several words is looked for as it stands."""
_SENTENCE = 3
"""How many words a compound has at least that is read as several where it stands nowhere."""
# Scores are whole numbers, so that both databases find the same: thousandths, once they are added up.

_p = search_postings.c
_TEXTS = select(search_texts.c.number, search_texts.c.folded).where(is_one_of(search_texts.c.number, "numbers"))
_IMPACTS = select(_p.number, _p.term_id, _p.impact).where(
    is_one_of(_p.term_id, "terms"), is_one_of(_p.number, "numbers")
)


@dataclass(frozen=True)
class Word:
    """A word of a query that stands in some article: its id, in how many, what it is worth (in thousandths)."""

    id: int
    df: int
    weight: int
    counted: bool
    """Whether it stands in just so many; else in so many when they were last counted."""
    everywhere: bool
    """Whether it surely stands in all."""


class Wanted(NamedTuple):
    """How many of the best articles are wanted, and how many of those must be in order, the others only there."""

    most: int
    in_order: int


@dataclass(frozen=True)
class Hits:
    """The numbers of articles, best first."""

    ranked: list[tuple[int, int]]
    """Each with its score in thousandths; at most as many as are wanted."""
    total: int
    exact: bool
    """Whether ``total`` are all there are; else there may be more."""
    texts: Mapping[int, str] = field(default_factory=dict)
    """Those of their loosened texts that were read to rank them."""


def weigh(known: Mapping[str, Term], before: Mapping[str, int] | None = None) -> dict[str, Word]:
    """Words that stand in an article; ``before``: what they were worth on the page before."""
    every = max([1, *(max(each.df, each.articles) for each in known.values())])
    worth = before or {}
    return {
        term: Word(
            each.id,
            each.df,
            worth[term] if term in worth else _idf(every, each.df),
            each.counted,
            everywhere=each.counted and each.df == each.articles,
        )
        for term, each in known.items()
    }


def find(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Passes, wanted: Wanted) -> Hits:
    """The articles that the query finds, of those that are ``allowed``."""
    most = wanted.most
    found = _all_of(reader, asked, words, allowed, most) if asked.together else None
    if found is None or (not found.ranked and _is_sentence(reader, asked, words, allowed)):
        found = _any_of(reader, asked, words, allowed)
    if not asked.ranks_by_texts():
        return found
    best, rest = found.ranked[:RANKED], found.ranked[RANKED:]
    texts: dict[int, str] = {}

    def read(numbers: Sequence[int]) -> dict[int, str]:
        texts.update(reader.tuples(_TEXTS, {"numbers": numbers}))
        return texts

    weights = {word: known.weight for word, known in words.items()}
    better = query.rank(asked, weights, best, read, min(wanted.in_order, RANKED))
    return replace(found, ranked=sorted(better + rest, reverse=True), texts=texts)


def holding(reader: Reader, asked: Query, allowed: Passes, most: int) -> list[int]:
    """The numbers of the articles in which the query stands as it is: at most so many, the newest first."""
    found = _literally(reader, asked, (), allowed, besides=False)
    newest, _ = _best(reader, found, most) if found else ([], 0)
    return [number for _, number in newest]


def rarest(words: Mapping[str, Word], most: int) -> dict[str, Word]:
    """At most so many of the words: the rarest, which come first, on both databases in the same order."""
    return dict(sorted(words.items(), key=lambda each: (each[1].df, each[0]))[:most])


def split(words: Mapping[str, Word]) -> tuple[list[Word], list[Word]]:
    """The rarest, whose postings are read through, one at least; and the others, looked up where those stand."""
    every = list(rarest(words, len(words)).values())
    read, postings_read = 0, 0
    for word in every:
        postings_read += word.df
        if read and postings_read > READ:
            break
        read += 1
    return every[:read], every[read:]


def impacts(reader: Reader, words: Iterable[Word], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """What these words weigh in these articles: the number of one, the id of a word that stands there, its impact."""
    return reader.tuples(_IMPACTS, {"terms": [word.id for word in words], "numbers": list(numbers)})


def similar(reader: Reader, words: Mapping[str, Word], besides: int) -> list[tuple[int, int]]:
    """The numbers of the articles that share most with one that has these words, best first."""
    scores, _ = _candidates(reader, words, EVERY)
    return sorted(((score, number) for number, score in scores.items() if number != besides), reverse=True)


def _is_sentence(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Passes) -> bool:
    """Whether a compound that none of the ``allowed`` has is taken for a sentence: if it is long and stands nowhere."""
    if asked.phrase or len(asked.words) < _SENTENCE:
        return False
    return allowed == EVERY or not _all_of(reader, asked, words, EVERY, 1).ranked


def _all_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Passes, most: int) -> Hits:
    """One word, or a phrase: all articles in which all of its words stand, or itself, character for character."""
    together = list(rarest(words, len(words)).values())
    if asked.phrase or not asked.words or len(words) < len(asked.words):
        together = []
    ranked: list[tuple[int, int]] = []
    total = 0
    if together:
        parameters = {**_weights(together), **allowed.parameters}
        spelled = _Set(allowed.of(_spelled(len(together))), parameters, len(together) > 1 or allowed != EVERY)
        alone = together[0] if len(together) == 1 and together[0].counted and allowed == EVERY else None
        ranked, total = _best(reader, spelled, most, alone)
    if together and all(word.everywhere for word in together):
        return Hits(ranked, total, exact=True)  # there are no others
    literally = _literally(reader, asked, together or list(words.values()), allowed, besides=bool(together))
    if literally is not None:
        best, there = _best(reader, literally, most)
        ranked, total = ranked + best, total + there
    return Hits(sorted(ranked, reverse=True)[:most], total, exact=True)


def _best(reader: Reader, found: "_Set", most: int, alone: Word | None = None) -> tuple[list[tuple[int, int]], int]:
    """The best of the articles, each with its score; and how many there are: those of a word that stands ``alone``."""
    if alone is not None:
        statement = _of_one_word(telling=bool(alone.weight))
    else:
        statement = _ordered(found.articles, costly=found.costly)
    rows = reader.tuples(statement, {**found.parameters, "most": most})
    total = alone.df if alone is not None else rows[0][2] if rows else 0
    return [(int(score), number) for number, score, *_ in rows], total


def _any_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Passes) -> Hits:
    """Several words: the articles that have most of what is rare among them, and those in which all stands as asked."""
    scores, complete = _candidates(reader, words, allowed)
    standing = _standing(reader, asked, list(words.values()), allowed) if asked.unbroken else {}
    scores |= {number: max(scores.get(number, 0), score) for number, score in standing.items()}
    # Where there are too many, those go in which all stands as asked, whatever others have of its words.
    kept = sorted(((number in standing, score, number) for number, score in scores.items()), reverse=True)[:CANDIDATES]
    ranked = sorted(((score, number) for _, score, number in kept), reverse=True)
    return Hits(ranked, len(ranked), exact=complete and len(ranked) < CANDIDATES)


def _candidates(reader: Reader, words: Mapping[str, Word], allowed: Passes) -> tuple[dict[int, int], bool]:
    """The articles that have most of the rare words, each with its score by all; and whether no others have any."""
    read, rest = split(words)
    scores = _scores(reader, read, allowed)
    while rest and len(scores) < CANDIDATES:
        read, rest = [*read, *rest[: len(read)]], rest[len(read) :]  # twice as many: each time all are read anew
        scores = _scores(reader, read, allowed)
    telling = [word for word in rest if word.weight]  # what stands everywhere adds nothing
    parameters = _weights(telling) | {"numbers": list(scores)}
    for number, score in reader.tuples(_any_word_in(len(telling)), parameters) if telling else ():
        scores[number] += int(score)
    return {number: score // index.SCALE for number, score in scores.items()}, not rest


def _scores(reader: Reader, words: Sequence[Word], allowed: Passes) -> dict[int, int]:
    """The best articles in which one of the words stands, each with the sum of what they weigh there."""
    if not words:
        return {}
    best = _best_of(allowed.of(_any_word(len(words))))
    rows = reader.tuples(best, {**_weights(words), **allowed.parameters})
    return {number: int(score) for number, score in rows}


def _literally(reader: Reader, asked: Query, words: Sequence[Word], allowed: Passes, *, besides: bool) -> "_Set | None":
    """How to select the allowed articles in which the query stands as it is, worth what the ``words`` are there.

    ``besides``: but for those in which all of the words stand. None: nothing that could stand somewhere is asked.
    """
    least = folding.least_grams(asked.loose)
    if not least:
        return None
    # One gram alone is the text itself, but for marks: SQLite keeps those as characters that may stand in a text, too.
    verified = asked.loose not in least or not asked.loose.isalnum()
    dialect = dialect_of(reader)
    parameters = {
        "text": asked.loose,
        "grams": dialect.asked(least, [word.id for word in words] if besides else []),
        "once": _once(words),
        **_weights(words),
        **allowed.parameters,
    }
    found = allowed.of(_with_grams(dialect, len(words), besides))
    return _Set(_verified(dialect, found) if verified else found, parameters, costly=True)  # a text is read last


def _standing(reader: Reader, asked: Query, words: Sequence[Word], allowed: Passes) -> dict[int, int]:
    """The newest of the allowed articles in which the query stands as it is, each with its score.

    That is what the ``words`` are worth there, but no less than where they stand once: some stand as parts of others.
    """
    least = folding.least_grams(asked.loose)
    if not least:
        return {}
    dialect = dialect_of(reader)
    found = _verified(dialect, _newest(allowed.of(_with_all_grams(dialect)), len(words)))
    parameters = {"text": asked.loose, "grams": dialect.asked(least, []), **_weights(words), **allowed.parameters}
    once = _once(words)
    rows = reader.tuples(found, parameters)
    return {number: max(int(score), once) // index.SCALE for number, score in rows}


class _Set(NamedTuple):
    """How some articles are selected, each with its score."""

    articles: Select[Any]
    parameters: Row
    costly: bool
    """Whether to select them takes longer than to keep them for as long as a statement runs."""


# Built once each: building them anew for each query takes longer than running them does.


@cache
def _spelled(words: int) -> Select[Any]:
    """The articles in which so many words all stand, with their scores; the rarest comes first."""
    first = search_postings
    query = select().select_from(first).where(first.c.term_id == _word(0))
    score = first.c.impact * _weight(0)
    for at in range(1, words):
        other = search_postings.alias()
        query = query.join(other, (other.c.term_id == _word(at)) & (other.c.number == first.c.number))
        score = score + other.c.impact * _weight(at)
    return query.add_columns(first.c.number, score.label("score"))


@cache
def _any_word(words: int) -> Select[Any]:
    """The articles in which one of so many words stands, with their scores."""
    here = _p.term_id.in_([_word(at) for at in range(words)])
    return select(_p.number, _sum(words).label("score")).where(here).group_by(_p.number)


@cache
def _any_word_in(words: int) -> Select[Any]:
    """The same, of some articles."""
    return _any_word(words).where(is_one_of(_p.number, "numbers"))


@cache
def _with_grams(dialect: Dialect, words: int, besides: bool) -> Select[Any]:  # noqa: FBT001 - by position, for the cache
    """The articles with all grams of a text, ``besides``: but for those with so many words."""
    there = dialect.matching(_numbers(_spelled(words)) if besides else None).subquery("found")
    # Where the words stand only as parts of others, they are worth what they are where they stand once.
    score = bindparam("once", type_=Integer) if besides else _worth(words, there.c.number)
    return select(there.c.number, score.label("score"))


@cache
def _with_all_grams(dialect: Dialect) -> Select[Any]:
    """The articles with all grams of a text."""
    return select(dialect.matching(None).subquery("found").c.number)


@lru_cache(maxsize=256)
def _newest(found: Select[Any], words: int) -> Select[Any]:
    """The newest of the articles, with what so many words are worth in each."""
    newest = found.order_by(found.selected_columns.number.desc()).limit(_LOOKED_INTO).subquery("newest")
    return select(newest.c.number, _worth(words, newest.c.number).label("score"))


@lru_cache(maxsize=256)
def _verified(dialect: Dialect, found: Select[Any]) -> Select[Any]:
    """Those of the articles in which the text itself stands."""
    said = dialect.contains(search_texts.c.folded, bindparam("text", type_=Text))
    here = search_texts.c.number == found.selected_columns.number
    return found.where(select(search_texts.c.number).where(here, said).exists())


@cache
def _of_one_word(*, telling: bool) -> Select[Any]:
    """The best of the articles in which a word stands, uncounted."""
    found = _spelled(1)
    if telling:
        return _first(found.subquery())
    # Worth nothing anywhere: the newest are the best, and of the others, all there may be, none is read.
    return found.order_by(found.selected_columns.number.desc()).limit(bindparam("most", type_=Integer))


@lru_cache(maxsize=256)
def _best_of(found: Select[Any]) -> Select[Any]:
    """The best of articles with exact scores."""
    order = (found.selected_columns.score.desc(), found.selected_columns.number.desc())
    return found.order_by(*order).limit(CANDIDATES)


@lru_cache(maxsize=256)
def _ordered(found: Select[Any], *, costly: bool) -> Select[Any]:
    """The best of the articles, and beside each how many there are; what is ``costly`` is found once only."""
    there = found.cte("there").prefix_with("MATERIALIZED") if costly else found.subquery()
    return _first(there, select(func.count()).select_from(there).scalar_subquery())


def _first(there: FromClause, *beside: ColumnElement[int]) -> Select[Any]:
    # As pages are in order: of those that are worth the same in thousandths the newer is first.
    score = (there.c.score // index.SCALE).label("score")
    ordered = select(there.c.number, score, *beside).order_by(score.desc(), there.c.number.desc())
    return ordered.limit(bindparam("most", type_=Integer))


def _numbers(found: Select[Any]) -> Select[Any]:
    return found.with_only_columns(found.selected_columns.number)


def _worth(words: int, number: ColumnElement[int]) -> ColumnElement[int]:
    """What so many words are worth together in an article."""
    if not words:
        return literal(0)
    here = (_p.number == number, _p.term_id.in_([_word(at) for at in range(words)]))
    return select(func.coalesce(_sum(words), 0)).where(*here).scalar_subquery()


def _sum(words: int) -> ColumnElement[int]:
    return func.sum(_p.impact * case({_word(at): _weight(at) for at in range(words)}, value=_p.term_id, else_=0))


def _word(at: int) -> ColumnElement[int]:
    return bindparam(f"word{at}", type_=Integer)


def _weight(at: int) -> ColumnElement[int]:
    return bindparam(f"weight{at}", type_=Integer)


def _weights(words: Sequence[Word]) -> dict[str, Any]:
    return {f"word{at}": word.id for at, word in enumerate(words)} | {
        f"weight{at}": word.weight for at, word in enumerate(words)
    }


def _once(words: Sequence[Word]) -> int:
    """What words are worth together where each stands once: half of what they can be, in millionths."""
    return sum(word.weight for word in words) * index.SCALE // 2


def _idf(every: int, df: int) -> int:
    """What a word is worth that stands in so many articles of all, in thousandths."""
    return round(1_000 * math.log(1 + (max(every, df) - df + 0.5) / (df + 0.5)))
