"""Public articles as a feed: Atom, RSS 2.0 and JSON Feed 1.1.

Which articles are in it is decided in ``app/delivery/syndication.py``; the sitemap is in ``sitemap.py``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any, Literal
from xml.etree.ElementTree import Element

from app.formats import addresses, shown
from app.formats.markup import add, xml

Format = Literal["atom", "rss", "json"]
Public = Mapping[str, Any]

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
JSON_FEED = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True)
class Feed:
    """A feed: its name for ever, where it is, the ``root`` of this server, when it was last changed.

    ``about`` says what was asked for (empty: all there is).
    """

    id: str
    address: str
    root: str
    about: str
    language: str
    updated: str
    site: Public
    articles: Sequence[Public]

    @property
    def title(self) -> str:
        """The site's name, and what was asked for."""
        return " · ".join(part for part in (self.site["name"] or self.home, self.about) if part)

    @property
    def home(self) -> str:
        """Where the site is, or, if it does not say so, this server."""
        return addresses.home(self.site) or f"{self.root}/"

    def link(self, article: Public) -> str:
        """Where people read an article."""
        return addresses.of_article(article, self.site, self.root)


def written(feed: Feed, format: Format) -> bytes:
    """The feed in this format, UTF-8."""
    if format == "json":
        return json.dumps(_json(feed), ensure_ascii=False, separators=(",", ":")).encode()
    return xml(_atom(feed) if format == "atom" else _rss(feed))


def id(article: Public) -> str:
    """An article's name for ever, wherever it is read."""
    return f"urn:uuid:{article['id']}"


def _atom(feed: Feed) -> Element:
    root = Element("feed", {"xmlns": ATOM, "xmlns:media": MEDIA, "xml:lang": feed.language})
    add(root, "id", feed.id)
    add(root, "title", feed.title)
    add(root, "updated", feed.updated)
    add(add(root, "author"), "name", feed.site["name"] or feed.home)
    add(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    add(root, "link", rel="alternate", href=feed.home)
    for article in feed.articles:
        entry = add(root, "entry", **{"xml:lang": article["language"]})
        add(entry, "id", id(article))
        add(entry, "title", article["title"])
        add(entry, "link", rel="alternate", href=feed.link(article), hreflang=article["language"])
        add(entry, "published", article["published_at"])
        add(entry, "updated", article["revised_at"])
        for byline in shown.authors(article):
            author = add(entry, "author")
            add(author, "name", byline["name"])
            if byline["url"]:
                add(author, "uri", byline["url"])
        add(entry, "summary", article["lead"])
        for tag in article["tags"]:
            add(entry, "category", term=tag)
        _add_image(entry, article)
    return root


def _rss(feed: Feed) -> Element:
    spaces = {"xmlns:atom": ATOM, "xmlns:dc": DUBLIN_CORE, "xmlns:media": MEDIA}
    root = Element("rss", {"version": "2.0", **spaces})
    channel = add(root, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.home)
    add(channel, "description", feed.title)
    add(channel, "language", feed.language)
    add(channel, "lastBuildDate", _rfc822(feed.updated))
    add(channel, "atom:link", rel="self", type="application/rss+xml", href=feed.address)
    for article in feed.articles:
        item = add(channel, "item")
        add(item, "title", article["title"])
        add(item, "link", feed.link(article))
        add(item, "guid", id(article), isPermaLink="false")
        add(item, "pubDate", _rfc822(article["published_at"]))
        add(item, "atom:updated", article["revised_at"])
        add(item, "dc:language", article["language"])
        for byline in shown.authors(article):
            add(item, "dc:creator", byline["name"])
        add(item, "description", escape(article["lead"]).replace("\n", "<br>"))  # read as HTML
        for tag in article["tags"]:
            add(item, "category", tag)
        _add_image(item, article)
    return root


def _json(feed: Feed) -> dict[str, Any]:
    return {
        "version": JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": feed.language,
        "authors": [{"name": feed.site["name"] or feed.home}],
        "items": [_item(feed, article) for article in feed.articles],
    }


def _item(feed: Feed, article: Public) -> dict[str, Any]:
    authors = [{"name": byline["name"], "url": byline["url"]} for byline in shown.authors(article)]
    item = {
        "id": id(article),
        "url": feed.link(article),
        "title": article["title"],
        "content_text": article["lead"],
        "image": _image(article),
        "date_published": article["published_at"],
        "date_modified": article["revised_at"],
        "authors": [{name: value for name, value in author.items() if value} for author in authors],
        "tags": article["tags"],
        "language": article["language"],
    }
    return {name: value for name, value in item.items() if name == "content_text" or value}


def _image(article: Public) -> str | None:
    image: Public | None = article["hero_image"]
    return None if image is None else image["url"]


def _add_image(element: Element, article: Public) -> None:
    url = _image(article)
    if url is not None:
        add(element, "media:content", url=url, medium="image")


def _rfc822(instant: str) -> str:
    return format_datetime(datetime.fromisoformat(instant), usegmt=True)
