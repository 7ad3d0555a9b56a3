"""Deliveries: which event goes to which webhook, when it is tried, by whom just now, and what came of it.

Nothing is sent here: ``app/worker.py`` takes what is due, lets ``sender.py`` send it, and records the outcome.
"""

import json
import random
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, ColumnElement, ForeignKey, Index, Integer, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils import uuid7

from app.access import audit
from app.database import Instant, Key, Reader, Row, Writer, metadata
from app.errors import Fault, Invalid, NotFound
from app.sync import changes, events, webhooks
from app.sync.sender import Message, Outcome
from app.sync.webhooks import Webhook
from app.text import instant

LEASE_SECONDS = 300
"""How long a delivery stays with who took it: longer than any resolver looks up a name, which no deadline ends."""
RETRY_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 37_200)
"""After how long it is tried again, and again: a day in all, each up to a tenth longer."""
_JITTER = 1.1
_TOLD_TOGETHER = 100

Status = Literal["pending", "delivered", "failed"]

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("webhook_id", Key, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", Key, ForeignKey("webhook_events.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer),  # the event's; a test has none
    Column("status", Key, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("leased_until_at", Instant),
    Column("attempted_at", Instant),
    Column("response_code", Integer),
    Column("error", Key),
    Column("duration_ms", Integer),
)
Index("ix_webhook_deliveries_webhook_id", deliveries.c.webhook_id, deliveries.c.id)
_IS_TEST = deliveries.c.number.is_(None)
_QUEUE = (deliveries.c.webhook_id, deliveries.c.status, deliveries.c.due_at, deliveries.c.id)
Index("ix_webhook_deliveries_due_at", *_QUEUE)
# So that a test is found without a look at what else there is.
Index("ix_webhook_deliveries_test", *_QUEUE, sqlite_where=_IS_TEST, postgresql_where=_IS_TEST)
Index("uq_webhook_deliveries_event_id", deliveries.c.event_id, deliveries.c.webhook_id, unique=True)

_NEW: dict[str, Any] = {"status": "pending", "attempts": 0, "leased_until_at": None}
_AGAIN = _NEW | {"attempted_at": None, "response_code": None, "error": None, "duration_ms": None}
_LOG = (
    select(deliveries, events.events.c.type, events.events.c.article_id, webhooks.webhooks.c.enabled)
    .join(events.events)
    .join(webhooks.webhooks)
)


@dataclass(frozen=True)
class Delivery:
    """One line of a webhook's log, as it is answered: what the last try came to, and when there is another."""

    id: str
    event_id: str
    type: str
    article_id: str | None
    status: Status
    attempts: int
    attempted_at: str | None
    next_attempt_at: str | None
    response_code: int | None
    error: str | None
    duration_ms: int | None

    def resource(self) -> dict[str, Any]:
        """The delivery as JSON."""
        return asdict(self)


class Waiting(NamedTuple):
    """A webhook that has something to be sent, and whether its calls fail just now."""

    webhook_id: str
    failing: bool


class Lease(NamedTuple):
    """A delivery in somebody's hands until ``until``, and what is to be sent."""

    id: str
    webhook_id: str
    number: int | None
    attempts: int
    until: str
    message: Message


def untold(reader: Reader) -> list[str]:
    """The ids of the webhooks for which there are events that were not looked at."""
    behind = select(events.events.c.id).where(events.events.c.number > webhooks.webhooks.c.number).exists()
    query = select(webhooks.webhooks.c.id).where(webhooks.webhooks.c.enabled, behind)
    return [row["id"] for row in reader.rows(query)]


def tell(writer: Writer, webhook_id: str) -> None:
    """Make deliveries of the next events that concern the webhook; those there are already are made anew."""
    try:
        webhook = webhooks.load(writer, webhook_id)
    except NotFound:
        return  # removed meanwhile
    found = events.behind(writer, webhook.number, _TOLD_TOGETHER)
    if not found or not webhook.subscription.enabled:
        return  # another worker was here
    subscription = webhook.subscription
    told = [each for each in found if events.concerns(each, subscription.events, subscription.filters)]
    if told:
        insert = (postgresql.insert if writer.on_postgresql else sqlite.insert)(deliveries)
        again = _AGAIN | {"due_at": writer.stamp}
        rows = [_row(writer, webhook, each["id"], each["number"]) for each in told]
        writer.execute(insert.on_conflict_do_update(index_elements=["event_id", "webhook_id"], set_=again), rows)
    webhooks.set_number(writer, webhook, found[-1]["number"])


def due(reader: Reader, now: str) -> list[Waiting]:
    """The webhooks that have something to be sent: those of which no call fails first, then who waits longest.

    What a paused one owes is not looked at, however much it is; its tests are.
    """
    here = webhooks.webhooks.c
    failing = here.failing_since_at.is_not(None).label("failing")
    earliest = func.min(deliveries.c.due_at)
    mine = select(earliest).where(deliveries.c.webhook_id == here.id, _due(now)).scalar_subquery()
    owed = reader.tuples(select(here.id, failing, mine).where(here.enabled))
    tests = select(here.id, failing, earliest).join(deliveries).where(_IS_TEST, _due(now)).group_by(here.id)
    waiting: dict[Waiting, str] = {}
    for id, fails, since in (*owed, *reader.tuples(tests)):
        if since is not None:
            each = Waiting(id, bool(fails))
            waiting[each] = min(since, waiting.get(each, since))
    return sorted(waiting, key=lambda each: (each.failing, waiting[each]))


def take(writer: Writer, webhook_id: str) -> Lease | None:
    """The webhook's delivery that is due longest, from now on the caller's for ``LEASE_SECONDS``; None: none is.

    A test goes first: somebody waits for it.
    """
    try:
        webhook = webhooks.load(writer, webhook_id)  # held: whoever takes or records what is its own waits here
    except NotFound:
        return None
    columns = (deliveries.c.id, deliveries.c.event_id, deliveries.c.number, deliveries.c.attempts)
    mine = select(*columns).where(deliveries.c.webhook_id == webhook.id, _due(writer.stamp))
    longest = mine.order_by(deliveries.c.due_at, deliveries.c.id).limit(1)
    row = writer.row(longest.where(_IS_TEST))
    if row is None and webhook.subscription.enabled:
        row = writer.row(longest)
    if row is None:
        return None
    until = instant(writer.now + timedelta(seconds=LEASE_SECONDS))
    writer.execute(update(deliveries).where(deliveries.c.id == row["id"]).values(leased_until_at=until))
    message = _message(writer, webhook, row["event_id"])
    return Lease(row["id"], webhook.id, row["number"], row["attempts"], until, message)


def record(writer: Writer, lease: Lease, outcome: Outcome, duration_ms: int) -> None:
    """Write down what came of a try, unless another has the delivery by now; say when it is tried again.

    What an address answered to which the webhook leads no more says nothing of the one to which it leads now.
    """
    try:
        webhook = webhooks.load(writer, lease.webhook_id)  # held first, as all do who hold both
    except NotFound:
        return
    mine = (deliveries.c.id == lease.id, deliveries.c.leased_until_at == lease.until)
    if lease.message.url != webhook.subscription.url:
        writer.execute(update(deliveries).where(*mine).values(leased_until_at=None, due_at=writer.stamp))
        return
    is_test, gone = lease.number is None, outcome.error == "gone"
    over = is_test or gone or lease.attempts >= len(RETRY_SECONDS)
    status: Status = "delivered" if outcome.error is None else "failed" if over else "pending"
    values: dict[str, Any] = {"status": status, "attempts": lease.attempts + 1, "leased_until_at": None}
    values |= {"response_code": outcome.status, "error": outcome.error, "duration_ms": duration_ms}
    if status == "pending":
        wait = RETRY_SECONDS[lease.attempts] * random.uniform(1, _JITTER)  # noqa: S311 - spreads load, guards nothing
        values["due_at"] = instant(writer.now + timedelta(seconds=wait))
    kept = writer.execute(update(deliveries).where(*mine).values(**values, attempted_at=writer.stamp)).rowcount == 1
    if kept and not is_test:
        if outcome.error is None:
            webhooks.succeeded(writer, webhook)
        else:
            webhooks.failed(writer, webhook, gone=gone)


def renew(writer: Writer, webhook: Webhook) -> None:
    """Try anew, from now on, all that was not delivered."""
    missed = (
        deliveries.c.webhook_id == webhook.id,
        deliveries.c.status != "delivered",
        deliveries.c.number.is_not(None),
    )
    writer.execute(update(deliveries).where(*missed).values(**_AGAIN, due_at=writer.stamp))


def replay(writer: Writer, webhook_id: str, event_id: str | None, after: str | None) -> int:
    """Look through the events again, from that one or that instant on; how many there are.

    Raises: NotFound (``webhook-unknown``); Invalid (``validation``) for an event that there is not.
    """
    webhook, here = webhooks.load(writer, webhook_id), events.events.c
    asked = here.at >= after if event_id is None else here.id == event_id
    first = writer.execute(select(func.min(here.number)).where(asked)).scalar_one()
    if first is None and event_id is not None:
        detail = "There is no such event; they are kept for 30 days."
        raise Invalid("validation", detail, (Fault("event-unknown", detail, pointer="/event"),))
    if first is None:
        return 0
    webhooks.set_number(writer, webhook, min(webhook.number, first - 1))
    audit.record(writer, "webhook.replayed", webhook.id, webhook.version, webhook.version)
    return int(writer.execute(select(func.count()).where(here.number >= first)).scalar_one())


def test(writer: Writer, webhook_id: str) -> Delivery:
    """A delivery of an event that stands for no change: it is tried once, also where the webhook is not enabled.

    Raises: NotFound (``webhook-unknown``).
    """
    webhook = webhooks.load(writer, webhook_id)
    row = _row(writer, webhook, events.put_test(writer), None)
    writer.execute(deliveries.insert(), row)
    return load(writer, webhook.id, str(row["id"]))


def load(reader: Reader, webhook_id: str, id: str) -> Delivery:
    """One delivery of the webhook. Raises: NotFound (``delivery-unknown``)."""
    row = reader.row(_LOG.where(deliveries.c.id == id.lower(), deliveries.c.webhook_id == webhook_id.lower()))
    if row is None:
        raise NotFound("delivery-unknown", "The webhook has no such delivery.")
    return _delivery(row)


def latest(reader: Reader, webhook_id: str, status: Status | None, after: str | None, limit: int) -> list[Delivery]:
    """Up to ``limit`` deliveries behind the id ``after``, the last made first. Raises: NotFound."""
    webhook = webhooks.load(reader, webhook_id)
    query = _LOG.where(deliveries.c.webhook_id == webhook.id)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    if after is not None:
        query = query.where(deliveries.c.id < after)
    return [_delivery(row) for row in reader.rows(query.order_by(deliveries.c.id.desc()).limit(limit))]


def _due(now: str) -> ColumnElement[bool]:
    free = or_(deliveries.c.leased_until_at.is_(None), deliveries.c.leased_until_at < now)
    return and_(deliveries.c.status == "pending", deliveries.c.due_at <= now, free)


def _row(writer: Writer, webhook: Webhook, event_id: str, number: int | None) -> dict[str, Any]:
    own = {"id": str(uuid7()), "webhook_id": webhook.id, "event_id": event_id, "number": number}
    return _NEW | own | {"due_at": writer.stamp}


def _message(writer: Writer, webhook: Webhook, event_id: str) -> Message:
    event = writer.execute(select(events.events).where(events.events.c.id == event_id)).one()
    epoch, latest = changes.state(writer)  # of a backup that was restored since: there the numbers go on
    before = latest if event.number is None else event.number - 1
    sync = changes.after(epoch, before, dict(webhook.subscription.filters))
    data = {"id": event.article_id, "slug": event.slug, "sync": sync, "surrogate_keys": event.surrogate_keys}
    said = {"type": event.type, "timestamp": event.at, "data": data}
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    secrets = webhooks.signing(writer, webhook)
    return Message(event_id, webhook.subscription.url, body, secrets)


def _delivery(row: Row) -> Delivery:
    awaited = row["status"] == "pending" and (row["enabled"] or row["number"] is None)
    following = row["due_at"] if awaited else None
    names = ("status", "attempts", "attempted_at", "response_code", "error", "duration_ms")
    told = {name: row[name] for name in ("id", "event_id", "type", "article_id", *names)}
    return Delivery(next_attempt_at=following, **told)
