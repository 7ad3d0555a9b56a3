"""Related articles: the most alike first, with what they have in common."""

from typing import Any

from fastapi.testclient import TestClient

from app import worker
from app.database import Database
from tests.factories import a_section, create, publish, published
from tests.search import corpus
from tests.search.corpus import Item

ANY = {"If-Match": "*"}


def related(client: TestClient, key: str, **wanted: Any) -> list[Item]:
    answer = client.get(f"/v1/articles/{key}/related", params=wanted)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"items"}
    items: list[Item] = answer.json()["items"]
    return items


def count(database: Database) -> None:
    while worker.count_words(database):
        pass


def cited(article: Item) -> dict[str, str]:
    sections = [section for page in article["pages"] for section in page["sections"]]
    return {each["source"]["id"]: each["source"]["title"] for section in sections for each in section["citations"]}


def words(article: Item) -> set[str]:
    return {word for text in corpus.texts(article).values() for word in corpus.words(text)}


class TestReasons:
    def test_they_are_the_words_sources_and_tags_that_both_have(self, client: TestClient, articles: list[Item]) -> None:
        by_id = {article["id"]: article for article in articles}
        cards = {card["id"]: card for card in client.get("/v1/articles?limit=100").json()["items"]}
        for article in articles[:10]:
            items = related(client, article["id"], limit=20)
            assert len(items) == 20
            for item in items:
                other = by_id[item["article"]["id"]]
                assert item["article"] == cards[other["id"]]
                both = cited(article).keys() & cited(other)
                reasons = item["reasons"]
                assert reasons["sources"] == [{"id": id, "title": cited(article)[id]} for id in sorted(both)]
                assert reasons["tags"] == sorted(set(article["tags"]) & set(other["tags"]))
                assert 1 <= len(reasons["terms"]) <= 5
                assert set(reasons["terms"]) <= words(article) & words(other)

    def test_what_an_article_is_filtered_by_is_no_word_of_it(self, client: TestClient, database: Database) -> None:
        few = {"lead": "", "introduction": "", "takeaways": [], "tags": ["庭"], "pages": [
            {"sections": [{"heading": "菊", "body": "菊", "citations": []}]}
        ]}  # fmt: skip
        here, there = (published(client, title="菊", **few)["id"] for _ in range(2))
        count(database)
        (reasons,) = (each["reasons"] for each in related(client, here, limit=20) if each["article"]["id"] == there)
        assert reasons == {"terms": ["菊"], "sources": [], "tags": ["庭"]}

    def test_an_article_is_not_related_to_itself_and_no_other_is_named_twice(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        for article in articles[:10]:
            ids = [item["article"]["id"] for item in related(client, article["slug"], limit=20)]
            assert article["id"] not in ids
            assert len(ids) == len(set(ids))


class TestAlike:
    def test_what_shares_rare_words_comes_first(self, client: TestClient, database: Database) -> None:
        pages = [{"sections": [a_section(heading="アメジストの道", body="アメジストとターコイズの市場。")]}]
        here, alike = (published(client, title=f"アメジスト市{n}", pages=pages)["id"] for n in range(2))
        published(client, title="菊の市場")
        count(database)
        first, *_ = related(client, here)
        assert first["article"]["id"] == alike
        assert first["reasons"]["terms"][0] == "アメジスト"

    def test_five_are_named_unless_more_or_fewer_are_wanted(self, client: TestClient, articles: list[Item]) -> None:
        ids = [item["article"]["id"] for item in related(client, articles[0]["id"], limit=20)]
        for limit in (1, 5):
            some = related(client, articles[0]["id"], **({"limit": limit} if limit != 5 else {}))
            assert [item["article"]["id"] for item in some] == ids[:limit]


class TestHidden:
    def test_no_draft_no_change_and_nothing_withdrawn_is_named(self, client: TestClient, database: Database) -> None:
        here = published(client, title="アメジスト市")["id"]
        gone = published(client, title="アメジストの里")["id"]
        edited = published(client, title="庭の話")["id"]
        create(client, title="アメジストの下書き")
        document = client.get(f"/v1/manage/articles/{edited}").json() | {"title": "アメジストの編集"}
        client.put(f"/v1/manage/articles/{edited}", json=document, headers=ANY)
        count(database)
        assert named(client, here) == {gone}
        client.post(f"/v1/manage/articles/{gone}/unpublish", headers=ANY)
        assert named(client, here) == set()
        publish(client, edited)
        count(database)
        assert named(client, here) == {edited}

    def test_of_what_is_not_there_nothing_is(self, client: TestClient) -> None:
        draft = create(client)["id"]
        for key in ("nothing", "00000000-0000-7000-8000-000000000000", "%00", draft):
            assert client.get(f"/v1/articles/{key}/related").status_code == 404, key

    def test_an_old_slug_leads_on(self, client: TestClient) -> None:
        made = published(client, slug="old-one")
        document = client.get(f"/v1/manage/articles/{made['id']}").json() | {"slug": "new-one"}
        client.put(f"/v1/manage/articles/{made['id']}", json=document, headers=ANY)
        publish(client, made["id"])
        answer = client.get("/v1/articles/old-one/related?limit=3")
        assert (answer.status_code, answer.headers["location"]) == (308, "/v1/articles/new-one/related?limit=3")


def named(client: TestClient, key: str) -> set[str]:
    """The related articles that share the rare word."""
    items = related(client, key, limit=20)
    return {item["article"]["id"] for item in items if "アメジスト" in item["reasons"]["terms"]}
