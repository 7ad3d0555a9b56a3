"""Which paragraphs of a CommonMark text do not end as a sentence does.

What a digest page's line shows is in ``lines.py``, whether anybody is told of it in ``app/publishing/findings.py``.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import regex
from markdown_it.token import Token

from app.formats import lines, markdown

_TAIL = 40
"""Only so many characters at the end of a paragraph are looked at."""
_LABEL_CHARACTERS = 40
"""A longer line is no label."""
_PLAIN_ENDS = frozenset("。．！？!?.…」』）")
"""Where the source of a paragraph ends with one of these, so does what is seen of it."""
# Fences, lists, quotes, headings, rules, code, definitions: then only a parser knows what a paragraph is.
_BLOCK = re.compile(r"^(?: {0,3}(?:[#>+*=~\t\[-]|`{3}|__|_ |[0-9]{1,9}[.)])| {4})", re.MULTILINE)
_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_MARKUP = re.compile(r"[\\`*_\[<&]")
_END = regex.compile(r"[\p{Sentence_Terminal}…‥⋯\p{Pe}\p{Pf}\p{Pi}\"'\p{So}][\p{Cf}\p{M}\p{Sk}]*$")
_COLON = (":", "\uff1a")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_ENDS_BESIDE = {"el": (";", "\u037e")}
_WITHOUT_ENDS = frozenset({"th", "lo", "bo", "dz"})
"""Languages that write no mark at the end of a sentence, or none that Unicode calls one."""


def unended(text: str, language: str) -> Iterator[int]:
    """The paragraphs, counted from 1, that are running text and do not end as a sentence of ``language`` does.

    Headings, lists, quotes and code are none, nor is what stands for one of them: lines with a marker, a label
    (会場:菊公園), an address, emphasis or a link alone. A colon ends what something follows.
    """
    primary = language.partition("-")[0]
    if primary in _WITHOUT_ENDS or not text or text.isspace():
        return
    unified = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    found = _parsed(unified) if _BLOCK.search(unified) else _split(unified)
    for number, (paragraph, followed) in enumerate(found, start=1):
        if paragraph.rstrip()[-1:] not in _PLAIN_ENDS and not _ends(paragraph, primary, followed=followed):
            yield number


def _split(text: str) -> Iterator[tuple[str, bool]]:
    """Each paragraph as it is written, and whether something follows it."""
    chunks = [chunk for chunk in _BLANK.split(text) if chunk.strip(" \t\n")]
    return ((chunk, place < len(chunks)) for place, chunk in enumerate(chunks, start=1))


def _parsed(text: str) -> Iterator[tuple[str, bool]]:
    tokens = markdown.blocks(text)
    outer = [token for token in tokens if token.level == 0 or (token.level == 1 and token.type == "inline")]
    for place, (before, token) in enumerate(pairwise(outer)):
        if before.type == "paragraph_open":
            yield token.content, place + 3 < len(outer)  # behind what it holds stands its paragraph_close


def _stands_alone(tokens: Sequence[Token]) -> bool:
    """Whether a paragraph is all images, or one link or emphasis: a caption, a button, a heading in bold."""
    said = [token for token in tokens if token.nesting or token.content.strip()]
    if all(token.type == "image" for token in said):
        return True
    depths = [*accumulate(token.nesting for token in said)]
    return said[0].nesting == 1 and depths.index(0) == len(said) - 1


def _ends(paragraph: str, language: str, *, followed: bool) -> bool:
    seen = paragraph
    if _MARKUP.search(paragraph):
        tokens = markdown.inline(paragraph)
        if _stands_alone(tokens):
            return True
        seen = markdown.text(tokens)
    tail = seen.rstrip()[-_TAIL:]
    if not tail or _END.search(tail) or (followed and tail.endswith(_COLON)):
        return True
    if tail.endswith(_ENDS_BESIDE.get(language, ())):
        return True
    first, last = seen.strip().partition("\n")[0], seen.rstrip().rpartition("\n")[2]
    return bool(lines.marker(first)) or lines.address_at(last) is not None or _labels(seen.strip())


def _labels(seen: str) -> bool:
    """Whether this is a label or a heading: short, one line, no comma, and its last word is a noun's or a figure."""
    short = len(seen) <= _LABEL_CHARACTERS and not any(sign in seen for sign in "\n、。,")
    return short and not _HIRAGANA.match(seen[-1])
