"""The ledger of publishers: found by name or alias, or by the host of an address, else made.

A change to a publisher that readers see goes through ``app/publishing``, never from here.
"""

import unicodedata

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, select

from app.articles.fields import new_id
from app.database import Instant, Json, Key, Reader, Writer, metadata

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


def find_by_name(reader: Reader, name: str) -> str | None:
    """The id of the publisher that bears ``name``, as its name or an alias (NFKC), or None."""
    row = reader.row(select(publisher_names.c.publisher_id).where(publisher_names.c.folded == _folded(name)))
    return row["publisher_id"] if row else None


def find_by_host(reader: Reader, host: str) -> str | None:
    """The id of the publisher that publishes at ``host``, or None."""
    row = reader.row(select(publisher_hosts.c.publisher_id).where(publisher_hosts.c.host == host))
    return row["publisher_id"] if row else None


def names(reader: Reader) -> list[str]:
    """Every name and alias in the ledger, NFKC."""
    return [row["folded"] for row in reader.rows(select(publisher_names.c.folded))]


def find(reader: Reader, publisher_id: str) -> str | None:
    """The id under which ``publisher_id`` is known today (a merged one leads on), or None."""
    row = reader.row(select(publishers.c.id, publishers.c.merged_into).where(publishers.c.id == publisher_id))
    if row is None:
        return None
    return find(reader, row["merged_into"]) if row["merged_into"] else row["id"]


def settle(writer: Writer, name: str) -> str:
    """The id of the publisher called ``name``; made where nobody bears that name."""
    found = find_by_name(writer, name)
    if found is not None:
        return found
    made = new_id()
    row = {"id": made, "name": name, "aliases": [], "hosts": [], "version": 1}
    writer.execute(publishers.insert(), row | {"created_at": writer.stamp, "updated_at": writer.stamp})
    if writer.insert_absent(publisher_names, {"folded": _folded(name), "publisher_id": made}):
        return made
    # Another writer made it while we waited for its commit: ours goes, theirs is used.
    writer.execute(publishers.delete().where(publishers.c.id == made))
    return settle(writer, name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name)
