"""The sitemap: addresses of public articles with their translations, or the parts into which it is split.

Which articles are in it is decided in ``app/delivery/syndication.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element

from app.formats.markup import add, xml

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"


def of_articles(listed: Iterable[tuple[str, str, Mapping[str, str]]]) -> bytes:
    """Each article's address, when it was revised, and the addresses of its translations by language, its own too."""
    root = Element("urlset", {"xmlns": SITEMAP, "xmlns:xhtml": XHTML})
    for address, revised_at, translations in listed:
        url = _located(root, "url", address, revised_at)
        for language, other in translations.items():
            add(url, "xhtml:link", rel="alternate", hreflang=language, href=other)
    return xml(root)


def of_parts(parts: Sequence[tuple[str, str]]) -> bytes:
    """The index: each part's address, and when one of its articles was last revised."""
    root = Element("sitemapindex", {"xmlns": SITEMAP})
    for address, revised_at in parts:
        _located(root, "sitemap", address, revised_at)
    return xml(root)


def _located(parent: Element, name: str, address: str, revised_at: str) -> Element:
    added = add(parent, name)
    add(added, "loc", address)
    add(added, "lastmod", revised_at)
    return added
