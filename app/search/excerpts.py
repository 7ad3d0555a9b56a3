"""Where in an article a query is answered: the places to show, what of their text, and which characters to mark.

Pure: which articles are found is asked in ``hits.py``.
"""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from app.search import folding, tokens
from app.search.fields import Spot, Texts
from app.search.query import Query
from app.search.tokens import Token

MOST = 3
"""How many places of an article are shown."""

_EXCERPT = 120
"""How many characters of a longer text are shown."""
_MARKED = 100
"""How much is marked in one text at most."""
_BEFORE = 40
"""How many of them stand before what is marked first, at most."""
_TOKENIZED = 4_000
"""How many characters of an article are read word by word, where something in it is spelled otherwise."""
_TOKENIZED_FOR_ANY = 20_000
"""How many, as long as there is nothing to show."""
_MARKUP = re.compile("[&<>\"']")
_PAUSES = "。!?!?\n 、,"

Span = tuple[int, int]


class Excerpt(NamedTuple):
    """One place where a query is answered: part of its text as HTML, and what to mark in the whole of it."""

    pointer: str
    excerpt: str
    highlights: list[Span]


def show(
    asked: Query,
    texts: Texts,
    have: Callable[[Iterable[str]], bool],
    near: Callable[[Iterable[str]], Iterable[int]],
) -> list[tuple[Spot, Excerpt]]:
    """The places that answer a query best, of the texts given.

    Asked only where it must be known: whether all of some words stand in the article in some spelling (``have``), and
    in which texts some of them may (``near``).
    """
    everything = texts.loose
    literally: list[str] = []
    otherwise: list[tuple[str, ...]] = []
    for needle in asked.needles:
        if needle.loose in everything:
            literally.append(needle.loose)
        elif needle.words and not asked.phrase and have(needle.words):
            if all(piece in everything for piece in needle.pieces):
                literally += needle.pieces
            else:
                otherwise.append(needle.words)
    scores: defaultdict[int, int] = defaultdict(int)
    for wanted in dict.fromkeys(literally):
        for at in texts.standing(wanted):
            scores[at] += len(wanted)
    if scores:
        best = sorted(scores, key=lambda at: (-scores[at] * texts.weight(at), at))[:MOST]
        return _marked(map(texts.spot, best), literally, otherwise)

    def spelled_otherwise(wanted: Sequence[tuple[str, ...]]) -> list[tuple[Spot, Excerpt]]:
        some = near(word for words in wanted for word in words) if wanted else ()
        return _marked(map(texts.spot, sorted(some, key=lambda at: -texts.weight(at))), (), wanted)

    return spelled_otherwise(otherwise) or spelled_otherwise([(word,) for word in asked.words])


def highlights(spot: Spot, literally: Iterable[str], otherwise: Collection[tuple[str, ...]] = ()) -> list[Span]:
    """Which characters of a text answer a query, in code points of it, in order.

    ``literally``: what stands in it as asked; ``otherwise``: words in a row that may be spelled in another way.
    """
    found = [span for wanted in literally for span in _occurrences(spot.loose, wanted)]
    if not otherwise and folding.keeps_places(spot.text):  # most are so, and folding one takes longer than all else
        return _merged(sorted(found)[:_MARKED])
    folded = folding.fold(spot.text)
    if otherwise:
        said = [
            (token, tokens.asked(token.word))
            for token in tokens.tokens(folded.text, folded.gaps)
            if token.word is not None
        ]
        found += [span for words in otherwise for span in _in_a_row(said, words)]
    return _merged([folded.original(start, end) for start, end in sorted(found)[:_MARKED]])


def _marked(
    spots: Iterable[Spot], literally: Collection[str], otherwise: Collection[tuple[str, ...]]
) -> list[tuple[Spot, Excerpt]]:
    shown: list[tuple[Spot, Excerpt]] = []
    read = 0
    for spot in spots:
        if len(shown) == MOST:
            break
        most = _TOKENIZED if shown or literally else _TOKENIZED_FOR_ANY
        readable = bool(otherwise) and read + len(spot.text) <= most  # if not, a shorter one may still say it
        read += len(spot.text) if readable else 0
        marked = highlights(spot, literally, otherwise if readable else ())
        if marked:
            shown.append((spot, _excerpt(spot, marked)))
    return shown


def _in_a_row(said: Sequence[tuple[Token, tuple[str, ...]]], words: tuple[str, ...]) -> list[Span]:
    """Where these words stand one after the other, or what is found by them, too."""
    found = [
        (token.start, token.end)
        for token, _ in said
        if token.besides == words or (len(words) == 1 and words[0] in token.besides)
    ]
    for at in range(len(said)):
        met: tuple[str, ...] = ()
        for token, meant in said[at:]:
            met += meant
            if met == words:
                found.append((said[at][0].start, token.end))
            if met != words[: len(met)]:
                break
    return found


def _excerpt(spot: Spot, marked: list[Span]) -> Excerpt:
    text = spot.text
    escaped = html.escape if _MARKUP.search(text) else str
    start, end = _window(text, marked[0][0])
    shown, at = [], start
    for first, last in marked:
        if at <= first < end:
            end = max(end, min(last, end + _BEFORE))  # a word is not cut
            inside = min(last, end)
            shown += [escaped(text[at:first]), "<mark>", escaped(text[first:inside]), "</mark>"]
            at = inside
    end = folding.next_boundary(text, end)
    shown.append(escaped(text[at:end]))
    excerpt = ("…" if start else "") + "".join(shown) + ("…" if end < len(text) else "")
    return Excerpt(spot.pointer, excerpt, marked)


def _window(text: str, first: int) -> Span:
    """What to show of a text so that ``first`` stands in it: from a pause on, if one is near."""
    if len(text) <= _EXCERPT + _BEFORE:
        return 0, len(text)
    earliest = max(0, first - _BEFORE)
    start = earliest
    if earliest:
        pauses = [at + 1 for at in range(earliest, first) if text[at] in _PAUSES]
        start = pauses[0] if pauses else min(first, folding.next_boundary(text, earliest))
    while text[start].isspace():
        start += 1
    return start, min(len(text), start + _EXCERPT)


def _occurrences(text: str, wanted: str) -> list[Span]:
    found = []
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        found.append((at, at + len(wanted)))
        at = text.find(wanted, at + len(wanted))
    return found


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
