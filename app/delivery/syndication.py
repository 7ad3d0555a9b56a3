"""What feeds and the sitemap tell of: the latest public articles, and where every one of them is read.

How it is written is in ``app/formats/feeds.py`` and ``sitemap.py``; the feed of mirrors is in ``feed.py``.
"""

import json
from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import func, select

from app.articles.collections import collection_articles
from app.database import Reader
from app.delivery import listings
from app.delivery.shapes import Shape
from app.delivery.snapshots import snapshot_cards, snapshots

PART = 5_000
"""How many articles one part of the sitemap is made of. The protocol allows ten times as many, which would take
seconds, and a hundred megabytes, at once."""
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


_LISTED = select(
    snapshots.c.article_id,
    snapshots.c.slug,
    *(snapshot_cards.c[name] for name in ("language", "translation_key", "revised_at", "canonical_url", "noindex")),
).join(snapshot_cards, snapshot_cards.c.article_id == snapshots.c.article_id)


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
    return [Listed(*row) for row in reader.tuples(_LISTED.where(first <= _ID).order_by(_ID).limit(size))]


def translations(reader: Reader, first: str, last: str) -> dict[str, list[Listed]]:
    """By translation key, all public articles that bear a key of one between these two, themselves too."""
    of = snapshot_cards.c
    between = (of.article_id >= first, of.article_id <= last)
    keys = select(of.translation_key).where(*between, of.translation_key.is_not(None))
    found: dict[str, list[Listed]] = defaultdict(list)
    for row in reader.tuples(_LISTED.where(of.translation_key.in_(keys)).order_by(_ID)):
        article = Listed(*row)
        found[article.translation_key or ""].append(article)
    return found
