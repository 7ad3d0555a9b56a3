"""The numbered feed: one row for each article that was ever public, moved to a new number in place.

Numbers follow commits, because the counter's row is taken last and held until the commit (ADR-0005).
"""

import base64
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.database import Instant, Json, Key, Reader, Writer, metadata

TOKEN_FORMAT = 1

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
)
# Built once: building it for every publication costs several times what running it does.
_MOVE = {
    dialect: insert.on_conflict_do_update(
        index_elements=[changes.c.article_id],
        set_={name: insert.excluded[name] for name in ("number", "live", "changed_at", "surrogate_keys")},
    )
    for dialect, insert in (("postgresql", postgresql.insert(changes)), ("sqlite", sqlite.insert(changes)))
}


def append(writer: Writer, changed: Mapping[str, Sequence[str]], *, live: bool) -> str:
    """Number the changes of articles and return the token of the last; a withdrawal (not ``live``) leaves a tombstone.

    Where they are only tried they get no numbers, which would be given to others.

    ``changed``: the articles' ids, each with the cache keys that its change touches. Call it last in the transaction:
    from here to the commit every other publication waits, which is what makes numbers follow commits.
    """
    if writer.dry:
        return token(writer)
    take = update(feed).values(number=feed.c.number + len(changed)).returning(feed.c.number, feed.c.epoch)
    taken = writer.execute(take).one()
    number, epoch = int(taken.number), str(taken.epoch)
    rows = [
        {"article_id": id, "number": at, "live": live, "changed_at": writer.stamp, "surrogate_keys": list(keys)}
        for at, (id, keys) in enumerate(changed.items(), number - len(changed) + 1)
    ]
    writer.execute(_MOVE["postgresql" if writer.on_postgresql else "sqlite"], rows)
    return _token(epoch, number)


def state(reader: Reader) -> tuple[str, int]:
    """The feed's epoch and the number of its latest change, 0 before the first: while they stand, so do all lists."""
    row = reader.execute(select(feed.c.epoch, feed.c.number)).one()
    return str(row.epoch), int(row.number)


def token(reader: Reader) -> str:
    """The token of the latest change."""
    return _token(*state(reader))


def _token(epoch: str, cursor: int) -> str:
    content = json.dumps([TOKEN_FORMAT, epoch, cursor, cursor, {}], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
