"""A public article or page as a fragment of HTML: one ``article`` element, for a page around it that has its own head.

Every text is escaped here, links lead to http(s) and mailto only. Pages of others are read in ``digest_html.py``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain
from typing import Any

from markdown_it import MarkdownIt

from app.formats import printed_card, printed_date, shown
from app.formats.markup import broken_by_line_feeds, clean

_LINKED = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_HEADINGS_BELOW = 2
"""The article's title is an ``h1``, its sections' headings are ``h2``: those of their texts come below."""
_LOWEST = 6


class _Rendered(MarkdownIt):
    """CommonMark whose links and images lead to the web or to a mailbox; others stay as they were typed."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's own name
        return _LINKED.match(url) is not None


_COMMONMARK = _Rendered("commonmark", {"html": False, "maxNesting": 100})


def article_html(article: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """The whole public article; a page that is only announced shows its teaser."""
    labels = {**site["labels"], **article["labels"]}
    pages: Sequence[Mapping[str, Any]] = article["pages"]
    parts = [[*_page(page, labels)] for page in pages]
    parts.insert(shown.before_conclusion(pages), [*_conclusion(article["conclusion"])])
    return _article(article, chain(_head(article, labels), *parts, _corrections(article)))


def page_html(article: Mapping[str, Any], page: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """One public page with links to those around it; the first has the head of its ``article``, others its title."""
    labels = {**site["labels"], **article["labels"]}
    first = page["number"] == 1
    parts = [*(_head(article, labels) if first else ["<header>", f"<h1>{_text(article['title'])}</h1>", "</header>"])]
    parts += _page({**page, "teaser": None}, labels)
    parts += [*_conclusion(page["conclusion"]), *_corrections(article)]
    parts += _neighbours(page, labels)
    return _article(article, parts)


def _article(article: Mapping[str, Any], parts: Iterable[str]) -> str:
    return clean(f'<article lang="{escape(article["language"])}">\n' + "\n".join(parts) + "\n</article>\n")


def _head(article: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{_text(article['title'])}</h1>"
    yield from _paragraph(article["lead"], "lead")
    yield from _image(article["hero_image"])
    authors = shown.authors(article)
    if authors:
        yield f'<p class="bylines">{", ".join(map(_byline, authors))}</p>'
    yield f'<p class="dates">{_time(article["published_at"], article["published_at"])}</p>'
    yield "</header>"
    if article["takeaways"]:
        yield '<section class="takeaways">'
        if labels["takeaways_heading"]:
            yield f"<h2>{_text(labels['takeaways_heading'])}</h2>"
        yield from _points(article["takeaways"])
        yield "</section>"
    yield from _commonmark(article["introduction"])


def _byline(byline: Mapping[str, Any]) -> str:
    name = _link(byline["url"], byline["name"]) if byline["url"] else _text(byline["name"])
    return f"{name} ({_text(byline['role'])})" if byline["role"] else name


def _conclusion(conclusion: str) -> Iterator[str]:
    if conclusion:
        yield f'<section class="conclusion">\n{_rendered(conclusion)}</section>'


def _corrections(article: Mapping[str, Any]) -> Iterator[str]:
    if article["corrections"]:
        yield '<footer class="corrections">'
        for correction in article["corrections"]:
            yield f"<p>{_time(correction['at'], correction['at'])} {_text(correction['text'])}</p>"
        yield "</footer>"


def _page(page: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    yield from _paragraph(page["teaser"], "teaser")
    if page["title"]:
        yield f'<h2 class="page">{_text(page["title"])}</h2>'
    for section in page["sections"]:
        yield f'<section id="{escape(section["anchor"])}">'
        if section["heading"]:
            yield f"<h2>{_text(section['heading'])}</h2>"
        for name in ("question", "answer", "transition"):
            yield from _paragraph(section[name], name)
        for citation in section["citations"]:
            yield from _card(citation, {**labels, **citation["labels"]})
        yield from _commonmark(section["body"])
        yield from _commentary(section["commentary"])
        yield "</section>"


def _card(citation: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    card = printed_card.of(citation)
    yield '<figure class="citation">'
    yield from _image(card.image)
    if citation["key_points"]:
        yield f'<blockquote cite="{escape(card.url)}">'
        yield from _points(citation["key_points"])
        yield "</blockquote>"
    yield f"<figcaption><cite>{_link(card.url, card.headline or card.url)}</cite>"
    if card.publisher:
        yield f'<span class="publisher">{_text(card.publisher)}</span>'
    if card.published_on is not None:
        yield _time(card.published_on, printed_date.write(labels["published_on"], card.published_on))
    yield "</figcaption>\n</figure>"


def _commentary(commentary: Mapping[str, Any] | None) -> Iterator[str]:
    if commentary is not None and commentary["text"]:
        yield '<aside class="commentary">'
        if commentary["speaker"] is not None:
            yield from _picture(commentary["speaker"]["image"])
            yield from _paragraph(commentary["speaker"]["name"], "speaker")
        yield from _commonmark(commentary["text"])
        yield "</aside>"


def _neighbours(page: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    previous, following = page["previous"], page["next"]
    if previous is None and following is None:
        return
    yield "<nav>"
    if previous is not None:
        yield f'<a rel="prev" href="{escape(_rendition(previous["href"]))}">{_text(str(previous["number"]))}</a>'
    if following is not None:
        yield from _paragraph(following["teaser"], "teaser")
        if following["href"] is not None:
            label = labels["next_page"].strip() or str(following["number"])
            yield f'<a rel="next" href="{escape(_rendition(following["href"]))}">{_text(label)}</a>'
    yield "</nav>"


def _rendition(href: str) -> str:
    """Where a neighbour is to be had as this page is."""
    return f"{href}.html"


def _points(points: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield "<ul>"
    for point in points:
        yield f"<li>{_text(point['text'])}</li>"
    yield "</ul>"


def _image(image: Mapping[str, Any] | None) -> Iterator[str]:
    """A picture with its caption and credit; nothing of one that only records what was printed in its place."""
    if image is None or image["url"] is None:
        return
    said = [_text(image["caption"])] if image["caption"] else []
    credit = image["credit"] or image["credit_url"]
    if credit:
        said.append(f"<small>{_link(image['credit_url'], credit) if image['credit_url'] else _text(credit)}</small>")
    yield "<figure>"
    yield from _picture(image)
    if said:
        yield f"<figcaption>{' '.join(said)}</figcaption>"
    yield "</figure>"


def _picture(image: Mapping[str, Any] | None) -> Iterator[str]:
    if image is not None and image["url"] is not None:
        size = "".join(f' {name}="{image[name]}"' for name in ("width", "height") if image[name])
        yield f'<img src="{escape(image["url"])}" alt="{escape(image["alt"])}"{size} loading="lazy">'


def _paragraph(text: str | None, name: str) -> Iterator[str]:
    if text:
        yield f'<p class="{name}">{_text(text)}</p>'


def _commonmark(markdown: str) -> Iterator[str]:
    if markdown:
        yield _rendered(markdown).rstrip("\n")


def _rendered(markdown: str) -> str:
    tokens = _COMMONMARK.parse(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _HEADINGS_BELOW, _LOWEST)}"
    return str(_COMMONMARK.renderer.render(tokens, _COMMONMARK.options, {}))


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{_text(text)}</a>'


def _time(value: str, shown: str) -> str:
    return f'<time datetime="{escape(value)}">{_text(shown)}</time>'


def _text(text: str) -> str:
    return escape(broken_by_line_feeds(text)).replace("\n", "<br>\n")
