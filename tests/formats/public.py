"""The public JSON of a document that was read from a page, without a ledger: sources are as printed."""

from collections.abc import Mapping
from typing import Any

from app.articles.document import ArticleDocument, SiteLabels
from app.formats import lines

SITE: Mapping[str, Any] = {"labels": SiteLabels().model_dump()}


def article_json(document: ArticleDocument) -> dict[str, Any]:
    """What readers would get for ``document``."""
    article = document.model_dump()
    for number, page in enumerate(article["pages"], start=1):
        page["number"] = number
    return article


def page_json(document: ArticleDocument, number: int) -> dict[str, Any]:
    """What readers would get for one of its pages."""
    article = article_json(document)
    pages = article.pop("pages")
    page = pages[number - 1]
    following = pages[number] if number < len(pages) else None
    written = [other["number"] for other in pages if other["sections"]]
    conclusion = article.pop("conclusion") if number == written[-1] else ""
    return {"article": article, "conclusion": conclusion, "previous": None, "next": following, **page}


def printed(text: str) -> list[str]:
    """The lines of a page, blank lines and outer spaces aside."""
    return [line.text for line in lines.split(text)]
