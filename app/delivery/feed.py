"""The feed as mirrors read it: what changed behind a token, with the bytes readers get, and the digest of all there is.

How changes are numbered, and what a token is, is said in ``app/sync/changes.py``.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, case, or_, select, true

from app.database import Reader
from app.delivery import listings
from app.delivery.parts import public_tags
from app.delivery.snapshots import snapshot_cards, snapshots
from app.sync.changes import Token, changes

_TOGETHER = 5_000
"""How many lines of a digest are read at a time."""


@dataclass(frozen=True)
class Filters:
    """What a mirror holds; None: everything. ``languages`` and ``tags``: one of them, where its key is limited so."""

    language: str | None = None
    tag: str | None = None
    publisher: str | None = None
    languages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Item:
    """One change; ``body`` and ``etag`` are what ``GET /v1/articles/{id}`` answers, None of what is to be deleted."""

    number: int
    id: str
    etag: str | None
    body: bytes | None
    reason: Literal["withdrawn", "left_filter"] | None


def since(reader: Reader, token: Token, filters: Filters, limit: int, *, bodies: bool = True) -> list[Item]:
    """Up to ``limit`` changes behind the token, by number; ``bodies``: with the documents.

    What was withdrawn, or passes the filters no more, since reading began is to be deleted; before that nobody has it.
    """
    passes = _passes(filters)
    wanted = (changes.c.number, changes.c.article_id, changes.c.live, passes.label("passes"), snapshots.c.etag)
    # Without the bytes of what is to be deleted.
    body = (case((passes, snapshots.c.body)).label("body"),) if bodies else ()
    query = (
        select(*wanted, *body)
        .select_from(changes)
        .outerjoin(snapshots, snapshots.c.article_id == changes.c.article_id)
        .where(changes.c.number > token.cursor, or_(changes.c.live & passes, changes.c.number > token.base))
        .order_by(changes.c.number)
        .limit(limit)
    )
    return [_item(row) for row in reader.rows(query)]


def digest(reader: Reader, filters: Filters) -> tuple[int, str]:
    """How many articles a mirror with these filters holds, and the SHA-256 of their lines ``{id} {etag}``, by id."""
    count, content = 0, hashlib.sha256()
    for id, etag in _lines(reader, filters):
        content.update(f"{id} {etag}\n".encode())
        count += 1
    return count, content.hexdigest()


def _lines(reader: Reader, filters: Filters) -> Iterator[tuple[str, str]]:
    here = snapshots.c.article_id
    passes = _passes(filters, here)
    after = ""
    while True:
        query = select(here, snapshots.c.etag).where(here > after, passes).order_by(here).limit(_TOGETHER)
        rows = reader.tuples(query)
        yield from rows
        if len(rows) < _TOGETHER:
            return
        after = rows[-1][0]


def _item(row: Any) -> Item:
    if row["live"] and row["passes"]:
        return Item(row["number"], row["article_id"], row["etag"], row.get("body"), None)
    return Item(row["number"], row["article_id"], None, None, "left_filter" if row["live"] else "withdrawn")


def _passes(filters: Filters, article_id: ColumnElement[str] = changes.c.article_id) -> ColumnElement[bool]:
    """Whether a public article is one that the mirror holds."""
    if filters == Filters():
        return true()
    asked = listings.Filters(language=filters.language, tag=filters.tag, publisher=filters.publisher)
    query = listings.matching(asked)
    if filters.languages is not None:
        query = query.where(snapshot_cards.c.language.in_(filters.languages))
    if filters.tags is not None:
        bearing = select(public_tags.c.article_id).where(public_tags.c.tag.in_(filters.tags))
        query = query.where(snapshot_cards.c.article_id.in_(bearing))
    return article_id.in_(query)
