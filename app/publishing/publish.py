"""Publish and withdraw: snapshot, public rows, search index, change number, all in one transaction.

What stands between a draft and this is in ``checks.py``, what else an article goes through in ``lifecycle.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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

Released = dict[str, Change]
"""Articles that readers see otherwise than before, by their ids."""

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
    """The feed's token behind it; empty as long as it has no number."""
    warnings: list[Check]


def publish(writer: Writer, key: str, if_version: IfVersion, terms: Terms = AS_USUAL) -> Publication:
    """Make the working copy public: exactly what readers, lists and mirrors see from the commit on.

    A reason to override failed checks is recorded, and they are among the warnings.
    Raises: NotFound; Stale; Conflict (``transition``); Invalid (``checks-failed``).
    """
    writer.hold(PUBLIC, shared=True)
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    made, released = release(writer, draft, terms)
    return replace(made, sync=changes.append(writer, released) if released else changes.token(writer))


def release(writer: Writer, draft: Draft, terms: Terms) -> tuple[Publication, Released]:
    """``publish`` without its number, and what is to be numbered: of several articles together, at the end.

    The caller holds ``PUBLIC``. Raises: Conflict (``transition``); Invalid (``checks-failed``).
    """
    if draft.status not in _PUBLISHABLE:
        raise Conflict("transition", "An archived or trashed article cannot be published; restore it first.")
    found = checks.demand(writer, draft.document, terms)
    article = proposed(draft, writer.stamp)
    first = article["published_at"]
    public = snapshots.stored_content(writer, draft.id)
    changed = public is None or public[0] != snapshots.content_sha256(article)
    touched = [draft.id]
    if changed or public is None:
        touched += snapshots.claim_external_ids(writer, draft.id, article["external_ids"])
        etag = freeze(writer, article, again=public is not None)
    else:
        etag = public[2]
    _record(writer, draft, first)
    if changed or _moves(draft):
        if checks.errors(found):
            writer.reason = terms.override_reason
            audit.record(writer, "article.checks-overridden", draft.id, draft.version, draft.version)
        audit.record(writer, "article.published", draft.id, draft.facts["published_version"], draft.version)
    made = Publication(draft.id, article["slug"], draft.version, "published", first, changed, etag, "", found)
    return made, {draft.id: change(article, touched)} if changed else {}


def adopt(writer: Writer, draft: Draft, article: shapes.Shape, *, version: int | None) -> Released:
    """Make ``article`` what readers see of the working copy, as it was published elsewhere; what is to be numbered.

    ``version``: which one of the working copy it is, None where it is none. No checks are asked; the caller holds
    ``PUBLIC``. Raises: Conflict (``transition``, ``slug-taken``, ``id-taken``).
    """
    if draft.status not in _PUBLISHABLE:
        raise Conflict("transition", "An archived or trashed article cannot be published; restore it first.")
    public = snapshots.stored_content(writer, draft.id)
    changed = public is None or public[0] != snapshots.content_sha256(article)
    slug = article["slug"]
    if slug != draft.facts["public_slug"]:
        slugs.take(writer, draft.id, slug)
        slugs.settle(writer, draft.id, working=str(draft.document.slug), public=slug)
    facts = {"status": "published", "first_published_at": article["published_at"], "public_slug": slug}
    if changed or version is not None:
        facts["published_version"] = version
    if any(draft.facts[name] != value for name, value in facts.items()):
        drafts.set_facts(writer, draft.id, **facts)
    if not changed:
        return {}
    own = draft.document.external_ids.items()  # what it has no more leads to whoever has it
    touched = snapshots.claim_external_ids(writer, draft.id, dict(own & article["external_ids"].items()))
    freeze(writer, article, again=public is not None)
    audit.record(writer, "article.published", draft.id, None, version)
    return {draft.id: change(article, [draft.id, *touched])}


def freeze(writer: Writer, article: shapes.Shape, *, again: bool) -> str:
    """Store what readers, lists and searches get of a public article; its ETag.

    ``again``: whether readers see it already; it is stored in place of that.
    """
    if again:
        snapshots.drop(writer, article["id"])
        parts.drop(writer, article["id"])
    frozen = snapshots.put(writer, article)
    parts.put(writer, article)
    index.put(writer, frozen.body)
    return frozen.etag


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


def change(article: shapes.Shape, touched: Sequence[str]) -> Change:
    """What the feed is told of a public article whose change ``touched`` these articles' addresses."""
    return Change(surrogate_keys(touched), article["slug"], shapes.traits(article))


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
