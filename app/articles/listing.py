"""Lists of working copies for editors: summaries, the latest saved first.

The public lists are in ``app/delivery/listings.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_

from app import text
from app.articles import drafts
from app.articles.document import Counted, Schedule, Shape
from app.articles.fields import Status
from app.articles.tables import article_tags, articles
from app.articles.tags import followed, tags
from app.database import Reader


class Summary(Shape):
    """One working copy in a list."""

    id: str
    slug: str
    language: str
    title: str
    lead: str
    version: int
    status: Status
    in_review: bool
    schedule: Schedule | None
    has_unpublished_changes: bool
    created_at: str
    updated_at: str
    published_at: str | None


class SummaryList(Shape):
    """A page of working copies; ``count`` only where it was asked for."""

    items: list[Summary]
    next: str | None
    count: Counted | None = None


@dataclass(frozen=True)
class Filters:
    """Which working copies a list holds; None means any.

    ``q`` is a substring of title, lead, headings, slug or external ids, compared folded.
    """

    status: str | None = None
    tag: str | None = None
    updated_after: str | None = None
    q: str | None = None


def latest(
    reader: Reader, filters: Filters, after: tuple[str, str] | None, limit: int
) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Up to ``limit`` summaries behind ``after`` (updated_at, id), the latest saved first, each with its position."""
    query = select(articles).where(*_conditions(filters), *_seen(reader))
    if after is not None:
        query = query.where(tuple_(articles.c.updated_at, articles.c.id) < tuple_(*map(literal, after)))
    rows = reader.rows(query.order_by(articles.c.updated_at.desc(), articles.c.id.desc()).limit(limit))
    shown = ("id", "slug", "language", "title", "lead")
    return [((row["updated_at"], row["id"]), {name: row[name] for name in shown} | drafts.life(row)) for row in rows]


def count(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many working copies the list holds; counting stops one beyond ``cap``."""
    query = select(articles.c.id).where(*_conditions(filters), *_seen(reader))
    query = query.limit(cap + 1) if cap is not None else query
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _conditions(filters: Filters) -> Sequence[ColumnElement[bool]]:
    conditions: Sequence[ColumnElement[bool] | None] = (
        None if filters.status is None else articles.c.status == filters.status,
        None if filters.updated_after is None else articles.c.updated_at >= filters.updated_after,
        None if filters.q is None else articles.c.folded.contains(text.fold(filters.q), autoescape=True),
        None if filters.tag is None else _bears([filters.tag]),
    )
    return [condition for condition in conditions if condition is not None]


def _seen(reader: Reader) -> Sequence[ColumnElement[bool]]:
    """What holds of the articles that there are for the caller."""
    languages, wanted = reader.view or (None, None)
    conditions = (
        None if languages is None else articles.c.language.in_(languages),
        None if wanted is None else _bears(followed(reader, sorted(wanted))),
    )
    return [condition for condition in conditions if condition is not None]


def _bears(wanted: Sequence[str]) -> ColumnElement[bool]:
    """Whether an article bears one of the tags, or what was merged into it."""
    named = tags.c.slug.in_(wanted) | tags.c.merged_into.in_(wanted)
    return articles.c.id.in_(select(article_tags.c.article_id).join(tags).where(named))
