"""What feeds and the sitemap tell of: the latest public articles, and where every one of them is read.

How it is written is in ``app/formats/feeds.py`` and ``sitemap.py``; the feed of mirrors is in ``feed.py``.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from app.articles.collections import collection_articles
from app.database import Reader
from app.delivery import listings
from app.delivery.shapes import Shape
from app.delivery.snapshots import snapshot_cards, snapshots

PART = 5_000
"""How many articles one part of the sitemap is made of. The protocol allows ten times as many, which would take
seconds, and a hundred megabytes, at once."""
_TOGETHER = 200
"""How many bodies are in memory at a time."""
_TAIL = b',"canonical_url":'
_ID = snapshots.c.article_id


class Listed(NamedTuple):
    """An article as the sitemap knows it: how its address is made, whether search engines may show it."""

    id: str
    slug: str
    language: str
    translation_key: str | None
    revised_at: str
    canonical_url: str | None
    noindex: bool


def latest(reader: Reader, tag: str | None, language: str | None, collection_id: str | None, limit: int) -> list[Shape]:
    """Up to ``limit`` public articles, the latest published first; of a collection in its order."""
    query = select(snapshots.c.body).join(snapshot_cards, snapshot_cards.c.article_id == _ID)
    filters = listings.Filters(tag=tag, language=language)
    if filters != listings.Filters():
        query = query.where(_ID.in_(listings.matching(filters)))
    if collection_id is None:
        query = query.order_by(snapshot_cards.c.published_at.desc(), snapshot_cards.c.article_id.desc())
    else:
        member = (collection_articles.c.article_id == _ID, collection_articles.c.collection_id == collection_id)
        query = query.join(collection_articles, member[0]).where(member[1]).order_by(collection_articles.c.place)
    return [json.loads(row["body"]) for row in reader.rows(query.limit(limit))]


def parts(reader: Reader, size: int) -> list[tuple[str, str]]:
    """The parts of the sitemap: the id of each one's first article, and when one of its articles was last revised."""
    of = snapshot_cards.c
    place = (func.row_number().over(order_by=of.article_id) - 1) // size
    numbered = select(of.article_id, of.revised_at, place.label("part")).subquery()
    first = func.min(numbered.c.article_id)
    query = select(first, func.max(numbered.c.revised_at)).group_by(numbered.c.part).order_by(first)
    return [(id, revised_at) for id, revised_at in reader.tuples(query)]


def listed(reader: Reader, first: str, size: int) -> list[Listed]:
    """Up to ``size`` public articles from ``first`` on, by id."""
    found: list[Listed] = []
    for article in _read(reader, first <= _ID):
        found.append(article)
        if len(found) == size:
            break
    return found


def translations(reader: Reader, first: str, last: str) -> dict[str, list[Listed]]:
    """By translation key, all public articles that bear a key of one between these two, themselves too."""
    of = snapshot_cards.c
    between = (of.article_id >= first, of.article_id <= last)
    keys = select(of.translation_key).where(*between, of.translation_key.is_not(None))
    found: dict[str, list[Listed]] = defaultdict(list)
    for article in _read(reader, of.translation_key.in_(keys)):
        found[article.translation_key or ""].append(article)
    return found


def _read(reader: Reader, condition: ColumnElement[bool]) -> Iterator[Listed]:
    """The articles that fulfil it, by id, a few at a time."""
    of = snapshot_cards.c
    columns = (_ID, snapshots.c.slug, of.language, of.translation_key, of.revised_at, snapshots.c.body)
    query = select(*columns).join(snapshot_cards, of.article_id == _ID).where(condition).order_by(_ID).limit(_TOGETHER)
    after = ""
    while True:
        rows = reader.tuples(query.where(after < _ID))
        for id, slug, language, translation_key, revised_at, body in rows:
            tail = _tail(body)
            noindex = tail["seo"]["noindex"]
            yield Listed(id, slug, language, translation_key, revised_at, tail["canonical_url"], noindex)
        if len(rows) < _TOGETHER:
            return
        after = rows[-1][0]


def _tail(body: bytes) -> dict[str, Any]:
    """What a frozen article says from its ``canonical_url`` on: a hundredth of it, and so of the time to read it.

    In no text can these bytes stand: there a quotation mark is escaped.
    """
    tail: dict[str, Any] = json.loads(b"{" + body[body.rindex(_TAIL) + 1 :])
    return tail
