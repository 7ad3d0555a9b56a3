"""The public shapes: article, card, page, section, citation, key point, question (DESIGN, section 4, Shapes).

Pure functions over JSON values; bytes and rows are made of them in ``snapshots.py`` and ``parts.py``.
"""

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_json

from app.articles.document import ArticleDocument

Shape = dict[str, Any]


def encode(value: Any) -> bytes:
    """JSON as every answer writes it: UTF-8, compact, keys in the document's order."""
    return to_json(value)  # a fifth of the time json.dumps takes for the same bytes


def article(document: ArticleDocument, published_at: str, revised_at: str) -> Shape:
    """The public article: the document, then when it was first published and last revised."""
    return document.model_dump() | {"published_at": published_at, "revised_at": revised_at}


def card(article: Shape) -> Shape:
    """What a list shows of an article."""
    publishers = {
        publisher["id"]: {"id": publisher["id"], "name": publisher["name"]}
        for citation in citations(article)
        if (publisher := citation["source"]["publisher"]) is not None
    }
    kept = ("id", "slug", "language", "title", "lead", "hero_image", "tags")
    return {name: article[name] for name in kept} | {
        "publishers": list(publishers.values()),
        "page_count": len(readable(article)),
        "published_at": article["published_at"],
        "revised_at": article["revised_at"],
    }


def citations(article: Shape) -> Iterator[Shape]:
    """Every citation of the article, in reading order."""
    for page in article["pages"]:
        for section in page["sections"]:
            yield from section["citations"]


def traits(article: Shape) -> dict[str, list[str]]:
    """By what filters choose the article, each by its name."""
    publishers = (citation["source"]["publisher"] for citation in citations(article))
    named = {publisher["id"]: None for publisher in publishers if publisher is not None}
    return {"language": [article["language"]], "tag": article["tags"], "publisher": [*named]}


def readable(article: Shape) -> list[Shape]:
    """The pages that have an address: all but those a teaser only announces."""
    return [page for page in article["pages"] if not announced(page)]


def announced(page: Shape) -> bool:
    """Whether a page is told of by a teaser and not written yet."""
    return bool(page["teaser"]) and not page["sections"]


def pages(article: Shape) -> list[Shape]:
    """Every readable page in the shape of its own address."""
    # Without what changes when another page does: page 2's body leaves page 1's ETag alone.
    head = {name: value for name, value in article.items() if name not in {"pages", "conclusion", "revised_at"}}
    shown = readable(article)
    numbers = {page["number"]: page for page in article["pages"]}

    def href(page: Shape) -> str | None:
        return None if announced(page) else f"/v1/articles/{article['slug']}/pages/{page['number']}"

    result = []
    for page in shown:
        before = next((p for p in reversed(shown) if p["number"] < page["number"]), None)
        after = numbers.get(page["number"] + 1)
        previous = before and {"number": before["number"], "title": before["title"], "href": href(before)}
        following = after and {name: after[name] for name in ("number", "title", "teaser")} | {"href": href(after)}
        result.append(
            {"article": head}
            | {name: page[name] for name in ("id", "number", "title", "teaser", "sections")}
            | {"conclusion": article["conclusion"] if page is shown[-1] else ""}
            | {"previous": previous, "next": following}
        )
    return result


def question(section: Shape, page_number: int) -> Shape:
    """A section's question with its answer and the sources that back it; the card is added at read."""
    return {
        "question": section["question"],
        "answer": section["answer"],
        "section_id": section["id"],
        "anchor": section["anchor"],
        "page": page_number,
        "sources": [citation["source"] for citation in section["citations"]],
    }


def key_point(point: Shape, page_number: int | None, section: Shape | None, citation: Shape | None) -> Shape:
    """A key point where it stands: a takeaway has no page, section, citation or source."""
    return {
        "id": point["id"],
        "text": point["text"],
        "kind": "citation" if citation else "takeaway",
        "page": page_number,
        "section_id": section["id"] if section else None,
        "citation_id": citation["id"] if citation else None,
        "source": citation["source"] if citation else None,
    }
