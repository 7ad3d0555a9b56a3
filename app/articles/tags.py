"""The tags: one row for each slug that articles bear, with the name it is shown by.

Which articles bear it is in ``tables.py``. What a change does to readers is done in ``app/publishing/ledger.py``:
nobody else changes, merges or removes a tag.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, select

from app import text
from app.access import audit
from app.articles import entries
from app.articles.entries import Edit, Entry, Found, IfVersion, TagInput
from app.database import Key, Reader, Row, Writer, is_one_of, metadata
from app.errors import Conflict, Fault, Invalid, NotFound

tags = Table(
    "tags",
    metadata,
    Column("slug", Key, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("merged_into", Key, ForeignKey("tags.slug")),
)
_MERGED = select(tags.c.slug, tags.c.merged_into).where(
    is_one_of(tags.c.slug, "slugs"), tags.c.merged_into.is_not(None)
)
_LIVING = tags.c.merged_into.is_(None)


def merged(reader: Reader, slugs: Iterable[str]) -> dict[str, str]:
    """Those of the slugs whose tags were merged, each with the slug it was merged into."""
    wanted = list(slugs)
    return {row["slug"]: row["merged_into"] for row in reader.rows(_MERGED, {"slugs": wanted})} if wanted else {}


def followed(reader: Reader, slugs: Sequence[str]) -> list[str]:
    """The slugs, each once, in their order, a merged one as what it was merged into."""
    now = merged(reader, slugs)
    return list(dict.fromkeys(now.get(slug, slug) for slug in slugs))


def settle(writer: Writer, slugs: Collection[str]) -> None:
    """Make the tags of these slugs that are not there; each is then called by its slug."""
    if slugs:  # in one order for all: two writers that make the same tags cannot deadlock
        writer.insert_all_absent(tags, [{"slug": slug, "name": slug} for slug in sorted(slugs)])


def load(reader: Reader, key: str) -> Entry:
    """The tag with this slug, also one that was merged.

    Raises: NotFound (``tag-unknown``).
    """
    row = reader.row(select(tags).where(tags.c.slug == (text.slug(key) or key)))
    if row is None:
        raise NotFound("tag-unknown", "There is no such tag.")
    return Entry(row["slug"], row, _resource(row))


def listed(reader: Reader, after: str | None, limit: int) -> Found:
    """Up to ``limit`` tags behind the slug ``after``, by slug, each with its slug."""
    query = select(tags).where(_LIVING)
    if after is not None:
        query = query.where(tags.c.slug > after)
    return [(row["slug"], _resource(row)) for row in reader.rows(query.order_by(tags.c.slug).limit(limit))]


def count(reader: Reader, cap: int | None) -> int:
    """How many tags there are; counting stops one beyond ``cap``."""
    return entries.counted(reader, select(tags.c.slug).where(_LIVING), cap)


def create(writer: Writer, sent: TagInput) -> Entry:
    """A new tag.

    Raises: Invalid; Conflict (``tag-taken``).
    """
    entries.refuse(entries.read_only(sent, {"version": 1}))
    if not writer.insert_absent(tags, {"slug": sent.slug, **_values(sent)}):
        detail = "There is a tag of this slug, or one that was merged."
        raise Conflict("tag-taken", detail, (Fault("tag-taken", detail, pointer="/slug"),))
    audit.record(writer, "tag.created", sent.slug, None, 1)
    return load(writer, sent.slug)


def adopt(writer: Writer, sent: TagInput, merged_into: str | None) -> None:
    """Store a tag as it was elsewhere, with its version; none of its slug is here."""
    row = {"slug": sent.slug, **_values(sent), "version": sent.version or 1, "merged_into": merged_into}
    writer.execute(tags.insert(), row)
    audit.record(writer, "tag.created", sent.slug, None, row["version"])


def change(writer: Writer, key: str, if_version: IfVersion, edit: Edit) -> Entry:
    """The tag after ``edit`` of its resource; what changes nothing keeps the version. Its slug stays.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid.
    """
    stored = load(writer, key)
    entries.demand(stored, if_version)
    sent: TagInput = edit(stored.resource)
    if sent.slug != stored.key:
        detail = "A tag keeps its slug; make another and merge this one into it."
        raise Invalid("validation", detail, (Fault("read-only", detail, pointer="/slug"),))
    entries.refuse(entries.read_only(sent, {"version": stored.version}))
    return load(writer, stored.key) if entries.store(writer, tags, stored, _values(sent)) else stored


def merge(writer: Writer, key: str, into: str, if_version: IfVersion) -> Entry:
    """Let the tag be one with ``into``, which is returned: articles that bear the one bear the other.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid (``target-invalid``).
    """
    return entries.merge(writer, tags, load, (key, into), if_version)


def remove(writer: Writer, key: str) -> None:
    """Remove a tag that no article bears, and what was merged into it."""
    entries.remove(writer, tags, key)


def _values(sent: TagInput) -> dict[str, Any]:
    return {"name": sent.slug if sent.name is None else sent.name}


def _resource(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in TagInput.model_fields}
