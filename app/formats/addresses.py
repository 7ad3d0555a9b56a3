"""Where people read a published article, as feeds, the sitemap and JSON-LD tell others.

The addresses of the API itself stand with its routes.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def of_article(article: Mapping[str, Any], site: Mapping[str, Any], root: str | None) -> str | None:
    """The article's ``canonical_url``, else its slug below the site's ``base_url``.

    Where neither is said it is read at ``root``, the origin of this server, as HTML; None without one.
    """
    if article["canonical_url"] is not None:
        return str(article["canonical_url"])
    if site["base_url"] is not None:
        return f"{site['base_url'].rstrip('/')}/{quote(article['slug'])}"
    return None if root is None else f"{root}/v1/articles/{quote(article['slug'])}.html"
