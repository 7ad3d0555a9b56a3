"""CommonMark and plain text: what a Markdown text says, and the Markdown that says exactly a given line.

HTML is not made here; the layout of a digest page is in ``digest_text.py``.
"""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

_NESTED = 100
"""Deeper than this, quotes and lists within one another are no longer read."""
_COMMONMARK = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTED})
_BLOCKS = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTED}).disable(["inline", "text_join"])
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HARMLESS = re.compile(r"(?![#>+\-=~]|[0-9]{1,9}[.)])[^\\`*_\[<&]*", re.ASCII)
"""Most lines: nothing in them can open markup, so they need not be parsed."""


def plain(markdown: str) -> list[str]:
    """The paragraphs' plain text; within one, a line break is a line feed. HTML is literal, as everywhere.

    A heading, list item or code block is a paragraph of its own; an item keeps its bullet or number, an
    image is its alt, a link its text.
    """
    return _paragraphs(_COMMONMARK.parse(markdown))


def blocks(markdown: str) -> list[Token]:
    """The tokens of the blocks; what stands in one is not read, see ``inline``: that takes most of the time."""
    return _BLOCKS.parse(markdown)


def inline(content: str) -> list[Token]:
    """The tokens of what stands in one block; a link by reference is literal."""
    return _COMMONMARK.parseInline(content)[0].children or []


def text(tokens: Sequence[Token]) -> str:
    """What inline tokens say; an image its alt, a link its text."""
    return "".join(_said(token) for token in tokens)


def escape(line: str) -> str:
    """The CommonMark of one paragraph that reads back as exactly ``line``.

    ``line`` has no line breaks and no outer spaces. It stays as it is where CommonMark finds no markup in
    it; else all its ASCII punctuation is escaped (CommonMark 0.31, section 2.4).
    """
    return line if _HARMLESS.fullmatch(line) or _literal(line) else escape_all(line)


def escape_all(line: str) -> str:
    """``line`` with all its ASCII punctuation escaped: whatever stands around it, nothing of it is markup."""
    return _PUNCTUATION.sub(r"\\\1", line)


def unescape(line: str) -> str:
    """What an escaped line says; other markup in it stays as it is."""
    return _ESCAPED.sub(r"\1", line)


def _literal(line: str) -> bool:
    """Whether CommonMark reads ``line`` as one paragraph of nothing but its own characters."""
    tokens = _COMMONMARK.parse(line)
    if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return False
    children = tokens[1].children or []
    return all(child.type == "text" for child in children) and text(children) == line


def _paragraphs(tokens: Sequence[Token]) -> list[str]:
    paragraphs: list[str] = []
    bullet = ""
    for token in tokens:
        if token.type == "list_item_open":
            bullet += f"{token.info}{token.markup} "
        elif token.type == "list_item_close":
            bullet = ""
        elif token.type == "inline":
            paragraphs.append(bullet + text(token.children or []))
            bullet = ""
        elif token.type in {"fence", "code_block"} and token.content.strip():
            paragraphs.append(bullet + token.content.rstrip("\n"))
            bullet = ""
    return [paragraph for paragraph in paragraphs if paragraph]


def _said(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return text(token.children or []) if token.type == "image" else token.content
