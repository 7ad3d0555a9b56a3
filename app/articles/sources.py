"""The ledger of sources: one row for each published piece, found by its canonical URL.

What a citation prints is the citation's own. What a change does to readers is done in ``app/publishing/ledger.py``:
nobody else changes, merges or removes a source.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import idna
from sqlalchemy import Column, ColumnElement, ForeignKey, Index, Integer, Table, Text, func, select, update

from app.access import audit
from app.articles import entries, publishers
from app.articles.document import Citation, CitedPublisher, CitedSource, Image
from app.articles.entries import Edit, Entry, Found, IfVersion, SourceInput
from app.articles.fields import new_id
from app.database import Instant, Json, Key, Reader, Row, Writer, is_one_of, metadata
from app.errors import Conflict, Fault, NotFound

sources = Table(
    "sources",
    metadata,
    Column("id", Key, primary_key=True),
    Column("url", Text, nullable=False),
    Column("canonical_url", Text, nullable=False),
    # The unique value is a digest: an address may be longer than what PostgreSQL can index.
    Column("canonical_sha256", Key, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("publisher_id", Key, ForeignKey("publishers.id")),
    Column("published_on", Key),
    Column("authors", Json, nullable=False),
    Column("language", Key),
    Column("type", Key, nullable=False),
    Column("image", Json),
    Column("archive_urls", Json, nullable=False),
    Column("note", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("merged_into", Key, ForeignKey("sources.id")),
)
Index("ix_sources_publisher_id", sources.c.publisher_id)

DEFAULT_TYPE = "article-newspaper"
_TRACKING = re.compile(r"^(utm_.*|gclid|fbclid|yclid)$", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_CITED = (
    select(
        sources.c.id,
        sources.c.url,
        sources.c.canonical_url,
        sources.c.title,
        sources.c.published_on,
        sources.c.authors,
        sources.c.language,
        sources.c.type,
        sources.c.image,
        sources.c.merged_into,
        publishers.publishers.c.id.label("publisher_id"),
        publishers.publishers.c.name.label("publisher_name"),
    )
    .select_from(sources)
    .outerjoin(publishers.publishers, publishers.publishers.c.id == sources.c.publisher_id)
)
_BY_ID = _CITED.where(is_one_of(sources.c.id, "ids"))
_BY_DIGEST = _CITED.where(is_one_of(sources.c.canonical_sha256, "digests"))


_ENTRY = select(sources, publishers.publishers.c.name.label("publisher_name")).outerjoin(
    publishers.publishers, publishers.publishers.c.id == sources.c.publisher_id
)
_SAID = ("url", "title", "published_on", "authors", "language", "type", "image", "archive_urls", "note")


@dataclass(frozen=True)
class Filters:
    """Which sources a list holds; None means any. ``url``: in any form; ``publisher``: an id."""

    url: str | None = None
    publisher: str | None = None


def canonical_url(url: str) -> str:
    """The form by which a source is found: whatever names the same piece is the same text.

    https, lower-case IDNA host, no default port, fragment, trailing slash or tracking parameter; everything
    else is kept. ``url`` passed ``fields.web_url``.

    Source: DESIGN, section 2, Ledger.
    """
    parts = urlsplit(url)
    host = host_of(url)
    netloc = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _PORTS[parts.scheme.lower()]:
        netloc = f"{netloc}:{parts.port}"
    kept = [pair for pair in parts.query.split("&") if not _TRACKING.match(pair.partition("=")[0])]
    return urlunsplit(("https", netloc, parts.path.rstrip("/"), "&".join(kept), ""))


def host_of(url: str) -> str:
    """The host of a valid URL, lower case, as IDNA."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def by_ids(reader: Reader, ids: Iterable[str]) -> dict[str, CitedSource]:
    """The sources with these ids as citations carry them; a merged one as what it was merged into."""
    wanted = list(set(ids))
    return _followed(reader, reader.rows(_BY_ID, {"ids": wanted})) if wanted else {}


def link(writer: Writer, citations: Sequence[tuple[str, Citation]]) -> list[Fault]:
    """Tie each citation to its source in the ledger, making those that are not there yet.

    ``citations`` come with the JSON pointers they stand at. Values sent inline that differ from the
    ledger's stay on the citation as printed; a value the citation shares with its source becomes null.
    Returns the faults (``source-unknown``, ``publisher-unknown``) of citations that could not be tied.
    """
    faults: list[Fault] = []
    named = [(at, citation, citation.source.id) for at, citation in citations if citation.source.id]
    inline = [(canonical_url(c.source.url), at, c) for at, c in citations if c.source.id is None and c.source.url]
    known = by_ids(writer, (source_id for _, _, source_id in named))
    for at, citation, source_id in named:
        if source_id not in known:
            faults.append(Fault("source-unknown", "No source has this id.", pointer=f"{at}/source/id"))
        citation.source = known.get(source_id, citation.source)
    found = by_urls(writer, (canonical for canonical, _, _ in inline))
    new: dict[str, tuple[str, Citation]] = {}
    for canonical, at, citation in inline:  # of several that cite what is new the first is what it is made of
        if canonical not in found:
            new.setdefault(canonical, (at, citation))
    if new:
        writer.hold(publishers.MERGING, shared=True)  # before anything is made: a merge waits for us, or we for it
    sent = [citation.source.publisher for _, citation in new.values()]
    names = dict.fromkeys(publisher.name for publisher in sent if publisher and not publisher.id and publisher.name)
    settled = publishers.settle(writer, names)
    # Of sources, too, one order for all writers: two that make the same ones cannot deadlock.
    rows: dict[str, Row] = {}
    for canonical, (at, citation) in sorted(new.items()):
        publisher_id, fault = _publisher(writer, settled, canonical, citation, at)
        faults += [fault] if fault else []
        rows |= {} if fault else {canonical: _row(writer, canonical, citation, publisher_id)}
    if rows:
        writer.insert_all_absent(sources, list(rows.values()))
        found |= by_urls(writer, rows)  # those that a concurrent writer made first are theirs
    for canonical, _, citation in inline:
        source = found.get(canonical)
        if source is not None:
            _keep_printed(citation, source)
            citation.source = source
    return faults


def cited(row: Row) -> CitedSource:
    """A row of the ledger (joined with its publisher) in the shape a citation carries."""
    publisher = None
    if row["publisher_id"] is not None:
        publisher = CitedPublisher.model_construct(id=row["publisher_id"], name=row["publisher_name"])
    return CitedSource.model_construct(
        id=row["id"],
        url=row["url"],
        title=row["title"],
        publisher=publisher,
        published_on=row["published_on"],
        authors=row["authors"],
        language=row["language"],
        type=row["type"],
        image=Image.model_construct(**row["image"]) if row["image"] else None,
    )


def by_urls(reader: Reader, canonicals: Iterable[str]) -> dict[str, CitedSource]:
    """The sources with these canonical URLs as citations carry them, by that URL."""
    digests = list({_digest(canonical) for canonical in canonicals})
    rows = reader.rows(_BY_DIGEST, {"digests": digests}) if digests else []
    targets = _followed(reader, rows)
    return {row["canonical_url"]: targets[row["id"]] for row in rows}


def _followed(reader: Reader, rows: Sequence[Row]) -> dict[str, CitedSource]:
    """The sources in these rows by id; a merged one as what it was merged into."""
    found = {row["id"]: cited(row) for row in rows if row["merged_into"] is None}
    merged = {row["id"]: row["merged_into"] for row in rows if row["merged_into"] is not None}
    if merged:
        targets = by_ids(reader, merged.values())
        found |= {old: targets[new] for old, new in merged.items()}
    return found


def at(url: str) -> ColumnElement[bool]:
    """Whether a source is the one that this address, in any form, leads to, merges followed."""
    same = sources.alias()
    here = same.c.canonical_sha256 == _digest(canonical_url(url))
    return sources.c.id.in_(select(func.coalesce(same.c.merged_into, same.c.id)).where(here))


def load(reader: Reader, key: str) -> Entry:
    """The source with this id, also one that was merged.

    Raises: NotFound (``source-unknown``).
    """
    row = reader.row(_ENTRY.where(sources.c.id == key.lower()))
    if row is None:
        raise NotFound("source-unknown", "There is no such source.")
    return Entry(row["id"], row, _resource(row))


def listed(reader: Reader, filters: Filters, after: str | None, limit: int) -> Found:
    """Up to ``limit`` sources behind the id ``after``, the newest in the ledger first, each with its id."""
    query = _ENTRY.where(*_conditions(filters))
    if after is not None:
        query = query.where(sources.c.id < after)
    return [(row["id"], _resource(row)) for row in reader.rows(query.order_by(sources.c.id.desc()).limit(limit))]


def count(reader: Reader, filters: Filters, cap: int | None) -> int:
    """How many sources the list holds; counting stops one beyond ``cap``."""
    return entries.counted(reader, select(sources.c.id).where(*_conditions(filters)), cap)


def create(writer: Writer, sent: SourceInput) -> Entry:
    """A new source; where no publisher is said, it is the one at the host of its URL.

    Raises: Invalid; Conflict (``source-url-taken``).
    """
    writer.hold(publishers.MERGING, shared=True)
    fixed = {"version": 1, "created_at": writer.stamp, "canonical_url": canonical_url(sent.url)}
    faults = entries.read_only(sent, fixed)
    if sent.id and writer.row(select(sources.c.id).where(sources.c.id == sent.id)):
        faults.append(Fault("id-taken", "Another source has this id.", pointer="/id"))
    values = _values(writer, sent, faults)
    entries.refuse(faults)
    if "publisher" not in sent.model_fields_set:
        values["publisher_id"] = publishers.find_by_host(writer, host_of(sent.url))
    row = values | {"id": sent.id or new_id(), "version": 1, "created_at": writer.stamp, "updated_at": writer.stamp}
    if not writer.insert_absent(sources, row):
        raise _url_taken()
    audit.record(writer, "source.created", row["id"], None, 1)
    return load(writer, row["id"])


def adopt(writer: Writer, sent: SourceInput, merged_into: str | None) -> None:
    """Store a source as it was elsewhere, with its id, version and times; none of its id is here.

    Of one that was merged, whose address is another's here, the id alone leads on.
    Raises: Invalid (``publisher-unknown``); Conflict (``source-url-taken``).
    """
    faults: list[Fault] = []
    values = _values(writer, sent, faults)
    entries.refuse(faults)
    origin = entries.origin(writer, sent)
    if merged_into is not None:
        canonical = canonical_url(sent.canonical_url or sent.url)  # it may have exchanged addresses with the other
        if by_urls(writer, [canonical]):
            canonical = f"{canonical}#{origin['id']}"  # which no address leads to: their fragments are dropped
        values |= {"canonical_url": canonical, "canonical_sha256": _digest(canonical)}
    row = values | origin | {"merged_into": merged_into}
    if not writer.insert_absent(sources, row):
        raise _url_taken()
    audit.record(writer, "source.created", row["id"], None, row["version"])


def change(writer: Writer, key: str, if_version: IfVersion, edit: Edit) -> Entry:
    """The source after ``edit`` of its resource; what changes nothing keeps the version.

    Raises: NotFound; Stale; Conflict (``merged``, ``source-url-taken``); Invalid.
    """
    stored = load(writer, key)
    entries.demand(stored, if_version)
    sent: SourceInput = edit(stored.resource)
    fixed = ("id", "canonical_url", "version", "created_at")
    faults = entries.read_only(sent, {name: stored.row[name] for name in fixed})
    values = _values(writer, sent, faults)
    entries.refuse(faults)
    there = select(sources).where(sources.c.canonical_sha256 == values["canonical_sha256"], sources.c.id != stored.key)
    holder = writer.row(there)
    if holder is not None and holder["merged_into"] != stored.key:
        raise _url_taken()
    if holder is not None:  # it leads here anyway: the two exchange addresses
        _move_url(writer, holder["id"], holder["canonical_url"], holder["id"])
    changed = entries.store(writer, sources, stored, values)
    if holder is not None:
        _move_url(writer, holder["id"], stored.row["canonical_url"], stored.row["canonical_sha256"])
    return load(writer, stored.key) if changed else stored


def merge(writer: Writer, key: str, into: str, if_version: IfVersion) -> Entry:
    """Let the source be one with ``into``, which is returned: who names the one or its URL gets the other.

    Raises: NotFound; Stale; Conflict (``merged``); Invalid (``target-invalid``).
    """
    return entries.merge(writer, sources, load, (key, into), if_version)


def move(writer: Writer, before: str, now: str) -> None:
    """Let every source of the publisher ``before`` be one of the publisher ``now``."""
    changed = {"publisher_id": now, "version": sources.c.version + 1, "updated_at": writer.stamp}
    writer.execute(update(sources).where(sources.c.publisher_id == before).values(**changed))


def remove(writer: Writer, key: str) -> None:
    """Remove a source that nothing cites, and what was merged into it."""
    entries.remove(writer, sources, key)


def _publisher(
    writer: Writer, settled: Mapping[str, str], canonical: str, citation: Citation, at: str
) -> tuple[str | None, Fault | None]:
    """The id of the publisher of a source that is new, if it has one, or what is wrong with it."""
    sent = citation.source.publisher
    if sent and sent.id:
        known = publishers.find(writer, sent.id)
        pointer = f"{at}/source/publisher/id"
        return known, None if known else Fault("publisher-unknown", "No publisher has this id.", pointer=pointer)
    if sent and sent.name:
        return settled[sent.name], None
    return publishers.find_by_host(writer, host_of(canonical)), None


def _row(writer: Writer, canonical: str, citation: Citation, publisher_id: str | None) -> Row:
    """A source made from the printed values: what was sent inline, else what the citation prints."""
    sent = citation.source
    title = sent.title if sent.title is not None else citation.display_title
    return {
        "id": new_id(),
        "url": sent.url,
        "canonical_url": canonical,
        "canonical_sha256": _digest(canonical),
        "title": title or "",
        "publisher_id": publisher_id,
        "published_on": sent.published_on or citation.published_on,
        "authors": sent.authors or [],
        "language": sent.language,
        "type": sent.type or DEFAULT_TYPE,
        "image": sent.image.model_dump() if sent.image else None,
        "archive_urls": [],
        "version": 1,
        "created_at": writer.stamp,
        "updated_at": writer.stamp,
    }


def _values(writer: Writer, sent: SourceInput, faults: list[Fault]) -> dict[str, Any]:
    """The columns that the sent source fills; its publisher is found, or made by its name."""
    canonical = canonical_url(sent.url)
    said = sent.model_dump(include=set(_SAID))
    said |= {"canonical_url": canonical, "canonical_sha256": _digest(canonical), "publisher_id": None}
    if sent.publisher and sent.publisher.id:
        said["publisher_id"] = publishers.find(writer, sent.publisher.id)
        if said["publisher_id"] is None:
            faults.append(Fault("publisher-unknown", "No publisher has this id.", pointer="/publisher/id"))
    elif sent.publisher and sent.publisher.name:
        name = sent.publisher.name
        said["publisher_id"] = publishers.settle(writer, [name])[name]
    return said


def _resource(row: Row) -> dict[str, Any]:
    publisher = {"id": row["publisher_id"], "name": row["publisher_name"]} if row["publisher_id"] else None
    order = SourceInput.model_fields
    return {name: publisher if name == "publisher" else row[name] for name in order}


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [sources.c.merged_into.is_(None)]
    if filters.publisher is not None:
        conditions.append(sources.c.publisher_id == filters.publisher)
    if filters.url is not None:
        conditions.append(at(filters.url))
    return conditions


def _move_url(writer: Writer, id: str, canonical: str, sha256: str) -> None:
    where = {"canonical_url": canonical, "canonical_sha256": sha256}
    writer.execute(update(sources).where(sources.c.id == id).values(**where))


def _url_taken() -> Conflict:
    detail = "Another source of the ledger has this address; merge the two."
    return Conflict("source-url-taken", detail, (Fault("source-url-taken", detail, pointer="/url"),))


def _digest(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()


def _keep_printed(citation: Citation, source: CitedSource) -> None:
    sent = citation.source
    sent_publisher = sent.publisher.name if sent.publisher and sent.publisher.id is None else None
    ledger_publisher = source.publisher.name if source.publisher else ""
    citation.display_title = _differing(citation.display_title, sent.title, source.title)
    citation.publisher_text = _differing(citation.publisher_text, sent_publisher, ledger_publisher)
    citation.published_on = _differing(citation.published_on, sent.published_on, source.published_on)
    citation.url = _differing(citation.url, sent.url, source.url)
    printed_image = citation.image or sent.image
    citation.image = None if printed_image == source.image else printed_image


def _differing(printed: str | None, sent: str | None, ledger: str | None) -> str | None:
    value = printed if printed is not None else sent
    return None if value == ledger else value
