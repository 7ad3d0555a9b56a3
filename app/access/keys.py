"""API keys: made, found, changed, rotated, revoked. The secret is shown once and stored as a SHA-256.

Which scope a route needs is said in the route's signature (``app/wire/caller.py``).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)

from app.access import audit
from app.access.scopes import SCOPES, Scope
from app.database import Instant, Json, Reader, Row, View, Writer, metadata
from app.database import Key as KeyColumn
from app.errors import Conflict, Fault, Invalid, NotFound, Stale
from app.text import hostile, instant

NAME_CHARACTERS = 200
"""The longest name a key may have."""

USE_SECONDS = 60
"""How often, at most, the use of a key is written down."""

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
    Column("version", Integer, nullable=False, server_default="1"),
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

_USE = (
    update(keys)
    .where(keys.c.id == bindparam("key"), func.coalesce(keys.c.last_used_at, "") <= bindparam("before"))
    .values(last_used_at=bindparam("at"))
)


@dataclass(frozen=True)
class Limits:
    """What narrows a key; None: nothing does.

    With languages or tags it sees and changes only working copies in one of these languages that bear one of these
    tags, and nothing that others share. ``rate_limit``: ``600/60s``, in place of what holds for all.
    """

    languages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    rate_limit: str | None = None

    @property
    def view(self) -> View | None:
        """Which working copies there are for the key; None: all."""
        if self.languages is None and self.tags is None:
            return None
        return View(*(None if each is None else frozenset(each) for each in (self.languages, self.tags)))


@dataclass(frozen=True)
class Grant:
    """What a key is given: a name, what it may do, until when (an instant as answers write it), how it is limited."""

    name: str
    scopes: tuple[Scope, ...]
    expires_at: str | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Key:
    """One API key, without its secret; the instants as answers write them, ``last_used_at`` to the minute or so."""

    id: str
    grant: Grant
    version: int
    created_at: str
    revoked_at: str | None
    last_used_at: str | None

    def active(self, now: datetime) -> bool:
        """Whether the key stands: neither revoked nor expired by ``now``."""
        return self.revoked_at is None and (self.grant.expires_at is None or self.grant.expires_at > instant(now))


class Uses:
    """When the keys of one process were last used, until the worker writes it down: outside of any request."""

    def __init__(self) -> None:
        self._noted: dict[str, datetime] = {}
        self._waiting: dict[str, str] = {}

    def note(self, key_id: str, now: datetime) -> None:
        """A key was used; noted once in ``USE_SECONDS``. Called on the event loop."""
        noted = self._noted.get(key_id)
        if noted is None or abs(now - noted) >= timedelta(seconds=USE_SECONDS):
            self._noted[key_id], self._waiting[key_id] = now, instant(now)

    def take(self) -> dict[str, str]:
        """What was noted since the last time: instants by the ids of keys."""
        taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, taken: Mapping[str, str]) -> None:
        """Keep what could not be written down for the next time."""
        self._waiting = {**taken, **self._waiting}


def create(writer: Writer, grant: Grant) -> tuple[str, str]:
    """A new key's id and its plain text, which is never to be had again. Without ``expires_at`` it stays.

    Raises: Invalid (``validation``) for a name of no or more than ``NAME_CHARACTERS`` characters or with
    controls in it, for scopes that are none, for an expiry in the past, and for an admin that is limited.
    """
    row = _granted(writer, grant, None)
    key_id = secrets.token_hex(6)
    writer.execute(keys.insert(), row | {"id": key_id, "version": 1, "created_at": writer.stamp})
    audit.record(writer, "key.created", key_id, None, 1)
    return key_id, _give_secret(writer, key_id)


def change(writer: Writer, key_id: str, if_version: frozenset[int] | None, edit: Callable[[Key], Grant]) -> Key:
    """The key after ``edit``, its secrets as they were; what changes nothing keeps the version.

    Raises: NotFound (``key-not-found``); Stale; Conflict (``key-ended``) where it is revoked; what ``create`` raises.
    """
    key = load(writer, key_id)
    if if_version is not None and key.version not in if_version:
        raise Stale(key.version)
    if key.revoked_at is not None:
        raise _ended()
    grant = edit(key)
    row = _granted(writer, grant, key.grant.expires_at)
    if _ordered(grant) == key.grant:
        return key
    writer.execute(update(keys).where(keys.c.id == key_id).values(**row, version=key.version + 1))
    audit.record(writer, "key.updated", key_id, key.version, key.version + 1)
    return load(writer, key_id)


def rotate(writer: Writer, key_id: str, overlap: timedelta) -> str:
    """A new secret of the key, in plain text; the one before stands for ``overlap`` longer, older ones no more.

    Raises: NotFound (``key-not-found``); Conflict (``key-ended``) where it is revoked or has expired.
    """
    key = load(writer, key_id)
    if not key.active(writer.now):
        raise _ended()
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
        revoked = {"revoked_at": writer.stamp, "version": key.version + 1}
        writer.execute(update(keys).where(keys.c.id == key_id).values(**revoked))
        audit.record(writer, "key.revoked", key_id, key.version, key.version + 1)


def record_uses(writer: Writer, uses: Mapping[str, str]) -> None:
    """Write down when keys were last used, unless another process did so less than ``USE_SECONDS`` before."""
    for key_id, at in sorted(uses.items()):
        before = instant(datetime.fromisoformat(at) - timedelta(seconds=USE_SECONDS))
        writer.execute(_USE, {"key": key_id, "at": at, "before": before})


def _give_secret(writer: Writer, key_id: str) -> str:
    presented = f"kiku_{key_id}_{secrets.token_hex(32)}"
    row = {"secret_sha256": _digest(presented), "key_id": key_id, "created_at": writer.stamp}
    writer.execute(key_secrets.insert(), row)
    return presented


def _digest(presented: str) -> str:
    # 256 random bits need no slow hash, and one would let strangers keep the processor busy (argon2id: 682 ms).
    return hashlib.sha256(presented.encode()).hexdigest()


def _key(row: Row) -> Key:
    languages, tags = (None if row[name] is None else tuple(row[name]) for name in ("languages", "tags"))
    limits = Limits(languages, tags, row["rate_limit"])
    grant = _ordered(Grant(row["name"], tuple(row["scopes"]), row["expires_at"], limits))
    return Key(row["id"], grant, *(row[name] for name in ("version", "created_at", "revoked_at", "last_used_at")))


def _ordered(grant: Grant) -> Grant:
    return replace(grant, scopes=tuple(scope for scope in SCOPES if scope in grant.scopes))


def _granted(writer: Writer, grant: Grant, expiry: str | None) -> dict[str, Any]:
    """The columns that hold a grant; ``expiry``: one that may have passed, because it stood before."""
    if not 0 < len(grant.name) <= NAME_CHARACTERS or hostile(grant.name):
        raise Invalid("validation", f"A key's name has 1 to {NAME_CHARACTERS} characters, none of them controls.")
    if not grant.scopes or not set(grant.scopes) <= set(SCOPES):
        raise Invalid("validation", f"A key has one or more of the scopes {', '.join(SCOPES)}.")
    if grant.expires_at not in {None, expiry} and str(grant.expires_at) <= writer.stamp:
        detail = "A key expires in the future."
        raise Invalid("validation", detail, (Fault("expiry-past", detail, pointer="/expires_at"),))
    if "admin" in grant.scopes and grant.limits.view is not None:
        detail = "Who may do everything is not limited to languages or tags."
        raise Invalid("validation", detail, (Fault("admin-limited", detail, pointer="/scopes"),))
    ordered = _ordered(grant)
    return {"name": ordered.name, "scopes": ordered.scopes, "expires_at": ordered.expires_at} | asdict(ordered.limits)


def _ended() -> Conflict:
    return Conflict("key-ended", "This key is revoked or has expired; make a new one.")
