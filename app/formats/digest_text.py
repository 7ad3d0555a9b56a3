"""A public article or page written in the layout of a digest page, line by line as it would be read again.

Works on the JSON that readers get (DESIGN, section 4, Shapes). The way in is in ``digest_page.py``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from app.formats import markdown, printed_card, printed_date, shown


def article_text(document: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """The whole article: its first page, then of each further page the label, the teaser and the sections.

    ``document`` is the public article, ``site`` the public site; the text ends with a line feed.
    """
    labels = _labels(site, document)
    pages: Sequence[Mapping[str, Any]] = document["pages"]
    parts: list[Iterable[str | None]] = [
        [*(_announcement(page, labels) if place else ()), *_sections(page, labels)] for place, page in enumerate(pages)
    ]
    parts.insert(shown.before_conclusion(pages), markdown.plain(document["conclusion"]))
    return _joined(chain(_head(document, labels), *parts))


def page_text(article: Mapping[str, Any], page: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """One page: the first with the whole head, a further one with masthead and title; the next page's teaser last.

    ``article`` is the public article (its pages are not read), ``page`` the public page.
    """
    labels = _labels(site, article)
    head = _head(article, labels) if page["number"] == 1 else [labels["masthead"], article["title"]]
    following = [] if page["next"] is None else _announcement(page["next"], labels)
    return _joined([*head, *_sections(page, labels), *markdown.plain(page["conclusion"]), *following])


def _labels(site: Mapping[str, Any], article: Mapping[str, Any]) -> dict[str, str]:
    return {**site["labels"], **article["labels"]}


def _joined(blocks: Iterable[str | None]) -> str:
    return "\n\n".join([block for block in blocks if block]) + "\n"


def _head(article: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str | None]:
    yield labels["masthead"]
    yield article["title"]
    yield article["lead"]
    yield article["hero_image"] and article["hero_image"]["alt"]
    takeaways = _points(article["takeaways"], labels["takeaway_marker"])
    if takeaways:
        yield labels["takeaways_heading"]
        yield from takeaways
    yield from markdown.plain(article["introduction"])


def _announcement(page: Mapping[str, Any], labels: Mapping[str, str]) -> list[str | None]:
    return [labels["next_page"], page["teaser"]]


def _points(points: Iterable[Mapping[str, Any]], marker: str) -> list[str]:
    return [f"{marker}{point['text']}" for point in points if point["text"]]


def _sections(page: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str | None]:
    for section in page["sections"]:
        for name in ("heading", "question", "answer", "transition"):
            yield section[name]
        for citation in section["citations"]:
            yield from _card(citation, {**labels, **citation["labels"]})
        yield from markdown.plain(section["body"])
        if section["commentary"] is not None:
            yield from markdown.plain(section["commentary"]["text"])


def _card(citation: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str | None]:
    card = printed_card.of(citation)
    yield card.headline
    yield card.published_on and printed_date.write(labels["published_on"], card.published_on)
    yield None if card.image is None else card.image["alt"]
    yield from _points(citation["key_points"], labels["key_point_marker"])
    yield f"{labels['read_more']}{card.publisher}{labels['source_credit']}{card.url}"
