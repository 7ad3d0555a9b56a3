"""The rows behind ``Idempotency-Key``: claimed, finished and purged in the effect's own transaction.

The header itself is read in ``app/wire/idempotency.py``.
"""

from sqlalchemy import Column, Integer, Table

from app.database import Bytes, Instant, Json, Key, metadata

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
