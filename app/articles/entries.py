"""Entries of the ledger as editors see them: sources, publishers, tags; their shapes, and the rules all three share.

The rows are in ``sources.py``, ``publishers.py`` and ``tags.py``; what a change does to readers is decided in
``app/publishing/ledger.py``. Collections (``collections.py``) keep to the same rules and are no part of the ledger.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import ConfigDict, Field
from sqlalchemy import Select, Table, delete, func, select, update

from app.articles.document import CitedPublisher, Counted, Image, Shape
from app.articles.fields import (
    Country,
    Host,
    Id,
    Instant,
    Language,
    Name,
    PartialDate,
    Passage,
    PublisherName,
    Slug,
    SourceType,
    Url,
    new_id,
)
from app.database import Reader, Row, Writer
from app.errors import Conflict, Fault, Invalid, NotFound, Stale

Kind = Literal["source", "publisher", "tag"]
Json = dict[str, Any]
Edit = Callable[[Json], Any]
"""What a client sends in place of the resource it is given: an input of the entry's kind."""
IfVersion = frozenset[int] | None
NAMES = 100
"""How many aliases, and how many hosts, a publisher has at most."""
Found = list[tuple[Any, Json]]
"""Resources of a list, each with its position there."""


class ArchivedUrl(Shape):
    """Where an archive keeps a copy, and since when."""

    url: Url
    at: Instant | None = None


class SourceInput(Shape):
    """A published piece. ``canonical_url``, ``version`` and ``created_at`` may come back as they were answered."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://news.example.jp/kiku", "title": "千輪咲き、今年も公開"}]}
    )

    id: Id | None = None
    url: Url
    canonical_url: str | None = None
    title: Passage = ""
    publisher: CitedPublisher | None = None
    published_on: PartialDate | None = None
    authors: Annotated[list[Name], Field(max_length=200, default_factory=list)]
    language: Language | None = None
    type: SourceType = "article-newspaper"
    image: Image | None = None
    archive_urls: Annotated[list[ArchivedUrl], Field(max_length=50, default_factory=list)]
    note: Passage | None = None
    version: int | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


class ManagedSource(SourceInput):
    """A source as editors are answered."""

    version: int
    created_at: Instant
    updated_at: Instant


class PublisherInput(Shape):
    """Who publishes: found by its name, an alias, or the host of an address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "菊新聞", "hosts": ["news.example.jp"]}]})

    id: Id | None = None
    name: Annotated[PublisherName, Field(min_length=1)]
    aliases: Annotated[
        list[Annotated[PublisherName, Field(min_length=1)]], Field(max_length=NAMES, default_factory=list)
    ]
    hosts: Annotated[list[Host], Field(max_length=NAMES, default_factory=list)]
    homepage_url: Url | None = None
    country: Country | None = None
    language: Language | None = None
    version: int | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


class ManagedPublisher(PublisherInput):
    """A publisher as editors are answered."""

    version: int
    created_at: Instant
    updated_at: Instant


class TagInput(Shape):
    """A word that articles bear; without a ``name`` it is called as its slug."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slug": "kiku", "name": "菊"}]})

    slug: Slug
    name: Annotated[Name, Field(min_length=1)] | None = None
    version: int | None = None


class ManagedTag(TagInput):
    """A tag as editors are answered."""

    version: int


class Merge(Shape):
    """Into which entry of the same kind this one is merged: its id; of tags, its slug."""

    into: Annotated[str, Field(min_length=1, max_length=500)]


class ManagedSourceList(Shape):
    """A page of sources; ``count`` only where it was asked for."""

    items: list[ManagedSource]
    next: str | None
    count: Counted | None = None


class ManagedPublisherList(Shape):
    """A page of publishers; ``count`` only where it was asked for."""

    items: list[ManagedPublisher]
    next: str | None
    count: Counted | None = None


class ManagedTagList(Shape):
    """A page of tags; ``count`` only where it was asked for."""

    items: list[ManagedTag]
    next: str | None
    count: Counted | None = None


@dataclass(frozen=True)
class Entry:
    """One entry: its id or slug, its row, and what editors are answered."""

    key: str
    row: Row
    resource: Json

    @property
    def version(self) -> int:
        """Raised by each change."""
        return int(self.row["version"])

    @property
    def merged_into(self) -> str | None:
        """The key of the entry it is part of now, if it was merged."""
        merged: str | None = self.row["merged_into"]
        return merged


Load = Callable[[Reader, str], Entry]
"""How an owner module finds an entry. Raises: NotFound."""


class Room(Protocol):
    """What the owner modules of the three kinds do alike."""

    def load(self, reader: Reader, key: str) -> Entry:
        """The entry with this id or slug, also one that was merged. Raises: NotFound."""
        ...

    def change(self, writer: Writer, key: str, if_version: IfVersion, edit: Edit) -> Entry:
        """The entry after ``edit``; what changes nothing keeps the version.

        Raises: NotFound; Stale; Conflict; Invalid.
        """
        ...

    def merge(self, writer: Writer, key: str, into: str, if_version: IfVersion) -> Entry:
        """The entry that ``key`` is part of from now on. Raises: NotFound, Stale, Conflict, Invalid."""
        ...

    def remove(self, writer: Writer, key: str) -> None:
        """Remove an entry that nothing uses, and what was merged into it."""
        ...


def demand(entry: Entry, if_version: IfVersion) -> None:
    """Go on only with a living entry of the version the caller named.

    Raises: Conflict (``merged``); Stale.
    """
    if entry.merged_into is not None:
        raise Conflict("merged", "This was merged into another entry; read it to be led there.")
    if if_version is not None and entry.version not in if_version:
        raise Stale(entry.version)


def read_only(sent: Shape, current: Mapping[str, Any]) -> list[Fault]:
    """The faults of what only the server decides, where it was sent and is not as it stands."""
    detail = "This is decided by the server; leave it out or send back the current value."
    return [
        Fault("read-only", detail, pointer=f"/{name}")
        for name, value in current.items()
        if getattr(sent, name) not in {None, value}
    ]


def origin(writer: Writer, sent: Any) -> Json:
    """The id, version and times that an entry comes with from elsewhere; new ones where it has none."""
    came = {"id": sent.id or new_id(), "version": sent.version or 1}
    return came | {"created_at": sent.created_at or writer.stamp, "updated_at": sent.updated_at or writer.stamp}


def refuse(faults: Iterable[Fault]) -> None:
    """Go on only without faults. Raises: Invalid (``validation``)."""
    found = tuple(faults)
    if found:
        raise Invalid("validation", "The entry cannot be stored.", found)


def store(writer: Writer, table: Table, entry: Entry, values: Mapping[str, Any], *, beside: bool = False) -> bool:
    """Write ``values`` as the entry's next version; says whether anything differed, in the row or ``beside`` it.

    Raises: Stale where another change came first.
    """
    if not beside and all(entry.row[name] == value for name, value in values.items()):
        return False
    (key,) = table.primary_key.columns
    changed = {**values, "version": entry.version + 1}
    if "updated_at" in table.c:
        changed["updated_at"] = writer.stamp
    mine = (key == entry.key, table.c.version == entry.version)
    if writer.execute(update(table).where(*mine).values(**changed)).rowcount != 1:
        raise Stale(None)
    return True


def merge(writer: Writer, table: Table, load: Load, keys: tuple[str, str], if_version: IfVersion) -> Entry:
    """Let the first of ``keys`` be one with the second, and what was merged into it too; returns the second.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid (``target-invalid``).
    """
    entry, there = load(writer, keys[0]), _target(load, writer, keys[1])
    if entry.merged_into == there.key:
        return there
    demand(entry, if_version)
    if entry.key == there.key:
        raise missed("An entry cannot be merged into itself.")
    # Before it, so that nothing ever leads over two steps.
    writer.execute(update(table).where(table.c.merged_into == entry.key).values(merged_into=there.key))
    store(writer, table, entry, {"merged_into": there.key})
    return there


def remove(writer: Writer, table: Table, key: str) -> None:
    """Remove an entry, and before it what was merged into it."""
    (id,) = table.primary_key.columns
    writer.execute(delete(table).where(table.c.merged_into == key))
    writer.execute(delete(table).where(id == key))


def counted(reader: Reader, query: Select[Any], cap: int | None) -> int:
    """How many rows ``query`` has; counting stops one beyond ``cap``."""
    query = query.limit(cap + 1) if cap is not None else query
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _target(load: Load, reader: Reader, into: str) -> Entry:
    try:
        found = load(reader, into)
        return found if found.merged_into is None else load(reader, found.merged_into)
    except NotFound:
        raise missed("There is no such entry.") from None


def missed(detail: str) -> Invalid:
    """The failure of a merge that cannot be."""
    return Invalid("validation", "It cannot be merged into that.", (Fault("target-invalid", detail, pointer="/into"),))
