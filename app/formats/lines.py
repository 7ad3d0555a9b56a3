"""The lines of a digest page and what a line shows by itself: a marker, an arrow, an address, a sentence's end.

What a line means by its position is decided in ``digest_page.py`` and its neighbours.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import regex

from app import text

HEADING_CHARACTERS = 300
"""A longer line is a paragraph, however it ends."""
_TAIL = 40
"""Patterns at the end of a line look at this many characters, so that no line costs more than its length."""
_LABEL = 200
"""An arrow further behind belongs to no label."""

_BREAK = re.compile(r"\r\n|\r|\n")
_OUTER = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\ufeff"
_MARKER = regex.compile(
    r"[\p{So}\p{Sm}\p{Pd}\p{Sk}*•‣◦・※†‡§¶][\p{So}\p{Sm}\p{Pd}\p{Sk}*•‣◦・※†‡§¶\ufe0f\u200d\u20e3]{0,15}+\s{0,8}+(?=.)"
)
_ARROW = r"(?:[-=]{1,2}>|[⇒→➡➔➜➤►▶▷▸≫»›>\uff1e⟶⟹⇨⮕]\ufe0f?)"
_ARROWS = regex.compile(rf"{_ARROW}(?:\s?{_ARROW})*+\s*+")
_ENDS_WITH_ARROW = regex.compile(rf"{_ARROW}[\]】)）」』\s]*$")
_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_QUESTION = regex.compile(r"[?\uff1f⁇⁈⁉][!?\uff01\uff1f]*[」』)）\]】〉》\"'”’\p{So}\s\ufe0f]*$")
_POLITE = re.compile(
    r"(?:です|ます|でした|ました|ません|でしょう|ましょう|ください)(?:よね|わね|わ|ね|よ|な|か|が)?[^\w]*$"
)


class Printed(NamedTuple):
    """A line that is not empty: its number in the file (from 1), its text without outer spaces."""

    number: int
    text: str


def split(page: str) -> list[Printed]:
    """The lines of ``page`` that are not empty; BOM and outer spaces, ideographic ones too, are dropped."""
    stripped = ((number, line.strip(_OUTER)) for number, line in enumerate(_BREAK.split(page), start=1))
    return [Printed(number, line) for number, line in stripped if line]


def marker(line: str) -> str:
    """The symbols (and spaces after them) that begin ``line``; empty if it begins with text."""
    found = _MARKER.match(line)
    return str(found.group()) if found else ""


def bears(line: str, symbol: str) -> bool:
    """Whether ``line`` begins with the marker ``symbol`` (spaces after it aside) and says something after it."""
    return bool(symbol) and line.startswith(symbol) and len(line) > len(symbol)


def shared_marker(lines: Sequence[str], symbol: str, usual: str) -> str:
    """The exact marker of ``lines`` that all begin with ``symbol``: ``usual`` if it fits, else with their spaces."""
    if all(line.startswith(usual) for line in lines):
        return usual
    after = [line[len(symbol) :] for line in lines]
    return symbol + beginning([rest[: len(rest) - len(rest.lstrip())] for rest in after])


def beginning(texts: Sequence[str]) -> str:
    """The longest beginning that all ``texts`` share."""
    low, high = min(texts), max(texts)
    return low[
        : next((place for place, pair in enumerate(zip(low, high, strict=False)) if len(set(pair)) > 1), len(low))
    ]


def address_at(line: str) -> int | None:
    """Where the http(s) address begins that ``line`` ends with; None if it ends with none."""
    last = line.rsplit(None, 1)[-1]
    found = _ADDRESS.search(last)
    return None if found is None else len(line) - len(last) + found.start()


def after_arrow(line: str) -> int | None:
    """Where the text after the first arrow (and its spaces) begins; None where there is no arrow."""
    found = _ARROWS.search(line[:_LABEL])
    return None if found is None else found.end()


def points_on(line: str) -> bool:
    """Whether ``line`` ends with an arrow."""
    return _ENDS_WITH_ARROW.search(line[-_TAIL:]) is not None


def asks(line: str) -> bool:
    """Whether ``line`` ends with a question mark, closing brackets and emoji aside."""
    return _QUESTION.search(line[-_TAIL:]) is not None


def ends(line: str) -> bool:
    """Whether ``line`` ends as a sentence does, questions and exclamations included."""
    return text.ends_sentence(line)


def states(line: str) -> bool:
    """Whether ``line`` says a whole sentence: it ends as one, and not only with ``?`` or ``!``."""
    return ends(line) and ("。" in line or not regex.search(r"[?!\uff1f\uff01‼⁇⁈⁉]", line[-_TAIL:]))


def titles(line: str) -> bool:
    """Whether ``line`` can be a heading: not a sentence, not long, no address."""
    return len(line) <= HEADING_CHARACTERS and not ends(line) and address_at(line) is None


def trails_off(line: str) -> bool:
    """Whether ``line`` is a sentence but for its full stop: it ends in a polite verb."""
    return _POLITE.search(line[-_TAIL:]) is not None
