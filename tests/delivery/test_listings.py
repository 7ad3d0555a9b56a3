"""The public list: every filter against what it should hold, keyset pages, counts, projections."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Clock
from tests.factories import a_citation, a_section, publish, published


def ids(client: TestClient, **parameters: Any) -> list[str]:
    return [item["id"] for item in client.get("/v1/articles", params=parameters).json()["items"]]


class TestCards:
    def test_a_card_has_exactly_its_members(self, client: TestClient) -> None:
        article = published(client)
        card = client.get("/v1/articles").json()["items"][0]
        assert list(card) == [
            "id", "slug", "language", "title", "lead", "hero_image", "tags", "publishers", "page_count",
            "published_at", "revised_at",
        ]  # fmt: skip
        publisher = article["pages"][0]["sections"][0]["citations"][0]["source"]["publisher"]
        assert (card["id"], card["publishers"], card["page_count"]) == (article["id"], [publisher], 1)


class TestFilters:
    def test_each_filter_holds_what_it_names(self, client: TestClient, clock: Clock) -> None:
        first = published(client, tags=["国際", "菊"], language="en", translation_key="k")
        clock.advance(hours=1)
        second = published(
            client,
            pages=[
                {
                    "sections": [
                        a_section(
                            citations=[
                                a_citation(source={"url": "https://example.jp/only", "publisher": {"name": "例新聞"}})
                            ]
                        )
                    ]
                }
            ],
        )
        source = second["pages"][0]["sections"][0]["citations"][0]["source"]
        assert ids(client) == [second["id"], first["id"]]
        assert ids(client, sort="published_at") == [first["id"], second["id"]]
        assert ids(client, tag="国際") == [first["id"]]
        assert ids(client, language="en") == [first["id"]]
        assert ids(client, translation_key="k") == [first["id"]]
        assert ids(client, source=source["id"]) == [second["id"]]
        assert ids(client, publisher=source["publisher"]["id"]) == [second["id"]]
        assert ids(client, published_after="2026-01-02T04:04:05.678Z") == [second["id"]]
        assert ids(client, published_before="2026-01-02T12:04:05.678+09:00") == [first["id"]]
        assert ids(client, ids=f"{first['id']},{first['id']}") == [first["id"]]
        assert ids(client, tag="国際", language="ja") == []

    @pytest.mark.parametrize(
        "query",
        ["limit=0", "limit=101", "limit=x", "offset=5", "sort=title", "published_after=yesterday", "cursor=abc",
         "count=maybe", "fields=nothing", "publisher=1", "tag=a.b", "ids=1,2"],
    )  # fmt: skip
    def test_what_the_list_cannot_mean_is_refused(self, client: TestClient, query: str) -> None:
        published(client)
        answer = client.get(f"/v1/articles?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


class TestPaging:
    @pytest.mark.parametrize("sort", ["-published_at", "published_at", "-revised_at", "revised_at"])
    def test_keyset_pages_hold_every_article_once_whatever_their_times(
        self, client: TestClient, clock: Clock, sort: str
    ) -> None:
        made = set()
        for number in range(7):
            made.add(published(client)["id"])
            clock.advance(hours=number % 2)
        seen: list[str] = []
        path: str | None = f"/v1/articles?limit=3&sort={sort}"
        while path:
            answer = client.get(path)
            seen += [item["id"] for item in answer.json()["items"]]
            path = answer.links["next"]["url"] if answer.json()["next"] else None
        assert len(seen) == 7
        assert set(seen) == made

    def test_a_cursor_belongs_to_its_filters_and_sort(self, client: TestClient) -> None:
        for _ in range(3):
            published(client)
        cursor = client.get("/v1/articles?limit=1").json()["next"]
        assert client.get(f"/v1/articles?limit=2&cursor={cursor}").status_code == 200
        for query in (f"tag=a&cursor={cursor}", f"sort=published_at&cursor={cursor}", f"cursor={cursor}x"):
            answer = client.get(f"/v1/articles?{query}")
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")

    def test_a_count_is_given_when_asked_for(self, client: TestClient) -> None:
        for _ in range(3):
            published(client)
        assert "count" not in client.get("/v1/articles").json()
        for kind in ("exact", "capped"):
            answer = client.get(f"/v1/articles?limit=1&count={kind}").json()
            assert answer["count"] == {"value": 3, "relation": "eq"}

    def test_fields_project_each_item(self, client: TestClient) -> None:
        published(client, slug="kiku")
        answer = client.get("/v1/articles?fields=slug,publishers.name").json()
        assert answer["items"] == [{"slug": "kiku", "publishers": [{"name": "菊新聞"}]}]


class TestEtags:
    def test_a_lists_etag_changes_with_every_publication_and_only_then(self, client: TestClient) -> None:
        article = published(client)
        first = client.get("/v1/articles")
        again = client.get("/v1/articles", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers={"If-Match": "*"})
        assert client.get("/v1/articles").headers["etag"] == first.headers["etag"]
        publish(client, article["id"])
        assert client.get("/v1/articles").headers["etag"] != first.headers["etag"]


class TestSections:
    def test_an_articles_sections_come_in_order_with_page_and_card(self, client: TestClient) -> None:
        pages = [{"sections": [a_section(), a_section(heading="二")]}, {"sections": [a_section(heading="三")]}]
        article = published(client, pages=pages)
        answer = client.get(f"/v1/articles/{article['slug']}/sections?limit=2").json()
        rest = client.get(f"/v1/articles/{article['slug']}/sections?cursor={answer['next']}").json()
        items = answer["items"] + rest["items"]
        stored = [section for page in article["pages"] for section in page["sections"]]
        card = client.get("/v1/articles").json()["items"][0]
        assert [{n: v for n, v in item.items() if n not in {"page", "article"}} for item in items] == stored
        assert [item["page"] for item in items] == [1, 1, 2]
        assert all(item["article"] == card for item in items)
