"""Publish and withdraw: snapshot, public rows, search index, change number, all in one transaction.

What stands between a draft and this is in ``checks.py``, what else an article goes through in ``lifecycle.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.access import audit
from app.articles import drafts, slugs
from app.articles.drafts import Draft, IfVersion
from app.database import Writer
from app.delivery import parts, shapes, snapshots
from app.errors import Conflict
from app.publishing import checks
from app.publishing.checks import AS_USUAL, Check, Terms
from app.search import index
from app.sync import changes
from app.sync.changes import Change

PUBLIC = "public"
"""What a Writer holds before it reads anything it makes public: shared for one article, alone for the ledger."""

_PUBLISHABLE = {"draft", "published", "unpublished"}


@dataclass(frozen=True)
class Publication:
    """What publishing or withdrawing did; ``etag`` is the article's address's, None when withdrawn."""

    id: str
    slug: str
    version: int
    status: str
    published_at: str | None
    changed: bool
    etag: str | None
    sync: str
    warnings: list[Check]


def publish(writer: Writer, key: str, if_version: IfVersion, terms: Terms = AS_USUAL) -> Publication:
    """Make the working copy public: exactly what readers, lists and mirrors see from the commit on.

    A reason to override failed checks is recorded, and they are among the warnings.
    Raises: NotFound; Stale; Conflict (``transition``); Invalid (``checks-failed``).
    """
    writer.hold(PUBLIC, shared=True)
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    if draft.status not in _PUBLISHABLE:
        raise Conflict("transition", "An archived or trashed article cannot be published; restore it first.")
    found = checks.demand(writer, draft.document, terms)
    article = proposed(draft, writer.stamp)
    first = article["published_at"]
    public = snapshots.stored_content(writer, draft.id)
    changed = public is None or public[0] != snapshots.content_sha256(article)
    touched = [draft.id]
    if changed or public is None:
        touched += snapshots.claim_external_ids(writer, article)
        frozen = snapshots.put(writer, article)
        etag = frozen.etag
        parts.put(writer, article)
        index.put(writer, frozen.body)
    else:
        etag = public[2]
    _record(writer, draft, first)
    if changed or _moves(draft):
        if checks.errors(found):
            writer.reason = terms.override_reason
            audit.record(writer, "article.checks-overridden", draft.id, draft.version, draft.version)
        audit.record(writer, "article.published", draft.id, draft.facts["published_version"], draft.version)
    slug = article["slug"]
    change = Change(surrogate_keys(touched), slug, shapes.traits(article))
    sync = changes.append(writer, {draft.id: change}) if changed else changes.token(writer)
    return Publication(draft.id, slug, draft.version, "published", first, changed, etag, sync, found)


def proposed(draft: Draft, now: str) -> shapes.Shape:
    """The public article that publishing the working copy at the instant ``now`` makes of it."""
    return shapes.article(draft.document, draft.facts["first_published_at"] or now, now)


def unpublish(writer: Writer, key: str, if_version: IfVersion) -> Publication:
    """Take the article from the readers; its working copy stays.

    Raises: NotFound; Stale; Conflict (``transition``) where it was never public, or is archived or trashed.
    """
    writer.hold(PUBLIC, shared=True)
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    if draft.status not in {"published", "unpublished"}:
        raise Conflict("transition", "Only a published article can be unpublished.")
    changed = draft.status == "published"
    if changed:
        drafts.set_facts(writer, draft.id, status="unpublished", unpublish_at=None)
        audit.record(writer, "article.unpublished", draft.id, draft.facts["published_version"])
    sync = withdraw(writer, draft) if changed else changes.token(writer)
    slug, first = str(draft.document.slug), draft.facts["first_published_at"]
    return Publication(draft.id, slug, draft.version, "unpublished", first, changed, None, sync, [])


def withdraw(writer: Writer, draft: Draft) -> str:
    """Drop what readers see of a published article, whose status the caller changes; the feed's token.

    The caller holds ``PUBLIC``; the tombstone's number is taken last.
    """
    snapshots.drop(writer, draft.id)
    parts.drop(writer, draft.id)
    index.drop(writer, draft.id)
    drafts.set_facts(writer, draft.id, public_slug=None, published_version=None)
    slugs.settle(writer, draft.id, working=str(draft.document.slug), public=None)
    change = Change(surrogate_keys([draft.id]), draft.facts["public_slug"], None)
    return changes.append(writer, {draft.id: change})


def reindex(writer: Writer, after: str | None, limit: int) -> str | None:
    """Read the next published articles for search anew; the id of the last, None where there are no more.

    Meanwhile readers find all articles, those that are done by the new reading. Raises: Busy.
    """
    writer.hold(PUBLIC)
    index.unmark(writer)
    ids = snapshots.ids(writer, after, limit)
    for id in ids:
        found = snapshots.read(writer, id)
        if found is not None:
            index.put(writer, found.body)
    if not ids:
        index.mark(writer)
        return None
    return ids[-1]


def surrogate_keys(article_ids: Sequence[str]) -> list[str]:
    """The cache keys that a change touches: the addresses of these articles, and every list."""
    return [*(f"article-{id}" for id in article_ids), "articles"]


def _moves(draft: Draft) -> bool:
    """Whether publishing changes facts of the article's life, though readers see the same."""
    facts = draft.facts
    planned = facts["in_review"] or facts["publish_at"]
    return bool(planned) or facts["status"] != "published" or facts["published_version"] != draft.version


def _record(writer: Writer, draft: Draft, first_published_at: str) -> None:
    slug = str(draft.document.slug)
    slugs.settle(writer, draft.id, working=slug, public=slug)
    facts = {"status": "published", "published_version": draft.version, "public_slug": slug}
    over = {"in_review": False, "publish_at": None}  # what was reviewed or planned is public now
    drafts.set_facts(writer, draft.id, first_published_at=first_published_at, **facts, **over)
