"""Sources, publishers and tags: every filter against brute force, look-up by any form, merges, nothing of a draft."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Table, update

from app.articles.publishers import publishers
from app.articles.sources import sources
from app.database import Database
from app.delivery import schemas
from tests.conftest import Clock
from tests.delivery.library import LISTS, TAGS, Item, Library, combinations, fits, walk
from tests.factories import a_citation, a_section, create, publish, published

NOBODY = "00000000-0000-7000-8000-000000000000"
LEDGER = ("sources", "publishers", "tags")


@pytest.fixture
def library(client: TestClient, clock: Clock) -> Library:
    return Library(client, clock)


def set_row(database: Database, table: Table, id: str, **values: Any) -> None:
    """Change a row of the ledger; only what the rows say matters here, not who wrote them."""
    with database.writing() as writer:
        writer.execute(update(table).where(table.c.id == id).values(**values))


def choices(library: Library, *names: str) -> dict[str, Any]:
    times = {article["published_at"] for article in library.articles}
    cited = [citation["source"] for citation, *_ in library.citations()]
    known = {
        "article": {article["id"] for article in library.articles},
        "tag": {*TAGS, "無い"},
        "language": {"ja", "en", "fr"},
        "source": {source["id"] for source in cited},
        "publisher": {source["publisher"]["id"] for source in cited},
        "type": {"report", "book"},
        "published_after": times,
        "published_before": times,
    }
    return {name: known[name] for name in ("article", "published_after", "published_before", *names)}


def own(source: Item, wanted: dict[str, Any]) -> bool:
    """Whether the filters that are about the source hold of it."""
    said = {"publisher": source["publisher"]["id"], "language": source["language"], "type": source["type"]}
    return all(said[name] == value for name, value in wanted.items() if name in said)


def expected_sources(library: Library, wanted: dict[str, Any]) -> list[str]:
    fitting = {
        citation["source"]["id"]
        for citation, _, _, article in library.citations()
        if fits(article, wanted) and own(citation["source"], wanted)
    }
    return sorted(fitting, reverse=True)


def expected_publishers(library: Library, wanted: dict[str, Any]) -> list[str]:
    cited = [c["source"]["publisher"] for c, _, _, article in library.citations() if fits(article, wanted)]
    return [id for _, id in sorted({(publisher["name"], publisher["id"]) for publisher in cited})]


def expected_tags(library: Library, wanted: dict[str, Any]) -> list[str]:
    found: set[str] = set()
    for article in library.articles:
        cited = [citation["source"] for citation, _, _, owner in library.citations() if owner is article]
        if (
            fits(article, wanted)
            and wanted.get("language", article["language"]) == article["language"]
            and ("source" not in wanted or any(source["id"] == wanted["source"] for source in cited))
            and ("publisher" not in wanted or any(s["publisher"]["id"] == wanted["publisher"] for s in cited))
        ):
            found |= set(article["tags"])
    return sorted(found)


def agree(client: TestClient, path: str, wanted: dict[str, Any], expected: list[str], key: str = "id") -> None:
    """The whole list, in pages of two, and its count are what was expected."""
    assert [item[key] for item in walk(client, path, limit=2, **wanted)] == expected, wanted
    counted = client.get(path, params=wanted | {"count": "exact"}).json()["count"]
    assert counted == {"value": len(expected), "relation": "eq"}, wanted


class TestSources:
    def test_the_list_holds_what_brute_force_finds(self, client: TestClient, library: Library) -> None:
        known = choices(library, "tag", "publisher", "language", "type")
        for wanted in combinations(known, times=60):
            agree(client, "/v1/sources", wanted, expected_sources(library, wanted))

    def test_a_source_says_what_the_ledger_knows(self, client: TestClient, library: Library) -> None:
        cited = {citation["source"]["id"]: citation["source"] for citation, *_ in library.citations()}
        items = walk(client, "/v1/sources")
        assert len(items) == len(cited)
        for item in items:
            assert list(item) == [
                "id", "url", "canonical_url", "title", "publisher", "published_on", "authors", "language", "type",
                "image", "archive_urls", "note",
            ]  # fmt: skip
            assert cited[item["id"]].items() <= item.items()
            assert item["canonical_url"].startswith("https://news.example.jp/")
            answer = client.get(f"/v1/sources/{item['id']}")
            assert answer.json() == item
            assert answer.headers["surrogate-key"] == "articles publishers sources"

    def test_its_citations_are_where_it_is_cited(self, client: TestClient, library: Library) -> None:
        known = choices(library, "tag")
        for source_id in expected_sources(library, {}):
            for wanted in combinations(known, times=5):
                expected = [
                    citation
                    | {"section_id": section["id"], "page": page["number"], "article": library.cards[article["id"]]}
                    for citation, section, page, article in library.citations()
                    if citation["source"]["id"] == source_id and fits(article, wanted)
                ]
                path = f"/v1/sources/{source_id}/citations"
                assert walk(client, path, limit=2, **wanted) == expected, wanted
                assert client.get(path, params=wanted | {"count": "exact"}).json()["count"]["value"] == len(expected)

    @pytest.mark.parametrize("id", ["x", NOBODY, "%00", "%ff", "lookup/x"])
    def test_what_is_not_there_is_not_found(self, client: TestClient, id: str) -> None:
        published(client)
        for path in (f"/v1/sources/{id}", f"/v1/sources/{id}/citations", f"/v1/publishers/{id}"):
            assert client.get(path).status_code == 404, path


class TestLookup:
    def test_every_form_of_its_address_leads_to_a_source(self, client: TestClient) -> None:
        source = {"url": "https://例え.jp/a/?id=1&utm_source=x", "title": "記事"}
        article = published(client, pages=[{"sections": [a_section(citations=[a_citation(source=source)])]}])
        found = article["pages"][0]["sections"][0]["citations"][0]["source"]
        for url in (
            "https://例え.jp/a/?id=1",
            "HTTP://XN--R8JZ45G.jp:80/a?id=1#top",
            "https://例え.JP:443/a/?fbclid=1&id=1&UTM_medium=y&gclid=2",
        ):
            answer = client.get("/v1/sources/lookup", params={"url": url})
            assert (answer.status_code, answer.json()) == (200, client.get(f"/v1/sources/{found['id']}").json()), url
        for url in ("https://例え.jp/a?id=2", "https://例え.jp/A?id=1", "https://例え.jp:8443/a?id=1"):
            assert client.get("/v1/sources/lookup", params={"url": url}).status_code == 404, url

    @pytest.mark.parametrize("query", ["", "?url=", "?url=x", "?url=ftp://a/", "?url=https://a:b@c/", "?address=x"])
    def test_what_is_no_address_is_refused(self, client: TestClient, query: str) -> None:
        answer = client.get(f"/v1/sources/lookup{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "parameter-invalid")


class TestPublishers:
    def test_the_list_holds_what_brute_force_finds_by_name(self, client: TestClient, library: Library) -> None:
        for wanted in combinations(choices(library, "tag"), times=40):
            agree(client, "/v1/publishers", wanted, expected_publishers(library, wanted))

    def test_language_and_country_are_its_own(self, client: TestClient, library: Library, database: Database) -> None:
        first = expected_publishers(library, {})[0]
        set_row(database, publishers, first, language="de", country="DE")
        for wanted in ({"language": "de"}, {"country": "DE"}):
            agree(client, "/v1/publishers", wanted, [first])
        agree(client, "/v1/publishers", {"language": "de", "country": "JP"}, [])

    def test_a_publisher_has_exactly_its_members(self, client: TestClient, library: Library) -> None:
        assert library.articles
        for item in walk(client, "/v1/publishers"):
            assert list(item) == ["id", "name", "aliases", "hosts", "homepage_url", "country", "language"]
            assert client.get(f"/v1/publishers/{item['id'].upper()}").json() == item

    @pytest.mark.parametrize("name", ["例\u3000通信", "👩‍🌾" * 100, "a\tb", "名" * 500])
    def test_a_page_may_end_with_any_name(self, client: TestClient, name: str) -> None:
        names = [name, f"{name[:-1]}z", "\U0010ffff"]
        cards = [
            a_citation(source={"url": f"https://a.jp/{at}", "publisher": {"name": n}}) for at, n in enumerate(names)
        ]
        published(client, pages=[{"sections": [a_section(citations=cards)]}])
        assert [item["name"] for item in walk(client, "/v1/publishers", limit=1)] == sorted(names)


class TestTags:
    def test_the_list_holds_what_brute_force_finds_by_slug(self, client: TestClient, library: Library) -> None:
        for wanted in combinations(choices(library, "source", "publisher", "language"), times=40):
            agree(client, "/v1/tags", wanted, expected_tags(library, wanted), "slug")

    def test_a_tag_has_a_slug_and_a_name(self, client: TestClient) -> None:
        published(client, tags=["菊"])
        assert client.get("/v1/tags").json()["items"] == [{"slug": "菊", "name": "菊"}]


class TestMerged:
    def test_an_old_id_leads_on_with_what_follows_it(
        self, client: TestClient, library: Library, database: Database
    ) -> None:
        now, *_, old = expected_sources(library, {})
        former = client.get(f"/v1/sources/{old}").json()
        set_row(database, sources, old, merged_into=now)
        for path, there in [
            (f"/v1/sources/{old.upper()}", f"/v1/sources/{now}"),
            (
                f"/v1/sources/{old}/citations?limit=1&tag=%E8%8F%8A",
                f"/v1/sources/{now}/citations?limit=1&tag=%E8%8F%8A",
            ),
        ]:
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (308, there)
            assert client.get(there).status_code == 200
        assert client.get("/v1/sources/lookup", params={"url": former["url"]}).json()["id"] == now
        assert old not in [item["id"] for item in walk(client, "/v1/sources")]

    def test_so_does_that_of_a_publisher(self, client: TestClient, library: Library, database: Database) -> None:
        now, *_, old = expected_publishers(library, {})
        set_row(database, publishers, old, merged_into=now)
        answer = client.get(f"/v1/publishers/{old}")
        assert (answer.status_code, answer.headers["location"]) == (308, f"/v1/publishers/{now}")
        assert old not in [item["id"] for item in walk(client, "/v1/publishers")]

    def test_what_was_merged_into_a_hidden_one_is_hidden(
        self, client: TestClient, library: Library, database: Database
    ) -> None:
        hidden = library.draft["pages"][0]["sections"][0]["citations"][0]["source"]
        source, publisher = expected_sources(library, {})[0], expected_publishers(library, {})[0]
        set_row(database, sources, source, merged_into=hidden["id"])
        set_row(database, publishers, publisher, merged_into=hidden["publisher"]["id"])
        for path in (f"/v1/sources/{source}", f"/v1/sources/{source}/citations", f"/v1/publishers/{publisher}"):
            assert client.get(path).status_code == 404


class TestHidden:
    def test_nothing_of_what_is_not_public_shows(self, client: TestClient, library: Library) -> None:
        for article in library.hidden():
            sections = [section for page in article["pages"] for section in page["sections"]]
            for source in [citation["source"] for section in sections for citation in section["citations"]]:
                for path in (f"sources/{source['id']}", f"sources/{source['id']}/citations"):
                    assert client.get(f"/v1/{path}").status_code == 404
                assert client.get(f"/v1/publishers/{source['publisher']['id']}").status_code == 404
                unknown = client.get("/v1/sources/lookup", params={"url": "https://hidden.example.jp/none"}).json()
                answer = client.get("/v1/sources/lookup", params={"url": source["url"]})
                assert answer.status_code == 404
                assert answer.json() | {"request_id": 0} == unknown | {"request_id": 0}
                for path, wanted in [
                    ("sources", {"publisher": source["publisher"]["id"]}),
                    ("sources", {"tag": article["tags"][-1]}),
                    ("publishers", {"tag": article["tags"][-1]}),
                    ("tags", {"source": source["id"]}),
                    ("tags", {"publisher": source["publisher"]["id"]}),
                ]:
                    agree(client, f"/v1/{path}", wanted, [])
                for path in LEDGER if article["id"] else ():
                    agree(client, f"/v1/{path}", {"article": article["id"]}, [])
        everything = "".join(client.get(f"/v1/{name}?limit=100").text for name in LISTS)
        for word in ("hidden", "秘密", "下書き", "ごみ", "編集"):
            assert word not in everything

    @pytest.mark.parametrize("name", LEDGER)
    def test_the_etag_moves_with_what_is_public_and_only_then(self, client: TestClient, name: str) -> None:
        published(client)
        first = client.get(f"/v1/{name}?count=exact")
        draft = create(
            client,
            tags=["別"],
            pages=[
                {
                    "sections": [
                        a_section(citations=[a_citation(source={"url": "https://b.jp", "publisher": {"name": "別"}})])
                    ]
                }
            ],
        )
        again = client.get(f"/v1/{name}?count=exact", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        publish(client, draft["id"])
        assert client.get(f"/v1/{name}?count=exact").json()["count"]["value"] == 2
        client.post(f"/v1/manage/articles/{draft['id']}/unpublish", headers={"If-Match": "*"})
        assert client.get(f"/v1/{name}?count=exact").content == first.content

    def test_a_note_in_the_ledger_moves_the_etag_though_no_article_changes(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client)
        id = article["pages"][0]["sections"][0]["citations"][0]["source"]["id"]
        seen = {path: client.get(path).headers["etag"] for path in ("/v1/sources", f"/v1/sources/{id}")}
        set_row(database, sources, id, note="注")
        for path, etag in seen.items():
            assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


class TestDescribed:
    def test_the_answers_have_exactly_the_members_that_are_described(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client)
        id = article["pages"][0]["sections"][0]["citations"][0]["source"]["id"]
        archived = [{"url": "https://web.archive.org/1", "at": "2026-01-02T03:04:05.678Z"}]
        set_row(database, sources, id, archive_urls=archived, note="注")
        described: list[tuple[str, type[BaseModel]]] = [
            ("sources", schemas.SourceList),
            (f"sources/{id}", schemas.PublicSource),
            (f"sources/{id}/citations", schemas.CitationList),
            ("publishers", schemas.PublisherList),
            ("tags", schemas.TagList),
        ]
        for path, model in described:
            answer = client.get(f"/v1/{path}" + ("" if path.endswith(id) else "?count=capped")).json()
            assert model.model_validate(answer).model_dump(exclude_unset=True) == answer

    @pytest.mark.parametrize("path", LISTS)
    def test_pages_of_every_origin_may_read_and_head_is_answered(self, client: TestClient, path: str) -> None:
        published(client)
        got, head = client.get(f"/v1/{path}"), client.head(f"/v1/{path}")
        assert got.headers["access-control-allow-origin"] == "*"
        assert "max-age" in got.headers["cache-control"]
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == got.headers["etag"]
