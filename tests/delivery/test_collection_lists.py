"""Collections as readers see them: published articles only, in the collection's order, paged by place."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.wire.bodies import MERGE_PATCH
from tests.delivery.library import walk
from tests.factories import create, publish, published

ANY = {"If-Match": "*"}
MANAGE = "/v1/manage/collections"


def collect(client: TestClient, slug: str, articles: list[str], **fields: Any) -> dict[str, Any]:
    answer = client.post(MANAGE, json={"slug": slug, "title": "菊の季節", "articles": articles} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


class TestOne:
    def test_it_shows_the_cards_of_its_published_articles_in_its_order(
        self, client: TestClient, reader: TestClient
    ) -> None:
        public = [published(client)["id"] for _ in range(3)]
        draft = create(client)["id"]
        collection = collect(client, "kiku", [public[2], draft, public[0], public[1]], description="秋の連載")
        shown = reader.get("/v1/collections/kiku").json()
        assert list(shown) == ["id", "slug", "title", "description", "items", "next"]
        assert (shown["id"], shown["title"], shown["description"]) == (collection["id"], "菊の季節", "秋の連載")
        cards = {item["id"]: item for item in reader.get("/v1/articles").json()["items"]}
        assert shown["items"] == [cards[public[2]], cards[public[0]], cards[public[1]]]
        assert reader.get(f"/v1/collections/{collection['id']}").json() == shown
        publish(client, draft)
        assert ids(reader.get("/v1/collections/kiku").json()["items"]) == [public[2], draft, *public[:2]]

    def test_fields_and_count_are_about_the_items(self, client: TestClient, reader: TestClient) -> None:
        collect(client, "kiku", [published(client)["id"], create(client)["id"]])
        shown = reader.get("/v1/collections/kiku", params={"fields": "title", "count": "exact"}).json()
        assert shown["count"] == {"value": 1, "relation": "eq"}
        assert [list(item) for item in shown["items"]] == [["title"]]

    def test_without_a_published_article_it_is_there_and_empty(self, client: TestClient, reader: TestClient) -> None:
        collect(client, "kiku", [create(client)["id"]])
        shown = reader.get("/v1/collections/kiku", params={"count": "exact"}).json()
        assert (shown["items"], shown["count"]["value"]) == ([], 0)
        assert reader.get("/v1/collections").json()["items"] == []
        answer = reader.get("/v1/collections/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "collection-unknown")

    @pytest.mark.parametrize("step", ["unpublish", "archive", "trash"])
    def test_what_is_withdrawn_is_gone_with_the_same_answer_and_comes_back_to_its_place(
        self, client: TestClient, reader: TestClient, step: str
    ) -> None:
        articles = [published(client)["id"] for _ in range(3)]
        collect(client, "kiku", articles)
        at = f"/v1/manage/articles/{articles[1]}"
        if step == "trash":
            client.delete(at, headers=ANY)
        else:
            client.post(f"{at}/{step}", headers=ANY)
        assert ids(reader.get("/v1/collections/kiku").json()["items"]) == [articles[0], articles[2]]
        client.post(f"{at}/restore", headers=ANY)
        publish(client, articles[1])
        assert ids(reader.get("/v1/collections/kiku").json()["items"]) == articles

    def test_a_merged_one_leads_to_the_other_with_its_query(self, client: TestClient, reader: TestClient) -> None:
        article = published(client)["id"]
        old = collect(client, "kiku", [article])
        collect(client, "aki", [])
        client.post(f"{MANAGE}/kiku/merge", json={"into": "aki"}, headers=ANY)
        for key in ("kiku", old["id"]):
            answer = reader.get(f"/v1/collections/{key}?limit=5")
            assert (answer.status_code, answer.headers["location"]) == (308, "/v1/collections/aki?limit=5")
        assert ids(reader.get("/v1/collections/aki").json()["items"]) == [article]


class TestPaging:
    def test_others_that_come_go_and_move_leave_what_stays_shown_once(self, client: TestClient) -> None:
        articles = [published(client)["id"] for _ in range(6)]
        more = [published(client)["id"] for _ in range(6)]
        at = f"{MANAGE}/{collect(client, 'kiku', articles)['id']}"

        def change() -> None:
            came = more.pop()
            client.post(f"{at}/articles", json={"id": came, "before": articles[0]})
            client.post(f"{at}/articles/{came}/move", json={"after": articles[3]}, headers=ANY)
            client.delete(f"{at}/articles/{came}", headers=ANY)
            client.post(f"{at}/articles", json={"id": came, "before": articles[0]})

        assert ids(walk(client, "/v1/collections/kiku", change, limit=1)) == articles

    def test_where_the_last_one_shown_is_taken_out_the_next_page_goes_on(self, client: TestClient) -> None:
        articles = [published(client)["id"] for _ in range(4)]
        at = f"{MANAGE}/{collect(client, 'kiku', articles)['id']}"
        page = client.get("/v1/collections/kiku?limit=2").json()
        client.delete(f"{at}/articles/{articles[1]}", headers=ANY)
        rest = client.get("/v1/collections/kiku", params={"limit": 2, "cursor": page["next"]}).json()
        assert ids(rest["items"]) == articles[2:]

    def test_a_cursor_belongs_to_its_collection(self, client: TestClient) -> None:
        articles = [published(client)["id"] for _ in range(2)]
        collect(client, "kiku", articles)
        collect(client, "aki", articles)
        cursor = client.get("/v1/collections/kiku?limit=1").json()["next"]
        answer = client.get("/v1/collections/aki", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")


class TestCaching:
    def test_whatever_it_shows_changes_its_etag_and_nothing_else_does(
        self, client: TestClient, reader: TestClient
    ) -> None:
        articles = [published(client)["id"] for _ in range(2)]
        collection = collect(client, "kiku", articles)
        collect(client, "aki", articles)
        at = f"{MANAGE}/{collection['id']}"
        patched = ANY | {"Content-Type": MERGE_PATCH}

        def rename(**to: str) -> None:
            assert client.patch(at, json=to, headers=patched).status_code == 200

        def hand_over() -> None:
            rename(slug="kikka")
            client.patch(f"{MANAGE}/aki", json={"slug": "kiku"}, headers=patched)

        for change in (
            lambda: rename(title="別"),
            lambda: client.post(f"{at}/articles/{articles[1]}/move", json={"before": articles[0]}, headers=ANY),
            lambda: client.post(f"/v1/manage/articles/{articles[0]}/unpublish", headers=ANY),
            hand_over,
        ):
            before = reader.get("/v1/collections/kiku")
            tag = before.headers["etag"]
            assert before.headers["surrogate-key"] == "articles collections"
            known = {"If-None-Match": tag}
            assert reader.get("/v1/collections/kiku", headers=known).status_code == 304
            change()
            after = reader.get("/v1/collections/kiku", headers=known)
            assert (after.status_code, after.headers["etag"] != tag) == (200, True)


class TestLists:
    def test_those_that_hold_a_published_article_are_listed_by_slug(
        self, client: TestClient, reader: TestClient
    ) -> None:
        article = published(client)["id"]
        made = [collect(client, slug, [article]) for slug in ("c", "a", "b")]
        collect(client, "empty", [create(client)["id"]])
        shown = walk(reader, "/v1/collections", limit=1)
        said = ("id", "slug", "title", "description")
        assert shown == [{name: made[at][name] for name in said} for at in (1, 2, 0)]
        assert reader.get("/v1/collections?count=exact").json()["count"] == {"value": 3, "relation": "eq"}

    def test_articles_are_filtered_by_a_collections_slug_or_id_also_by_that_of_a_merged_one(
        self, client: TestClient, reader: TestClient
    ) -> None:
        articles = [published(client)["id"] for _ in range(3)]
        old, now = collect(client, "kiku", articles[:1]), collect(client, "aki", articles[1:2])
        for key in ("kiku", old["id"], "KIKU"):
            assert ids(reader.get("/v1/articles", params={"collection": key}).json()["items"]) == articles[:1]
        client.post(f"{MANAGE}/kiku/merge", json={"into": "aki"}, headers=ANY)
        for key in ("kiku", old["id"], "aki", now["id"]):
            shown = reader.get("/v1/articles", params={"collection": key, "sort": "published_at"}).json()["items"]
            assert sorted(ids(shown)) == sorted(articles[:2])
        assert reader.get("/v1/articles", params={"collection": "nothing"}).json()["items"] == []
