"""The append-only trace: who did what to which object, from which version to which.

Never a text or a secret.
"""

from sqlalchemy import BigInteger, Column, Integer, Table

from app.database import Instant, Key, metadata

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
)
