"""The ledger of publishers: found by name or alias, or by the host of an address, else made.

What a change does to readers is done in ``app/publishing/ledger.py``: nobody else changes, merges or removes one.
"""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    literal,
    select,
    tuple_,
    update,
)

from app.access import audit
from app.articles import entries
from app.articles.entries import Edit, Entry, Found, IfVersion, PublisherInput
from app.articles.fields import new_id
from app.database import Instant, Json, Key, Reader, Row, Writer, is_one_of, metadata
from app.errors import Conflict, Fault, NotFound

publishers = Table(
    "publishers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("aliases", Json, nullable=False),
    Column("hosts", Json, nullable=False),
    Column("homepage_url", Text),
    Column("country", Key),
    Column("language", Key),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("merged_into", Key, ForeignKey("publishers.id")),
)
# Every name and alias, folded, leads to one publisher; so does every host.
publisher_names = Table(
    "publisher_names",
    metadata,
    Column("folded", Key, primary_key=True),
    Column("publisher_id", Key, ForeignKey("publishers.id", ondelete="CASCADE"), nullable=False),
)
publisher_hosts = Table(
    "publisher_hosts",
    metadata,
    Column("host", Key, primary_key=True),
    Column("publisher_id", Key, ForeignKey("publishers.id", ondelete="CASCADE"), nullable=False),
)
Index("ix_publishers_name_id", publishers.c.name, publishers.c.id)
Index("ix_publisher_names_publisher_id", publisher_names.c.publisher_id)
Index("ix_publisher_hosts_publisher_id", publisher_hosts.c.publisher_id)


MERGING = "publishers"
"""What a Writer holds while it ties a new source to a publisher: shared; who merges publishers holds it alone."""
_SAID = ("name", "aliases", "hosts", "homepage_url", "country", "language")
_BY_ID = select(publishers.c.id, publishers.c.merged_into).where(publishers.c.id == bindparam("id"))
_BY_NAME = select(publisher_names.c.folded, publisher_names.c.publisher_id).where(
    is_one_of(publisher_names.c.folded, "names")
)
_BY_HOST = select(publisher_hosts.c.publisher_id).where(publisher_hosts.c.host == bindparam("host"))
_BARE = select(publishers.c.id, publishers.c.aliases, publishers.c.hosts).where(
    is_one_of(publishers.c.id, "ids"),
    publishers.c.version == 1,
    *(publishers.c[name].is_(None) for name in ("homepage_url", "country", "language")),
)
_CALLED = {publisher_names: publisher_names.c.folded, publisher_hosts: publisher_hosts.c.host}


@dataclass(frozen=True)
class Filters:
    """Which publishers a list holds; None means any. ``name``: as its name or an alias (NFKC); ``host``: at which."""

    name: str | None = None
    host: str | None = None


def find_by_name(reader: Reader, name: str) -> str | None:
    """The id of the publisher that bears ``name``, as its name or an alias (NFKC), or None."""
    return _bearing(reader, [name]).get(folded(name))


def find_by_host(reader: Reader, host: str) -> str | None:
    """The id of the publisher that publishes at ``host``, or None."""
    row = reader.row(_BY_HOST, {"host": host})
    return row["publisher_id"] if row else None


def names(reader: Reader) -> list[str]:
    """Every name and alias in the ledger, NFKC."""
    return [row["folded"] for row in reader.rows(select(publisher_names.c.folded))]


def find(reader: Reader, publisher_id: str) -> str | None:
    """The id under which ``publisher_id`` is known today (a merged one leads on), or None."""
    row = reader.row(_BY_ID, {"id": publisher_id})
    if row is None:
        return None
    return find(reader, row["merged_into"]) if row["merged_into"] else row["id"]


def bare(reader: Reader, ids: Iterable[str]) -> set[str]:
    """Those of the publishers with these ids of which nothing but a name was ever said."""
    rows = reader.rows(_BARE, {"ids": list(ids)})
    return {row["id"] for row in rows if not row["aliases"] and not row["hosts"]}


def settle(writer: Writer, names: Collection[str]) -> dict[str, str]:
    """The ids of the publishers called so, by these names; made where nobody bears one."""
    found = _bearing(writer, names) if names else {}
    for name in sorted(names, key=folded):  # one order for all writers, or two that make the same would deadlock
        if folded(name) not in found:
            found[folded(name)] = _make(writer, name)
    return {name: found[folded(name)] for name in names}


def load(reader: Reader, key: str) -> Entry:
    """The publisher with this id, also one that was merged.

    Raises: NotFound (``publisher-unknown``).
    """
    row = reader.row(select(publishers).where(publishers.c.id == key.lower()))
    if row is None:
        raise NotFound("publisher-unknown", "There is no such publisher.")
    return Entry(row["id"], row, _resource(row))


def listed(reader: Reader, filters: Filters, after: tuple[str, str] | None, limit: int) -> Found:
    """Up to ``limit`` publishers behind the name and id ``after``, by name, each with both."""
    query = select(publishers).where(*_conditions(filters))
    if after is not None:
        query = query.where(tuple_(publishers.c.name, publishers.c.id) > tuple_(*map(literal, after)))
    rows = reader.rows(query.order_by(publishers.c.name, publishers.c.id).limit(limit))
    return [((row["name"], row["id"]), _resource(row)) for row in rows]


def count(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many publishers the list holds; counting stops one beyond ``cap``."""
    return entries.counted(reader, select(publishers.c.id).where(*_conditions(filters)), cap)


def create(writer: Writer, sent: PublisherInput) -> Entry:
    """A new publisher.

    Raises: Invalid; Conflict (``publisher-name-taken``, ``publisher-host-taken``).
    """
    faults = entries.read_only(sent, {"version": 1, "created_at": writer.stamp})
    if sent.id and writer.row(select(publishers.c.id).where(publishers.c.id == sent.id)):
        faults.append(Fault("id-taken", "Another publisher has this id.", pointer="/id"))
    entries.refuse(faults)
    row = _values(sent) | {"id": sent.id or new_id(), "version": 1}
    writer.execute(publishers.insert(), row | {"created_at": writer.stamp, "updated_at": writer.stamp})
    _call(writer, row["id"], row)
    audit.record(writer, "publisher.created", row["id"], None, 1)
    return load(writer, row["id"])


def adopt(writer: Writer, sent: PublisherInput, merged_into: str | None) -> None:
    """Store a publisher as it was elsewhere, with its id, version and times; none of its id is here.

    Raises: Conflict (``publisher-name-taken``, ``publisher-host-taken``).
    """
    row = _values(sent) | entries.origin(writer, sent) | {"merged_into": merged_into}
    writer.execute(publishers.insert(), row)
    if merged_into is None:  # what it was called leads to the other
        _call(writer, row["id"], row)
    audit.record(writer, "publisher.created", row["id"], None, row["version"])


def change(writer: Writer, key: str, if_version: IfVersion, edit: Edit) -> Entry:
    """The publisher after ``edit`` of its resource; what changes nothing keeps the version.

    Raises: NotFound; Stale; Conflict (``merged``, ``publisher-name-taken``, ``publisher-host-taken``); Invalid.
    """
    stored = load(writer, key)
    entries.demand(stored, if_version)
    sent: PublisherInput = edit(stored.resource)
    entries.refuse(entries.read_only(sent, {name: stored.row[name] for name in ("id", "version", "created_at")}))
    values = _values(sent)
    if not entries.store(writer, publishers, stored, values):
        return stored
    _call(writer, stored.key, values)
    return load(writer, stored.key)


def merge(writer: Writer, key: str, into: str, if_version: IfVersion) -> Entry:
    """Let the publisher be one with ``into``, which is returned: its names become aliases, its hosts lead there.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid (``target-invalid``).
    """
    old = load(writer, key)
    there = entries.merge(writer, publishers, load, (key, into), if_version)
    if old.merged_into is not None:
        return there
    for table in _CALLED:
        writer.execute(update(table).where(table.c.publisher_id == old.key).values(publisher_id=there.key))
    aliases = [name for name in (old.row["name"], *old.row["aliases"]) if name != there.row["name"]]
    gained = {
        "aliases": _distinct([*there.row["aliases"], *aliases]),
        "hosts": _distinct([*there.row["hosts"], *old.row["hosts"]]),
    }
    if any(len(values) > entries.NAMES for values in gained.values()):
        raise entries.missed(f"A publisher has at most {entries.NAMES} aliases and hosts.")
    if not entries.store(writer, publishers, there, gained):
        return there
    audit.record(writer, "publisher.updated", there.key, there.version, there.version + 1)
    return load(writer, there.key)


def remove(writer: Writer, key: str) -> None:
    """Remove a publisher of no source, and what was merged into it."""
    entries.remove(writer, publishers, key)


def _make(writer: Writer, name: str) -> str:
    made = new_id()
    row = {"id": made, "name": name, "aliases": [], "hosts": [], "version": 1}
    writer.execute(publishers.insert(), row | {"created_at": writer.stamp, "updated_at": writer.stamp})
    if writer.insert_absent(publisher_names, {"folded": folded(name), "publisher_id": made}):
        return made
    # Another writer made it while we waited for its commit: ours goes, theirs is used.
    writer.execute(publishers.delete().where(publishers.c.id == made))
    return find_by_name(writer, name) or _make(writer, name)


def _bearing(reader: Reader, names: Iterable[str]) -> dict[str, str]:
    """The ids of the publishers that bear one of the names, by its folded form."""
    rows = reader.rows(_BY_NAME, {"names": [folded(name) for name in names]})
    return {row["folded"]: row["publisher_id"] for row in rows}


def _values(sent: PublisherInput) -> dict[str, Any]:
    said = sent.model_dump(include=set(_SAID))
    return said | {"aliases": _distinct(sent.aliases), "hosts": _distinct(sent.hosts)}


def _resource(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in PublisherInput.model_fields}


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [publishers.c.merged_into.is_(None)]
    for table, wanted in ((publisher_names, filters.name and folded(filters.name)), (publisher_hosts, filters.host)):
        if wanted is not None:
            conditions.append(publishers.c.id.in_(select(table.c.publisher_id).where(_CALLED[table] == wanted)))
    return conditions


def _call(writer: Writer, id: str, values: Row) -> None:
    """Let the names, aliases and hosts in ``values``, and no others, lead to the publisher.

    Raises: Conflict (``publisher-name-taken``, ``publisher-host-taken``).
    """
    names = {folded(name): f"/aliases/{at}" for at, name in enumerate(values["aliases"])}
    names[folded(values["name"])] = "/name"
    hosts = {host: f"/hosts/{at}" for at, host in enumerate(values["hosts"])}
    for table, column, wanted, code in (
        (publisher_names, "folded", names, "publisher-name-taken"),
        (publisher_hosts, "host", hosts, "publisher-host-taken"),
    ):
        held = {row[column] for row in writer.rows(select(table).where(table.c.publisher_id == id))}
        gone = held - wanted.keys()
        writer.execute(delete(table).where(table.c.publisher_id == id, table.c[column].in_(gone)))
        for value in sorted(wanted.keys() - held):  # one order for all writers, so that no two wait for each other
            if not writer.insert_absent(table, {column: value, "publisher_id": id}):
                detail = "Another publisher has it; merge the two."
                raise Conflict(code, detail, (Fault(code, detail, pointer=wanted[value]),))


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def folded(name: str) -> str:
    """The form by which a name is found."""
    return unicodedata.normalize("NFKC", name)
