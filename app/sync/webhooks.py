"""Webhooks: who is told of which events at which address, and the secrets that sign what it is told.

What is told is in ``events.py``, its deliveries in ``deliveries.py``, which addresses are refused in ``addresses.py``.
"""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Boolean, Column, Integer, Table, delete, insert, select, update
from uuid_utils import uuid7

from app.access import audit
from app.database import Instant, Json, Key, Reader, Row, Writer, metadata
from app.errors import NotFound, Stale
from app.sync import events
from app.sync.events import Filters, Type
from app.text import instant

FAILING_HOURS = 24
"""For how long every try has to fail until the webhook is paused."""
_SECRET_BYTES = 32

Reason = Literal["asked", "failing", "gone"]
"""Why a webhook is not enabled: somebody asked for it, every try failed for a day, its receiver said 410."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Key, primary_key=True),
    Column("url", Key, nullable=False),
    Column("events", Json, nullable=False),
    Column("language", Key),
    Column("tag", Key),
    Column("publisher", Key),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    Column("disabled_reason", Key),
    # As they are: whoever signs needs them.
    Column("secret", Key, nullable=False),
    Column("earlier_secret", Key),
    Column("earlier_secret_until_at", Instant),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("failing_since_at", Instant),
    # The number of the last event that was looked at: those behind it have no deliveries yet.
    Column("number", Integer, nullable=False),
)
_ANY = select(webhooks.c.id).limit(1)


@dataclass(frozen=True)
class Subscription:
    """What is told, and where: events of these types, of articles that pass the filters (None: any)."""

    url: str
    events: tuple[Type, ...] = events.TYPES
    language: str | None = None
    tag: str | None = None
    publisher: str | None = None
    enabled: bool = True

    @property
    def filters(self) -> Filters:
        """The filters that are asked for, as a token of the feed names them."""
        asked = {"language": self.language, "tag": self.tag, "publisher": self.publisher}
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True)
class Webhook:
    """One webhook, without its secrets."""

    id: str
    subscription: Subscription
    disabled_reason: Reason | None
    failing_since_at: str | None
    version: int
    created_at: str
    number: int


Edit = Callable[[Webhook], Subscription]


def exist(reader: Reader) -> bool:
    """Whether there is anybody to tell: else no events are kept."""
    return reader.row(_ANY) is not None


def create(writer: Writer, subscription: Subscription) -> tuple[Webhook, str]:
    """A new webhook, told what happens from now on, and its secret, which is shown no more."""
    id, secret = str(uuid7()), _new_secret()
    row = _row(subscription) | {"id": id, "secret": secret, "version": 1, "created_at": writer.stamp}
    row |= {"number": events.highest(writer), "disabled_reason": None if subscription.enabled else "asked"}
    writer.execute(insert(webhooks), row)
    audit.record(writer, "webhook.created", id, None, 1)
    return load(writer, id), secret


def load(reader: Reader, id: str) -> Webhook:
    """The webhook with this id; a Writer holds it against others. Raises: NotFound (``webhook-unknown``)."""
    query = select(webhooks).where(webhooks.c.id == id.lower())
    row = reader.row(query.with_for_update() if isinstance(reader, Writer) else query)
    if row is None:
        raise NotFound("webhook-unknown", "There is no such webhook.")
    return _webhook(row)


def latest(reader: Reader, after: str | None, limit: int) -> list[Webhook]:
    """Up to ``limit`` webhooks behind the id ``after``, the last made first."""
    query = select(webhooks).order_by(webhooks.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(webhooks.c.id < after)
    return [_webhook(row) for row in reader.rows(query)]


def change(writer: Writer, id: str, if_version: frozenset[int] | None, edit: Edit) -> tuple[Webhook, bool]:
    """The webhook after ``edit``, and whether that enabled it again; what changes nothing keeps the version.

    Raises: NotFound (``webhook-unknown``); Stale; whatever ``edit`` raises.
    """
    webhook = _demanded(writer, id, if_version)
    wanted = edit(webhook)
    if wanted == webhook.subscription:
        return webhook, False
    row = _row(wanted) | {"version": webhook.version + 1}
    if wanted.enabled != webhook.subscription.enabled:
        row["disabled_reason"] = None if wanted.enabled else "asked"
    if (wanted.enabled, wanted.url) != (webhook.subscription.enabled, webhook.subscription.url):
        row["failing_since_at"] = None
    _update(writer, webhook, **row)
    audit.record(writer, "webhook.updated", webhook.id, webhook.version, webhook.version + 1)
    return load(writer, id), wanted.enabled and not webhook.subscription.enabled


def remove(writer: Writer, id: str, if_version: frozenset[int] | None) -> None:
    """Remove the webhook and its deliveries. Raises: NotFound (``webhook-unknown``); Stale."""
    webhook = _demanded(writer, id, if_version)
    writer.execute(delete(webhooks).where(webhooks.c.id == webhook.id))
    audit.record(writer, "webhook.deleted", webhook.id, webhook.version)


def rotate(writer: Writer, id: str, overlap: timedelta) -> tuple[Webhook, str]:
    """A new secret, which is shown no more; with the one before everything is signed, too, for ``overlap`` longer.

    While an earlier one still signs, it stays, until its time: it is what the receiver has, and the one in between may
    never have reached it. Without an overlap no other signs. Raises: NotFound (``webhook-unknown``).
    """
    webhook, secret = load(writer, id), _new_secret()
    values: dict[str, Any] = {"secret": secret}
    if not overlap or len(signing(writer, webhook)) == 1:
        values |= {"earlier_secret": webhooks.c.secret, "earlier_secret_until_at": instant(writer.now + overlap)}
    _update(writer, webhook, **values)
    audit.record(writer, "webhook.rotated", webhook.id, webhook.version, webhook.version)
    return webhook, secret


def follow(writer: Writer, name: Literal["tag", "publisher"], merged: str, into: str) -> None:
    """Filter by what a tag or a publisher was merged into, wherever it was filtered by."""
    column = webhooks.c[name]
    for row in writer.rows(select(webhooks).where(column == merged).order_by(webhooks.c.id).with_for_update()):
        webhook = _webhook(row)
        _update(writer, webhook, **{name: into}, version=webhook.version + 1)
        audit.record(writer, "webhook.updated", webhook.id, webhook.version, webhook.version + 1)


def signing(writer: Writer, webhook: Webhook) -> tuple[str, ...]:
    """The secrets that sign just now: one, or two while receivers change over."""
    columns = (webhooks.c.secret, webhooks.c.earlier_secret, webhooks.c.earlier_secret_until_at)
    secret, earlier, until = writer.tuples(select(*columns).where(webhooks.c.id == webhook.id))[0]
    return (secret, earlier) if earlier is not None and until > writer.stamp else (secret,)


def set_number(writer: Writer, webhook: Webhook, number: int) -> None:
    """Say up to where events were looked at."""
    _update(writer, webhook, number=number)


def succeeded(writer: Writer, webhook: Webhook) -> None:
    """Something got through."""
    if webhook.failing_since_at is not None:
        _update(writer, webhook, failing_since_at=None)


def failed(writer: Writer, webhook: Webhook, *, gone: bool) -> None:
    """Something did not get through: that the receiver is ``gone``, or a day of it, pauses the webhook."""
    since = webhook.failing_since_at or writer.stamp
    long = since <= instant(writer.now - timedelta(hours=FAILING_HOURS))
    if webhook.subscription.enabled and (gone or long):
        reason: Reason = "gone" if gone else "failing"
        _update(writer, webhook, enabled=False, disabled_reason=reason, version=webhook.version + 1)
        audit.record(writer, "webhook.paused", webhook.id, webhook.version, webhook.version + 1)
    if webhook.failing_since_at is None:
        _update(writer, webhook, failing_since_at=since)


def _demanded(writer: Writer, id: str, if_version: frozenset[int] | None) -> Webhook:
    webhook = load(writer, id)
    if if_version is not None and webhook.version not in if_version:
        raise Stale(webhook.version)
    return webhook


def _update(writer: Writer, webhook: Webhook, **values: Any) -> None:
    writer.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(**values))


def _new_secret() -> str:
    # Source: Standard Webhooks, Signature scheme: 24 to 64 random bytes.
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _row(subscription: Subscription) -> dict[str, Any]:
    kept = ("url", "language", "tag", "publisher", "enabled")
    return {name: getattr(subscription, name) for name in kept} | {"events": list(subscription.events)}


def _webhook(row: Row) -> Webhook:
    subscription = Subscription(row["url"], tuple(row["events"]), *_of(row, "language", "tag", "publisher", "enabled"))
    own = _of(row, "disabled_reason", "failing_since_at", "version", "created_at", "number")
    return Webhook(row["id"], subscription, *own)


def _of(row: Row, *names: str) -> Sequence[Any]:
    return [row[name] for name in names]
