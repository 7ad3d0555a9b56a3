"""The texts by which a published article is found: where each stands, how much it weighs, which parts it is of.

How a text is read is in ``tokens.py``; what is kept of it in ``index.py``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Part = Literal["section", "key_point", "question", "source"]
PARTS: tuple[Part, ...] = ("section", "key_point", "question", "source")
"""What can be found within an article; a source by each citation of it."""

Place = tuple[Part, int]
"""A part of the article, and the how manieth of its kind, from 0: its ``position`` in ``delivery.parts``."""

_TITLE, _SUMMARY, _BODY = 2.0, 1.5, 1.0


class Field(NamedTuple):
    """One text of an article."""

    pointer: str
    text: str
    weight: float
    places: tuple[Place, ...]


def fields(article: Mapping[str, Any]) -> list[Field]:
    """Every text of a public article that is not empty, in reading order."""
    return [field for field in _fields(article) if field.text]


def _fields(article: Mapping[str, Any]) -> Iterator[Field]:
    counts = dict.fromkeys(PARTS, 0)

    def place(part: Part) -> Place:
        counts[part] += 1
        return part, counts[part] - 1

    yield Field("/title", article["title"], _TITLE, ())
    yield Field("/lead", article["lead"], _SUMMARY, ())
    yield Field("/introduction", article["introduction"], _BODY, ())
    for at, point in enumerate(article["takeaways"]):
        yield Field(f"/takeaways/{at}/text", point["text"], _SUMMARY, (place("key_point"),))
    for at, page in enumerate(article["pages"]):
        here = f"/pages/{at}"
        yield Field(f"{here}/title", page["title"] or "", _SUMMARY, ())
        yield Field(f"{here}/teaser", page["teaser"] or "", _BODY, ())
        for number, section in enumerate(page["sections"]):
            inside = (place("section"),)
            asked = (*inside, place("question")) if section["question"] else inside
            yield from _section(f"{here}/sections/{number}", section, inside, asked)
            for each, citation in enumerate(section["citations"]):
                said = f"{here}/sections/{number}/citations/{each}"
                cited = (*inside, place("source"))
                source = citation["source"]
                yield Field(f"{said}/display_title", citation["display_title"] or "", _BODY, inside)
                yield Field(f"{said}/publisher_text", citation["publisher_text"] or "", _BODY, inside)
                yield Field(f"{said}/source/title", source["title"], _BODY, cited)
                publisher = source["publisher"] or {"name": ""}
                yield Field(f"{said}/source/publisher/name", publisher["name"], _BODY, cited)
                for nth, point in enumerate(citation["key_points"]):
                    pointed = (*inside, place("key_point"))
                    yield Field(f"{said}/key_points/{nth}/text", point["text"], _SUMMARY, pointed)
    yield Field("/conclusion", article["conclusion"], _BODY, ())


def _section(
    here: str, section: dict[str, Any], inside: tuple[Place, ...], asked: tuple[Place, ...]
) -> Iterator[Field]:
    yield Field(f"{here}/heading", section["heading"] or "", _SUMMARY, inside)
    yield Field(f"{here}/question", section["question"] or "", _SUMMARY, asked)
    yield Field(f"{here}/answer", section["answer"] or "", _BODY, asked)
    yield Field(f"{here}/transition", section["transition"] or "", _BODY, inside)
    yield Field(f"{here}/body", section["body"], _BODY, inside)
    commentary = section["commentary"] or {"text": ""}
    yield Field(f"{here}/commentary/text", commentary["text"], _BODY, inside)
