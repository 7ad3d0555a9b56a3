"""Feeds and sitemap, each read by what reads such things: feedparser, an XML parser, the rules of JSON Feed 1.1."""

import json
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.articles.document import ArticleDocument, Site
from app.delivery import shapes
from app.formats import feeds, sitemap
from app.formats.feeds import Feed
from tests.formats.hostile import ATTEMPTS, NOW, SITE, articles, everywhere

LATER = "2026-02-03T04:05:06.789Z"
ID = "01a20952-0000-7000-8000-000000000000"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
OPTIONS = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
lists = st.lists(articles(), max_size=2)


def a_feed(*listed: dict[str, Any], **changes: Any) -> Feed:
    said: dict[str, Any] = {
        "id": "urn:uuid:01a20952-0000-7000-8000-0000000000ff",
        "address": "https://api.example/feeds/atom.xml?tag=菊",
        "root": "https://api.example",
        "about": "",
        "language": "ja",
        "updated": LATER,
        "site": SITE,
        "articles": listed,
    }
    return Feed(**said | changes)


def an_article(**changes: Any) -> dict[str, Any]:
    said = {"id": ID, "slug": "菊", "title": "菊の話", "language": "ja", **changes}
    return shapes.article(ArticleDocument.model_validate(said), NOW, LATER)


def parsed(feed: Feed, format: feeds.Format) -> Any:
    said = feedparser.parse(feeds.written(feed, format))
    assert not said.bozo, said.get("bozo_exception")
    return said


FULL = {
    "lead": "導入\nです & <b>",
    "tags": ["菊", "秋"],
    "bylines": [{"name": "花", "url": "https://hana.example.jp/"}, {"name": ""}],
    "hero_image": {"url": "https://img.example.jp/1.jpg", "alt": "菊"},
}


class TestXml:
    @pytest.mark.parametrize("format", ["atom", "rss"])
    def test_an_entry_tells_what_it_is_and_where(self, format: feeds.Format) -> None:
        said = parsed(a_feed(an_article(**FULL), about="秋"), format)
        assert said.version == {"atom": "atom10", "rss": "rss20"}[format]
        assert (said.feed.title, said.feed.language) == ("菊ダイジェスト · 秋", "ja")
        assert [link.href for link in said.feed.links if link.rel == "self"] == [
            "https://api.example/feeds/atom.xml?tag=菊"
        ]
        (entry,) = said.entries
        assert (entry.id, entry.title) == (f"urn:uuid:{ID}", "菊の話")
        assert entry.link == "https://api.example/v1/articles/%E8%8F%8A.html"
        assert tuple(entry.published_parsed)[:6] == (2026, 1, 2, 3, 4, 5)
        assert tuple(entry.updated_parsed)[:6] == (2026, 2, 3, 4, 5, 6)
        assert [author.name for author in entry.authors] == ["花"]
        assert [tag.term for tag in entry.tags] == ["菊", "秋"]
        assert entry.media_content == [{"url": "https://img.example.jp/1.jpg", "medium": "image"}]

    def test_a_summary_is_the_lead_as_it_is(self) -> None:
        assert parsed(a_feed(an_article(**FULL)), "atom").entries[0].summary == FULL["lead"]
        assert "&lt;b&gt;" in parsed(a_feed(an_article(**FULL)), "rss").entries[0].summary

    @pytest.mark.parametrize("format", ["atom", "rss"])
    def test_a_feed_without_articles_is_one(self, format: feeds.Format) -> None:
        said = parsed(a_feed(site=Site().model_dump()), format)
        assert (said.entries, said.feed.title) == ([], "https://api.example/")

    @pytest.mark.parametrize("said", ATTEMPTS)
    def test_what_looks_like_markup_is_none(self, said: str) -> None:
        for format in ("atom", "rss"):
            assert len(parsed(a_feed(everywhere(said), about=said), format).entries) == 1

    @OPTIONS
    @given(listed=lists)
    def test_whatever_texts_say_every_entry_is_read(self, listed: list[dict[str, Any]]) -> None:
        for format in ("atom", "rss"):
            said = parsed(a_feed(*listed), format)
            assert [entry.id for entry in said.entries] == [feeds.id(article) for article in listed]

    @OPTIONS
    @given(listed=lists)
    def test_atom_is_said_in_the_elements_of_atom(self, listed: list[dict[str, Any]]) -> None:
        root = fromstring(feeds.written(a_feed(*listed), "atom"))  # noqa: S314 - our own
        atom = f"{{{feeds.ATOM}}}"
        assert root.tag == f"{atom}feed"
        entries = root.findall(f"{atom}entry")
        assert [entry.get(XML_LANG) for entry in entries] == [article["language"] for article in listed]
        for part in (root, *entries):
            for name in ("id", "title", "updated"):
                assert len(part.findall(atom + name)) == 1
        allowed = {"id", "title", "link", "published", "updated", "author", "summary", "category"}
        for entry in entries:
            assert {element.tag for element in entry} <= {atom + name for name in allowed} | {
                f"{{{feeds.MEDIA}}}content"
            }


class TestJson:
    @OPTIONS
    @given(listed=lists)
    def test_it_keeps_the_rules_of_json_feed(self, listed: list[dict[str, Any]]) -> None:
        said = json.loads(feeds.written(a_feed(*listed), "json"))
        assert said["version"] == "https://jsonfeed.org/version/1.1"
        assert said.keys() == {"version", "title", "home_page_url", "feed_url", "language", "authors", "items"}
        assert len(said["items"]) == len(listed)
        for item in said["items"]:
            assert {"id", "url", "content_text"} <= item.keys()
            assert item.keys() <= {
                "id",
                "url",
                "title",
                "content_text",
                "image",
                "date_published",
                "date_modified",
                "authors",
                "tags",
                "language",
            }
            for author in item.get("authors", []):
                assert author
                assert author.keys() <= {"name", "url", "avatar"}

    def test_an_item_tells_what_it_is_and_where(self) -> None:
        (item,) = json.loads(feeds.written(a_feed(an_article(**FULL)), "json"))["items"]
        assert item == {
            "id": f"urn:uuid:{ID}",
            "url": "https://api.example/v1/articles/%E8%8F%8A.html",
            "title": "菊の話",
            "content_text": FULL["lead"],
            "image": "https://img.example.jp/1.jpg",
            "date_published": NOW,
            "date_modified": LATER,
            "authors": [{"name": "花", "url": "https://hana.example.jp/"}],
            "tags": ["菊", "秋"],
            "language": "ja",
        }


class TestLinks:
    @pytest.mark.parametrize(
        ("canonical_url", "base_url", "address"),
        [
            ("https://kiku.example/own", "https://site.example", "https://kiku.example/own"),
            (None, "https://site.example", "https://site.example/%E8%8F%8A"),
            (None, "https://site.example/ja/", "https://site.example/ja/%E8%8F%8A"),
            (None, "https://site.example/ja?utm=1#top", "https://site.example/ja/%E8%8F%8A"),
            (None, None, "https://api.example/v1/articles/%E8%8F%8A.html"),
        ],
    )
    def test_they_lead_to_where_an_article_is_read(
        self, canonical_url: str | None, base_url: str | None, address: str
    ) -> None:
        feed = a_feed(an_article(canonical_url=canonical_url), site=SITE | {"base_url": base_url})
        assert feed.link(feed.articles[0]) == address


def children(element: Element) -> list[tuple[str, str | None]]:
    return [(child.tag, child.text) for child in element]


class TestSitemap:
    def test_an_address_has_its_time_and_its_translations(self) -> None:
        name = f"{{{sitemap.SITEMAP}}}"
        written = sitemap.of_articles(
            [("https://e.example/a?b=1&c=<2>", NOW, {"ja": "https://e.example/a", "en": "https://e.example/b"})]
        )
        (url,) = fromstring(written)  # noqa: S314 - our own
        assert url.tag == f"{name}url"
        assert children(url)[:2] == [(f"{name}loc", "https://e.example/a?b=1&c=<2>"), (f"{name}lastmod", NOW)]
        alternates = [(link.tag, dict(link.attrib)) for link in url[2:]]
        assert alternates == [
            (
                f"{{{sitemap.XHTML}}}link",
                {"rel": "alternate", "hreflang": language, "href": f"https://e.example/{slug}"},
            )
            for language, slug in (("ja", "a"), ("en", "b"))
        ]

    def test_an_index_names_its_parts(self) -> None:
        name = f"{{{sitemap.SITEMAP}}}"
        (part,) = fromstring(sitemap.of_parts([("https://e.example/sitemap.xml?part=1", NOW)]))  # noqa: S314 - our own
        assert part.tag == f"{name}sitemap"
        assert children(part) == [(f"{name}loc", "https://e.example/sitemap.xml?part=1"), (f"{name}lastmod", NOW)]
