"""One page, section, citation or key point of a working copy: found, added, changed, moved, removed.

Each is an edit of the whole document through the one door in ``drafts.py``: a part call, a PATCH and a PUT that
say the same do the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import select

from app.articles import drafts
from app.articles.document import ArticleInput, Shape
from app.articles.drafts import Draft, IfVersion
from app.articles.fields import new_id
from app.articles.tables import citations, key_points, pages, sections
from app.database import Reader, Writer
from app.errors import Fault, Invalid, NotFound
from app.validation import validated

Kind = Literal["page", "section", "citation", "key_point"]
Json = dict[str, Any]

_TABLES = {"page": pages, "section": sections, "citation": citations, "key_point": key_points}
_LISTS: dict[str, dict[str, Kind]] = {
    "article": {"takeaways": "key_point", "pages": "page"},
    "page": {"sections": "section"},
    "section": {"citations": "citation"},
    "citation": {"key_points": "key_point"},
    "key_point": {},
}
"""What each part holds: its lists, and the kind of their items."""
_BESIDE = ("article", "parent_id", "position")


@dataclass(frozen=True)
class Place:
    """Where a part stands: what it is, the list that holds it, its index there, the id of what it belongs to."""

    pointer: str
    kind: Kind
    siblings: list[Json]
    position: int
    parent_id: str

    @property
    def part(self) -> Json:
        """The part itself, as in the manage resource."""
        return self.siblings[self.position]


class Target(Shape):
    """Where a part is moved: before or after a part of its kind, or to the end of a parent's list; one of the three."""

    before: str | None = None
    after: str | None = None
    into: str | None = None


def load(reader: Reader, kind: Kind, part_id: str) -> tuple[Draft, Json]:
    """The article a part belongs to, and the part as it is answered.

    Raises: NotFound (``part-unknown``).
    """
    draft = drafts.load(reader, _article_of(reader, kind, part_id))
    return draft, answer(draft, part_id)


def answer(draft: Draft, part_id: str) -> Json:
    """A part of ``draft`` with its article, the id of what it belongs to, and its position there (from 0)."""
    resource = draft.resource()
    return _answered(resource, _find(resource, part_id))


def add(writer: Writer, parent: tuple[str, str], name: str, sent: Shape, if_version: IfVersion) -> tuple[Draft, str]:
    """Add a part at the end of the list ``name`` of its parent; returns the article and the new part's id.

    ``parent``: its kind and id; an article's id may be any key. Raises: NotFound; what ``drafts.change`` raises.
    """
    kind, key = parent
    part = sent.model_dump()
    part["id"] = part["id"] or new_id()

    def append(resource: Json) -> str:
        holder, at = (resource, "") if kind == "article" else _part_and_pointer(resource, key)
        holder[name].append(part)
        return f"{at}/{name}/{len(holder[name]) - 1}"

    article = key if kind == "article" else _article_of(writer, kind, key)
    return _edited(writer, article, if_version, append), part["id"]


def change(writer: Writer, kind: Kind, part_id: str, if_version: IfVersion, edit: Callable[[Json], Json]) -> Draft:
    """Put what ``edit`` makes of a part's answer in its place.

    Raises: NotFound; Invalid (``read-only``) where it changes what a move or a save decides; what
    ``drafts.change`` raises.
    """

    def put(resource: Json) -> str:
        place = _find(resource, part_id)
        before = _answered(resource, place)
        after = edit(before)
        fixed = {name: before[name] for name in (*_BESIDE, "id", "number") if name in before}
        detail = "This is decided by the server; to put a part elsewhere, move it."
        faults = [
            Fault("read-only", detail, pointer=f"/{name}")
            for name, value in fixed.items()
            if after.get(name, value) != value
        ]
        if faults:
            raise Invalid("validation", "The part cannot be changed so.", tuple(faults))
        place.siblings[place.position] = {n: v for n, v in after.items() if n not in _BESIDE} | {"id": place.part["id"]}
        return place.pointer

    return _edited(writer, _article_of(writer, kind, part_id), if_version, put)


def move(writer: Writer, kind: Kind, part_id: str, target: Target, if_version: IfVersion) -> Draft:
    """Put a part elsewhere in its article; its id stays.

    Raises: NotFound; Invalid (``target-invalid``) where the target is none; what ``drafts.change`` raises.
    """

    def put(resource: Json) -> str:
        place = _find(resource, part_id)
        part = place.siblings.pop(place.position)
        siblings, position = _aim(resource, kind, target)
        siblings.insert(position, part)
        return ""

    return _edited(writer, _article_of(writer, kind, part_id), if_version, put)


def remove(writer: Writer, kind: Kind, part_id: str, if_version: IfVersion) -> Draft:
    """Remove a part and everything in it.

    Raises: NotFound; what ``drafts.change`` raises.
    """

    def take(resource: Json) -> str:
        place = _find(resource, part_id)
        del place.siblings[place.position]
        return ""

    return _edited(writer, _article_of(writer, kind, part_id), if_version, take)


def _edited(writer: Writer, article: str, if_version: IfVersion, edit: Callable[[Json], str]) -> Draft:
    """Change an article by an ``edit`` of its resource, which returns the pointer of the part it is about.

    The pointers of faults begin at that part: it is what the client sent.
    """
    about = ""

    def whole(stored: Draft) -> ArticleInput:
        nonlocal about
        resource = stored.resource()
        about = edit(resource)
        for number, page in enumerate(resource["pages"], 1):
            page["number"] = number
        return validated(ArticleInput, resource)

    try:
        return drafts.change(writer, article, if_version, whole)
    except Invalid as error:
        faults = tuple(replace(fault, pointer=(fault.pointer or "").removeprefix(about)) for fault in error.faults)
        raise Invalid(error.code, error.detail, faults) from None


def _article_of(reader: Reader, kind: str, part_id: str) -> str:
    table = _TABLES[kind]
    row = reader.row(select(table.c.article_id).where(table.c.id == part_id.lower()))
    if row is None or not drafts.sees(reader, row["article_id"]):
        raise NotFound("part-unknown", "There is no such part.")
    return str(row["article_id"])


def _places(holder: Json, kind: str = "article", at: str = "") -> Iterator[Place]:
    for name, inner in _LISTS[kind].items():
        for position, part in enumerate(holder[name]):
            here = f"{at}/{name}/{position}"
            yield Place(here, inner, holder[name], position, holder["id"])
            yield from _places(part, inner, here)


def _find(resource: Json, part_id: str) -> Place:
    found = next((place for place in _places(resource) if place.part["id"] == part_id.lower()), None)
    if found is None:
        raise NotFound("part-unknown", "There is no such part.")
    return found


def _aim(resource: Json, kind: Kind, target: Target) -> tuple[list[Json], int]:
    """The list and the index there that ``target`` names, once the part itself is taken out."""
    given = [(name, key) for name in ("before", "after", "into") if (key := getattr(target, name)) is not None]
    if len(given) != 1:
        raise _missed("", "A move names one of before, after and into.")
    ((name, key),) = given
    if name == "into":
        holders = {resource["id"]: (resource, "article")}
        holders |= {place.part["id"]: (place.part, place.kind) for place in _places(resource)}
        holder, holder_kind = holders.get(key.lower(), ({}, "key_point"))
        listed = next((name for name, inner in _LISTS[holder_kind].items() if inner == kind), None)
        if listed is None:
            raise _missed("/into", "Nothing in this article with this id holds parts of this kind.")
        return holder[listed], len(holder[listed])
    place = next((p for p in _places(resource) if p.part["id"] == key.lower() and p.kind == kind), None)
    if place is None:
        raise _missed(f"/{name}", "No other part of this kind in this article has this id.")
    return place.siblings, place.position + (name == "after")


def _missed(pointer: str, detail: str) -> Invalid:
    return Invalid("validation", "The part cannot be moved there.", (Fault("target-invalid", detail, pointer=pointer),))


def _answered(resource: Json, place: Place) -> Json:
    article = {"id": resource["id"], "version": resource["version"]}
    return place.part | {"article": article, "parent_id": place.parent_id, "position": place.position}


def _part_and_pointer(resource: Json, part_id: str) -> tuple[Json, str]:
    place = _find(resource, part_id)
    return place.part, place.pointer
