"""The rows behind ``Idempotency-Key``: what a request with a key was answered, kept in its effect's own transaction.

The header itself is read in ``app/wire/idempotency.py``.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Column, Integer, Table, bindparam, delete, select

from app.database import Bytes, Instant, Json, Key, Reader, Writer, metadata
from app.errors import Conflict, Fault, Invalid
from app.text import instant

KEPT_HOURS = 24
"""How long an answer is kept; after that the key is free again."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", Key, primary_key=True),
    Column("method", Key, primary_key=True),
    Column("path", Key, primary_key=True),
    Column("idempotency_key", Key, primary_key=True),
    Column("request_sha256", Key, nullable=False),
    Column("status", Integer),
    Column("headers", Json),
    Column("body", Bytes),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

_c = idempotency.c
_EXPIRED = _c.expires_at <= bindparam("now")
_ANY_EXPIRED = select(_c.key_id).where(_EXPIRED).limit(1)


@dataclass(frozen=True)
class Attempt:
    """One try of a request: whose, at which address, under which key, and the digest of what it sent."""

    key_id: str
    method: str
    path: str
    """The digest of it."""
    idempotency_key: str
    request_sha256: str


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim(writer: Writer, attempt: Attempt) -> Answer | None:
    """What the request was answered before; None: it is to be carried out now, and nobody else does so meanwhile.

    Raises: Conflict (``idempotency-in-progress``); Invalid (``idempotency-key-reused``) where it sent something else.
    """
    named = (attempt.key_id, attempt.method, attempt.path, attempt.idempotency_key)
    if not writer.try_to_hold("\n".join(("idempotency", *named))):
        raise Conflict("idempotency-in-progress", "The first request with this key is not answered yet.")
    columns = (_c.key_id, _c.method, _c.path, _c.idempotency_key)
    here = [column == value for column, value in zip(columns, named, strict=True)]
    row = writer.row(select(idempotency).where(*here))
    if row is None:
        return None
    if row["expires_at"] <= writer.stamp:
        writer.execute(delete(idempotency).where(*here))
        return None
    if row["request_sha256"] != attempt.request_sha256:
        detail = "This key belongs to a request that sent something else; use a new one."
        fault = Fault("idempotency-key-reused", detail, parameter="Idempotency-Key")
        raise Invalid("idempotency-key-reused", detail, (fault,))
    return Answer(row["status"], row["headers"], row["body"])


def record(writer: Writer, attempt: Attempt, answer: Answer) -> None:
    """Keep what a claimed request is answered: it is there if, and only if, what the request did is."""
    row = {
        "key_id": attempt.key_id,
        "method": attempt.method,
        "path": attempt.path,
        "idempotency_key": attempt.idempotency_key,
        "request_sha256": attempt.request_sha256,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body,
        "created_at": writer.stamp,
        "expires_at": instant(writer.now + timedelta(hours=KEPT_HOURS)),
    }
    writer.execute(idempotency.insert(), row)


def any_expired(reader: Reader, now: str) -> bool:
    """Whether there is something to purge; cheap, so that idle workers take no write lock."""
    return reader.row(_ANY_EXPIRED, {"now": now}) is not None


def purge(writer: Writer) -> None:
    """Remove the answers that are kept no longer."""
    writer.execute(delete(idempotency).where(_EXPIRED), {"now": writer.stamp})
