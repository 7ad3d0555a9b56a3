"""Which characters HTML and XML can hold, and XML documents of them.

What is refused in every text is said in ``app/text.py``: this is what comes through there and cannot stand in markup.
"""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

_LAST_OF_PLANES = "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_NO_CHARACTERS = re.compile(f"[\x7f-\x9f\ufdd0-\ufdef{_LAST_OF_PLANES}]")
"""C1 controls and code points that never stand for a character. Source: HTML, 13.2.3.5; XML 1.0, 2.2."""


def clean(markup: str) -> str:
    """``markup`` with line feeds for its line breaks, and U+FFFD for what its parsers refuse or warn of."""
    return _NO_CHARACTERS.sub("\ufffd", broken_by_line_feeds(markup))


def broken_by_line_feeds(text: str) -> str:
    """``text`` with line feeds for its line breaks, as parsers of markup read it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def xml(root: Element) -> bytes:
    """An XML document, UTF-8, of whatever texts."""
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + clean(tostring(root, "unicode")).encode()


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """A new last child of ``parent``."""
    added = SubElement(parent, name, attributes)
    added.text = text
    return added
