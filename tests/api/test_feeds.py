"""Feeds and the sitemap over HTTP: what is in them, in which order, where links lead, when they change."""

from typing import Any
from xml.etree.ElementTree import fromstring

import feedparser
from fastapi.testclient import TestClient
from httpx2 import Response

from app.articles.fields import new_id
from app.articles.tables import articles
from app.database import Database
from app.delivery.snapshots import snapshot_cards, snapshots
from app.delivery.syndication import PART
from app.main import create_app
from app.settings import Settings
from tests.conftest import Clock
from tests.factories import published

ANY = {"If-Match": "*"}
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FEEDS = ("/feeds/atom.xml", "/feeds/rss.xml", "/feeds/feed.json")
TYPES = dict(zip(FEEDS, ("application/atom+xml", "application/rss+xml", "application/feed+json"), strict=True))


def ids(answer: Response) -> list[str]:
    """The ids of the articles that a feed tells of."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == "application/feed+json":
        return [item["id"].removeprefix("urn:uuid:") for item in answer.json()["items"]]
    said = feedparser.parse(answer.content)
    assert not said.bozo
    return [entry.id.removeprefix("urn:uuid:") for entry in said.entries]


def several(client: TestClient, clock: Clock, *changes: dict[str, Any]) -> list[str]:
    """Published articles, a minute apart."""
    made = []
    for number, change in enumerate(changes):
        made.append(published(client, slug=f"kiku-{number}", **change)["id"])
        clock.advance(minutes=1)
    return made


def a_collection(client: TestClient, slug: str, *members: str) -> str:
    made = client.post("/v1/manage/collections", json={"slug": slug, "title": "菊の季節", "articles": list(members)})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def mapped(answer: Response) -> dict[str, dict[str, str]]:
    """The addresses of a sitemap, each with those of its translations."""
    assert answer.status_code == 200, answer.text
    return {
        url.findtext(f"{MAP}loc", ""): {
            link.get("hreflang", ""): link.get("href", "") for link in url if link.get("href")
        }
        for url in fromstring(answer.content)  # noqa: S314 - our own
    }


class TestFeeds:
    def test_the_latest_come_first_and_filters_hold_back_the_others(self, client: TestClient, clock: Clock) -> None:
        changes: list[dict[str, Any]] = [{"tags": ["菊"]}, {"tags": []}, {"tags": ["菊", "秋"]}]
        one, two, three = several(
            client, clock, changes[0], changes[1] | {"language": "en"}, changes[2] | {"language": "en"}
        )
        for path in FEEDS:
            answer = client.get(path)
            assert answer.headers["content-type"] == TYPES[path]
            assert ids(answer) == [three, two, one]
            assert ids(client.get(path, params={"tag": "菊"})) == [three, one]
            assert ids(client.get(path, params={"language": "en"})) == [three, two]
            assert ids(client.get(path, params={"language": "ja", "tag": "秋"})) == []
            assert ids(client.get(path, params={"tag": "nobody"})) == []

    def test_of_a_collection_it_has_the_order_and_follows_it(self, client: TestClient, clock: Clock) -> None:
        one, two, three = several(client, clock, {}, {"language": "en"}, {})
        id = a_collection(client, "aki", two, three, one)
        tags = {}
        for path in FEEDS:
            answer = client.get(path, params={"collection": "aki"})
            assert ids(answer) == [two, three, one]
            assert answer.headers["surrogate-key"] == "articles site collections"
            assert "菊の季節" in answer.text
            assert ids(client.get(path, params={"collection": id, "language": "ja"})) == [three, one]
            tags[path] = answer.headers["etag"]
        client.delete(f"/v1/manage/collections/{id}/articles/{three}", headers=ANY)
        for path, tag in tags.items():
            assert ids(client.get(path, params={"collection": "aki"}, headers={"If-None-Match": tag})) == [two, one]

    def test_a_merged_collection_answers_308_with_what_else_was_asked(self, client: TestClient) -> None:
        old, new = a_collection(client, "old"), a_collection(client, "菊")
        assert client.post(f"/v1/manage/collections/{old}/merge", json={"into": new}, headers=ANY).status_code == 200
        moved = client.get("/feeds/rss.xml", params={"collection": "old", "tag": "秋"})
        assert (moved.status_code, moved.headers["location"]) == (
            308,
            "/feeds/rss.xml?tag=%E7%A7%8B&collection=%E8%8F%8A",
        )

    def test_what_is_none_is_refused(self, reader: TestClient) -> None:
        for path in FEEDS:
            missing = reader.get(path, params={"collection": "nothing"})
            assert (missing.status_code, missing.json()["code"]) == (404, "collection-unknown")
            for query in ("limit=5", "tag=a&tag=b", "tag=a%20b", "language=?"):
                assert reader.get(f"{path}?{query}").status_code == 400, query

    def test_only_the_last_20_are_told_of(self, client: TestClient) -> None:
        made = [published(client)["id"] for _ in range(21)]
        for path in FEEDS:
            assert ids(client.get(path)) == made[:0:-1]

    def test_it_changes_with_every_publication_and_with_the_site(self, client: TestClient) -> None:
        seen: set[str] = set()
        article = published(client, slug="kiku")

        def changed() -> str:
            """What all say, each under a tag of its own that it never had before."""
            told = ""
            for path in (*FEEDS, "/sitemap.xml"):
                answer = client.get(path)
                assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
                assert answer.headers["etag"] not in seen
                seen.add(answer.headers["etag"])
                told += answer.text
            return told

        assert changed().count("http://testserver/v1/articles/kiku.html") == 4
        client.put("/v1/manage/site", json={"base_url": "https://kiku.example/"}, headers=ANY)
        assert changed().count("https://kiku.example/kiku") == 4
        draft = article | {"canonical_url": "https://own.example/kiku"}
        client.put(f"/v1/manage/articles/{article['id']}", json=draft, headers=ANY)
        client.post(f"/v1/manage/articles/{article['id']}/publish", headers=ANY)
        assert changed().count("https://own.example/kiku") == 4
        client.post(f"/v1/manage/articles/{article['id']}/unpublish", headers=ANY)
        assert "own.example" not in changed()

    def test_an_id_stays_and_updated_is_when_it_was_revised(self, client: TestClient, clock: Clock) -> None:
        article = published(client)
        before = feedparser.parse(client.get("/feeds/atom.xml").content).entries[0]
        clock.advance(hours=1)
        at = f"/v1/manage/articles/{article['id']}"
        client.put(at, json=article | {"slug": "other", "lead": "改めました。"}, headers=ANY)
        client.post(f"{at}/publish", headers=ANY)
        after = feedparser.parse(client.get("/feeds/atom.xml").content).entries[0]
        assert (after.id, after.published) == (before.id, before.published)
        assert after.updated == client.get("/v1/articles/other").json()["revised_at"] > before.updated

    def test_a_withdrawal_is_a_change_of_the_feed_too(self, client: TestClient, clock: Clock) -> None:
        first, second = several(client, clock, {}, {})
        before = feedparser.parse(client.get("/feeds/atom.xml").content).feed.updated
        clock.advance(hours=1)
        client.post(f"/v1/manage/articles/{second}/unpublish", headers=ANY)
        after = feedparser.parse(client.get("/feeds/atom.xml").content)
        assert [entry.id for entry in after.entries] == [f"urn:uuid:{first}"]
        assert after.feed.updated > before

    def test_its_id_is_what_is_asked_for_however_and_wherever_it_is_asked(self, client: TestClient) -> None:
        a_collection(client, "aki")

        def said(address: str) -> tuple[str, str]:
            feed = feedparser.parse(client.get(address).content).feed
            return feed.id, next(link.href for link in feed.links if link.rel == "self")

        addresses = (
            "/feeds/atom.xml?tag=a&language=ja", "/feeds/atom.xml?language=ja&tag=a",
            "/feeds/atom.xml?language=JA&tag=A", "http://other.example/feeds/atom.xml?tag=a&language=ja",
            "https://testserver/feeds/atom.xml?tag=a&language=ja",
        )  # fmt: skip
        assert len({said(address)[0] for address in addresses}) == 1
        assert len({said(address)[1] for address in addresses[:3]}) == 1
        others = ("", "?tag=a", "?language=ja", "?collection=aki", "?collection=aki&tag=a")
        assert len({said(f"/feeds/atom.xml{query}")[0] for query in others}) == len(others)

    def test_without_a_public_address_it_differs_by_host_and_tells_caches_so(self, client: TestClient) -> None:
        published(client, slug="kiku")
        for path in (*FEEDS, "/sitemap.xml"):
            mine, other = client.get(path), client.get(path, headers={"Host": "evil.example"})
            assert (mine.headers["vary"], other.headers["vary"]) == ("Host", "Host")
            assert "evil.example" in other.text
            assert mine.headers["etag"] != other.headers["etag"]
            kept = {"If-None-Match": mine.headers["etag"]}
            assert client.get(path, headers=kept).headers["vary"] == "Host"
            assert client.get(path, headers=kept | {"Host": "evil.example"}).status_code == 200

    def test_with_a_public_address_no_host_is_told(
        self, client: TestClient, database: Database, database_url: str
    ) -> None:
        published(client, slug="kiku")
        settings = Settings(database_url=database_url, access_log="off", public_url="https://api.example")
        with TestClient(create_app(settings, database)) as known:
            for path in (*FEEDS, "/sitemap.xml"):
                mine, other = known.get(path), known.get(path, headers={"Host": "evil.example"})
                assert mine.content == other.content
                assert mine.headers["etag"] == other.headers["etag"]
                assert "vary" not in mine.headers
                assert "https://api.example/v1/articles/kiku.html" in mine.text


class TestSitemap:
    def test_each_article_has_its_address_and_translations_and_noindex_is_left_out(self, client: TestClient) -> None:
        client.put("/v1/manage/site", json={"base_url": "https://kiku.example"}, headers=ANY)
        for slug, language in (("ja", "ja"), ("en", "en")):
            published(client, slug=slug, language=language, translation_key="matsuri")
        published(client, slug="fr", language="fr", translation_key="matsuri", seo={"noindex": True})
        published(client, slug="alone", translation_key="alone")
        published(client, slug="plain", canonical_url="https://own.example/plain")
        both = {
            "ja": "https://kiku.example/ja",
            "en": "https://kiku.example/en",
            "x-default": "https://kiku.example/ja",
        }
        assert mapped(client.get("/sitemap.xml")) == {
            "https://kiku.example/ja": both,
            "https://kiku.example/en": both,
            "https://kiku.example/alone": {},
            "https://own.example/plain": {},
        }

    def test_two_that_claim_the_same_translation_are_alternates_of_none(self, client: TestClient) -> None:
        first = published(client, slug="one", language="fr", translation_key="matsuri")
        for slug, language in (("ja", "ja"), ("en", "en")):
            published(client, slug=slug, language=language, translation_key="matsuri")
        # Its draft makes room for another, while readers still see it as it was.
        client.put(f"/v1/manage/articles/{first['id']}", json=first | {"translation_key": None}, headers=ANY)
        published(client, slug="two", language="fr", translation_key="matsuri")
        at = "http://testserver/v1/articles/{}.html".format
        both = {"ja": at("ja"), "en": at("en"), "x-default": at("ja")}
        assert mapped(client.get("/sitemap.xml")) == {at("one"): {}, at("two"): {}, at("ja"): both, at("en"): both}

    def test_without_articles_it_is_empty(self, reader: TestClient) -> None:
        assert mapped(reader.get("/sitemap.xml")) == {}
        assert reader.get("/sitemap.xml", params={"part": new_id()}).json()["code"] == "part-unknown"
        assert reader.get("/sitemap.xml?part=1").status_code == 400
        assert reader.get("/sitemap.xml?page=1").status_code == 400

    def test_a_large_one_is_an_index_whose_parts_hold_every_address_once(
        self, client: TestClient, database: Database
    ) -> None:
        published(client, slug="kiku")
        copies(database, PART)
        index = mapped(client.get("/sitemap.xml"))
        assert len(index) == 2
        found = [address for part in index for address in mapped(client.get(part))]
        assert len(found) == len(set(found)) == PART + 1
        assert "http://testserver/v1/articles/kiku.html" in found
        for part in ("ffffffff-0000-7000-8000-000000000007", new_id()):
            assert client.get("/sitemap.xml", params={"part": part}).status_code == 404


def copies(database: Database, number: int) -> None:
    """Copy the one published article, with other ids and slugs, as far as readers see it."""
    with database.writing() as writer:
        for table, name in ((articles, "id"), (snapshots, "article_id"), (snapshot_cards, "article_id")):
            row = writer.row(table.select())
            assert row is not None
            drawn = [f"ffffffff-0000-7000-8000-{each:012}" for each in range(number)]
            slugs = {"slug": "copy-{}"} if "slug" in table.c else {}
            writer.execute(
                table.insert(),
                [
                    {**row, name: id, **{key: form.format(at) for key, form in slugs.items()}, **_small(row)}
                    for at, id in enumerate(drawn)
                ],
            )


def _small(row: Any) -> dict[str, bytes]:
    """That no bytes of an article are read for the sitemap, is seen here: there is nothing in them."""
    return {"body": b"", "body_gzip": b""} if "body" in row else {}


class TestKeys:
    def test_where_reading_needs_a_key_so_do_feeds(self, database: Database, database_url: str) -> None:
        closed = create_app(Settings(database_url=database_url, access_log="off", read_keys="required"), database)
        with TestClient(closed) as stranger:
            for path in (*FEEDS, "/sitemap.xml", "/v1/articles/kiku/bibliography", "/v1/articles/kiku.md"):
                assert stranger.get(path).status_code == 401
