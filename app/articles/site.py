"""The site: one row that holds the publication's own document (name, menu, labels, checks).

The document's shape is in ``document.py``.
"""

from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Integer, Table, select

from app.access import audit
from app.articles.document import Site
from app.database import Instant, Json, Key, Reader, Writer, metadata
from app.errors import Stale

site = Table(
    "site",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("updated_at", Instant),
    Column("updated_by", Key),
    CheckConstraint("id = 1", name="single"),
)


@dataclass(frozen=True)
class StoredSite:
    """The site and its version."""

    document: Site
    version: int


def load(reader: Reader) -> StoredSite:
    """The site as it stands; the defaults, as version 1, where nobody has saved one."""
    row = reader.row(select(site.c.version, site.c.document))
    if row is None:
        return StoredSite(Site(), 1)
    return StoredSite(Site.model_validate(row["document"]), row["version"])


def adopt(writer: Writer, document: Site, version: int, updated_at: str | None) -> bool:
    """Store the site as it was elsewhere, with its version, where nobody has saved one; says whether that is so."""
    row = {"id": 1, "version": version, "document": document.model_dump(), "updated_at": updated_at}
    adopted = writer.insert_absent(site, row)
    if adopted:
        audit.record(writer, "site.updated", "site", None, version)
        writer.touched.add("site")
    return adopted


def save(writer: Writer, document: Site, if_version: frozenset[int] | None) -> StoredSite:
    """Replace the site; saving what is there changes nothing. ``if_version`` None means whatever is there.

    Raises: Stale.
    """
    # The row is made first, so that two first savers meet in the UPDATE below.
    default = {"id": 1, "version": 1, "document": Site().model_dump()}
    writer.insert_absent(site, default)
    stored = load(writer)
    if if_version is not None and stored.version not in if_version:
        raise Stale(stored.version)
    if document == stored.document:
        return stored
    values = {"version": stored.version + 1, "document": document.model_dump(), "updated_at": writer.stamp}
    change = site.update().where(site.c.version == stored.version).values(**values, updated_by=writer.caller)
    if writer.execute(change).rowcount != 1:
        raise Stale(load(writer).version)
    writer.touched.add("site")
    audit.record(writer, "site.updated", "site", stored.version, stored.version + 1)
    return StoredSite(document, stored.version + 1)
