"""The read-more line of a source card taken apart: label, publisher, credit label, address.

Which line is a read-more line is decided in ``source_card.py``; which labels are the page's in ``card_labels.py``.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import regex

from app.articles.document import SiteLabels
from app.formats import lines

_TAIL = 60
"""A credit label is shorter than this."""
_WORD = (
    r"(?:出典元?|画像元?|写真|引用元?|参照元?|参考|情報元|記事元|元記事|配信元?|提供元?|掲載元?|転載元?|ソース"
    r"|(?<![a-z])(?:source|credit|photo|image|via|from|by|url)s?)"
)
_CREDIT = regex.compile(
    rf"[\s(（\[【｜|/\uff0f–—-]*+{_WORD}(?:[\s/\uff0f・&\uff06、,|｜]*{_WORD})*[\s:\uff1a]*[)）\]】]?[\s:\uff1a]*$",
    regex.IGNORECASE,
)
_UNKNOWN_CREDIT = regex.compile(r"(?:\s+[^\s:\uff1a]{1,12}[:\uff1a])?[\s:\uff1a]*$")
_COLON = regex.compile(r"[:\uff1a]\s*")
_INVITES = regex.compile(
    r"(?=\S*(?:続|つづ|もっと|詳|全文|元記事|記事|読|more|read|full))\S+\s+(?=\S)", regex.IGNORECASE
)


class Wording(NamedTuple):
    """A read-more line in its four parts, spaces included: joined they are the line."""

    read_more: str
    publisher: str
    credit: str
    url: str


def credited(before: str) -> bool:
    """Whether the text before an address ends with words that credit a source."""
    return _CREDIT.search(before[-_TAIL:]) is not None


def divide(printed: Sequence[str], labels: SiteLabels) -> list[Wording]:
    """The read-more lines of a page in their parts.

    The site's own labels come first, then an arrow and the usual credit words, then what the cards of the page
    have in common; whatever the cut, the parts joined are the line again.
    """
    places = [lines.address_at(line) or 0 for line in printed]
    texts = [line[:place] for line, place in zip(printed, places, strict=True)]
    begins = [_known_label(text, labels) for text in texts]
    rests = [text[begin or 0 :] for text, begin in zip(texts, begins, strict=True)]
    credits = _fill([_known_credit(rest, labels) for rest in rests], rests, _shared_credit, _guessed_credit)
    names = [rest[: len(rest) - length] for rest, length in zip(rests, credits, strict=True)]
    begins = [None if begin is None and name else begin or 0 for begin, name in zip(begins, names, strict=True)]
    starts = _fill(begins, names, _shared_label, _guessed_label)
    return [
        Wording(text[:start], text[start : len(text) - length], text[len(text) - length :], line[place:])
        for line, place, text, start, length in zip(printed, places, texts, starts, credits, strict=True)
    ]


def _known_label(text: str, labels: SiteLabels) -> int | None:
    """Where the label ends: the site's (with spaces that are no part of the credit), else after an arrow."""
    usual = labels.read_more
    if usual and text.startswith(usual):
        rest = text[len(usual) :]
        spaces = len(rest) - len(rest.lstrip())
        return len(usual) + (0 if rest == labels.source_credit else spaces)
    end = lines.after_arrow(text)
    if end is None or text[:end].strip() != lines.marker(text).strip():
        return end
    # The line begins with an arrow: the label goes on to the next one, if there is one.
    further = lines.after_arrow(text[end:])
    return None if further is None else end + further


def _known_credit(rest: str, labels: SiteLabels) -> int | None:
    """How long the credit label at the end is: the site's, or one of the usual words; with spaces before it."""
    usual = labels.source_credit
    if usual and rest.endswith(usual):
        name = rest[: len(rest) - len(usual)]
        return len(rest) - len(name.rstrip())
    tail = rest[-_TAIL:]
    found = _CREDIT.search(tail)
    return None if found is None else len(tail) - found.start()


def _fill(
    known: Sequence[int | None],
    texts: Sequence[str],
    share: Callable[[Sequence[str]], int],
    guess: Callable[[str], int],
) -> list[int]:
    """``known`` with its gaps filled: by what the texts there have in common, else by a guess at each."""
    open_texts = [text for length, text in zip(known, texts, strict=True) if length is None]
    shared = share(open_texts) if len(set(open_texts)) > 1 else 0
    return [length if length is not None else shared or guess(text) for length, text in zip(known, texts, strict=True)]


def _shared_credit(rests: Sequence[str]) -> int:
    """The length of the end that all have in common, from its first sign that is no letter; 0 if there is none."""
    common = lines.beginning([rest[::-1] for rest in rests])[::-1]
    return next((len(common) - place for place, sign in enumerate(common) if not sign.isalnum()), 0)


def _guessed_credit(rest: str) -> int:
    found = _UNKNOWN_CREDIT.search(rest[-_TAIL:])
    return len(found.group()) if found else 0


def _shared_label(names: Sequence[str]) -> int:
    """The length of the beginning that all have in common, up to its last sign that is no letter."""
    common = lines.beginning(names)
    return next((place for place in range(len(common), 0, -1) if not common[place - 1].isalnum()), 0)


def _guessed_label(name: str) -> int:
    colon = _COLON.search(name[:_TAIL])
    if colon is not None:
        return colon.end()
    symbols = lines.marker(name)
    word = _INVITES.match(name[:_TAIL], len(symbols)) if symbols else None
    return word.end() if word else len(symbols)
