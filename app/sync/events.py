"""What webhooks tell: one event for each change of the feed, kept in the transaction of the change.

Who is told is in ``webhooks.py``, how it gets there in ``deliveries.py``; the feed itself is ``changes.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Column, Index, Integer, Table, bindparam, delete, func, select
from uuid_utils import uuid7

from app.database import Instant, Json, Key, Reader, Row, Writer, metadata

Type = Literal["article.published", "article.updated", "article.withdrawn"]
TYPES: tuple[Type, ...] = get_args(Type)
TEST = "webhook.test"
"""The type of an event that stands for no change."""
KEPT_DAYS = 30
"""How long an event can be told, or told again."""

_PURGED_TOGETHER = 1_000

Traits = Mapping[str, Sequence[str]]
"""By what filters choose an article: its ``language``, ``tag``s and ``publisher``s. What is not named is not known."""
Filters = Mapping[str, str]
"""What one of these has to be, by the same names."""

events = Table(
    "webhook_events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", Integer, unique=True),  # the feed's; a test has none
    Column("type", Key, nullable=False),
    Column("at", Instant, nullable=False),
    Column("article_id", Key),
    Column("slug", Key),
    Column("surrogate_keys", Json, nullable=False),
    # Before the change and after it, None where the article was not, or is not, public.
    Column("before", Json),
    Column("after", Json),
)
Index("ix_webhook_events_at", events.c.at)

_OLD = select(events.c.id).where(events.c.at <= bindparam("before")).order_by(events.c.at).limit(_PURGED_TOGETHER)
_INSERT = events.insert()


class Event(NamedTuple):
    """A change, as it is told: of which article, which cache keys, and who is concerned."""

    type: str
    article_id: str | None
    slug: str | None
    surrogate_keys: Sequence[str]
    before: Traits | None = None
    after: Traits | None = None


def put(writer: Writer, happened: Mapping[int, Event]) -> None:
    """Keep events by their numbers; they are told once the transaction is committed."""
    writer.execute(_INSERT, [_row(writer, event) | {"number": number} for number, event in happened.items()])


def put_test(writer: Writer) -> str:
    """Keep an event that stands for no change; its id."""
    row = _row(writer, Event(TEST, None, None, []))
    writer.execute(_INSERT, row)
    return str(row["id"])


def behind(reader: Reader, number: int, limit: int) -> list[Row]:
    """Up to ``limit`` events with higher numbers, in their order."""
    return reader.rows(select(events).where(events.c.number > number).order_by(events.c.number).limit(limit))


def highest(reader: Reader) -> int:
    """The number of the latest event, 0 before the first."""
    return int(reader.execute(select(func.coalesce(func.max(events.c.number), 0))).scalar_one())


def concerns(row: Row, types: Sequence[str], filters: Filters) -> bool:
    """Whether an event is one of the ``types``, of an article that passes the filters, or passed them before."""
    return row["type"] in types and any(_passes(row[name], filters) for name in ("before", "after"))


def any_purgeable(reader: Reader, before: str) -> bool:
    """Whether there is something to purge; cheap, so that idle workers take no write lock."""
    return reader.row(_OLD, {"before": before}) is not None


def purge(writer: Writer, before: str) -> bool:
    """Forget some of the events up to that instant, and their deliveries; says whether there were any."""
    return writer.execute(delete(events).where(events.c.id.in_(_OLD)), {"before": before}).rowcount > 0


def _passes(traits: Traits | None, filters: Filters) -> bool:
    return traits is not None and all(value in traits.get(name, (value,)) for name, value in filters.items())


def _row(writer: Writer, event: Event) -> dict[str, Any]:
    own: dict[str, Any] = {"id": str(uuid7()), "number": None, "at": writer.stamp}
    return own | event._asdict()
