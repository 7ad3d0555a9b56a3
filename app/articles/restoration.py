"""An earlier state of an article brought back: all of it, or some of its parts into what it is now.

It is a save as every other: checked, and the next version. What a revision holds is read in ``revisions.py``.
"""

import copy
from collections.abc import Iterator, Sequence
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
    ``/lead``. A part that is there stays where it is; one that is gone comes back where it stood.
    Raises: Invalid (``validation``) naming every pointer that leads to nothing.
    """
    result, faults = copy.deepcopy(now), []
    for at, pointer in enumerate(pointers):
        code = _restore(result, then, pointer)
        if code is not None:
            faults.append(Fault(code, _DETAILS[code], pointer=f"/parts/{at}"))
    if faults:
        raise Invalid("validation", "This cannot be restored.", tuple(faults))
    return result


_DETAILS = {
    "part-unknown": "The revision has no such part.",
    "parent-gone": "What this part stood in is not there any more: restore that.",
}


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


def _restore(result: Document, then: Document, pointer: str) -> str | None:
    """Restore one part; the code of what is wrong with it, if anything is."""
    name, _, id = pointer.removeprefix("/").partition("/")
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
    # What has been moved out of the part meanwhile stays where it is.
    inside = set(_ids(here[1][here[2]])) if here else set()
    _without(part, set(_ids(result)) - inside - {id})
    if here is not None:
        here[1][here[2]] = part
        return None
    home = result if parent is None else _part(result, parent)
    if home is None:
        return "parent-gone"
    home[name].insert(_place(siblings, at, home[name]), part)
    return None


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
    found = (_find(value, name, id) for name in _LISTS)
    return next((siblings[at] for each in found if each is not None for _, siblings, at in [each]), None)


def _ids(value: Document) -> Iterator[str]:
    for name in _LISTS:
        for child in value.get(name, ()):
            yield child["id"]
            yield from _ids(child)


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
