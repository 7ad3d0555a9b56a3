"""Text of any language: what is refused everywhere, what a slug is, where a sentence ends.

Folding for search lives in ``app/search``; Markdown in ``app/formats/markdown.py``.
"""

import re
import unicodedata
from datetime import UTC, datetime

import regex

SLUG_CHARACTERS = 120
"""The longest slug, in code points."""

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# Every text of every body is held against these three: a character class is fastest in re, and alone.
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_MARKS = regex.compile(r"\p{M}{31}")
_CLOSES = {"\u202c": "\u202a\u202b\u202d\u202e", "\u2069": "\u2066\u2067\u2068"}
_SLUG = regex.compile(rf"[\p{{L}}\p{{M}}\p{{Nd}}-]{{1,{SLUG_CHARACTERS}}}")
_NOT_SLUG = regex.compile(r"[^\p{L}\p{M}\p{Nd}]+")
_SENTENCE_END = regex.compile(r"[。．.!?\uff01\uff1f\uff61…‼⁇⁈⁉][」』)）\]】〉》\"'”’\p{So}\s\ufe0f]*$")


def hostile(text: str) -> str | None:
    """Why ``text`` is refused everywhere, as a sentence; None where it is fine.

    Refused: NUL and other C0 controls but TAB, LF, CR; lone surrogates; bidirectional controls that are
    not balanced; more than 30 combining marks in a row.
    """
    if text.isascii() and text.isprintable():
        return None
    found = _REFUSED.search(text)
    if found is not None:
        if "\ud800" <= found.group() <= "\udfff":
            return "A lone surrogate is not a character."
        return "Control characters other than tab, line feed and carriage return are not allowed."
    if _MARKS.search(text):
        return "More than 30 combining marks stand in a row."
    return None if _bidi_balanced(text) else "Bidirectional control characters are not balanced."


def _bidi_balanced(text: str) -> bool:
    opened: list[str] = []
    for control in _BIDI.findall(text):
        if control not in _CLOSES:
            opened.append(control)
        elif not opened or opened.pop() not in _CLOSES[control]:
            return False
    return not opened


def instant(value: datetime) -> str:
    """An instant as rows and answers write it: UTC, milliseconds, ``Z``; such texts sort by time."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uuid_shaped(text: str) -> bool:
    """Whether ``text`` reads as a UUID in its canonical form; such a text is always an id, never a slug."""
    return _UUID.fullmatch(text) is not None


def fold(text: str) -> str:
    """``text`` as it is compared with what people type: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def slug(text: str) -> str | None:
    """The slug that ``text`` spells (NFKC, lower case); None where it holds anything a slug may not."""
    folded = fold(text)
    return folded if _SLUG.fullmatch(folded) else None


def slug_from_title(title: str) -> str:
    """A slug made of a title: everything but letters, marks and digits becomes ``-``; may be empty."""
    return _NOT_SLUG.sub("-", fold(title))[:SLUG_CHARACTERS].strip("-")


def ends_sentence(text: str) -> bool:
    """Whether ``text`` ends as a sentence does: 。!?… or the like, closing brackets and emoji aside."""
    return _SENTENCE_END.search(text) is not None
