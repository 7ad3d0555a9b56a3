"""The ledger changes: every published article that carries the changed entry is rewritten, frozen, indexed, numbered.

A source, a publisher or a tag is changed, merged and removed here and nowhere else; its row is its owner module's.
Working copies hold ids and need no rewriting; publishing one article is in ``publish.py``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, func, select

from app.access import audit
from app.articles import entries, publishers, sources, tags
from app.articles.entries import Edit, Entry, IfVersion, Kind, Room
from app.articles.tables import article_tags, citations
from app.database import Reader, Writer
from app.delivery import shapes, snapshots
from app.delivery.parts import public_citations, public_tags
from app.delivery.shapes import Shape
from app.errors import Conflict
from app.publishing import publish
from app.publishing.publish import PUBLIC
from app.sync import changes, jobs, webhooks
from app.sync.jobs import Job, Lease

AT_ONCE = 500
"""How many articles are rewritten in the transaction of the change; where there are more, a job does it."""
STEP = 50
"""How many articles a step of the job rewrites: as long as no publication should have to wait."""
JOB = "ledger"

_ROOMS: Mapping[Kind, Room] = {"source": sources, "publisher": publishers, "tag": tags}
_PUBLIC: Mapping[Kind, tuple[Table, str]] = {
    "source": (public_citations, "source_id"),
    "publisher": (public_citations, "publisher_id"),
    "tag": (public_tags, "tag"),
}
_NAMED: Mapping[Kind, tuple[Table, ColumnElement[Any]]] = {
    "source": (sources.sources, citations.c.source_id),
    "publisher": (publishers.publishers, sources.sources.c.publisher_id),
    "tag": (tags.tags, article_tags.c.tag),
}
_IN_USE: Mapping[Kind, tuple[str, str]] = {
    "source": ("source-in-use", "An article cites this source; merge it into another instead."),
    "publisher": ("publisher-in-use", "A source is of this publisher; merge it into another instead."),
    "tag": ("tag-in-use", "An article bears this tag; merge it into another instead."),
}
Demand = Callable[[], None]
"""Raises Forbidden unless the caller may change what is public."""


class Of(NamedTuple):
    """Which entry: its kind, and its id or slug."""

    kind: Kind
    key: str


@dataclass(frozen=True)
class Change:
    """The entry as it stands now, and the job that brings it to the readers where that is not done yet."""

    entry: Entry
    job: Job | None


def load(reader: Reader, of: Of) -> Entry:
    """The entry, also one that was merged. Raises: NotFound."""
    return _ROOMS[of.kind].load(reader, of.key)


def change(writer: Writer, of: Of, if_version: IfVersion, edit: Edit, demand: Demand) -> Change:
    """Change an entry, for readers at once.

    Raises: NotFound; Stale; Forbidden; Conflict; Invalid.
    """
    before = _begin(writer, of)
    public = _is_public(writer, of.kind, before.key)
    if public:
        demand()
    entry = _ROOMS[of.kind].change(writer, of.key, if_version, edit)
    if entry.version == before.version:
        return Change(entry, None)
    if public:
        writer.touched.add(f"{of.kind}s")
    audit.record(writer, f"{of.kind}.updated", entry.key, before.version, entry.version)
    return Change(entry, _carry(writer, of.kind, entry.key))


def merge(writer: Writer, of: Of, into: str, if_version: IfVersion, demand: Demand) -> Change:
    """Let an entry be one with another, for readers at once; the other is what is returned.

    Raises: NotFound; Stale; Forbidden; Conflict (``merged``); Invalid (``target-invalid``).
    """
    before = _begin(writer, of)
    if of.kind == "publisher":
        writer.hold(publishers.MERGING)
    entry = _ROOMS[of.kind].merge(writer, of.key, into, if_version)
    if of.kind == "publisher":
        sources.move(writer, before.key, entry.key)
    if any(_is_public(writer, of.kind, each) for each in (before.key, entry.key)):
        demand()
        writer.touched.add(f"{of.kind}s")
    if before.merged_into is None:
        audit.record(writer, f"{of.kind}.merged", before.key, before.version, before.version + 1)
    if of.kind != "source":
        webhooks.follow(writer, of.kind, before.key, entry.key)
    return Change(entry, _carry(writer, of.kind, before.key))


def remove(writer: Writer, of: Of, if_version: IfVersion) -> None:
    """Remove an entry that nothing uses, no working copy either.

    Raises: NotFound; Stale; Conflict (``merged``, ``source-in-use``, ``publisher-in-use``, ``tag-in-use``).
    """
    entry = _begin(writer, of)
    entries.demand(entry, if_version)
    if _is_public(writer, of.kind, entry.key) or _is_used(writer, of.kind, entry.key):
        raise Conflict(*_IN_USE[of.kind])
    _ROOMS[of.kind].remove(writer, entry.key)
    audit.record(writer, f"{of.kind}.deleted", entry.key, entry.version)


def step(writer: Writer, lease: Lease) -> Lease | None:
    """Rewrite the next articles of a job; the job as it is held on to, None when there is no more to do."""
    writer.hold(PUBLIC)
    payload = lease.payload
    query = _articles(payload["kind"], payload["key"]).where(_column(payload["kind"], "article_id") > payload["after"])
    ids = [row["article_id"] for row in writer.rows(query.limit(STEP))]
    if not ids:
        jobs.finish(writer, lease, {"articles": lease.done})
        return None
    kept = jobs.advance(writer, lease, lease.done + len(ids), payload | {"after": ids[-1]})
    _rewrite(writer, ids)
    return kept


def _begin(writer: Writer, of: Of) -> Entry:
    # Alone: a publication that read the entry before must be seen below, one that comes later reads what is new.
    writer.hold(PUBLIC)
    return _ROOMS[of.kind].load(writer, of.key)


def _carry(writer: Writer, kind: Kind, key: str) -> Job | None:
    """Bring the entry to the articles that carry it: now, or by a job where they are many."""
    query = _articles(kind, key)
    ids = [row["article_id"] for row in writer.rows(query.limit(AT_ONCE + 1))]
    if len(ids) <= AT_ONCE:
        _rewrite(writer, ids)
        return None
    # The first at once: what readers are led to by a merged entry is then there.
    first, total = ids[:STEP], writer.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    payload = {"kind": kind, "key": key, "after": first[-1]}
    job = jobs.create(writer, JOB, payload, (len(first), total))
    _rewrite(writer, first)
    return job


def _rewrite(writer: Writer, article_ids: Sequence[str]) -> None:
    """Freeze those of the published articles anew in which the ledger now says something else; numbered last."""
    changed = {}
    for at in range(0, len(article_ids), STEP):
        found = [snapshots.read(writer, article_id) for article_id in article_ids[at : at + STEP]]
        articles: list[Shape] = [json.loads(each.body) for each in found if each is not None]
        cited = {citation["source"]["id"] for article in articles for citation in shapes.citations(article)}
        ledger = {id: source.model_dump() for id, source in sources.by_ids(writer, cited).items()}
        merged = tags.merged(writer, {tag for article in articles for tag in article["tags"]})
        for article in articles:
            if _bring(article, ledger, merged):
                article["revised_at"] = writer.stamp
                publish.freeze(writer, article, again=True)
                changed[article["id"]] = publish.change(article, [article["id"]])
    if changed:
        changes.append(writer, changed)


def _bring(article: Shape, ledger: Mapping[str, Any], merged: Mapping[str, str]) -> bool:
    """Put what the ledger says into a public article; says whether that changed it."""
    tagged = list(dict.fromkeys(merged.get(tag, tag) for tag in article["tags"]))
    differs: bool = tagged != article["tags"]
    article["tags"] = tagged
    for citation in shapes.citations(article):
        now = ledger[citation["source"]["id"]]
        if now != citation["source"]:
            citation["source"], differs = now, True
    return differs


def _articles(kind: Kind, key: str) -> Select[Any]:
    """The ids of the published articles that carry the entry, in their order."""
    article_id = _column(kind, "article_id")
    return select(article_id).where(_column(kind, _PUBLIC[kind][1]) == key).distinct().order_by(article_id)


def _column(kind: Kind, name: str) -> ColumnElement[Any]:
    return _PUBLIC[kind][0].c[name]


def _is_public(reader: Reader, kind: Kind, key: str) -> bool:
    """Whether readers see the entry: itself, what was merged into it, or soon, by a job that is not done yet."""
    table, named = _PUBLIC[kind]
    conditions = [table.c[named].in_(_itself(_NAMED[kind][0], key))]
    if kind == "publisher":
        its = select(sources.sources.c.id).where(
            sources.sources.c.publisher_id.in_(_itself(publishers.publishers, key))
        )
        merged = select(sources.sources.c.id).where(sources.sources.c.merged_into.in_(its))
        conditions += [public_citations.c.source_id.in_(each) for each in (its, merged)]
    return any(reader.row(select(table.c.article_id).where(each).limit(1)) is not None for each in conditions)


def _is_used(reader: Reader, kind: Kind, key: str) -> bool:
    """Whether the entry, or what was merged into it, is named by a working copy or, a publisher, by a source."""
    table, named = _NAMED[kind]
    return reader.row(select(named).where(named.in_(_itself(table, key))).limit(1)) is not None


def _itself(table: Table, key: str) -> Select[Any]:
    """The entry, and what was merged into it."""
    (id,) = table.primary_key.columns
    return select(id).where((id == key) | (table.c.merged_into == key))
