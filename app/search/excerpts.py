"""Where in an article a query is answered: the places to show, what of their text, and which characters to mark.

Pure: which articles are found is asked in ``hits.py``.
"""

import html
from collections.abc import Sequence
from typing import NamedTuple

from app.search import folding, tokens
from app.search.fields import Field
from app.search.query import Query
from app.search.tokens import Token

MOST = 3
"""How many places of an article are shown."""

_EXCERPT = 120
"""How many characters of a longer text are shown."""
_BEFORE = 40
"""How many of them stand before what is marked first, at most."""
_TOKENIZED = 4_000
"""How many characters of an article are read word by word, where nothing stands in it as it was asked."""
_PAUSES = "。!?!?\n 、,"

Span = tuple[int, int]


class Excerpt(NamedTuple):
    """One place where a query is answered: part of its text as HTML, and what to mark in the whole of it."""

    pointer: str
    excerpt: str
    highlights: list[Span]


def show(asked: Query, fields: Sequence[tuple[Field, str]]) -> list[Excerpt]:
    """The places that answer a query best, of the fields given, each with its loosened text."""
    scored = [
        (sum(len(needle.loose) for needle in asked.needles if needle.loose in loose) * field.weight, -at, field)
        for at, (field, loose) in enumerate(fields)
    ]
    best = [field for score, _, field in sorted(scored, reverse=True)[:MOST] if score > 0]
    if best or asked.phrase:
        return [_excerpt(field, marked) for field in best if (marked := highlights(asked, field.text))]
    heaviest = sorted((field for field, _ in fields), key=lambda field: -field.weight)
    return _by_words(asked, heaviest) or _by_words(asked, heaviest, scattered=True)


def highlights(asked: Query, text: str, *, scattered: bool = False) -> list[Span]:
    """Which characters of a text answer a query, in code points of it: where it stands as asked, or spelled otherwise.

    ``scattered``: also where single words of what stands side by side in the query stand alone.
    """
    folded = folding.fold(text)
    loose = folding.loosen(folded.text)
    found: list[Span] = []
    otherwise = []
    for needle in asked.needles:
        literally = _occurrences(loose, needle.loose)
        found += literally
        if not literally and needle.words:
            otherwise.append(needle.words)
    if otherwise and not asked.phrase:
        said = [(token, tokens.asked(token.word)) for token in tokens.tokens(folded.text) if token.word is not None]
        for words in otherwise:
            found += _in_a_row(said, words)
            if scattered:
                found += [(token.start, token.end) for token, meant in said if not set(words).isdisjoint(meant)]
    return [folded.original(start, end) for start, end in _merged(found)]


def _in_a_row(said: Sequence[tuple[Token, tuple[str, ...]]], words: tuple[str, ...]) -> list[Span]:
    """Where these words stand one after the other."""
    found = []
    for at in range(len(said)):
        met: tuple[str, ...] = ()
        for token, meant in said[at:]:
            met += meant
            if met == words:
                found.append((said[at][0].start, token.end))
            if met != words[: len(met)]:
                break
    return found


def _by_words(asked: Query, fields: Sequence[Field], *, scattered: bool = False) -> list[Excerpt]:
    shown: list[Excerpt] = []
    left = _TOKENIZED
    for field in fields:
        left -= len(field.text)
        if left < 0 or len(shown) == MOST:
            break
        marked = highlights(asked, field.text, scattered=scattered)
        if marked:
            shown.append(_excerpt(field, marked))
    return shown


def _excerpt(field: Field, marked: list[Span]) -> Excerpt:
    text = field.text
    start, end = _window(text, marked[0][0])
    shown, at = [], start
    for first, last in marked:
        if at <= first < end:
            inside = min(last, end)
            shown += [html.escape(text[at:first]), "<mark>", html.escape(text[first:inside]), "</mark>"]
            at = inside
    shown.append(html.escape(text[at:end]))
    excerpt = ("…" if start else "") + "".join(shown) + ("…" if end < len(text) else "")
    return Excerpt(field.pointer, excerpt, marked)


def _window(text: str, first: int) -> Span:
    """What to show of a text so that ``first`` stands in it: from a pause on, if one is near."""
    if len(text) <= _EXCERPT + _BEFORE:
        return 0, len(text)
    earliest = max(0, first - _BEFORE)
    start = earliest
    if earliest:
        pauses = [at + 1 for at in range(earliest, first) if text[at] in _PAUSES]
        start = pauses[0] if pauses else earliest
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
