"""What differs between two documents, in a digest's words: a section moved, a key point changed, a takeaway removed.

Pure. Parts are the same where their ids are; a part that came or went is told whole, without its own parts one by one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from pydantic import BaseModel

from app.articles.document import ArticleDocument

Operation = Literal["equal", "delete", "insert"]

_CHILDREN = {
    "article": ("takeaways", "pages"),
    "page": ("sections",),
    "section": ("citations",),
    "citation": ("key_points",),
}
_KINDS = {
    "takeaways": "takeaway",
    "pages": "page",
    "sections": "section",
    "citations": "citation",
    "key_points": "key_point",
}
_COST = 100_000_000
"""How much one text may cost to compare, as ``_may`` counts: some tenths of a second; beyond, it is replaced whole."""
_WHOLE_COST = 3 * _COST
"""How much all texts of a document may cost."""
_SENTENCES = re.compile(r"[^。!?!?\n]*[。!?!?\n]|[^。!?!?\n]+")


class TextChange(BaseModel):
    """A stretch of a text that stayed, went, or came."""

    op: Operation
    text: str


class Change(BaseModel):
    """One thing that differs: ``code`` is ``{kind}.added``, ``.removed``, ``.moved`` or ``.changed``."""

    code: str
    id: str | None
    pointer: str
    """Where it stands: in the later document, what was removed in the earlier."""
    before: Any = None
    """What was there: the value of a field, a part, or for a moved one the pointer it stood at."""
    after: Any = None
    text: list[TextChange] | None = None
    """How a text became another, character by character."""


@dataclass(frozen=True)
class _Part:
    kind: str
    pointer: str
    parent: str | None
    value: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.value["id"])

    def own(self) -> dict[str, Any]:
        """What the part says itself, without its parts and its place."""
        beside = {*_CHILDREN.get(self.kind, ()), "id", "number"}
        return {name: value for name, value in self.value.items() if name not in beside}


def compare(earlier: ArticleDocument, later: ArticleDocument) -> list[Change]:
    """Everything that differs: first what was removed, then all else in the order of the later document."""
    before, after = _parts(earlier), _parts(later)
    texts = _Texts()
    found = [
        Change(code=f"{part.kind}.removed", id=part.id, pointer=part.pointer, before=part.value)
        for part in before.values()
        if part.id not in after and (part.parent is None or part.parent in after)
    ]
    moved = _moved(before, after)
    for part in after.values():
        was = before.get(part.id)
        if was is None:
            if part.parent is None or part.parent in before:
                found.append(Change(code=f"{part.kind}.added", id=part.id, pointer=part.pointer, after=part.value))
            continue
        if part.id in moved:
            code = f"{part.kind}.moved"
            found.append(Change(code=code, id=part.id, pointer=part.pointer, before=was.pointer, after=part.pointer))
        found += _changed(was, part, texts)
    return found


def _parts(document: ArticleDocument) -> dict[str, _Part]:
    """The article itself and all its parts, by id, in reading order."""
    value = document.model_dump()
    return {part.id: part for part in _walk(_Part("article", "", None, value))}


def _walk(part: _Part) -> Iterator[_Part]:
    yield part
    for name in _CHILDREN.get(part.kind, ()):
        for at, child in enumerate(part.value[name]):
            yield from _walk(_Part(_KINDS[name], f"{part.pointer}/{name}/{at}", part.id, child))


def _moved(before: Mapping[str, _Part], after: Mapping[str, _Part]) -> set[str]:
    """The parts that are in another part now, or stand otherwise among the siblings they had."""
    there = {id for id, part in after.items() if id in before and before[id].parent != part.parent}
    stayed: dict[tuple[str | None, str], tuple[list[str], list[str]]] = {}
    for side, parts in enumerate((before, after)):
        for part in parts.values():
            if part.id in before and part.id in after and part.id not in there:
                stayed.setdefault((part.parent, part.kind), ([], []))[side].append(part.id)
    for was, now in stayed.values():
        if was != now:
            blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
            there |= set(now) - {id for block in blocks for id in now[block.b : block.b + block.size]}
    return there


def _changed(was: _Part, part: _Part, texts: "_Texts") -> Iterator[Change]:
    before, after = was.own(), part.own()
    for name, value in after.items():
        if before[name] == value:
            continue
        text = texts.changes(before[name], value) if isinstance(before[name], str) and isinstance(value, str) else None
        pointer = f"{part.pointer}/{name}"
        yield Change(
            code=f"{part.kind}.changed", id=part.id, pointer=pointer, before=before[name], after=value, text=text
        )


class _Texts:
    """Compares the texts of a document, in bounded time."""

    def __init__(self) -> None:
        self._left = _WHOLE_COST

    def changes(self, before: str, after: str) -> list[TextChange]:
        """How one text became the other."""
        start = _common(before, after)
        end = _common(before[start:][::-1], after[start:][::-1])
        old, new = before[start : len(before) - end], after[start : len(after) - end]
        told: list[tuple[Operation, str]] = [("equal", before[:start])]
        told += self._compared(old, new)
        told.append(("equal", before[len(before) - end :]))
        return [TextChange(op=op, text=text) for op, text in told if text]

    def _compared(self, old: str, new: str) -> Iterator[tuple[Operation, str]]:
        """Character by character; sentence by sentence first where that costs too much."""
        if self._may(len(old), len(new)):
            yield from self._pieces(old, new)
            return
        sentences = _SENTENCES.findall(old), _SENTENCES.findall(new)
        if not self._may(*map(len, sentences)):
            yield from (("delete", old), ("insert", new))
            return
        for op, a, b, c, d in SequenceMatcher(None, *sentences, autojunk=False).get_opcodes():
            gone, come = "".join(sentences[0][a:b]), "".join(sentences[1][c:d])
            if op == "equal":
                yield "equal", gone
            elif gone and come and self._may(len(gone), len(come)):
                yield from self._pieces(gone, come)
            else:
                yield from (("delete", gone), ("insert", come))

    @staticmethod
    def _pieces(old: str, new: str) -> Iterator[tuple[Operation, str]]:
        for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if op == "equal":
                yield "equal", old[a:b]
            else:
                yield from (("delete", old[a:b]), ("insert", new[c:d]))

    def _may(self, one: int, other: int) -> bool:
        """Whether two sequences of these lengths may be compared; if so, it is paid for."""
        # The library looks through all pairs once more for each stretch that it finds, at the worst.
        cost = one * other * min(one, other)
        if cost > min(self._left, _COST):
            return False
        self._left -= cost
        return True


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)
