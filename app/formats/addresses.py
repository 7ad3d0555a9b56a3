"""Where people read a published article, as feeds, the sitemap and JSON-LD tell others.

The addresses of the API itself stand with its routes.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit


def canonical(article: Mapping[str, Any], site: Mapping[str, Any]) -> str | None:
    """The article's ``canonical_url``, else its slug below the site's ``base_url``; None where neither is said."""
    own: str | None = article["canonical_url"]
    home_page = home(site)
    if own is not None or home_page is None:
        return own
    return f"{home_page.rstrip('/')}/{quote(article['slug'])}"


def of_article(article: Mapping[str, Any], site: Mapping[str, Any], root: str) -> str:
    """Its canonical address, else that of its HTML at ``root``, the origin of this server."""
    return canonical(article, site) or f"{root}/v1/articles/{quote(article['slug'])}.html"


def home(site: Mapping[str, Any]) -> str | None:
    """The site's ``base_url`` as something that a path can follow: without query and fragment."""
    return None if site["base_url"] is None else urlsplit(site["base_url"])._replace(query="", fragment="").geturl()
