"""Bytes to the text of a digest page: which characters they are, and what of an HTML page is visible, line by line.

What the lines mean is read in ``digest_page.py``. No HTML is made here.
"""

import codecs
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app import text
from app.errors import Fault, Invalid, Malformed, TooLarge

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SUPERSETS = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "ascii": "cp1252", "iso8859-1": "cp1252"}
"""Names that pages use for a larger encoding. Source: WHATWG Encoding, 4.2."""
_OTHER_NAMES = {"x-sjis": "cp932", "windows-31j": "cp932", "x-euc-jp": "euc-jp"}
_ENCODINGS = re.compile(
    r"utf-8|utf-16|utf-16-[bl]e|cp932|euc_jp|iso2022_jp|gb18030|big5|euc_kr|koi8-[ru]|cp125\d|iso8859-\d+|cp874|mac-roman"
)
_META = re.compile(rb"<meta[^>]{0,1000}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META_BYTES = 1024
"""So far a page's own word for its encoding is looked for. Source: HTML, 4.2.5.4."""
_TAG = re.compile(r"<[a-z]", re.IGNORECASE)
_ELEMENTS = 25_000
"""An HTML parser's time grows with the square of the nesting: 0.9 s for so many, 124 s for 200,000."""
_DROPPED = frozenset({
    "script", "style", "noscript", "template", "head", "footer", "aside", "svg", "math", "iframe", "object", "audio",
    "video", "canvas", "select", "textarea", "rt", "rp",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
    "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_SPACES = re.compile(r"[ \t\n\f\r]+")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def decoded(body: bytes, charset: str | None) -> str:
    """The text of ``body``: a byte order mark decides, else ``charset`` (None: not declared), else UTF-8.

    Raises: Malformed (``encoding-invalid``) for an unknown charset or bytes that are not of it; Invalid
    (``text-refused``) for characters that are refused everywhere, as binary files hold them.
    """
    mark = next(((bom, name) for bom, name in _BOMS if body.startswith(bom)), None)
    bom, name = mark if mark is not None else (b"", _encoding(charset or "utf-8"))
    try:
        characters = body[len(bom) :].decode(name)
    except UnicodeError:
        raise Malformed("encoding-invalid", "The bytes are not text of the charset that was declared.") from None
    reason = text.hostile(characters)
    if reason is not None:
        raise Invalid("text-refused", "The text holds what no text may hold.", (Fault("text-refused", reason, ""),))
    return characters


def text_of(html: bytes, charset: str | None) -> str:
    """The visible text of an HTML page, a line for each block or line break; an image is its alt.

    ``charset`` is the header's; without it a byte order mark, a meta element, else UTF-8 tells the encoding.
    Raises: as ``decoded``; TooLarge (``too-large``) for a page of more elements than can be read in time.
    """
    told = _META.search(html[:_META_BYTES]) if charset is None else None
    characters = decoded(html, told.group(1).decode("ascii") if told else charset)
    if sum(1 for _ in _TAG.finditer(characters)) > _ELEMENTS:
        raise TooLarge("too-large", f"An HTML page here has at most {_ELEMENTS:,} elements.")
    root = LexborHTMLParser(characters).root
    return "" if root is None else "\n".join(_lines(root))


def _encoding(charset: str) -> str:
    label = charset.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_OTHER_NAMES.get(label, label)).name
    except (LookupError, ValueError):
        name = ""
    name = _SUPERSETS.get(name, name)
    if not _ENCODINGS.fullmatch(name):
        raise Malformed("encoding-invalid", "The charset that was declared is not known here.")
    return name


def _lines(root: LexborNode) -> list[str]:
    """Walks without recursion: a page may nest deeper than Python's stack."""
    pieces: list[str] = []
    node: LexborNode | None = root
    while node is not None:
        pieces.append(_opened(node))
        below = None if _dropped(node) else node.child
        while below is None and node is not None:
            pieces.append("\n" if node.tag in _BLOCKS else "")
            if node.mem_id == root.mem_id:
                return _folded(pieces)
            below = node.next
            node = node.parent if below is None else node
        node = below
    return _folded(pieces)


def _opened(node: LexborNode) -> str:
    tag = node.tag
    if tag == "-text":
        found = node.text_content or ""
        return found if _in_pre(node) else _SPACES.sub(" ", found)
    if tag == "img":
        return _SPACES.sub(" ", node.attributes.get("alt") or "") if not _dropped(node) else ""
    return "\n" if tag == "br" or tag in _BLOCKS else ""


def _in_pre(node: LexborNode) -> bool:
    return node.parent is not None and node.parent.tag == "pre"


def _dropped(node: LexborNode) -> bool:
    if node.tag in _DROPPED:
        return True
    if (node.tag or "-").startswith("-"):
        return False
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _folded(pieces: list[str]) -> list[str]:
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(pieces).split("\n"))
    return [line for line in lines if line]
