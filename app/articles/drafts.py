"""The working copy as editors see it: load the aggregate, change, check, save; one transaction, one version.

Rows are read and written in ``mapping.py``; what becomes public is decided in ``app/publishing``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from app import text
from app.access import audit
from app.articles import collections, identity, mapping, revisions, site, slugs, sources, tags
from app.articles.document import ArticleDocument, ArticleInput, Citation
from app.articles.fields import new_id
from app.articles.identity import Parts
from app.articles.tables import articles
from app.database import Reader, Row, Writer
from app.errors import Conflict, Fault, Forbidden, Invalid, NotFound, Stale

EXTERNAL = "ext:"
"""How a key begins that names an article by an external id: ``ext:{system}:{id}``."""

IfVersion = frozenset[int] | None
"""The versions a caller accepts as current; None for whatever is there."""

# Statements that every load or save runs are built once: building one anew costs several times what running it does.
_ID_BY_SLUG = select(articles.c.id).where(articles.c.slug == bindparam("slug"))
_ROW = select(articles).where(articles.c.id == bindparam("id"))
_STANDING = select(articles.c.id, articles.c.version, articles.c.status).where(articles.c.id == bindparam("id"))
_HELD_ROW = _ROW.with_for_update(key_share=True)  # who writes what belongs to the article need not wait for its row
_FACTS = update(articles).where(articles.c.id == bindparam("article_id"))
_NEXT_VERSION = _FACTS.where(articles.c.version == bindparam("stored_version"))


@dataclass(frozen=True)
class Draft:
    """A working copy: the document, and the facts of its life beside it."""

    document: ArticleDocument
    facts: Row

    @property
    def id(self) -> str:
        """The article's id."""
        return str(self.facts["id"])

    @property
    def version(self) -> int:
        """Raised by each save that changes the document; the number of the latest revision."""
        return int(self.facts["version"])

    @property
    def status(self) -> str:
        """draft, published, unpublished, archived or trashed."""
        return str(self.facts["status"])

    def resource(self) -> dict[str, Any]:
        """The manage resource: the document flat, then version, status and times (DESIGN, section 4)."""
        return self.document.model_dump() | life(self.facts)


def life(facts: Row) -> dict[str, Any]:
    """What stands beside the document in every answer about a working copy."""
    schedule = {"publish_at": facts["publish_at"], "unpublish_at": facts["unpublish_at"]}
    public = facts["status"] == "published"
    return {
        "version": facts["version"],
        "status": facts["status"],
        "in_review": facts["in_review"],
        "schedule": schedule if any(schedule.values()) else None,
        "has_unpublished_changes": not public or facts["published_version"] != facts["version"],
        "created_at": facts["created_at"],
        "updated_at": facts["updated_at"],
        "published_at": facts["first_published_at"],
    }


def find_id(reader: Reader, key: str) -> str | None:
    """The id of the article that ``key`` (working slug, ``ext:{system}:{id}``) names, or None.

    An id names itself, whether there is such an article or not.
    """
    if text.uuid_shaped(key):
        return key.lower()
    if key.startswith(EXTERNAL):
        system, _, external_id = key.removeprefix(EXTERNAL).partition(":")
        return slugs.find_external(reader, system, external_id)
    row = reader.row(_ID_BY_SLUG, {"slug": text.slug(key) or key})
    return row["id"] if row else None


def find(reader: Reader, article_id: str) -> Row | None:
    """The id, version and status of the working copy with this id, or None."""
    return reader.row(_STANDING, {"id": article_id})


def load(reader: Reader, key: str, if_version: IfVersion = None) -> Draft:
    """The working copy that ``key`` names. A Writer holds it against other writers until it commits.

    Raises: NotFound (``article-unknown``); Stale, before any part is read: where many edit one article, most come late.
    """
    article_id = find_id(reader, key)
    query = _HELD_ROW if isinstance(reader, Writer) else _ROW
    row = reader.row(query, {"id": article_id}) if article_id else None
    if row is not None and reader.view is None:  # whom a limit may hide the article from is told nothing of it
        _demand(row["version"], if_version)
    document = mapping.read(reader, row) if row else None
    if row is None or document is None or not _sees(reader, document):
        raise NotFound("article-unknown", "There is no such article.")
    _demand(row["version"], if_version)
    return Draft(document, row)


def demand(draft: Draft, if_version: IfVersion) -> None:
    """Hold the caller to the version it named.

    Raises: Stale.
    """
    _demand(draft.version, if_version)


def existing(reader: Reader, key: str) -> Stale:
    """The failure to raise where an article was only to be created and is there already."""
    return Stale(load(reader, key).version)


def create(writer: Writer, sent: ArticleInput) -> Draft:
    """Store a new article as draft, version 1.

    Raises: Invalid naming every fault; Conflict (``slug-taken``, ``external-id-taken``, ``translation-taken``);
    Forbidden (``outside-limits``) where the caller would not see it.
    """
    faults = _read_only(sent, {"version": 1, "created_at": writer.stamp}, None)
    document = _new(writer, sent, faults)
    wanted, id = document.slug, str(document.id)
    first = document.slug = wanted or slugs.derived(document.title, id)
    life = {"version": 1, "status": "draft", "in_review": False}
    row = _insert(writer, document, life | {"created_at": writer.stamp, "updated_at": writer.stamp})
    document.slug = slugs.choose(writer, id, first, derived=wanted is None)
    if document.slug != first:
        row |= mapping.article_row(document)
        set_facts(writer, id, slug=row["slug"], folded=row["folded"])
    mapping.write(writer, None, document)
    revisions.record(writer, 1, document)
    audit.record(writer, "article.created", id, None, 1)
    return Draft(document, row)


def adopt(writer: Writer, sent: ArticleInput, life: Row, once_public: Iterable[str]) -> Draft:
    """Store an article as it was elsewhere, with its id, slug, version and times; without revisions and publication.

    ``life``: facts of it, the public slug among them; ``once_public``: the slugs that were public. Raises what
    ``create`` raises.
    """
    document = _new(writer, sent, [])
    id, slug = str(document.id), str(document.slug)
    row = _insert(writer, document, life)
    slugs.adopt(writer, id, working=slug, public=life["public_slug"], once_public=once_public)
    mapping.write(writer, None, document)
    audit.record(writer, "article.created", id, None, row["version"])
    return Draft(document, row)


def save(writer: Writer, key: str, sent: ArticleInput, if_version: IfVersion) -> Draft:
    """Replace the working copy by ``sent``; raises what ``change`` raises."""
    return change(writer, key, if_version, lambda _: sent)


def change(writer: Writer, key: str, if_version: IfVersion, edit: Callable[[Draft], ArticleInput]) -> Draft:
    """The one door to a stored article: load it, ``edit`` it, check it, store what differs as the next version.

    What changes nothing keeps version and revision.
    Raises: NotFound; Stale; Invalid naming every fault; Conflict (``transition`` on a trashed article,
    ``slug-taken``, ``external-id-taken``, ``translation-taken``); Forbidden (``outside-limits``) where the caller
    would see it no more; whatever ``edit`` raises.
    """
    stored = load(writer, key, if_version)
    if stored.status == "trashed":
        raise Conflict("transition", "A trashed article cannot be changed; restore it first.")
    sent = edit(stored)
    faults = _read_only(sent, stored.facts, stored.document)
    document = _document(writer, sent)
    document.id = stored.id
    document.slug = document.slug or stored.document.slug
    _settle(writer, stored.document, document, faults)
    if document == stored.document:
        return stored
    _demand_seen(writer, document)
    _demand_translation_free(writer, document)
    columns = mapping.article_row(document).items()
    changed = {name: value for name, value in columns if stored.facts[name] != value}
    changed |= {"version": stored.version + 1, "updated_at": writer.stamp}
    mine = {"article_id": stored.id, "stored_version": stored.version}
    if writer.execute(_NEXT_VERSION, changed | mine).rowcount != 1:
        raise Stale(None)
    if document.slug != stored.document.slug:
        slugs.take(writer, stored.id, str(document.slug))
        slugs.settle(writer, stored.id, working=str(document.slug), public=stored.facts["public_slug"])
    mapping.write(writer, stored.document, document)
    revisions.record(writer, stored.version + 1, document)
    audit.record(writer, "article.updated", stored.id, stored.version, stored.version + 1)
    return Draft(document, {**stored.facts, **changed})


def set_facts(writer: Writer, article_id: str, **facts: Any) -> None:
    """Change facts of an article's life (status, times); its version stays."""
    writer.execute(_FACTS, facts | {"article_id": article_id})


def purge(writer: Writer, draft: Draft) -> None:
    """Remove the article and everything that is only its own, for good.

    Raises: Conflict (``transition``) unless it is trashed.
    """
    if draft.status != "trashed":
        raise Conflict("transition", "Only a trashed article can be purged.")
    collections.forget(writer, draft.id)
    writer.execute(delete(articles).where(articles.c.id == draft.id))
    audit.record(writer, "article.purged", draft.id, draft.version)


def sees(reader: Reader, article_id: str) -> bool:
    """Whether there is this article for the caller."""
    if reader.view is None:
        return True
    row = reader.row(_ROW, {"id": article_id})
    return row is not None and _sees(reader, mapping.read(reader, row))


def _sees(reader: Reader, document: ArticleDocument) -> bool:
    """Whether there is such an article for the caller."""
    view = reader.view
    if view is None:
        return True
    if view.languages is not None and document.language not in view.languages:
        return False
    return view.tags is None or not set(document.tags).isdisjoint(tags.followed(reader, sorted(view.tags)))


def _demand_seen(writer: Writer, document: ArticleDocument) -> None:
    if not _sees(writer, document):
        raise outside()


def outside() -> Forbidden:
    """The failure of a write that would lead to what the caller does not see."""
    return Forbidden("outside-limits", "The key is limited to other languages or tags.")


def _demand(version: int, if_version: IfVersion) -> None:
    if if_version is not None and version not in if_version:
        raise Stale(version)


def _new(writer: Writer, sent: ArticleInput, faults: list[Fault]) -> ArticleDocument:
    """The document of an article that is to be made, all its parts with their ids, its sources linked."""
    document = _document(writer, sent)
    document.id = document.id or new_id()
    if sent.id and find(writer, sent.id):
        faults.append(Fault("id-taken", "Another article has this id.", pointer="/id"))
    _settle(writer, None, document, faults)
    _demand_seen(writer, document)
    _demand_translation_free(writer, document)
    return document


def _insert(writer: Writer, document: ArticleDocument, life: Row) -> dict[str, Any]:
    """Store the article's own row, which is returned."""
    row = {**dict.fromkeys(articles.c.keys()), **mapping.article_row(document), "id": document.id, **life}
    writer.execute(articles.insert(), row)
    return row


def _document(reader: Reader, sent: ArticleInput) -> ArticleDocument:
    """The document in what was sent, its defaults filled; parts are shared with ``sent``."""
    fields = {name: getattr(sent, name) for name in ArticleDocument.model_fields}
    document = ArticleDocument.model_construct(**fields)
    document.language = document.language or site.load(reader).document.default_language
    document.tags = list(dict.fromkeys(document.tags))
    document.external_ids = dict(sorted(document.external_ids.items()))
    for number, page in enumerate(document.pages, 1):
        page.number = number
    return document


def _settle(writer: Writer, stored: ArticleDocument | None, document: ArticleDocument, faults: list[Fault]) -> None:
    if stored is None or document.tags != stored.tags:
        document.tags = tags.followed(writer, document.tags)
    brought = list(identity.parts(document))
    known = list(identity.parts(stored)) if stored else []
    crowded = identity.too_many(brought)
    if crowded:  # told alone: the other rules cost a statement for each part
        raise Invalid("validation", "The document cannot be stored.", tuple(crowded))
    new = {part.id for _, part in brought if part.id} - {part.id for _, part in known}
    faults += identity.taken(document.id, brought, known, mapping.ids_elsewhere(writer, new))
    faults += _link(writer, brought, known)
    if faults:
        raise Invalid("validation", "The document cannot be stored.", tuple(faults))
    identity.assign(stored, document)
    known_at = {correction.text: correction.at for correction in stored.corrections} if stored else {}
    for correction in document.corrections:
        correction.at = correction.at or known_at.get(correction.text, writer.stamp)


def _link(writer: Writer, brought: Parts, known: Parts) -> list[Fault]:
    """Tie the citations to their sources; those the article cites already need not be looked up again."""
    cited = {part.source.id: part.source for _, part in known if isinstance(part, Citation)}
    others = []
    for at, part in brought:
        if not isinstance(part, Citation):
            continue
        if part.source.id in cited:
            part.source = cited[part.source.id]
        else:
            others.append((at, part))
    return sources.link(writer, others) if others else []


def _read_only(sent: ArticleInput, facts: Row, stored: ArticleDocument | None) -> list[Fault]:
    detail = "This is decided by the server; leave it out or send back the current value."
    current = {"version": facts["version"], "created_at": facts["created_at"]}
    if stored is not None:
        current["id"] = stored.id
    faults = [
        Fault("read-only", detail, pointer=f"/{name}")
        for name, value in current.items()
        if getattr(sent, name) not in {None, value}
    ]
    numbers = {page.id: page.number for page in stored.pages} if stored else {}
    for at, page in enumerate(sent.pages):
        if page.number not in {None, at + 1, numbers.get(page.id)}:
            faults.append(Fault("read-only", detail, pointer=f"/pages/{at}/number"))
    return faults


def _demand_translation_free(reader: Reader, document: ArticleDocument) -> None:
    if document.translation_key is None:
        return
    same = (articles.c.translation_key == document.translation_key, articles.c.language == document.language)
    if reader.row(select(articles.c.id).where(*same, articles.c.id != document.id)) is not None:
        detail = "Another article is the translation of this key into this language."
        raise Conflict("translation-taken", detail, (Fault("translation-taken", detail, pointer="/translation_key"),))
