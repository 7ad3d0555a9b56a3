"""The numbered feed: one row for each article that was ever public, moved to a new number in place.

Numbers follow commits, because the counter's row is taken last and held until the commit (ADR-0005). What webhooks
tell of a change is kept here with it, so that nobody numbers one and forgets the other; the rest is ``deliveries.py``.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils import uuid7

from app.database import Instant, Json, Key, Reader, Writer, is_one_of, metadata
from app.errors import Fault, Gone, Malformed
from app.sync import events, webhooks
from app.sync.events import Event, Traits

TOKEN_FORMAT = 1
Filters = dict[str, Any]
"""What a token says its mirror is limited to."""
_NUMBERS = 2**31

feed = Table(
    "feed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("floor", Integer, nullable=False),
    Column("epoch", Key, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
changes = Table(
    "changes",
    metadata,
    Column("article_id", Key, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("live", Boolean(create_constraint=False), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("surrogate_keys", Json, nullable=False),
    Column("traits", Json),
)
_OLD_TOMBSTONE = (
    select(changes.c.article_id).where(changes.c.live.is_(False), changes.c.changed_at <= bindparam("before")).limit(1)
)
_STATE = select(feed.c.epoch, feed.c.number)
_MOVED = ("number", "live", "changed_at", "surrogate_keys", "traits")
_KNOWN = select(changes.c.article_id, changes.c.traits).where(changes.c.live, is_one_of(changes.c.article_id, "ids"))
# Built once: building it for every publication costs several times what running it does.
_MOVE = {
    dialect: insert.on_conflict_do_update(
        index_elements=[changes.c.article_id],
        set_={name: insert.excluded[name] for name in _MOVED},
    )
    for dialect, insert in (("postgresql", postgresql.insert(changes)), ("sqlite", sqlite.insert(changes)))
}


class Token(NamedTuple):
    """A place in the feed: everything up to ``cursor`` was read; ``base`` is what the number was when reading began.

    Up to ``base`` a mirror that began with nothing needs no tombstones.
    """

    epoch: str
    cursor: int
    base: int
    filters: Filters

    def text(self) -> str:
        """The token as it is sent."""
        content = json.dumps([TOKEN_FORMAT, *self], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Token":
        """What was sent. Raises: Malformed (``sync-token-invalid``)."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            format, epoch, cursor, base, filters = json.loads(raw.decode())
        except (binascii.Error, ValueError, TypeError, RecursionError):
            raise _invalid() from None
        numbers = type(cursor) is type(base) is int and 0 <= cursor < _NUMBERS and 0 <= base < _NUMBERS
        named = isinstance(filters, dict) and all(isinstance(each, str | list) for each in filters.values())
        if format != TOKEN_FORMAT or not isinstance(epoch, str) or not numbers or not named:
            raise _invalid()
        return cls(epoch, cursor, base, filters)


class Change(NamedTuple):
    """A change of a public article: the cache keys it touches, its public slug, and by what filters choose it now.

    ``traits``: None where it is withdrawn, which leaves a tombstone.
    """

    surrogate_keys: Sequence[str]
    slug: str
    traits: Traits | None


def append(writer: Writer, changed: Mapping[str, Change]) -> str:
    """Number the changes of articles, keep their events, and return the token of the last.

    Where they are only tried they get no numbers, which would be given to others.

    ``changed``: by the articles' ids. Call it last in the transaction: from here to the commit every other
    publication waits, which is what makes numbers follow commits.
    """
    if writer.dry:
        return token(writer)
    told = _events(writer, changed) if webhooks.exist(writer) else {}
    take = update(feed).values(number=feed.c.number + len(changed)).returning(feed.c.number, feed.c.epoch)
    taken = writer.execute(take).one()
    number, epoch = int(taken.number), str(taken.epoch)
    writer.sequence = number
    numbers = {id: at for at, id in enumerate(changed, number - len(changed) + 1)}
    rows = [
        {
            "article_id": id,
            "number": numbers[id],
            "live": change.traits is not None,
            "changed_at": writer.stamp,
            "surrogate_keys": list(change.surrogate_keys),
            "traits": change.traits,
        }
        for id, change in changed.items()
    ]
    writer.execute(_MOVE["postgresql" if writer.on_postgresql else "sqlite"], rows)
    if told:
        events.put(writer, {numbers[id]: event for id, event in told.items()})
    return after(epoch, number)


def purge(writer: Writer, before: str) -> bool:
    """Forget the tombstones up to that instant, whose mirrors must then start again; says whether there were any."""
    old = (changes.c.live.is_(False), changes.c.changed_at <= before)
    highest = writer.execute(select(func.max(changes.c.number)).where(*old)).scalar_one()
    if highest is None:
        return False
    # Never lower: a tombstone that came back to life is numbered anew, and then may be older than one that is gone.
    # Before the rows, as publications do it: else the two would wait for each other.
    writer.execute(update(feed).where(feed.c.floor < highest).values(floor=highest))
    # One that a writer who began earlier has committed since is not under the floor.
    writer.execute(delete(changes).where(*old, changes.c.number <= highest))
    return True


def any_purgeable(reader: Reader, before: str) -> bool:
    """Whether there is something to purge; cheap, so that idle workers take no write lock."""
    return reader.row(_OLD_TOMBSTONE, {"before": before}) is not None


def state(reader: Reader) -> tuple[str, int]:
    """The feed's epoch and the number of its latest change, 0 before the first: while they stand, so do all lists."""
    ((epoch, number),) = reader.tuples(_STATE)
    return epoch, number


def changed_at(reader: Reader) -> str | None:
    """When the latest change was made, a withdrawal too; None before the first, or where all are forgotten."""
    row = reader.row(select(changes.c.changed_at).order_by(changes.c.number.desc()).limit(1))
    return row["changed_at"] if row else None


def number(reader: Reader) -> int:
    """The number of the latest change, 0 before the first."""
    return state(reader)[1]


def token(reader: Reader) -> str:
    """The token of the latest change."""
    return after(*state(reader))


def after(epoch: str, number: int, filters: Filters | None = None) -> str:
    """The token with which a mirror that has everything up to ``number`` goes on."""
    return Token(epoch, number, number, filters or {}).text()


def begin(reader: Reader, filters: Filters) -> Token:
    """Where a mirror begins that has nothing."""
    epoch, number = state(reader)
    return Token(epoch, 0, number, filters)


def resume(reader: Reader, text: str) -> Token:
    """The place that a token names.

    Raises: Malformed (``sync-token-invalid``); Gone (``sync-token-expired``) for one of another epoch, or where
    tombstones that its mirror has not seen are forgotten.
    """
    token = Token.parse(text)
    now = reader.execute(select(feed.c.epoch, feed.c.floor)).one()
    if token.epoch != now.epoch or now.floor > max(token.cursor, token.base):
        raise expired()
    return token


def begin_epoch(writer: Writer) -> None:
    """Let every token be of another time: the database is not what it was when they were given."""
    writer.execute(update(feed).values(epoch=str(uuid7())))


def expired() -> Gone:
    """The failure that tells a mirror to start again."""
    detail = "This token is of another time; begin without one, and drop what the new reading does not name."
    return Gone("sync-token-expired", detail)


def _events(writer: Writer, changed: Mapping[str, Change]) -> dict[str, Event]:
    """What is told of each change, by the articles' ids."""
    # A row of before traits were kept names none: such an article may be anybody's.
    before = {row["article_id"]: row["traits"] or {} for row in writer.rows(_KNOWN, {"ids": [*changed]})}
    told = {}
    for id, change in changed.items():
        was = before.get(id)
        type = (
            "article.withdrawn" if change.traits is None else "article.published" if was is None else "article.updated"
        )
        told[id] = Event(type, id, change.slug, list(change.surrogate_keys), was, change.traits)
    return told


def _invalid() -> Malformed:
    detail = "This is no token of the feed; send one back as it was given."
    return Malformed("sync-token-invalid", detail, (Fault("sync-token-invalid", detail, parameter="token"),))
