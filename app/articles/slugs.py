"""Slugs and external ids: who holds which, and what stays reserved.

A slug lives while it is an article's working or public one; the old public ones only redirect. What a
slug is made of is said in ``app/text.py``.
"""

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from app import text
from app.database import Key, Reader, Writer, metadata
from app.errors import Conflict, Fault, Invalid

slugs = Table(
    "slugs",
    metadata,
    Column("slug", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("living", Boolean(create_constraint=False), nullable=False),
    Column("was_public", Boolean(create_constraint=False), nullable=False),
)
Index("ix_slugs_article_id", slugs.c.article_id)
_LIVING = slugs.c.living.is_(True)
Index("uq_slugs_living", slugs.c.slug, unique=True, sqlite_where=_LIVING, postgresql_where=_LIVING)

external_ids = Table(
    "external_ids",
    metadata,
    Column("system", Key, primary_key=True),
    Column("external_id", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("article_id", "system"),
)

# Built once, as in drafts.py; no slug is distinct from "public" where that is null.
_OWN = slugs.c.article_id == bindparam("article")
_PUBLIC = slugs.c.slug.is_not_distinct_from(bindparam("public"))
_SETTLE = (
    update(slugs)
    .where(_OWN)
    .values(living=or_(slugs.c.slug == bindparam("working"), _PUBLIC), was_public=or_(slugs.c.was_public, _PUBLIC))
)
_ONCE_PUBLIC = update(slugs).where(_OWN, slugs.c.slug == bindparam("slug_here")).values(was_public=True)
_FORGET = delete(slugs).where(_OWN, ~slugs.c.living, ~slugs.c.was_public)


def derived(title: str, article_id: str) -> str:
    """The slug an article that names none would take: made of its title, else its id."""
    slug = text.slug_from_title(title)
    return slug if slug and not text.uuid_shaped(slug) else article_id


def choose(writer: Writer, article_id: str, slug: str, *, derived: bool) -> str:
    """The slug a new article takes: ``slug``, or where that is only derived and taken, with a free number.

    Raises: Conflict (``slug-taken``) and Invalid (``slug-invalid``) for a slug that is not derived.
    """
    if not derived:
        take(writer, article_id, slug)
        return slug
    candidate = slug
    while not _claim(writer, article_id, candidate):
        candidate = numbered(slug, lambda wanted: _is_living(writer, wanted))
    return candidate


def numbered(slug: str, is_taken: Callable[[str], bool]) -> str:
    """``slug`` with a free number from 2, the lowest where there are no gaps; few look-ups for many namesakes."""
    low, high = 1, 2
    while is_taken(_suffixed(slug, high)):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(_suffixed(slug, middle)) else (low, middle)
    return _suffixed(slug, high)


def take(writer: Writer, article_id: str, slug: str) -> None:
    """Make ``slug`` a living slug of the article; one that only redirects elsewhere may be taken.

    Raises: Conflict (``slug-taken``); Invalid (``slug-invalid``) where it is UUID-shaped and not the id.
    """
    if text.uuid_shaped(slug) and slug != article_id:
        fault = Fault("slug-invalid", "A slug is not shaped like a UUID.", pointer="/slug")
        raise Invalid("validation", "The slug cannot be used.", (fault,))
    if not _claim(writer, article_id, slug):
        fault = Fault("slug-taken", "Another article has this slug.", pointer="/slug")
        raise Conflict("slug-taken", "Another article has this slug.", (fault,))


def settle(writer: Writer, article_id: str, *, working: str, public: str | None) -> None:
    """Settle the article's slugs: the working and the public one live, those once public only redirect."""
    writer.execute(_SETTLE, {"article": article_id, "working": working, "public": public})
    writer.execute(_FORGET, {"article": article_id})


def adopt(writer: Writer, article_id: str, *, working: str, public: str | None, once_public: Iterable[str]) -> None:
    """Give a new article the slugs it had elsewhere: the working and the public one, and those that were public once.

    Raises: Conflict (``slug-taken``); Invalid (``slug-invalid``).
    """
    for slug in dict.fromkeys((working, public or working)):
        take(writer, article_id, slug)
    old = {"article_id": article_id, "living": False, "was_public": True}
    for slug in once_public:
        if not writer.insert_absent(slugs, {"slug": slug, **old}):
            writer.execute(_ONCE_PUBLIC, {"article": article_id, "slug_here": slug})
    settle(writer, article_id, working=working, public=public)


def find_external(reader: Reader, system: str, external_id: str) -> str | None:
    """The id of the article that bears this external id, or None."""
    where = (external_ids.c.system == system, external_ids.c.external_id == external_id)
    row = reader.row(select(external_ids.c.article_id).where(*where))
    return row["article_id"] if row else None


def put_external(writer: Writer, article_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Change the article's external ids from ``before`` to ``after`` (system → id).

    Raises: Conflict (``external-id-taken``).
    """
    for system in before.keys() - {s for s in after if before.get(s) == after[s]}:
        own = (external_ids.c.article_id == article_id, external_ids.c.system == system)
        writer.execute(delete(external_ids).where(*own))
    for system in sorted(after):
        if before.get(system) == after[system]:
            continue
        row = {"system": system, "external_id": after[system], "article_id": article_id}
        if not writer.insert_absent(external_ids, row):
            fault = Fault(
                "external-id-taken", "Another article has this external id.", pointer=f"/external_ids/{system}"
            )
            raise Conflict("external-id-taken", "Another article has this external id.", (fault,))


def _suffixed(slug: str, number: int) -> str:
    suffix = f"-{number}"
    return slug[: text.SLUG_CHARACTERS - len(suffix)].rstrip("-") + suffix


def _is_living(reader: Reader, slug: str) -> bool:
    return reader.row(select(slugs.c.slug).where(slugs.c.slug == slug, _LIVING)) is not None


def _claim(writer: Writer, article_id: str, slug: str) -> bool:
    # Tried before anything is read: nearly every slug is a new one.
    if writer.insert_absent(slugs, {"slug": slug, "article_id": article_id, "living": True, "was_public": False}):
        return True
    own = (slugs.c.article_id == article_id, slugs.c.slug == slug)
    held = writer.row(select(slugs.c.living).where(*own))
    if held is None:
        return False
    if not held["living"]:
        taken = select(slugs.c.article_id).where(slugs.c.slug == slug, _LIVING)
        if writer.row(taken) is not None:
            return False
        writer.execute(update(slugs).where(*own).values(living=True))
    return True
