"""Articles that are about the same as another: by the words that are rare elsewhere and frequent in both.

How many of its words an article shares with a query is added up in ``hits.py``.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select

from app.articles.sources import sources
from app.database import Reader, is_one_of
from app.delivery.parts import public_citations, public_tags
from app.delivery.shapes import Shape, encode
from app.delivery.snapshots import snapshot_cards
from app.search import hits, index
from app.search.hits import Word
from app.search.index import Term, search_articles, search_postings, search_terms, search_texts

_WORDS = 40
"""By how many of its words an article is compared."""
_REASONS = 5
"""How many words are named as a reason."""

_TEXT = (
    select(search_texts.c.number, search_texts.c.terms)
    .join(search_articles, search_articles.c.number == search_texts.c.number)
    .where(search_articles.c.article_id == bindparam("article"))
)
_WEIGHED = (
    select(*index.TERM, search_postings.c.impact)
    .select_from(search_terms)
    .join(search_postings, search_postings.c.term_id == search_terms.c.id)
    .where(search_postings.c.number == bindparam("at"), is_one_of(search_terms.c.id, "terms"))
    .where(search_postings.c.impact > 0)  # no facets
)
_CARDS = (
    select(search_articles.c.number, search_articles.c.article_id, snapshot_cards.c.card)
    .join(snapshot_cards, snapshot_cards.c.article_id == search_articles.c.article_id)
    .where(is_one_of(search_articles.c.number, "numbers"))
)


def find(reader: Reader, article_id: str, limit: int) -> list[bytes]:
    """Up to ``limit`` published articles like a published one, the most alike first, each with the reasons."""
    text = reader.row(_TEXT, {"article": article_id})
    if text is None:
        return []
    words = _telling(reader, text["number"], index.unpacked(text["terms"]))
    numbers = [number for _, number in hits.similar(reader, words, text["number"])[:limit]]
    rows = {row["number"]: row for row in reader.rows(_CARDS, {"numbers": numbers})}
    ids = [row["article_id"] for row in rows.values()]
    terms = _shared_words(reader, words, numbers)
    cited = _shared_sources(reader, article_id, ids)
    borne = _shared_tags(reader, article_id, ids)
    found = []
    for number in numbers:
        id = rows[number]["article_id"]
        reasons = {"terms": terms[number], "sources": cited[id], "tags": borne[id]}
        found.append(b'{"article":' + rows[number]["card"] + b',"reasons":' + encode(reasons) + b"}")
    return found


def _telling(reader: Reader, number: int, terms: Sequence[int]) -> dict[str, Word]:
    """The words of an article that tell most of what it is about."""
    rows = reader.tuples(_WEIGHED, {"at": number, "terms": terms})
    impacts = {term: impact for term, *_, impact in rows}
    known = ((term, Term(*its)) for term, *its, _ in rows)
    worth = hits.weigh({term: its for term, its in known if its.df > 1})  # one alone has nothing in common
    best = sorted(worth, key=lambda word: (-worth[word].weight * impacts[word], word))[:_WORDS]
    return {word: worth[word] for word in best}


def _shared_words(reader: Reader, words: Mapping[str, Word], numbers: Sequence[int]) -> dict[int, list[str]]:
    """For each article the words it shares, those that tell most first."""
    named = {word.id: term for term, word in words.items()}
    shared: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, term_id, impact in hits.impacts(reader, words.values(), numbers):
        weight = words[named[term_id]].weight
        shared[number].append((-weight * impact, named[term_id]))
    return {number: [term for _, term in sorted(shared[number])[:_REASONS]] for number in numbers}


def _shared_sources(reader: Reader, article_id: str, ids: Collection[str]) -> dict[str, list[Shape]]:
    cited = public_citations.alias()
    own = select(cited.c.source_id).where(cited.c.article_id == article_id)
    query = (
        select(public_citations.c.article_id, sources.c.id, sources.c.title)
        .distinct()
        .join(sources, sources.c.id == public_citations.c.source_id)
        .where(public_citations.c.article_id.in_(ids), public_citations.c.source_id.in_(own))
        .order_by(sources.c.id)
    )
    shared: defaultdict[str, list[Shape]] = defaultdict(list)
    for row in reader.rows(query):
        shared[row["article_id"]].append({"id": row["id"], "title": row["title"]})
    return shared


def _shared_tags(reader: Reader, article_id: str, ids: Collection[str]) -> dict[str, list[str]]:
    borne = public_tags.alias()
    own = select(borne.c.tag).where(borne.c.article_id == article_id)
    query = select(public_tags.c.article_id, public_tags.c.tag)
    query = query.where(public_tags.c.article_id.in_(ids), public_tags.c.tag.in_(own)).order_by(public_tags.c.tag)
    shared: defaultdict[str, list[str]] = defaultdict(list)
    for row in reader.rows(query):
        shared[row["article_id"]].append(row["tag"])
    return shared
