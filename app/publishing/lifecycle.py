"""What an article goes through beside publication: review, schedule, archive, trash, restore; and what is due of it.

How an article is made public and withdrawn is in ``publish.py``; the loop that asks what is due is ``app/worker.py``.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from app.access import audit
from app.articles import drafts
from app.articles.document import Schedule
from app.articles.drafts import Draft, IfVersion
from app.articles.tables import articles
from app.database import Reader, Writer
from app.errors import Conflict, Fault, Invalid, NotFound
from app.publishing import checks, publish
from app.publishing.checks import AS_USUAL, Terms

log = logging.getLogger("kiku.lifecycle")

_STANDING = {"draft", "published", "unpublished"}
_TOGETHER = 20
"""How many articles are looked up at a time that something is due of."""
_UNSCHEDULED: dict[str, Any] = {"publish_at": None, "unpublish_at": None}
_DUE = (
    select(articles.c.id)
    .where(or_(articles.c.publish_at <= bindparam("now"), articles.c.unpublish_at <= bindparam("now")))
    .order_by(func.coalesce(articles.c.publish_at, articles.c.unpublish_at), articles.c.id)
    .limit(_TOGETHER)
)
_OLD_TRASH = (
    select(articles.c.id).where(articles.c.trashed_at <= bindparam("before")).order_by(articles.c.id).limit(_TOGETHER)
)


def submit(writer: Writer, key: str, if_version: IfVersion) -> Draft:
    """Put the working copy before a reviewer; repeating changes nothing.

    Raises: NotFound; Stale; Conflict (``transition``) where it is archived or trashed.
    """
    draft = _standing(writer, key, if_version, "put before a reviewer")
    return _now(writer, draft, "submitted", in_review=True)


def reject(writer: Writer, key: str, if_version: IfVersion) -> Draft:
    """End the review without publishing; repeating changes nothing. Raises what ``submit`` raises."""
    draft = _standing(writer, key, if_version, "reviewed")
    return _now(writer, draft, "rejected", in_review=False)


def schedule(writer: Writer, key: str, if_version: IfVersion, wanted: Schedule, terms: Terms = AS_USUAL) -> Draft:
    """Let the article go public, or be withdrawn, at an instant; in place of what was planned before.

    What goes public is the working copy as it is then. An instant that has passed is due at once.
    Raises: NotFound; Stale; Conflict (``transition``); Invalid (``validation``, ``checks-failed``).
    """
    draft = _standing(writer, key, if_version, "scheduled")
    publish_at, unpublish_at = wanted.publish_at, wanted.unpublish_at
    fault = None
    if publish_at is None and unpublish_at is None:
        fault = Fault("schedule-empty", "Say when it is to be published, when unpublished, or both.", pointer="")
    elif publish_at is not None and unpublish_at is not None and unpublish_at <= publish_at:
        fault = Fault("schedule-order", "It cannot be unpublished before it is published.", pointer="/unpublish_at")
    if fault is not None:
        raise Invalid("validation", "This cannot be planned.", (fault,))
    if publish_at is None and draft.status != "published":
        raise Conflict("transition", "What is not public cannot be unpublished: give `publish_at`, too.")
    if publish_at is not None:
        checks.demand(writer, draft.document, terms)
    return _now(writer, draft, "scheduled", publish_at=publish_at, unpublish_at=unpublish_at)


def unschedule(writer: Writer, key: str, if_version: IfVersion) -> None:
    """Plan nothing any more; repeating changes nothing. Raises: NotFound; Stale."""
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    _now(writer, draft, "unscheduled", **_UNSCHEDULED)


def archive(writer: Writer, key: str, if_version: IfVersion, demand: Callable[[], None]) -> Draft:
    """Put the article away, withdrawing it in the same transaction; repeating changes nothing.

    ``demand`` raises Forbidden unless the caller may withdraw it.
    Raises: NotFound; Stale; Forbidden; Conflict (``transition``) where it is trashed.
    """
    draft = _at_hand(writer, key, if_version, demand)
    if draft.status == "trashed":
        raise Conflict("transition", "A trashed article cannot be archived; restore it first.")
    return _put_away(writer, draft, "archived")


def trash(writer: Writer, key: str, if_version: IfVersion, demand: Callable[[], None]) -> None:
    """Put the article into the trash, withdrawing it in the same transaction; repeating changes nothing.

    ``demand`` raises Forbidden unless the caller may withdraw it. Raises: NotFound; Stale; Forbidden.
    """
    draft = _at_hand(writer, key, if_version, demand)
    if draft.status != "trashed":
        _put_away(writer, draft, "trashed", trashed_at=writer.stamp)


def restore(writer: Writer, key: str, if_version: IfVersion) -> Draft:
    """Bring the article back from archive or trash: unpublished, or a draft where it never was public.

    Raises: NotFound; Stale; Conflict (``transition``) where it is public.
    """
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    if draft.status == "published":
        raise Conflict("transition", "A published article is neither archived nor trashed.")
    if draft.status in _STANDING:
        return draft
    status = "unpublished" if draft.facts["first_published_at"] else "draft"
    return _now(writer, draft, "restored", status=status, trashed_at=None)


def due(reader: Reader, now: str) -> list[str]:
    """The ids of some articles whose planned instant has come, the earliest first."""
    return [row["id"] for row in reader.rows(_DUE, {"now": now})]


def carry_out(writer: Writer, article_id: str) -> None:
    """Do the first of what is planned for the article, if it is due still: then it is planned no more.

    Raises: Invalid and Conflict where it cannot be published, Busy; see ``give_up``.
    """
    writer.hold(publish.PUBLIC, shared=True)
    try:
        draft = drafts.load(writer, article_id)
    except NotFound:
        return  # purged meanwhile
    publish_at, unpublish_at = (draft.facts[name] or "9" for name in ("publish_at", "unpublish_at"))
    if min(publish_at, unpublish_at) > writer.stamp:
        return  # another worker was here, or an editor
    if publish_at <= unpublish_at:
        publish.publish(writer, article_id, None)
    elif draft.status == "published":
        publish.unpublish(writer, article_id, None)
    else:
        _now(writer, draft, "unscheduled", unpublish_at=None)


def give_up(writer: Writer, article_id: str, code: str) -> None:
    """Plan the publication no more that could not be carried out: nobody wants it to come at some odd time later.

    What an editor has planned anew meanwhile stays.
    """
    try:
        draft = drafts.load(writer, article_id)
    except NotFound:
        return  # purged meanwhile
    if (draft.facts["publish_at"] or "9") <= writer.stamp:
        log.warning("a scheduled publication failed, article=%s code=%s", article_id, code)
        drafts.set_facts(writer, article_id, publish_at=None)
        audit.record(writer, "article.schedule-failed", draft.id, draft.version, draft.version)


def purge_trashed(writer: Writer, before: str) -> bool:
    """Remove for good some of the articles that were trashed up to that instant; says whether there were any."""
    ids = [row["id"] for row in writer.rows(_OLD_TRASH, {"before": before})]
    for id in ids:
        try:
            draft = drafts.load(writer, id)
        except NotFound:
            continue  # another worker was here
        if draft.status == "trashed" and draft.facts["trashed_at"] <= before:
            drafts.purge(writer, draft)
    return bool(ids)


def any_trashed(reader: Reader, before: str) -> bool:
    """Whether there is something to purge; cheap, so that idle workers take no write lock."""
    return reader.row(_OLD_TRASH, {"before": before}) is not None


def _standing(writer: Writer, key: str, if_version: IfVersion, done: str) -> Draft:
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    if draft.status not in _STANDING:
        raise Conflict("transition", f"An archived or trashed article cannot be {done}; restore it first.")
    return draft


def _at_hand(writer: Writer, key: str, if_version: IfVersion, demand: Callable[[], None]) -> Draft:
    """The article that is to be put away."""
    writer.hold(publish.PUBLIC, shared=True)
    draft = drafts.load(writer, key)
    if draft.status == "published":
        demand()
    drafts.demand(draft, if_version)
    return draft


def _put_away(writer: Writer, draft: Draft, status: str, **facts: Any) -> Draft:
    away = _now(writer, draft, status, status=status, **facts, in_review=False, **_UNSCHEDULED)
    if draft.status == "published":
        publish.withdraw(writer, draft)
    return away


def _now(writer: Writer, draft: Draft, step: str, **facts: Any) -> Draft:
    """The article with these facts of its life, after what ``step`` calls; its version stays."""
    if any(draft.facts[name] != value for name, value in facts.items()):
        drafts.set_facts(writer, draft.id, **facts)
        audit.record(writer, f"article.{step}", draft.id, draft.version, draft.version)
    return replace(draft, facts={**draft.facts, **facts})
