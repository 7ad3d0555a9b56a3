"""Collections as readers see them: what one is called, the stored cards of its published articles in its order.

The rows are in ``app/articles/collections.py``, how they are changed too.
"""

from dataclasses import dataclass

from sqlalchemy import exists, select

from app.articles import entries
from app.articles.collections import collection_articles, collections, named
from app.database import Reader
from app.delivery.shapes import Shape, encode
from app.delivery.snapshots import snapshot_cards

_SAID = ("id", "slug", "title", "description")
_SHOWN = collection_articles.c.article_id == snapshot_cards.c.article_id
_LISTED = (
    collections.c.merged_into.is_(None),
    exists().where(collection_articles.c.collection_id == collections.c.id, _SHOWN),
)


@dataclass(frozen=True)
class PublicCollection:
    """What readers are told of a collection beside its articles; ``version`` is that of its working copy."""

    said: Shape
    version: int

    @property
    def id(self) -> str:
        """The collection's id."""
        return str(self.said["id"])


def find(reader: Reader, key: str) -> PublicCollection | None:
    """The collection with this id or slug; None: there is none, or it was merged."""
    row = reader.row(select(collections).where(named(key), collections.c.merged_into.is_(None)))
    return PublicCollection({name: row[name] for name in _SAID}, row["version"]) if row else None


def moved_to(reader: Reader, key: str) -> str | None:
    """The slug of the collection into which this one was merged, or None."""
    now = collections.alias()
    query = select(now.c.slug).join(collections, collections.c.merged_into == now.c.id).where(named(key))
    row = reader.row(query)
    return row["slug"] if row else None


def cards(reader: Reader, collection_id: str, after: str | None, limit: int) -> list[tuple[tuple[str], bytes]]:
    """Up to ``limit`` cards of the collection's published articles behind the place ``after``, with their places."""
    here = collection_articles.c.collection_id == collection_id
    query = select(collection_articles.c.place, snapshot_cards.c.card).join(snapshot_cards, _SHOWN).where(here)
    if after is not None:
        query = query.where(collection_articles.c.place > after)
    rows = reader.rows(query.order_by(collection_articles.c.place).limit(limit))
    return [((row["place"],), row["card"]) for row in rows]


def count_cards(reader: Reader, collection_id: str, cap: int | None) -> int:
    """How many published articles the collection holds; counting stops one beyond ``cap``."""
    here = collection_articles.c.collection_id == collection_id
    query = select(collection_articles.c.place).join(snapshot_cards, _SHOWN).where(here)
    return entries.counted(reader, query, cap)


def listed(reader: Reader, after: str | None, limit: int) -> list[tuple[tuple[str], bytes]]:
    """Up to ``limit`` collections that hold a published article behind the slug ``after``, by slug, as JSON."""
    query = select(*(collections.c[name] for name in _SAID)).where(*_LISTED)
    if after is not None:
        query = query.where(collections.c.slug > after)
    rows = reader.rows(query.order_by(collections.c.slug).limit(limit))
    return [((row["slug"],), encode(dict(row))) for row in rows]


def count(reader: Reader, cap: int | None) -> int:
    """How many collections hold a published article; counting stops one beyond ``cap``."""
    return entries.counted(reader, select(collections.c.id).where(*_LISTED), cap)
