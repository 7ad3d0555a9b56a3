"""A Markdown file read as an article document; what is written in prose is read from prose.

The way out is in ``markdown_writing.py``. Nothing is looked up here: known sources and publishers are the caller's.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app import validation
from app.articles.document import ArticleDocument
from app.errors import Fault, Invalid
from app.formats import front_matter, markdown_pieces
from app.formats.front_matter import Unreadable
from app.formats.markdown_pieces import PAGE

_FENCE = "---"
_COMMENT = re.compile(r"<!--[ \t]*(?P<name>[a-z]*)(?P<data>.*)")
_TITLE = re.compile(r"#(?:[ \t]+(?P<text>.*))?")
_HEADING = re.compile(r"##(?:[ \t]+(?P<text>.*))?")
_PARTS = frozenset({"pages", "sections", "citations", "key_points", "takeaways", "number"})
"""What stands in the file as parts, and so never beside the prose."""
_CODE = re.compile(r" {0,3}(?P<signs>`{3,}(?=[^`]*$)|~{3,})")
"""What opens a block of code, or closes one if nothing follows."""
_DIGITS = re.compile(r"[1-9][0-9]{0,5}")


@dataclass
class _Block:
    """What begins a part or a field, with the lines that follow it; ``number``: of its first line, from 1."""

    name: str
    number: int
    data: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    below: int = 0
    """The number of the first of ``lines``."""


def read(text: str) -> ArticleDocument:
    """The document that a Markdown file says.

    Raises: Invalid (``not-a-markdown-article``) naming all that cannot be read; Invalid (``validation``) where
    something does not fit its field. Each fault tells the number of its line.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reading = _Reading()
    beside, first = reading.front_matter(lines)
    for block in reading.blocks(lines, first):
        reading.fill(block)
    document = reading.finished(beside)
    if reading.faults:
        raise Invalid("not-a-markdown-article", "The file cannot be read as an article.", tuple(reading.faults))
    try:
        return validation.validated(ArticleDocument, document)
    except Invalid as error:
        faults = tuple(replace(fault, detail=reading.where(fault) + fault.detail) for fault in error.faults)
        raise Invalid(error.code, "Something in the file does not fit its field.", faults) from None


class _Reading:
    """A file half read: the document so far, where its parts begin, what is wrong."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._document: dict[str, Any] = {"pages": []}
        self._numbers: dict[str, int] = {}
        self._expects_heading = False
        self._filled: dict[str, Callable[[_Block], None]] = {
            "head": self._head,
            "takeaways": self._takeaways,
            "introduction": self._of_article,
            "page": self._page,
            "section": self._new_section,
            "heading": self._new_section,
            "question": self._plain,
            "answer": self._plain,
            "transition": self._plain,
            "citation": self._citation,
            "body": self._body,
            "commentary": self._commentary,
            "conclusion": self._of_article,
        }

    def where(self, fault: Fault) -> str:
        """The line where what is wrong begins, as far as it is known."""
        pointer = fault.pointer or ""
        while pointer and pointer not in self._numbers:
            pointer = pointer.rpartition("/")[0]
        return f"Line {self._numbers.get(pointer, 1)}: "

    def front_matter(self, lines: Sequence[str]) -> tuple[dict[str, Any], int]:
        """What the file says before its prose, and the place of the first line behind it."""
        if not lines or lines[0].rstrip() != _FENCE:
            return {}, 0
        end = next((place for place, line in enumerate(lines) if place and line.rstrip() == _FENCE), None)
        if end is None:
            self._fault("front-matter-invalid", 1, "The front matter, begun by ---, has no end.")
            return {}, len(lines)
        beside = self._yaml("\n".join(lines[1:end]), 2, "front-matter-invalid")
        if PAGE in beside:
            self._fault("page-alone", 1, "This is one page of an article; take the file of the whole.")
        for name in ("published_at", "revised_at"):  # told to people; never taken from them
            beside.pop(name, None)
        return beside, end + 1

    def blocks(self, lines: Sequence[str], first: int) -> Iterator[_Block]:
        """The file cut at its comments and second-level headings."""
        block = _Block("head", first + 1, below=first + 1)
        place, code = first, ""
        while place < len(lines):
            line = lines[place]
            comment = _COMMENT.match(line)
            code = "" if comment else _code(line, code)
            heading = None if code else _HEADING.fullmatch(line)
            if comment is None and heading is None:
                block.lines.append(line)
                place += 1
                continue
            yield block
            if heading is not None:
                said = {"heading": markdown_pieces.read_heading(heading["text"] or "")}
                block, place = _Block("heading", place + 1, said), place + 1
            else:
                commented = self._comment(lines, place)
                if commented is None:
                    return
                block, place = commented
            block.below = place + 1
        yield block

    def fill(self, block: _Block) -> None:
        """Put what a block says where it belongs."""
        filled = self._filled.get(block.name)
        heading_follows = self._expects_heading and block.name == "heading"
        self._expects_heading = block.name == "section" and not markdown_pieces.trimmed(block.lines)
        if filled is None:
            names = ", ".join(name for name in self._filled if name not in {"head", "heading"})
            detail = f"A comment here is one of: {names}. A line of text begins with a space before <!--."
            self._fault("comment-invalid", block.number, detail)
        elif _PARTS & block.data.keys():
            self._fault("comment-invalid", block.number, "Parts are written below, each by itself, not in a comment.")
        elif heading_follows:
            self._section(block.number).update(block.data)
            self._body(block)
        else:
            filled(block)

    def finished(self, beside: Mapping[str, Any]) -> dict[str, Any]:
        """The document with what stands in the front matter."""
        if _PARTS & beside.keys():
            self._fault("front-matter-invalid", 1, "Parts are written below, each by itself, not in front matter.")
        document = {**beside, **self._document}
        hero = self._document.get("hero_image")
        if hero is not None and isinstance(beside.get("hero_image"), dict):
            document["hero_image"] = beside["hero_image"] | hero
        _size(document.get("hero_image"))
        if document.get("title") is None and not self.faults:
            self._fault("title-missing", 1, "There is no title: a line that begins with #.", "/title")
        for number, page in enumerate(document["pages"], start=1):
            page["number"] = number
        return document

    def _head(self, block: _Block) -> None:
        lines = self._titled(block, self._document, "")
        for place, rest in ((-1, slice(-1)), (0, slice(1, None))):  # people put it above the lead, too
            picture = markdown_pieces.read_image(lines[place]) if lines else None
            if picture is not None:
                self._document["hero_image"] = picture
                lines = markdown_pieces.trimmed(lines[rest])
                break
        if lines:
            self._document["lead"] = markdown_pieces.read_plain(lines)
            self._numbers["/lead"] = block.number

    def _takeaways(self, block: _Block) -> None:
        self._put("takeaways", self._points(block, block.lines, block.below), block, "")

    def _of_article(self, block: _Block) -> None:
        self._put(block.name, markdown_pieces.read_commonmark(block.lines), block, "")

    def _page(self, block: _Block) -> None:
        page = block.data | {"sections": []}
        self._document["pages"].append(page)
        pointer = f"/pages/{len(self._document['pages']) - 1}"
        self._numbers[pointer] = block.number
        teaser = self._titled(block, page, pointer)
        if teaser:
            page["teaser"] = markdown_pieces.read_plain(teaser)

    def _new_section(self, block: _Block) -> None:
        if not self._document["pages"]:
            self._document["pages"].append({"sections": []})
        if block.data.get("id") is not None:
            block.data.setdefault("anchor", block.data["id"])
        pages = self._document["pages"]
        pages[-1]["sections"].append(block.data | {"citations": []})
        self._numbers[self._at()] = block.number
        self._body(block)

    def _body(self, block: _Block) -> None:
        """What stands under a heading, or under the comment ``body``, is the section's body."""
        if block.name == "body" or markdown_pieces.trimmed(block.lines):
            self._part("body", markdown_pieces.read_commonmark(block.lines), block)

    def _plain(self, block: _Block) -> None:
        self._part(block.name, markdown_pieces.read_plain(block.lines), block)

    def _commentary(self, block: _Block) -> None:
        speaker = block.data.get("speaker")
        _size(speaker.get("image") if isinstance(speaker, dict) else None)
        lines = markdown_pieces.trimmed(block.lines)
        prose = {"text": markdown_pieces.read_commonmark(lines)} if lines else {}
        self._part("commentary", block.data | prose, block)

    def _citation(self, block: _Block) -> None:
        section = self._section(block.number)
        lines = markdown_pieces.trimmed(block.lines)
        card = markdown_pieces.read_card(lines[0]) if lines else None
        citation = block.data if card is None else markdown_pieces.shown_by(card, block.data)
        for holder in (citation, citation.get("source")):
            _size(holder.get("image") if isinstance(holder, dict) else None)
        above = 0 if card is None else 1
        first = next((place for place, line in enumerate(block.lines) if line.strip()), 0)
        points = self._points(block, lines[above:], block.below + first + above)
        section["citations"].append(citation | {"key_points": points})
        self._numbers[f"{self._at()}/citations/{len(section['citations']) - 1}"] = block.number

    def _points(self, block: _Block, lines: Sequence[str], number: int) -> list[dict[str, Any]]:
        try:
            return markdown_pieces.read_points(lines)
        except Unreadable as error:
            detail = error.detail
            if block.name == "citation":
                detail = f"{detail} A card begins with [headline](https://...), its key points follow."
            self._fault("list-invalid", number + error.line, detail)
            return []

    def _titled(self, block: _Block, part: dict[str, Any], pointer: str) -> list[str]:
        """Take the title from the block's first line; what follows it is given back."""
        lines = markdown_pieces.trimmed(block.lines)
        title = _TITLE.fullmatch(lines[0]) if lines else None
        if title is None:
            return lines
        part["title"] = markdown_pieces.read_heading(title["text"] or "")
        self._numbers[f"{pointer}/title"] = block.number
        return markdown_pieces.trimmed(lines[1:])

    def _part(self, name: str, value: Any, block: _Block) -> None:
        section = self._section(block.number)
        if name in section:
            self._fault("field-repeated", block.number, f"This section has its {name} already.", f"{self._at()}/{name}")
        section[name] = value
        self._numbers[f"{self._at()}/{name}"] = block.number

    def _put(self, name: str, value: Any, block: _Block, pointer: str) -> None:
        if name in self._document:
            self._fault("field-repeated", block.number, f"The article has its {name} already.", f"{pointer}/{name}")
        self._document[name] = value
        self._numbers[f"{pointer}/{name}"] = block.number

    def _section(self, number: int) -> dict[str, Any]:
        """The section that is being read; where none has begun, one that is thrown away with a fault."""
        pages = self._document["pages"]
        if not pages or not pages[-1]["sections"]:
            self._fault("section-missing", number, "This belongs to a section: a line that begins with ##.")
            return {"citations": []}
        section: dict[str, Any] = pages[-1]["sections"][-1]
        return section

    def _at(self) -> str:
        pages = self._document["pages"]
        return f"/pages/{len(pages) - 1}/sections/{len(pages[-1]['sections']) - 1}" if pages else ""

    def _comment(self, lines: Sequence[str], place: int) -> tuple[_Block, int] | None:
        """The comment that begins at ``place``, and the place behind it; None where it has no end."""
        end = next((at for at in range(place, len(lines)) if "-->" in lines[at]), None)
        if end is None:
            self._fault("comment-invalid", place + 1, "The comment that begins here has no end.")
            return None
        whole = "\n".join(lines[place : end + 1])
        inside, _, behind = whole.partition("-->")
        found = _COMMENT.match(inside)
        name = found["name"] if found else ""
        if behind.strip():
            self._fault("comment-invalid", end + 1, "Nothing follows a comment in its line.")
        data = inside[found.start("data") :] if found else ""
        return _Block(name, place + 1, self._yaml(data, place + 1, "comment-invalid")), end + 1

    def _yaml(self, text: str, number: int, code: str) -> dict[str, Any]:
        """The values that YAML names; a text alone is an id."""
        try:
            values = front_matter.read(text)
        except Unreadable as error:
            self._fault(code, number + error.line, error.detail)
            return {}
        if isinstance(values, str):
            values = {"id": values}
        if values is not None and not isinstance(values, dict):
            self._fault(code, number, "Here stand names and values.")
            return {}
        return values or {}

    def _fault(self, code: str, number: int, detail: str, pointer: str = "") -> None:
        self.faults.append(Fault(code, f"Line {number}: {detail}", pointer=pointer))


def _code(line: str, code: str) -> str:
    """The signs that opened the block of code in which ``line`` stands, ``code`` those before it; empty: it is in none.

    One without an end goes on to the next comment, as it would to the end of a file without any.
    """
    found = _CODE.match(line)
    if found is None or not code:
        return found["signs"] if found else code
    closes = found["signs"].startswith(code) and not line[found.end() :].strip()
    return "" if closes else code


def _size(image: Any) -> None:
    """Make numbers of a picture's width and height: YAML's scalars are texts here."""
    for name in ("width", "height"):
        if isinstance(image, dict) and isinstance(image.get(name), str) and _DIGITS.fullmatch(image[name]):
            image[name] = int(image[name])
