"""API keys: made, found, revoked. The secret is shown once and stored as a SHA-256.

Which scope a route needs is said in the route's signature (``app/wire/caller.py``).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, Index, Table
from uuid_utils import uuid7

from app.access.scopes import Scope
from app.database import Instant, Json, Key, Reader, Writer, metadata
from app.errors import NotFound


keys = Table(
    "keys",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("languages", Json),
    Column("tags", Json),
    Column("rate_limit", Key),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)
# Two secrets of one key may live at a time: the old one overlaps the new one while clients change over.
key_secrets = Table(
    "key_secrets",
    metadata,
    Column("secret_sha256", Key, primary_key=True),
    Column("key_id", Key, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)
Index("ix_key_secrets_key_id", key_secrets.c.key_id)
