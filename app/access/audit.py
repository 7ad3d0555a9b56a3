"""The append-only trace: who did what to which object, from which version to which, and why, if that was said.

Never a text or a secret. The rooms that do something record it; how it is listed is in ``app/api/audit.py``.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, Table, Text, select

from app.database import Instant, Key, Reader, Writer, metadata

# Triggers of migration 0007 refuse to change or remove a row.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("key_id", Key),
    Column("action", Key, nullable=False),
    Column("object_kind", Key, nullable=False),
    Column("object_id", Key, nullable=False),
    Column("version_before", Integer),
    Column("version_after", Integer),
    Column("request_id", Key),
    Column("address_hash", Key),
    Column("reason", Text),
)
Index("ix_audit_object_id", audit.c.object_id, audit.c.id)
Index("ix_audit_key_id", audit.c.key_id, audit.c.id)

_ADDRESS_HASH_CHARACTERS = 32


@dataclass(frozen=True)
class Entry:
    """One thing that was done; ``key_id`` is None where the command line or the worker did it."""

    id: int
    at: str
    key_id: str | None
    action: str
    object_kind: str
    object_id: str
    version_before: int | None
    version_after: int | None
    request_id: str | None
    address_hash: str | None
    reason: str | None


@dataclass(frozen=True)
class Filters:
    """Which entries a list holds; None: whatever it is. Both instants are inclusive."""

    key_id: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    request_id: str | None = None
    after: str | None = None
    before: str | None = None


def record(writer: Writer, action: str, object_id: str, before: int | None = None, after: int | None = None) -> None:
    """Say what this transaction does: ``action`` is the object's kind, a dot and what became of it.

    ``before`` and ``after`` are the object's versions, None where it was not there, or is there no more.
    """
    row = {
        "at": writer.stamp,
        "key_id": writer.caller,
        "action": action,
        "object_kind": action.partition(".")[0],
        "object_id": object_id,
        "version_before": before,
        "version_after": after,
        "request_id": writer.request_id,
        "address_hash": writer.address_hash,
        "reason": writer.reason,
    }
    writer.execute(audit.insert(), row)


def address_hash(secret: bytes, address: str) -> str:
    """What stands for a client's address: the same for the same one, and nobody without the secret can go back."""
    return hmac.new(secret, address.encode(), hashlib.sha256).hexdigest()[:_ADDRESS_HASH_CHARACTERS]


def latest(reader: Reader, filters: Filters, after: int | None, limit: int) -> Sequence[Entry]:
    """Up to ``limit`` entries behind the one with the id ``after``, the latest first."""
    query = select(audit).where(*_conditions(filters))
    if after is not None:
        query = query.where(audit.c.id < after)
    return [Entry(**row) for row in reader.rows(query.order_by(audit.c.id.desc()).limit(limit))]


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    named = ("key_id", "action", "object_kind", "object_id", "request_id")
    asked = [(audit.c[name], getattr(filters, name)) for name in named]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in asked if value is not None]
    if filters.after is not None:
        conditions.append(audit.c.at >= filters.after)
    if filters.before is not None:
        conditions.append(audit.c.at <= filters.before)
    return conditions
