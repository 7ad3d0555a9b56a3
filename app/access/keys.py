"""API keys: made, found, rotated, revoked. The secret is shown once and stored as a SHA-256.

Which scope a route needs is said in the route's signature (``app/wire/caller.py``).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ForeignKey, Index, Table, bindparam, delete, literal, select, tuple_, update

from app.access import audit
from app.access.scopes import SCOPES, Scope
from app.database import Instant, Json, Reader, Row, Writer, metadata
from app.database import Key as KeyColumn
from app.errors import Conflict, Fault, Invalid, NotFound, Stale
from app.text import hostile, instant

NAME_CHARACTERS = 200
"""The longest name a key may have."""

_FORM = re.compile(r"kiku_([0-9a-f]{12})_[0-9a-f]{64}")

keys = Table(
    "keys",
    metadata,
    Column("id", KeyColumn, primary_key=True),
    Column("name", KeyColumn, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("languages", Json),
    Column("tags", Json),
    Column("rate_limit", KeyColumn),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)
# Two secrets of one key may live at a time: the old one overlaps the new one while clients change over.
key_secrets = Table(
    "key_secrets",
    metadata,
    Column("secret_sha256", KeyColumn, primary_key=True),
    Column("key_id", KeyColumn, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)
Index("ix_key_secrets_key_id", key_secrets.c.key_id)
# Every request with a key asks this: it is built once.
_LIVING = (
    select(keys, key_secrets.c.secret_sha256, key_secrets.c.expires_at.label("secret_expires_at"))
    .join(key_secrets)
    .where(keys.c.id == bindparam("key"), keys.c.revoked_at.is_(None))
)


@dataclass(frozen=True)
class Key:
    """One API key, without its secret; the instants as answers write them."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    @property
    def version(self) -> int:
        """Raised by the one thing that changes a key for good: revoking it."""
        return 1 if self.revoked_at is None else 2

    def active(self, now: datetime) -> bool:
        """Whether the key stands: neither revoked nor expired by ``now``."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > instant(now))


def create(writer: Writer, name: str, scopes: Sequence[Scope], expires_at: datetime | None = None) -> tuple[str, str]:
    """A new key's id and its plain text, which is never to be had again. Without ``expires_at`` it stays.

    Raises: Invalid (``validation``) for a name of no or more than ``NAME_CHARACTERS`` characters or with
    controls in it, and for scopes that are none.
    """
    if not 0 < len(name) <= NAME_CHARACTERS or hostile(name):
        raise Invalid("validation", f"A key's name has 1 to {NAME_CHARACTERS} characters, none of them controls.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid("validation", f"A key has one or more of the scopes {', '.join(SCOPES)}.")
    if expires_at is not None and instant(expires_at) <= writer.stamp:
        detail = "A key expires in the future."
        raise Invalid("validation", detail, (Fault("expiry-past", detail, pointer="/expires_at"),))
    key_id = secrets.token_hex(6)
    expiry = None if expires_at is None else instant(expires_at)
    ordered = [scope for scope in SCOPES if scope in scopes]
    writer.execute(
        keys.insert(),
        {"id": key_id, "name": name, "scopes": ordered, "created_at": writer.stamp, "expires_at": expiry},
    )
    audit.record(writer, "key.created", key_id, None, 1)
    return key_id, _give_secret(writer, key_id)


def rotate(writer: Writer, key_id: str, overlap: timedelta) -> str:
    """A new secret of the key, in plain text; the one before stands for ``overlap`` longer, older ones no more.

    Raises: NotFound (``key-not-found``); Conflict (``key-ended``) where it is revoked or has expired.
    """
    key = load(writer, key_id)
    if not key.active(writer.now):
        raise Conflict("key-ended", "This key is revoked or has expired; make a new one.")
    ends = instant(writer.now + overlap)
    of_key = key_secrets.c.key_id == key_id
    writer.execute(delete(key_secrets).where(of_key, key_secrets.c.expires_at.is_not(None)))
    writer.execute(update(key_secrets).where(of_key).values(expires_at=ends))
    audit.record(writer, "key.rotated", key_id, key.version, key.version)
    return _give_secret(writer, key_id)


def find(reader: Reader, presented: str, now: datetime) -> Key | None:
    """The key whose plain text is ``presented``; None where it is no key, expired or revoked by ``now``."""
    form = _FORM.fullmatch(presented)
    if form is None:
        return None
    rows = reader.rows(_LIVING, {"key": form.group(1)})
    at, digest = instant(now), _digest(presented)
    for row in rows:
        expired = any(end is not None and end <= at for end in (row["expires_at"], row["secret_expires_at"]))
        if hmac.compare_digest(row["secret_sha256"], digest) and not expired:
            return _key(row)
    return None


def load(reader: Reader, key_id: str) -> Key:
    """The key of this id; a Writer holds it against others. Raises: NotFound (``key-not-found``)."""
    query = select(keys).where(keys.c.id == key_id)
    row = reader.row(query.with_for_update() if isinstance(reader, Writer) else query)
    if row is None:
        raise NotFound("key-not-found", "There is no key of this id.")
    return _key(row)


def latest(reader: Reader, after: tuple[str, str] | None, limit: int) -> Sequence[Key]:
    """Up to ``limit`` keys behind the instant and id ``after``, the latest made first."""
    query = select(keys)
    if after is not None:
        query = query.where(tuple_(keys.c.created_at, keys.c.id) < tuple_(*map(literal, after)))
    rows = reader.rows(query.order_by(keys.c.created_at.desc(), keys.c.id.desc()).limit(limit))
    return [_key(row) for row in rows]


def list(reader: Reader) -> tuple[Key, ...]:
    """Every key, also the expired and revoked ones, the oldest first."""
    return tuple(_key(row) for row in reader.rows(select(keys).order_by(keys.c.created_at, keys.c.id)))


def revoke(writer: Writer, key_id: str, if_version: frozenset[int] | None = None) -> None:
    """Let the key stand no longer, from now on; repeating it changes nothing.

    Raises: NotFound (``key-not-found``); Stale.
    """
    key = load(writer, key_id)
    if if_version is not None and key.version not in if_version:
        raise Stale(key.version)
    if key.revoked_at is None:
        writer.execute(update(keys).where(keys.c.id == key_id).values(revoked_at=writer.stamp))
        audit.record(writer, "key.revoked", key_id, 1, 2)


def _give_secret(writer: Writer, key_id: str) -> str:
    presented = f"kiku_{key_id}_{secrets.token_hex(32)}"
    row = {"secret_sha256": _digest(presented), "key_id": key_id, "created_at": writer.stamp}
    writer.execute(key_secrets.insert(), row)
    return presented


def _digest(presented: str) -> str:
    # 256 random bits need no slow hash, and one would let strangers keep the processor busy (argon2id: 682 ms).
    return hashlib.sha256(presented.encode()).hexdigest()


def _key(row: Row) -> Key:
    scopes = tuple(scope for scope in SCOPES if scope in row["scopes"])
    return Key(row["id"], row["name"], scopes, row["created_at"], row["expires_at"], row["revoked_at"])
