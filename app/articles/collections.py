"""Collections: ordered lists of articles, front page and series among them; their rows, shapes and rules.

What readers see of them is in ``app/delivery/collection_lists.py``; how an order is kept in ``places.py``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field
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
    select,
    update,
)

from app import text
from app.access import audit
from app.articles import entries, places, slugs
from app.articles.document import Counted, Shape
from app.articles.entries import Edit, Entry, Found, IfVersion
from app.articles.fields import Id, Instant, Line, Passage, Slug, new_id
from app.articles.tables import articles
from app.database import Instant as InstantColumn
from app.database import Key, Reader, Row, Writer, is_one_of, metadata
from app.errors import Conflict, Fault, Invalid, NotFound

ARTICLES = 1_000
"""How many articles a collection holds at most."""

collections = Table(
    "collections",
    metadata,
    Column("id", Key, primary_key=True),
    Column("slug", Key, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", InstantColumn, nullable=False),
    Column("updated_at", InstantColumn, nullable=False),
    Column("merged_into", Key, ForeignKey("collections.id")),
)
collection_articles = Table(
    "collection_articles",
    metadata,
    Column("collection_id", Key, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Key, nullable=False),
)
Index("ix_collection_articles_article_id", collection_articles.c.article_id)
Index("ix_collection_articles_collection_id_place", collection_articles.c.collection_id, collection_articles.c.place)

_MEMBERS = (
    select(collection_articles)
    .where(is_one_of(collection_articles.c.collection_id, "collections"))
    .order_by(collection_articles.c.collection_id, collection_articles.c.place)
)
_HOLDERS = (
    select(collection_articles.c.collection_id)
    .where(collection_articles.c.article_id == bindparam("article"))
    .order_by(collection_articles.c.collection_id)
)
_HERE = collection_articles.c.collection_id == bindparam("collection")
_PLACE = (
    update(collection_articles)
    .where(_HERE, collection_articles.c.article_id == bindparam("article"))
    .values(place=bindparam("now"))
)
_TAKE_OUT = delete(collection_articles).where(_HERE, is_one_of(collection_articles.c.article_id, "gone"))
_KNOWN = select(articles.c.id).where(is_one_of(articles.c.id, "ids"))


class CollectionInput(Shape):
    """An ordered list of articles by their ids, drafts too: those show when they are published.

    Without a ``slug`` a new one takes it from the title.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"slug": "kiku", "title": "菊の季節", "articles": []}]})

    id: Id | None = None
    slug: Slug | None = None
    title: Annotated[Line, Field(min_length=1)]
    description: Passage = ""
    articles: Annotated[list[Id], Field(max_length=ARTICLES, default_factory=list)]
    version: int | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


class ManagedCollection(CollectionInput):
    """A collection as editors are answered."""

    id: str
    slug: str
    version: int
    created_at: Instant
    updated_at: Instant


class ManagedCollectionList(Shape):
    """A page of collections; ``count`` only where it was asked for."""

    items: list[ManagedCollection]
    next: str | None
    count: Counted | None = None


class Move(Shape):
    """Where an article is put: before or after another one of the collection, one of the two."""

    before: Id | None = None
    after: Id | None = None


class Addition(Move):
    """Which article is added, and where; at the end where that is not said."""

    id: Id


@dataclass(frozen=True)
class Filters:
    """Which collections a list holds; ``article``: those that hold it. None means any."""

    article: str | None = None


def load(reader: Reader, key: str) -> Entry:
    """The collection with this id or slug, also one that was merged. A Writer holds it until it commits.

    Raises: NotFound (``collection-unknown``).
    """
    query = select(collections).where(named(key))
    row = reader.row(query.with_for_update() if isinstance(reader, Writer) else query)
    if row is None:
        raise NotFound("collection-unknown", "There is no such collection.")
    return Entry(row["id"], row, _resource(row, _places(reader, [row["id"]])[row["id"]]))


def named(key: str) -> ColumnElement[bool]:
    """The condition that ``key`` is a collection's id or slug."""
    return collections.c.id == key.lower() if text.uuid_shaped(key) else collections.c.slug == (text.slug(key) or key)


def listed(reader: Reader, filters: Filters, after: str | None, limit: int) -> Found:
    """Up to ``limit`` collections behind the id ``after``, the last made first, each with its id."""
    query = select(collections).where(*_conditions(filters))
    if after is not None:
        query = query.where(collections.c.id < after)
    rows = reader.rows(query.order_by(collections.c.id.desc()).limit(limit))
    held = _places(reader, [row["id"] for row in rows])
    return [(row["id"], _resource(row, held[row["id"]])) for row in rows]


def count(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many collections the list holds; counting stops one beyond ``cap``."""
    return entries.counted(reader, select(collections.c.id).where(*_conditions(filters)), cap)


def create(writer: Writer, sent: CollectionInput) -> Entry:
    """A new collection; a slug that is only made of its title gets a number where it is taken.

    Raises: Invalid; Conflict (``slug-taken``).
    """
    faults = entries.read_only(sent, {"version": 1, "created_at": writer.stamp})
    id = sent.id or new_id()
    row = {"id": id, "title": sent.title, "description": sent.description, "version": 1}
    row |= {"created_at": writer.stamp, "updated_at": writer.stamp}
    taken = Fault("id-taken", "Another collection has this id.", pointer="/id")
    if sent.id and _is_there(writer, sent.id):
        faults.append(taken)
    faults += _unfit(writer, sent.articles)
    entries.refuse([*faults, *_unlike_a_slug(sent.slug, id)])
    first = slug = sent.slug or slugs.derived(sent.title, id)
    while not writer.insert_absent(collections, row | {"slug": slug}):
        entries.refuse([taken] if _is_there(writer, id) else [])
        if sent.slug is not None:
            raise _slug_taken()
        slug = slugs.numbered(first, lambda wanted: _is_there(writer, wanted))
    _arrange(writer, id, sent.articles)
    writer.touched.add("collections")
    audit.record(writer, "collection.created", id, None, 1)
    return load(writer, id)


def adopt(writer: Writer, sent: CollectionInput, merged_into: str | None) -> None:
    """Store a collection as it was elsewhere, with its id, version and times; none of its id is here.

    Raises: Invalid (``article-unknown``, ``article-repeated``); Conflict (``slug-taken``).
    """
    came = entries.origin(writer, sent)
    entries.refuse([*_unfit(writer, sent.articles), *_unlike_a_slug(sent.slug, came["id"])])
    slug = sent.slug or slugs.derived(sent.title, came["id"])
    row = {"slug": slug, "title": sent.title, "description": sent.description, "merged_into": merged_into}
    if not writer.insert_absent(collections, came | row):
        raise _slug_taken()
    _arrange(writer, came["id"], sent.articles)
    audit.record(writer, "collection.created", came["id"], None, came["version"])
    writer.touched.add("collections")


def change(writer: Writer, key: str, if_version: IfVersion, edit: Edit) -> Entry:
    """The collection after ``edit`` of its resource; what changes nothing keeps the version.

    Raises: NotFound; Stale; Conflict (``merged``, ``slug-taken``); Invalid naming every fault.
    """
    stored = load(writer, key)
    entries.demand(stored, if_version)
    sent: CollectionInput = edit(stored.resource)
    faults = entries.read_only(sent, {name: stored.row[name] for name in ("id", "version", "created_at")})
    faults += _unfit(writer, sent.articles)
    entries.refuse([*faults, *_unlike_a_slug(sent.slug, stored.key)])
    slug = sent.slug or stored.row["slug"]
    if slug != stored.row["slug"] and _is_there(writer, slug):
        raise _slug_taken()
    values = {"slug": slug, "title": sent.title, "description": sent.description}
    return _store(writer, stored, values, sent.articles)


def add(writer: Writer, key: str, sent: Addition, if_version: IfVersion) -> Entry:
    """The collection with one article more.

    Raises: NotFound; Stale; Conflict (``merged``, ``article-in-collection``); Invalid.
    """

    def put(held: list[str]) -> None:
        if sent.id in held:
            raise Conflict("article-in-collection", "The collection holds this article already: move it.")
        faults = [Fault(fault.code, fault.detail, pointer="/id") for fault in _unfit(writer, [sent.id])]
        if len(held) == ARTICLES:
            faults.append(Fault("too-many-articles", f"A collection holds at most {ARTICLES:,} articles.", pointer=""))
        entries.refuse(faults)
        _insert(held, sent.id, sent)

    return _reordered(writer, key, if_version, put)


def move(writer: Writer, key: str, article_id: str, target: Move, if_version: IfVersion) -> Entry:
    """The collection with one of its articles elsewhere.

    Raises: NotFound (``article-unknown`` where it does not hold it, too); Stale; Conflict (``merged``); Invalid.
    """

    def put(held: list[str]) -> None:
        _take(held, article_id)
        if target.before is None and target.after is None:
            raise _missed("", "Give one of `before` and `after`.")
        _insert(held, article_id.lower(), target)

    return _reordered(writer, key, if_version, put)


def take_out(writer: Writer, key: str, article_id: str, if_version: IfVersion) -> Entry:
    """The collection without one of its articles.

    Raises: NotFound (``article-unknown`` where it does not hold it, too); Stale; Conflict (``merged``).
    """
    return _reordered(writer, key, if_version, lambda held: _take(held, article_id))


def forget(writer: Writer, article_id: str) -> None:
    """Take an article, which is about to be removed for good, out of every collection."""
    for row in writer.rows(_HOLDERS, {"article": article_id}):
        take_out(writer, row["collection_id"], article_id, None)


def merge(writer: Writer, key: str, into: str, if_version: IfVersion) -> Entry:
    """Let the collection be one with ``into``, which is returned: it gets the articles it lacks, at its end.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid (``target-invalid``).
    """
    before = load(writer, key)
    there = entries.merge(writer, collections, load, (key, into), if_version)
    if before.merged_into is not None:
        return there
    held = list(dict.fromkeys([*there.resource["articles"], *before.resource["articles"]]))
    if len(held) > ARTICLES:
        raise entries.missed(f"A collection holds at most {ARTICLES:,} articles.")
    _arrange(writer, before.key, [])
    writer.touched.add("collections")
    audit.record(writer, "collection.merged", before.key, before.version, before.version + 1)
    return _store(writer, there, {}, held)


def remove(writer: Writer, key: str, if_version: IfVersion) -> None:
    """Remove a collection, and what was merged into it; its articles stay as they are.

    Raises: NotFound; Stale; Conflict (``merged``).
    """
    stored = load(writer, key)
    entries.demand(stored, if_version)
    entries.remove(writer, collections, stored.key)
    writer.touched.add("collections")
    audit.record(writer, "collection.deleted", stored.key, stored.version)


def _reordered(writer: Writer, key: str, if_version: IfVersion, put: Callable[[list[str]], None]) -> Entry:
    stored = load(writer, key)
    entries.demand(stored, if_version)
    held: list[str] = list(stored.resource["articles"])
    put(held)
    return _store(writer, stored, {}, held)


def _store(writer: Writer, stored: Entry, values: Mapping[str, Any], held: Sequence[str]) -> Entry:
    """The next version of a collection, where anything differs."""
    reordered = stored.resource["articles"] != held
    if not entries.store(writer, collections, stored, values, beside=reordered):
        return stored
    if reordered:
        _arrange(writer, stored.key, held)
    writer.touched.add("collections")
    audit.record(writer, "collection.updated", stored.key, stored.version, stored.version + 1)
    return load(writer, stored.key)


def _arrange(writer: Writer, collection_id: str, held: Sequence[str]) -> None:
    """Let the collection hold these articles in this order; only the rows that differ are written."""
    before = _places(writer, [collection_id])[collection_id]
    now = places.arranged(before, held)
    gone = [each for each in before if each not in now]
    if gone:
        writer.execute(_TAKE_OUT, {"collection": collection_id, "gone": gone})
    changed = [(each, place) for each, place in now.items() if each in before and before[each] != place]
    if changed:
        writer.execute(_PLACE, [{"collection": collection_id, "article": each, "now": at} for each, at in changed])
    new = [{"collection_id": collection_id, "article_id": each, "place": now[each]} for each in now.keys() - before]
    if new:
        writer.execute(collection_articles.insert(), new)


def _places(reader: Reader, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The articles of each of these collections in their order, with their places."""
    found: dict[str, dict[str, str]] = {id: {} for id in ids}
    for row in reader.rows(_MEMBERS, {"collections": ids}) if ids else ():
        found[row["collection_id"]][row["article_id"]] = row["place"]
    return found


def _unfit(reader: Reader, held: Sequence[str]) -> list[Fault]:
    """The faults of articles that are not there, or named more than once."""
    known = {row["id"] for row in reader.rows(_KNOWN, {"ids": held})} if held else set()
    faults, seen = [], set()
    for at, each in enumerate(held):
        if each not in known:
            faults.append(Fault("article-unknown", "There is no such article.", pointer=f"/articles/{at}"))
        elif each in seen:
            detail = "The collection holds an article once."
            faults.append(Fault("article-repeated", detail, pointer=f"/articles/{at}"))
        seen.add(each)
    return faults


def _unlike_a_slug(slug: str | None, id: str) -> Iterable[Fault]:
    if slug is not None and text.uuid_shaped(slug) and slug != id:
        yield Fault("slug-invalid", "A slug is not shaped like a UUID.", pointer="/slug")


def _is_there(reader: Reader, key: str) -> bool:
    return reader.row(select(collections.c.id).where(named(key))) is not None


def _take(held: list[str], article_id: str) -> None:
    if article_id.lower() not in held:
        raise NotFound("article-unknown", "The collection does not hold such an article.")
    held.remove(article_id.lower())


def _insert(held: list[str], article_id: str, target: Move) -> None:
    if target.before is not None and target.after is not None:
        raise _missed("", "Give one of `before` and `after`, not both.")
    name = "before" if target.before is not None else "after"
    beside = target.before or target.after
    if beside is None:
        held.append(article_id)
    elif beside not in held:
        raise _missed(f"/{name}", "No other article of the collection has this id.")
    else:
        held.insert(held.index(beside) + (name == "after"), article_id)


def _missed(pointer: str, detail: str) -> Invalid:
    return Invalid("validation", "It cannot be put there.", (Fault("target-invalid", detail, pointer=pointer),))


def _slug_taken() -> Conflict:
    detail = "Another collection has this slug, or had it until it was merged."
    return Conflict("slug-taken", detail, (Fault("slug-taken", detail, pointer="/slug"),))


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [collections.c.merged_into.is_(None)]
    if filters.article is not None:
        holding = select(collection_articles.c.collection_id).where(collection_articles.c.article_id == filters.article)
        conditions.append(collections.c.id.in_(holding))
    return conditions


def _resource(row: Row, held: Iterable[str]) -> dict[str, Any]:
    return {name: list(held) if name == "articles" else row[name] for name in CollectionInput.model_fields}
