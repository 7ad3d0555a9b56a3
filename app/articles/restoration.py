"""An earlier state of an article brought back: all of it, or some of its parts into what it is now.

It is a save as every other: checked, and the next version. What a revision holds is read in ``revisions.py``.
"""

import copy
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Annotated, Any

from pydantic import Field

from app.articles import drafts, revisions, sources
from app.articles.document import ArticleInput, Shape
from app.articles.drafts import Draft, IfVersion
from app.database import Reader, Writer
from app.errors import Fault, Invalid
from app.validation import validated

Document = dict[str, Any]


class Restoration(Shape):
    """What to bring back: parts by ``/sections/{id}`` and the like, fields as ``/lead``; without it the whole."""

    parts: Annotated[list[str], Field(min_length=1, max_length=200)] | None = None


_LISTS = ("takeaways", "pages", "sections", "citations", "key_points")
_ADDRESS = {"id", "slug", "language", "translation_key", "external_ids"}
"""What names an article stays as it is where only parts are restored."""
_DETAILS = {
    "part-unknown": "The revision has no such part.",
    "parent-gone": "What this part stood in is not there any more: restore that.",
}


def restore(writer: Writer, key: str, number: int, parts: Sequence[str] | None, if_version: IfVersion) -> Draft:
    """Save the article as revision ``number`` has it, or those of its parts; work elsewhere stays.

    Raises: NotFound (``revision-unknown``); Invalid naming every part that cannot be restored; what ``drafts.change``
    raises.
    """

    def edit(stored: Draft) -> ArticleInput:
        then = revisions.load(writer, stored.id, number)["document"]
        wanted = then if parts is None else restored(stored.document.model_dump(), then, parts)
        return validated(ArticleInput, _linked(writer, wanted))

    return drafts.change(writer, key, if_version, edit)


def restored(now: Document, then: Document, pointers: Sequence[str]) -> Document:
    """``now`` with those parts as they were ``then``; work that was done elsewhere stays.

    A pointer is ``/sections/{id}`` (and so for takeaways, pages, citations, key_points) or a field of the article as
    ``/lead``. A part that is there stays where it is; one that is gone comes back where it stood. What has moved
    between a restored part and others since stays where it is now.
    Raises: Invalid (``validation``) naming every pointer that leads to nothing.
    """
    result, faults = copy.deepcopy(now), []
    moves = _Moves(now, then, pointers)
    # The outer ones first: what stands in them can then come back into them.
    for at, pointer in sorted(enumerate(pointers), key=lambda each: (_depth(each[1]), each[0])):
        code = _restore(result, then, pointer, moves)
        if code is not None:
            faults.append((at, Fault(code, _DETAILS[code], pointer=f"/parts/{at}")))
    if faults:
        raise Invalid(
            "validation", "This cannot be restored.", tuple(fault for _, fault in sorted(faults, key=itemgetter(0)))
        )
    return result


class _Moves:
    """What has moved into and out of the parts that are restored, and stays where it is."""

    def __init__(self, now: Document, then: Document, pointers: Sequence[str]) -> None:
        named = [_named(pointer) for pointer in pointers]
        here = [part for name, id in named if id and (part := _at(now, name, id))]
        back = [part for name, id in named if id and (part := _at(then, name, id))]
        self._elsewhere = set(_ids(now)) - {id for part in here for id in (part["id"], *_ids(part))}
        self._named = {part["id"] for part in here}
        self._known = set(_ids(then))
        self._coming = {id for part in back for id in (part["id"], *_ids(part))}

    def settle(self, part: Document, here: Document | None) -> None:
        """Let ``part`` hold what it shall hold, in place of the part that is ``here`` now."""
        inside = set(_ids(here)) if here else set()
        _without(part, self._elsewhere | (self._named - inside - {part["id"]}))
        for parent, name, child in _walk(here) if here else ():
            home = part if parent == part["id"] else _part(part, parent)
            moved_in = child["id"] in self._known and child["id"] not in self._coming
            if moved_in and home is not None and child["id"] not in {each["id"] for each in home[name]}:
                home[name].append(copy.deepcopy(child))


def _linked(reader: Reader, document: Document) -> Document:
    """The document as it may be sent: a source that has left the ledger since is named by its URL."""
    cited = [c["source"] for p in document["pages"] for s in p["sections"] for c in s["citations"]]
    known = sources.by_ids(reader, [source["id"] for source in cited])
    for source in cited:
        if source["id"] not in known:
            source["id"] = None
            source["publisher"] = source["publisher"] and {"name": source["publisher"]["name"]}
    for page in document["pages"]:
        page["number"] = None
    return document


def _restore(result: Document, then: Document, pointer: str, moves: _Moves) -> str | None:
    """Restore one part; the code of what is wrong with it, if anything is."""
    name, id = _named(pointer)
    if not id:
        if name in _LISTS or name in _ADDRESS or name not in then:
            return "part-unknown"
        result[name] = copy.deepcopy(then[name])
        return None
    found = _find(then, name, id)
    if found is None:
        return "part-unknown"
    parent, siblings, at = found
    part = copy.deepcopy(siblings[at])
    here = _find(result, name, id)
    moves.settle(part, here[1][here[2]] if here else None)
    if here is not None:
        here[1][here[2]] = part
        return None
    home = result if parent is None else _part(result, parent)
    if home is None:
        return "parent-gone"
    home[name].insert(_place(siblings, at, home[name]), part)
    return None


def _named(pointer: str) -> tuple[str, str]:
    """The list or field that a pointer names, and the id in it, empty for a field; nothing where it is no pointer."""
    if not pointer.startswith("/"):
        return "", ""
    name, _, id = pointer[1:].partition("/")
    return name, id.lower()


def _depth(pointer: str) -> int:
    name, _ = _named(pointer)
    return _LISTS.index(name) + 1 if name in _LISTS else 0


def _at(value: Document, name: str, id: str) -> Document | None:
    found = _find(value, name, id)
    return found[1][found[2]] if found else None


def _walk(value: Document) -> Iterator[tuple[str, str, Document]]:
    """Every part inside of one: the id of what it stands in, the list, the part."""
    for name in _LISTS:
        for child in value.get(name, ()):
            yield value["id"], name, child
            yield from _walk(child)


def _find(
    value: Document, name: str, id: str, parent: str | None = None
) -> tuple[str | None, list[Document], int] | None:
    """The part of this name and id: the id of what it stands in (None: the article), its siblings, its place."""
    for list_name in _LISTS:
        for at, child in enumerate(value.get(list_name, ())):
            if list_name == name and child["id"] == id:
                return parent, value[list_name], at
            found = _find(child, name, id, child["id"])
            if found is not None:
                return found
    return None


def _part(value: Document, id: str) -> Document | None:
    return next((child for _, _, child in _walk(value) if child["id"] == id), None)


def _ids(value: Document) -> Iterator[str]:
    return (child["id"] for _, _, child in _walk(value))


def _without(value: Document, gone: set[str]) -> None:
    for name in _LISTS:
        if name in value:
            value[name] = [child for child in value[name] if child["id"] not in gone]
            for child in value[name]:
                _without(child, gone)


def _place(siblings: Sequence[Document], at: int, now: Sequence[Document]) -> int:
    """Where a part comes back: behind the nearest of those before it that is still there."""
    places = {child["id"]: place for place, child in enumerate(now)}
    before = (places[child["id"]] for child in reversed(siblings[:at]) if child["id"] in places)
    return next(before, -1) + 1
