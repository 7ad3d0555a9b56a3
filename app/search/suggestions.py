"""Words to look for: those that begin as what is typed, and one that was perhaps meant.

Only words that stand in a published article at this moment are told.
"""

import difflib
from typing import Any

from sqlalchemy import Column, ColumnElement, or_, select

from app.database import Reader
from app.delivery.shapes import Shape
from app.search import folding, query, tokens
from app.search.index import search_postings, search_terms

_t = search_terms.c
_STANDS = select(search_postings.c.number).where(search_postings.c.term_id == _t.id).limit(1).exists()
_LAST = "\U0010ffff"
_COMPARED = 500
"""With how many words one that is not found is compared."""
_CLOSE = 0.7
"""How alike two words must be, as ``difflib`` has it."""


def suggest(reader: Reader, typed: str, limit: int) -> list[Shape]:
    """Nouns that begin with what is typed, or are read so, those of the most articles first."""
    folded = tokens.spelled(folding.fold(typed.strip()).text)
    if not folded:
        return []
    nouns = select(_t.term, _t.reading).where(_begins(folded), _t.reading.is_not(None), _STANDS)
    rows = reader.rows(nouns.order_by(_t.df.desc(), _t.term).limit(limit))
    return [{"text": row["term"], "reading": row["reading"]} for row in rows]


def meant(reader: Reader, asked: str) -> str | None:
    """A query that nothing answers, with words that do stand somewhere for those that do not; None: none is near."""
    pieces = query.plain(asked).split()
    known = {row["term"] for row in reader.rows(select(_t.term).where(_t.term.in_(pieces), _STANDS))}
    near = [piece if piece in known else _closest(reader, piece) or piece for piece in pieces]
    return None if near == pieces else " ".join(near)


def _closest(reader: Reader, piece: str) -> str | None:
    sound = tokens.sound(piece)
    words = select(_t.term, _t.reading).where(or_(_starts(_t.term, piece[:1]), _starts(_t.reading, sound[:2])), _STANDS)
    rows = reader.rows(words.order_by(_t.df.desc(), _t.term).limit(_COMPARED))
    alike = [(max(_likeness(row["term"], piece), _likeness(row["reading"], sound)), row["term"]) for row in rows]
    likeness, word = max(alike, key=lambda each: each[0], default=(0.0, None))
    return word if likeness >= _CLOSE else None


def _likeness(word: str | None, other: str) -> float:
    """How like one another they are, from 0 to 1, or 0 where that cannot be enough: most are far, and soon told."""
    alike = difflib.SequenceMatcher(None, word or "", other, autojunk=False)
    if alike.real_quick_ratio() < _CLOSE or alike.quick_ratio() < _CLOSE:
        return 0.0
    return alike.ratio()


def _begins(folded: str) -> ColumnElement[bool]:
    return or_(_starts(_t.term, folded), _starts(_t.reading, tokens.spelled(folding.loosen(folded))))


def _starts(column: Column[Any], text: str) -> ColumnElement[bool]:
    return (column >= text) & (column < text + _LAST)
