"""The texts by which a published article is found: where each stands, how much it weighs, which parts it is of.

All of them are read when an article is indexed; ``Texts`` are what is needed of them to show where it was found.

How a text is read is in ``tokens.py``; what is kept of it in ``index.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from app.delivery.shapes import encode

Part = Literal["section", "key_point", "question", "source"]
PARTS: tuple[Part, ...] = ("section", "key_point", "question", "source")
"""What can be found within an article; a source by each citation of it."""

Place = tuple[Part, int]
"""A part of the article, and the how manieth of its kind, from 0: its ``position`` in ``delivery.parts``."""

SEPARATOR = "\x1f"
"""Between the texts of an article, where they are kept as one; no text that is sent may hold it."""

_TITLE, _SUMMARY, _BODY = 2.0, 1.5, 1.0
_ASKED = {"question", "answer"}
_OF_SECTION = (
    ("heading", _SUMMARY),
    ("question", _SUMMARY),
    ("answer", _BODY),
    ("transition", _BODY),
    ("body", _BODY),
)


class Field(NamedTuple):
    """One text of an article."""

    pointer: str
    text: str
    weight: float
    places: tuple[Place, ...]
    """The parts it is of, each once."""
    page: int | None = None
    """The number of the page it stands on."""
    anchor: str | None = None
    """The section it stands in."""


class Spot(NamedTuple):
    """One text of an article as it is shown."""

    pointer: str
    text: str
    loose: str
    page: int | None
    anchor: str | None


class Texts:
    """The texts of an article, or some of them, as they are kept: each is read from its bytes when it is shown."""

    def __init__(self, loose: str, parted: Sequence[str], outline: Sequence[str], body: bytes) -> None:
        self.loose = loose
        """All of them loosened, as they are kept."""
        self._parted, self._outline, self._body = parted, outline, body

    @classmethod
    def kept(cls, loose: str, outline: str, body: bytes) -> "Texts":
        """All texts of an article; ``body``: its frozen bytes, of which the outline was made."""
        return cls(loose, loose.split(SEPARATOR), outline.split("\n"), body)

    def among(self, chosen: Sequence[int]) -> "Texts":
        """Some of them, by their places here."""
        parted = [self._parted[at] for at in chosen]
        return Texts(SEPARATOR.join(parted), parted, [self._outline[at] for at in chosen], self._body)

    def every(self) -> Sequence[int]:
        """The places of all of them."""
        return range(len(self._outline))

    def standing(self, wanted: str) -> list[int]:
        """The places of those in which something stands."""
        return [at for at, loose in enumerate(self._parted) if wanted in loose]

    def weight(self, at: int) -> float:
        """How much the text at this place weighs."""
        line = self._outline[at]
        return float(line[: line.index("\t")])

    def spot(self, at: int) -> Spot:
        """The text at this place."""
        _, pointer, page, anchor, start, end = self._outline[at].split("\t")
        text = from_json(self._body[int(start) : int(end)])
        return Spot(pointer, text, self._parted[at], int(page) if page else None, anchor or None)


def outline(found: Iterable[Field], body: bytes) -> str:
    """What ``Texts`` need of these texts, beside their loosened forms: ``body`` are the bytes that they stand in.

    A line for each, values parted by tabs: only those are read that are shown.
    """
    lines = []
    for field in found:
        written = encode(field.text)
        start = body.index(written)  # or where the same is said before
        line = (field.weight, field.pointer, field.page or "", field.anchor or "", start, start + len(written))
        lines.append("\t".join(map(str, line)))
    return "\n".join(lines)


def fields(article: Mapping[str, Any]) -> list[Field]:
    """Every text of a public article that is not empty, in reading order."""
    found = [
        Field(f"/{name}", article[name], weight, ())
        for name, weight in (("title", _TITLE), ("lead", _SUMMARY), ("introduction", _BODY))
        if article[name]
    ]
    counts = dict.fromkeys(PARTS, 0)
    _add_points(found, "", article["takeaways"], (), counts, name="takeaways")
    for at, page in enumerate(article["pages"]):
        here = f"/pages/{at}"
        found += [
            Field(f"{here}/{name}", page[name], weight, (), page["number"])
            for name, weight in (("title", _SUMMARY), ("teaser", _BODY))
            if page[name]
        ]
        for number, section in enumerate(page["sections"]):
            inside: list[Field] = []
            _add_section(inside, f"{here}/sections/{number}", section, counts)
            found += [field._replace(page=page["number"], anchor=section["anchor"]) for field in inside]
    if article["conclusion"]:
        found.append(Field("/conclusion", article["conclusion"], _BODY, ()))
    return found


def _add_section(found: list[Field], here: str, section: dict[str, Any], counts: dict[Part, int]) -> None:
    inside: tuple[Place, ...] = (_place("section", counts),)
    asked = (*inside, _place("question", counts)) if section["question"] else inside
    for name, weight in _OF_SECTION:
        if section[name]:
            found.append(Field(f"{here}/{name}", section[name], weight, asked if name in _ASKED else inside))
    if section["commentary"] and section["commentary"]["text"]:
        found.append(Field(f"{here}/commentary/text", section["commentary"]["text"], _BODY, inside))
    for at, citation in enumerate(section["citations"]):
        said = f"{here}/citations/{at}"
        cited = (*inside, _place("source", counts))
        source = citation["source"]
        found += [
            Field(f"{said}/{name}", citation[name], _BODY, inside)
            for name in ("display_title", "publisher_text")
            if citation[name]
        ]
        if source["title"]:
            found.append(Field(f"{said}/source/title", source["title"], _BODY, cited))
        if source["publisher"] is not None:
            found.append(Field(f"{said}/source/publisher/name", source["publisher"]["name"], _BODY, cited))
        _add_points(found, said, citation["key_points"], inside, counts, name="key_points")


def _add_points(  # noqa: PLR0913 - what a list of key points stands in
    found: list[Field],
    here: str,
    points: Sequence[dict[str, Any]],
    inside: tuple[Place, ...],
    counts: dict[Part, int],
    *,
    name: str,
) -> None:
    for at, point in enumerate(points):
        place = _place("key_point", counts)
        if point["text"]:
            found.append(Field(f"{here}/{name}/{at}/text", point["text"], _SUMMARY, (*inside, place)))


def _place(part: Part, counts: dict[Part, int]) -> Place:
    """The next of this kind."""
    counts[part] += 1
    return part, counts[part] - 1
