"""The renditions that are written at read from what was frozen as JSON: which writer writes which.

How a client chooses one is in ``app/wire/negotiation.py``; the JSON itself is served as it was stored.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from app.formats import digest_text, fragment, jsonld, markdown_writing

Written = Literal["txt", "md", "html", "jsonld"]
Public = Mapping[str, Any]

_ARTICLES: Mapping[Written, Callable[[Public, Public], str]] = {
    "txt": digest_text.article_text,
    "md": lambda article, _: markdown_writing.article_markdown(article),
    "html": fragment.article_html,
    "jsonld": jsonld.article_jsonld,
}
_PAGES: Mapping[Written, Callable[[Public, Public, Public], str]] = {
    "txt": digest_text.page_text,
    "md": lambda article, page, _: markdown_writing.page_markdown(article, page),
    "html": fragment.page_html,
    "jsonld": jsonld.page_jsonld,
}


def of_article(rendition: Written, article: Public, site: Public) -> bytes:
    """A whole public article, UTF-8."""
    return _ARTICLES[rendition](article, site).encode()


def of_page(rendition: Written, page: Public, site: Public) -> bytes:
    """One public page of an article, UTF-8."""
    return _PAGES[rendition](page["article"], page, site).encode()
