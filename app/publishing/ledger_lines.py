"""Bring in the lines of what articles name: the site, publishers, sources, tags, collections.

Articles and their revisions are brought in by ``incoming.py``, which asks who may; what a merge or a change does to
readers is done in ``ledger.py``.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from app.articles import collections, publishers, site, sources, tags
from app.articles.collections import CollectionInput
from app.articles.document import CitedPublisher, Shape, Site
from app.articles.entries import Kind, PublisherInput, SourceInput, TagInput
from app.articles.fields import Id, Instant, Slug, Url
from app.database import Writer
from app.errors import Fault, Invalid, NotFound
from app.formats.bundle import Version
from app.publishing import ledger
from app.publishing.ledger import Of

Outcome = Literal["created", "updated", "unchanged"]
_OWN = {"version": None, "created_at": None, "updated_at": None}
"""What of an entry only its own instance decides."""


class PublisherLine(PublisherInput):
    """A publisher; ``merged``: those that were merged into it, whose names are its own since."""

    kind: Literal["publisher"]
    version: Version | None = None
    merged_into: Id | None = None
    merged: Annotated[list[Id], Field(max_length=10_000, default_factory=list)]


class SourceLine(SourceInput):
    """A source."""

    kind: Literal["source"]
    version: Version | None = None
    canonical_url: Url | None = None
    merged_into: Id | None = None


class TagLine(TagInput):
    """A tag."""

    kind: Literal["tag"]
    version: Version | None = None
    merged_into: Slug | None = None


class CollectionLine(CollectionInput):
    """A collection."""

    kind: Literal["collection"]
    version: Version | None = None
    merged_into: Id | None = None


class SiteLine(Shape):
    """The site."""

    kind: Literal["site"]
    version: Version = 1
    updated_at: Instant | None = None
    document: Site


def bring(writer: Writer, sent: Any) -> Outcome:
    """What became of the line that is ``sent``, one of ``SHAPES``. Raises what changing such an entry raises."""
    return _BRING[sent.kind](writer, sent)


def outcome(before: int, after: int) -> Outcome:
    """What became of something that was here, by its versions."""
    return "unchanged" if before == after else "updated"


def _site(writer: Writer, sent: SiteLine) -> Outcome:
    if site.adopt(writer, sent.document, sent.version, sent.updated_at):
        return "created"
    before = site.load(writer).version
    return outcome(before, site.save(writer, sent.document, None).version)


def _publisher(writer: Writer, sent: PublisherLine) -> Outcome:
    if not sent.id or publishers.find(writer, sent.id) is None:
        here = publishers.find_by_name(writer, sent.name) if sent.merged_into is None else None
        if here is not None and sent.id is None:
            return "unchanged"
        # One that is here under another id leads there by its own: what names it finds it.
        publishers.adopt(writer, sent, here or _led_on(writer, sent.merged_into, "publisher"))
        return "created"
    before = ledger.load(writer, Of("publisher", sent.id)).version
    for other in sent.merged if sent.merged_into is None else ():
        if publishers.find(writer, other) == other:  # here it is one by itself still
            ledger.merge(writer, Of("publisher", other), sent.id, None, _permitted)
    _entry(writer, Of("publisher", sent.id), sent, sent.merged_into)
    return outcome(before, ledger.load(writer, Of("publisher", sent.id)).version)


def _source(writer: Writer, sent: SourceLine) -> Outcome:
    if sent.publisher is not None and sent.publisher.id and publishers.find(writer, sent.publisher.id) is None:
        sent.publisher = CitedPublisher(name=sent.publisher.name)
    if not sent.id or not sources.by_ids(writer, [sent.id]):
        canonical = sources.canonical_url(sent.canonical_url or sent.url)
        here = sources.by_urls(writer, [canonical]).get(canonical)
        if here is not None and sent.id is None:
            return "unchanged"
        sources.adopt(writer, sent, here.id if here else _led_on(writer, sent.merged_into, "source"))
        return "created"
    sent.canonical_url = None
    return _entry(writer, Of("source", sent.id), sent, sent.merged_into)


def _tag(writer: Writer, sent: TagLine) -> Outcome:
    try:
        tags.load(writer, sent.slug)
    except NotFound:
        tags.adopt(writer, sent, _led_on(writer, sent.merged_into, "tag"))
        return "created"
    return _entry(writer, Of("tag", sent.slug), sent, sent.merged_into)


def _led_on(writer: Writer, merged_into: str | None, kind: Kind | None) -> str | None:
    """What an entry of this kind, None: a collection, was merged into, or that by now: nothing leads over two steps.

    Raises: Invalid (``target-invalid``) where that is not here.
    """
    if merged_into is None:
        return None
    try:
        there = ledger.load(writer, Of(kind, merged_into)) if kind else collections.load(writer, merged_into)
    except NotFound:
        detail = "What it was merged into is not here."
        raise Invalid("validation", detail, (Fault("target-invalid", detail, pointer="/merged_into"),)) from None
    return there.merged_into or merged_into


def _entry(writer: Writer, of: Of, sent: Any, merged_into: str | None) -> Outcome:
    """Change an entry of the ledger that is here, as its PUT would, or merge it."""
    before = ledger.load(writer, of)
    if before.merged_into is not None:  # it stays what it was made here
        return "unchanged"
    if merged_into is not None:
        into = str(_led_on(writer, merged_into, of.kind))
        if into == before.key:
            return "unchanged"  # the two lead the other way here
        ledger.merge(writer, of, into, None, _permitted)
        return "updated"
    fresh = sent.model_copy(update=_OWN)
    change = ledger.change(writer, of, None, lambda _: fresh, _permitted)
    return outcome(before.version, change.entry.version)


def _collection(writer: Writer, sent: CollectionLine) -> Outcome:
    try:
        before = collections.load(writer, sent.id or "")
    except NotFound:
        collections.adopt(writer, sent, _led_on(writer, sent.merged_into, None))
        return "created"
    if before.merged_into is not None:
        return "unchanged"
    if sent.merged_into is not None:
        collections.merge(writer, before.key, sent.merged_into, None)
        return "updated"
    fresh = sent.model_copy(update=_OWN)
    return outcome(before.version, collections.change(writer, before.key, None, lambda _: fresh).version)


def _permitted() -> None:
    """Whoever may bring in entries of the ledger may change what readers see."""


SHAPES: Mapping[str, type[Shape]] = {
    "site": SiteLine,
    "publisher": PublisherLine,
    "source": SourceLine,
    "tag": TagLine,
    "collection": CollectionLine,
}
_BRING: Mapping[str, Callable[[Writer, Any], Outcome]] = {
    "site": _site,
    "publisher": _publisher,
    "source": _source,
    "tag": _tag,
    "collection": _collection,
}
