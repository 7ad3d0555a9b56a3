"""What is kept of a published article so that its words are found: words, where they stand, how much they weigh there.

How a text is read is in ``tokens.py``, how what is kept is asked in ``hits.py``. In how many articles a word stands is
counted by ``count``, behind the publications: there a row that all of them change would make them wait for one another.
"""

import json
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from app.database import Bytes, Instant, Key, Reader, Writer, is_one_of, metadata
from app.search import folding, layout, tokens
from app.search.dialects import dialect_of
from app.search.fields import SEPARATOR, Field, Place, fields, outline
from app.sync.changes import feed

Facet = Literal["tag", "publisher", "language", "year"]

TERMS = "search-terms"
"""What a Writer holds while it adds words: shared; alone while words that stand nowhere any more are removed."""
SCALE = 1_000
"""An impact is so many times the share of BM25 that it stands for."""

_K1, _B = 1.2, 0.75
_AVERAGE_WORDS = 300
"""How long an article is taken to be on average: fixed, or each publication would change what all others weigh."""
_COUNTED_TOGETHER = 200
"""How many publications are counted in one transaction."""
_ADDED_UP = 50
"""In how many, not counted yet, a search itself counts its words: it reads 3 KB of each."""

# Numbers are a ninth of an id's size, and a word stands in some hundred articles.
search_articles = Table(
    "search_articles",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("published_at", Instant, nullable=False, index=True),
    Column("facets", Text, nullable=False),
)
search_terms = Table(
    "search_terms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("term", Key, nullable=False, unique=True),
    Column("reading", Key, index=True),
    Column("df", Integer, nullable=False),
)
search_postings = Table(
    "search_postings",
    metadata,
    Column("term_id", Integer, nullable=False, autoincrement=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("impact", Integer, nullable=False),
    Column("places", Bytes, nullable=False),
    PrimaryKeyConstraint("term_id", "number", postgresql_include=["impact"]),
    sqlite_with_rowid=False,
)
search_texts = Table(
    "search_texts",
    metadata,
    Column("number", Integer, ForeignKey("search_articles.number", ondelete="CASCADE"), primary_key=True),
    Column("folded", Text, nullable=False),
    Column("layout", Bytes, nullable=False),
    Column("outline", Text, nullable=False),
    Column("terms", Bytes, nullable=False),
)
# Publications that are not counted yet: +1 where an article has these words now, -1 where it had them.
search_uncounted = Table(
    "search_uncounted",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("change", Integer, nullable=False),
    Column("terms", Bytes, nullable=False),
)
# One row: how many articles are counted, how often that was done, and what all texts were read with.
search_state = Table(
    "search_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("articles", Integer, nullable=False),
    Column("counts", Integer, nullable=False),
    Column("version", Text, nullable=False),
)

# Built once: building these anew for each publication costs several times what running them does.
_NUMBER = select(search_articles.c.number).where(search_articles.c.article_id == bindparam("article"))
_TEXT = select(search_texts.c.folded, search_texts.c.terms).where(search_texts.c.number == bindparam("at"))
_ADD_ARTICLE = insert(search_articles).returning(search_articles.c.number)
_SET_ARTICLE = update(search_articles).where(search_articles.c.number == bindparam("at"))
_ADD_TEXT, _ADD_UNCOUNTED = insert(search_texts), insert(search_uncounted)
_ANY_UNCOUNTED = select(search_uncounted.c.id).limit(1)
_VERSION = select(search_state.c.version)
# How many articles are counted, and whether all are, stands beside each: one statement less.
TERM = (
    search_terms.c.term,
    search_terms.c.id,
    search_terms.c.df,
    select(search_state.c.articles).scalar_subquery(),
    ~exists(_ANY_UNCOUNTED),
)
"""What is selected of a word or a facet: itself, and its ``Term``."""
_TERMS = select(*TERM).where(is_one_of(search_terms.c.term, "terms"))
_SINCE = select(search_uncounted.c.change, search_uncounted.c.terms).limit(_ADDED_UP + 1)
_STATE = select(
    feed.c.epoch, feed.c.number, search_state.c.counts, search_state.c.version, exists(_ANY_UNCOUNTED)
).select_from(feed.join(search_state, true()))  # one row each
_HERE = search_postings.c.number == bindparam("at")
_KNOWN = select(search_terms.c.id, search_terms.c.term).where(is_one_of(search_terms.c.term, "words"))
_DROP_POSTINGS = delete(search_postings).where(_HERE, is_one_of(search_postings.c.term_id, "words"))
_COLUMNS = search_postings.c.keys()
# Hundreds of rows each: SQLite takes them one by one, PostgreSQL at once, in arrays.
_ADD_POSTINGS_ONE_BY_ONE = str(insert(search_postings).compile(dialect=sqlite.dialect()))
_ADD_POSTINGS = insert(search_postings).from_select(
    _COLUMNS,
    select(*(func.unnest(bindparam(name, type_=ARRAY(search_postings.c[name].type))) for name in _COLUMNS)),
)
_DROP_TEXT = delete(search_texts).where(search_texts.c.number == bindparam("at"))
_DROP_NUMBER = delete(search_articles).where(search_articles.c.number == bindparam("at"))
_COUNT = (
    update(search_terms).where(search_terms.c.id == bindparam("word")).values(df=search_terms.c.df + bindparam("by"))
)


class State(NamedTuple):
    """What decides what is found: while it stands, so do all answers."""

    epoch: str
    """The feed's."""
    number: int
    """That of its latest change."""
    counts: int
    """How often words were counted or texts read anew."""
    settled: bool
    """Whether it stays so until the next publication: nothing is left to be counted or read anew."""


class Term(NamedTuple):
    """A word or a facet that stands in some article."""

    id: int
    df: int
    """In how many articles it stands, or stood when they were last counted."""
    articles: int
    """How many articles were counted."""
    counted: bool
    """Whether all are."""


class Weight(NamedTuple):
    """What one word is worth in one article, and in which of its parts it stands."""

    impact: int
    places: list[Place]


class Reading(NamedTuple):
    """A text as it is read: folded, and the words by which it is found, in their order."""

    folded: str
    words: list[str]


_ahead: ContextVar[Mapping[str, Reading]] = ContextVar("ahead", default={})  # noqa: B039 - it is never changed


def reading_of(text: str) -> Reading:
    """A text, read: nearly half of what indexing costs, and needs no database."""
    folded = folding.fold(text)
    return Reading(folded.text, tokens.indexed(folded.text, folded.gaps))


@contextmanager
def read_ahead(texts: Mapping[str, Reading]) -> Iterator[None]:
    """Within this block the texts need not be read again that others, in processes of their own, have read."""
    token = _ahead.set(texts)
    try:
        yield
    finally:
        _ahead.reset(token)


def put(writer: Writer, body: bytes) -> None:
    """Let the public article that is frozen in these bytes be found, in place of what was kept of it before."""
    article = json.loads(body)
    facets = [facet(name, value) for name, values in _facets(article).items() for value in values]
    number = _take_out(writer, article["id"])
    texts = [(field, _read(field.text)) for field in fields(article)]
    weights = _weigh(texts) | dict.fromkeys(facets, Weight(0, []))
    ids = _ids(writer, weights)
    asked = {"published_at": article["published_at"], "facets": ",".join(str(ids[each]) for each in facets)}
    if number is None:
        number = writer.execute(_ADD_ARTICLE, {"article_id": article["id"], **asked}).scalar_one()
    else:
        writer.execute(_SET_ARTICLE, {"at": number, **asked})
    rows = sorted((ids[word], number, weight.impact, layout.packed(weight.places)) for word, weight in weights.items())
    if writer.on_postgresql:
        writer.execute(_ADD_POSTINGS, dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
    else:  # straight to the driver: looking through hundreds of rows costs as much as storing them
        writer.connection.exec_driver_sql(_ADD_POSTINGS_ONE_BY_ONE, rows)
    loose = folding.loosen(SEPARATOR.join(reading.folded for _, reading in texts))
    terms = array("I", sorted(ids.values())).tobytes()
    found = [field for field, _ in texts]
    kept = {"layout": layout.laid_out(found), "outline": outline(found, body), "terms": terms}
    writer.execute(_ADD_TEXT, {"number": number, "folded": loose, **kept})
    dialect_of(writer).put(writer, number, loose, ids.values())
    writer.execute(_ADD_UNCOUNTED, {"change": 1, "terms": terms})


def drop(writer: Writer, article_id: str) -> None:
    """Let the article be found no more."""
    number = _take_out(writer, article_id)
    if number is not None:
        writer.execute(_DROP_NUMBER, {"at": number})


def count(writer: Writer) -> bool:
    """Count the words of the next publications; says whether there were any. Words that stand nowhere are removed.

    What else is better done afterwards than by a publication is done, too.
    """
    writer.hold(TERMS)
    rows = writer.rows(select(search_uncounted).order_by(search_uncounted.c.id).limit(_COUNTED_TOGETHER))
    if not rows:
        return False
    changes: Counter[int] = Counter()
    for row in rows:
        for term in unpacked(row["terms"]):
            changes[term] += row["change"]
    changed = [{"word": id, "by": by} for id, by in sorted(changes.items()) if by]
    if changed:
        writer.execute(_COUNT, changed)
    stands = exists().where(search_postings.c.term_id == search_terms.c.id)
    fewer = is_one_of(search_terms.c.id, "words")
    writer.execute(
        delete(search_terms).where(search_terms.c.df <= 0, fewer, ~stands),
        {"words": [id for id, by in changes.items() if by <= 0]},
    )
    counted = is_one_of(search_uncounted.c.id, "counted")
    writer.execute(delete(search_uncounted).where(counted), {"counted": [row["id"] for row in rows]})
    articles = sum(row["change"] for row in rows)
    state = search_state.c
    writer.execute(update(search_state).values(articles=state.articles + articles, counts=state.counts + 1))
    dialect_of(writer).gather(writer)
    return True


def look_up(reader: Reader, terms: Sequence[str]) -> dict[str, Term]:
    """Those of the words and facets that stand in some article."""
    rows = reader.tuples(_TERMS, {"terms": list(terms)}) if terms else []
    known = {term: Term(*its) for term, *its in rows}
    return known if all(its.counted for its in known.values()) else _up_to_now(reader, known)


def _up_to_now(reader: Reader, known: dict[str, Term]) -> dict[str, Term]:
    """The same with what is not counted yet, unless that is much: who searches while others publish need not count."""
    since = reader.tuples(_SINCE)
    if len(since) > _ADDED_UP:
        return known
    changes = [(change, unpacked(terms)) for change, terms in since]
    articles = sum(change for change, _ in changes)

    def now(its: Term) -> Term:
        df = its.df + sum(change for change, ids in changes if holds(ids, its.id))
        return Term(its.id, df, its.articles + articles, counted=True)

    return {term: now(its) for term, its in known.items()}


def uncounted(reader: Reader) -> bool:
    """Whether there is anything to count; cheap, so that idle workers take no write lock."""
    return reader.row(_ANY_UNCOUNTED) is not None


def state(reader: Reader) -> State:
    """What answers depend on."""
    ((epoch, number, counts, version, left),) = reader.tuples(_STATE)
    return State(epoch, number, counts, settled=not left and version == tokens.version())


def fits(reader: Reader) -> bool:
    """Whether every text was read with what this process reads with; if not, the index must be made anew."""
    return bool(reader.execute(_VERSION).scalar_one() == tokens.version())


def unmark(writer: Writer) -> None:
    """Record that texts are being read anew: until ``mark`` some are read in one way and some in another."""
    writer.hold(TERMS, shared=True)  # first, as whoever counts does: else the two would wait for one another
    writer.execute(update(search_state).values(version="", counts=search_state.c.counts + 1))


def mark(writer: Writer) -> None:
    """Record that every text was read with what this process reads with."""
    writer.execute(update(search_state).values(version=tokens.version(), counts=search_state.c.counts + 1))


def gather_all(writer: Writer) -> bool:
    """Do some of what brings the grams together again that were taken out and put in anew; whether more is left.

    On SQLite they take four times the room after a rebuild, and a phrase half as long again.
    """
    return dialect_of(writer).gather_all(writer)


def unpacked(terms: bytes) -> Sequence[int]:
    """The ids of words, as an article's text and its counting keep them."""
    return array("I", terms)


def holds(terms: Sequence[int], id: int) -> bool:
    """Whether a word is one of those, in their order: of hundreds a few are asked."""
    at = bisect_left(terms, id)
    return at < len(terms) and terms[at] == id


def facet(name: Facet, value: str) -> str:
    """What stands among the words of each article with this facet; in no text, for none holds SEPARATOR.

    By the ids of these an article's row says what it is counted by.
    """
    return f"{SEPARATOR}{name}:{value}"


def _facets(article: Mapping[str, Any]) -> dict[Facet, list[str]]:
    """What a public article is counted and filtered by."""
    citations = (each for page in article["pages"] for section in page["sections"] for each in section["citations"])
    cited = {each["source"]["publisher"]["id"] for each in citations if each["source"]["publisher"]}
    year = article["published_at"][:4]
    return {"tag": article["tags"], "publisher": sorted(cited), "language": [article["language"]], "year": [year]}


def _take_out(writer: Writer, article_id: str) -> int | None:
    """Remove what is kept of an article, all but its number, which is returned; None where nothing was kept."""
    writer.hold(TERMS, shared=True)
    row = writer.row(_NUMBER, {"article": article_id})
    if row is None:
        return None
    number: int = row["number"]
    kept = writer.row(_TEXT, {"at": number})
    if kept is not None:
        writer.execute(_DROP_POSTINGS, {"at": number, "words": unpacked(kept["terms"])})
        dialect_of(writer).drop(writer, number, kept["folded"], unpacked(kept["terms"]))
        writer.execute(_DROP_TEXT, {"at": number})
        writer.execute(_ADD_UNCOUNTED, {"change": -1, "terms": kept["terms"]})
    return number


def _read(text: str) -> Reading:
    return _ahead.get().get(text) or reading_of(text)


def _weigh(texts: Sequence[tuple[Field, Reading]]) -> dict[str, Weight]:
    """What each word of an article is worth in it: BM25's part of the term frequency, fields weighed before."""
    frequencies: defaultdict[str, float] = defaultdict(float)
    stands: defaultdict[str, dict[Place, None]] = defaultdict(dict)
    length = 0
    for field, reading in texts:
        length += len(reading.words)
        for word in reading.words:
            frequencies[word] += field.weight
            for place in field.places:
                stands[word][place] = None
    long = _K1 * (1 - _B + _B * length / _AVERAGE_WORDS)
    return {
        word: Weight(round(SCALE * frequency * (_K1 + 1) / (frequency + long)), list(stands[word]))
        for word, frequency in frequencies.items()
    }


def _ids(writer: Writer, words: Mapping[str, Any]) -> dict[str, int]:
    """The id of each word, those made that are new: in one order, so that two writers never wait for each other."""
    known = _known(writer, list(words))
    new = sorted(words.keys() - known)
    if new:
        rows = [{"term": word, "reading": tokens.reading(word), "df": 0} for word in new]
        writer.insert_all_absent(search_terms, rows)
        known |= _known(writer, new)
    return known


def _known(reader: Reader, words: Sequence[str]) -> dict[str, int]:
    return {term: id for id, term in reader.tuples(_KNOWN, {"words": words})}
