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
RANKED = 100
"""How many of the best are ranked by their texts."""

_READ = 4_000
"""How many postings are read to find candidates: the rarest words' first."""
_SENTENCE = 3
"""How many words a compound has at least that is read as several where it stands nowhere."""
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


def find(
    reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None, most: int = DEEPEST
) -> Hits:
    """The articles that the query finds, of those whose numbers are ``allowed``; at most so many are ranked."""
    found = _all_of(reader, asked, words, allowed, most) if asked.together else None
    if found is None or (not found.ranked and _is_sentence(reader, asked, words, allowed)):
        found = _any_of(reader, asked, words, allowed)
    best, rest = found.ranked[:RANKED], found.ranked[RANKED:]
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
    scores, _ = _candidates(reader, words, None)
    return sorted(((score, number) for number, score in scores.items() if number != besides), reverse=True)


def _is_sentence(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None) -> bool:
    """Whether a compound that none of the ``allowed`` has is taken for a sentence: if it is long and stands nowhere."""
    if asked.phrase or len(asked.words) < _SENTENCE:
        return False
    return allowed is None or not _all_of(reader, asked, words, None, 1).ranked


def _all_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None, most: int) -> Hits:
    """One word, or a phrase: all articles in which all of its words stand, or itself, character for character."""
    sets = []
    together = list(rarest(words, len(words)).values())
    if asked.phrase or not asked.words or len(words) < len(asked.words):
        together = []
    else:
        sets.append(_with_all(together, allowed))
    literally = _with_text(reader, asked, words, allowed, together)
    if literally is not None:
        sets.append(literally)
    if not sets:
        return Hits([], 0, exact=True, every=_none())
    # Once, though it is asked for several times: by facets, too.
    hits = union_all(*sets).cte("hits").prefix_with("MATERIALIZED")
    total = select(func.count()).select_from(hits).scalar_subquery()
    ordered = select(hits.c.number, hits.c.score, total.label("total"))
    rows = reader.rows(ordered.order_by(hits.c.score.desc(), hits.c.number.desc()).limit(most))
    ranked = [(int(row["score"]) // index.SCALE, row["number"]) for row in rows]
    return Hits(ranked, rows[0]["total"] if rows else 0, exact=True, every=select(hits.c.number))


def _any_of(reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None) -> Hits:
    """Several words: the articles that have most of what is rare among them, and those in which all stands as asked."""
    scores, complete = _candidates(reader, words, allowed)
    every_word = list(words.values()) if len(words) == len(asked.words) else []
    literally = _with_text(reader, asked, words, allowed, every_word) if asked.unbroken else None
    if literally is not None:
        there = literally.subquery()
        ordered = select(there.c.number, there.c.score).order_by(there.c.score.desc(), there.c.number.desc())
        rows = reader.rows(ordered.limit(CANDIDATES))
        for row in rows:
            scores[row["number"]] = max(scores.get(row["number"], 0), int(row["score"]) // index.SCALE)
    best = sorted(((score, number) for number, score in scores.items()), reverse=True)[:CANDIDATES]
    numbers = search_articles.c.number.in_([number for _, number in best])
    exact = complete and len(best) < CANDIDATES
    return Hits(best, len(best), exact, select(search_articles.c.number).where(numbers))


def _candidates(reader: Reader, words: Mapping[str, Word], allowed: Select[Any] | None) -> tuple[dict[int, int], bool]:
    """The articles that have most of the rare words, each with its score by all; and whether no others have any."""
    read, rest = split(words)
    scores = _scores(reader, read, allowed)
    while rest and len(scores) < CANDIDATES:
        read, rest = [*read, rest[0]], rest[1:]
        scores = _scores(reader, read, allowed)
    weights = {word.id: word.weight for word in rest}
    for row in impacts(reader, rest, list(scores)) if rest else ():
        scores[row["number"]] += row["impact"] * weights[row["term_id"]]
    return {number: score // index.SCALE for number, score in scores.items()}, not rest


def _scores(reader: Reader, words: Sequence[Word], allowed: Select[Any] | None) -> dict[int, int]:
    """The best articles in which one of the words stands, each with the sum of what they weigh there."""
    if not words:
        return {}
    score = _score(words)
    query = select(_p.number, score.label("score")).where(_p.term_id.in_([word.id for word in words]))
    query = _among(query, _p.number, allowed).group_by(_p.number).order_by(score.desc(), _p.number.desc())
    return {row["number"]: int(row["score"]) for row in reader.rows(query.limit(CANDIDATES))}


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


def with_grams(
    reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None
) -> Select[Any] | None:
    """The articles in whose texts all characters and pairs of the query stand, with their scores; None: it has none."""
    least = folding.least_grams(asked.loose)
    if not least:
        return None
    dialect = grams(reader)
    candidates = dialect.matching(least).subquery()
    number = candidates.c.number
    ids = [word.id for word in words.values()]
    here = select(func.coalesce(_score(list(words.values())), 0)).where(_p.number == number, _p.term_id.in_(ids))
    query = select(number, here.scalar_subquery().label("score") if ids else literal(0).label("score"))
    return _among(query, number, allowed)


def _with_text(
    reader: Reader, asked: Query, words: Mapping[str, Word], allowed: Select[Any] | None, besides: Sequence[Word]
) -> Select[Any] | None:
    """The articles in which the query stands as it is, but for those in which all of the words ``besides`` stand."""
    query = with_grams(reader, asked, words, allowed)
    if query is None:
        return None
    number = query.selected_columns.number
    if besides:
        query = query.where(not_(and_(*(_stands(word, number) for word in besides))))
        # They stand there, as parts of other words: worth about what they are where they stand once.
        once = sum(word.weight for word in besides) * index.SCALE // 2
        query = query.with_only_columns(number, literal(once).label("score"), maintain_column_froms=True)
    if asked.loose not in folding.least_grams(asked.loose):  # one gram alone is the text itself
        text = select(search_texts.c.number).where(
            search_texts.c.number == number, grams(reader).contains(search_texts.c.folded, asked.loose)
        )
        query = query.where(text.exists())
    return query


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
