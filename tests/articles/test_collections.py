"""Collections over HTTP: made, read, changed, merged, removed; articles put in, moved, taken out."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.wire.bodies import JSON_PATCH, MERGE_PATCH
from tests.conftest import a_key
from tests.delivery.library import walk
from tests.factories import create

ANY = {"If-Match": "*"}
AT = "/v1/manage/collections"
NOBODY = "01a20952-0000-7000-8000-000000000000"


@pytest.fixture
def articles(client: TestClient) -> list[str]:
    """The ids of four drafts."""
    return [create(client)["id"] for _ in range(4)]


def made(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post(AT, json={"title": "菊の季節"} | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{AT}/{answer.json()['id']}"
    return answer.json()  # type: ignore[no-any-return]


def held(client: TestClient, key: str) -> list[str]:
    return client.get(f"{AT}/{key}").json()["articles"]  # type: ignore[no-any-return]


def faults(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


class TestMaking:
    def test_it_answers_all_of_it_with_its_version_as_etag(self, client: TestClient, articles: list[str]) -> None:
        order = [articles[2], articles[0]]
        answer = client.post(AT, json={"title": "菊の季節", "description": "秋の連載", "articles": order})
        collection = answer.json()
        assert list(collection) == [
            "id", "slug", "title", "description", "articles", "version", "created_at", "updated_at",
        ]  # fmt: skip
        assert (answer.headers["etag"], collection["version"], collection["slug"]) == ('"1"', 1, "菊の季節")
        assert collection["articles"] == order
        for key in (collection["id"], "菊の季節"):
            read = client.get(f"{AT}/{key}")
            assert (read.json(), read.headers["etag"]) == (collection, '"1"')

    def test_a_slug_made_of_the_title_gets_a_number_and_one_that_was_named_is_refused(self, client: TestClient) -> None:
        assert [made(client)["slug"] for _ in range(3)] == ["菊の季節", "菊の季節-2", "菊の季節-3"]
        answer = client.post(AT, json={"title": "別", "slug": "菊の季節-2"})
        assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")
        assert answer.json()["errors"][0]["pointer"] == "/slug"
        nameless = made(client, title="!?")
        assert nameless["slug"] == nameless["id"]

    def test_every_article_that_is_not_there_or_comes_twice_is_named(
        self, client: TestClient, articles: list[str]
    ) -> None:
        named = [articles[0], NOBODY, articles[1], articles[0].upper()]
        answer = client.post(AT, json={"title": "菊", "articles": named, "version": 7})
        assert faults(answer) == [
            ("/version", "read-only"),
            ("/articles/1", "article-unknown"),
            ("/articles/3", "article-repeated"),
        ]
        assert client.get(AT).json()["items"] == []

    def test_one_that_is_purged_is_unknown(self, client: TestClient, articles: list[str]) -> None:
        for purge in ("", "?purge=true"):
            client.delete(f"/v1/manage/articles/{articles[0]}{purge}", headers=ANY)
        assert faults(client.post(AT, json={"title": "菊", "articles": articles})) == [
            ("/articles/0", "article-unknown")
        ]

    def test_more_than_a_thousand_are_refused(self, client: TestClient) -> None:
        answer = client.post(AT, json={"title": "菊", "articles": [NOBODY] * 1_001})
        assert faults(answer) == [("/articles", "too-long")]

    def test_an_id_of_ones_own_is_kept_and_given_once(self, client: TestClient) -> None:
        assert made(client, id=NOBODY)["id"] == NOBODY
        assert faults(client.post(AT, json={"title": "別", "id": NOBODY})) == [("/id", "id-taken")]
        assert faults(client.post(AT, json={"title": "別", "slug": NOBODY})) == [("/slug", "slug-invalid")]

    @pytest.mark.parametrize("scope", ["write", "read:drafts"])
    def test_every_write_needs_publish(self, client: TestClient, database: Database, scope: Any) -> None:
        collection = made(client)
        headers = ANY | {"Authorization": f"Bearer {a_key(database, scope)}"}
        at = f"{AT}/{collection['id']}"
        assert client.get(at, headers=headers).status_code == 200
        for method, path in [("POST", AT), ("PUT", at), ("DELETE", at), ("POST", f"{at}/merge"),
                             ("POST", f"{at}/articles"), ("DELETE", f"{at}/articles/{NOBODY}")]:  # fmt: skip
            answer = client.request(method, path, json={"title": "別"}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing"), (method, path)

    def test_a_key_that_is_limited_to_some_articles_changes_none(self, client: TestClient) -> None:
        made(client, slug="kiku")
        limited = {"name": "翻訳", "scopes": ["publish"], "languages": ["en"]}
        client.headers["Authorization"] = f"Bearer {client.post('/v1/manage/keys', json=limited).json()['key']}"
        assert client.get(f"{AT}/kiku").status_code == 200
        answer = client.put(f"{AT}/kiku", json={"title": "別"}, headers=ANY)
        assert (answer.status_code, answer.json()["code"]) == (403, "key-limited")


class TestChanging:
    def test_an_answer_sent_back_whole_changes_nothing(self, client: TestClient, articles: list[str]) -> None:
        collection = made(client, articles=articles)
        answer = client.put(f"{AT}/{collection['id']}", json=collection, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, collection, '"1"')

    def test_replacing_it_replaces_the_order_and_keeps_the_slug(self, client: TestClient, articles: list[str]) -> None:
        collection = made(client, articles=articles, slug="kiku")
        order = [articles[3], articles[1], articles[0]]
        answer = client.put(f"{AT}/kiku", json={"title": "別", "articles": order}, headers={"If-Match": '"1"'})
        now = answer.json()
        assert (now["articles"], now["title"], now["slug"], now["version"]) == (order, "別", "kiku", 2)
        assert held(client, collection["id"]) == order
        assert client.put(f"{AT}/kiku", json={"title": "別"}, headers={"If-Match": '"1"'}).status_code == 412

    @pytest.mark.parametrize(
        ("media_type", "patch"),
        [
            (MERGE_PATCH, lambda order: {"articles": order[::-1]}),
            (JSON_PATCH, lambda order: [{"op": "replace", "path": "/articles", "value": order[::-1]}]),
        ],
    )
    def test_either_patch_changes_it(
        self, client: TestClient, articles: list[str], media_type: str, patch: Any
    ) -> None:
        collection = made(client, articles=articles)
        headers = {"If-Match": '"1"', "Content-Type": media_type}
        answer = client.patch(f"{AT}/{collection['id']}", json=patch(articles), headers=headers)
        assert (answer.status_code, answer.json()["articles"], answer.headers["etag"]) == (200, articles[::-1], '"2"')

    def test_a_slug_of_another_is_refused_and_a_new_one_is_taken(self, client: TestClient) -> None:
        one, other = made(client, slug="kiku"), made(client, slug="ume")
        answer = client.put(f"{AT}/{other['id']}", json={"title": "梅", "slug": "kiku"}, headers=ANY)
        assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")
        client.put(f"{AT}/{one['id']}", json={"title": "菊", "slug": "kikka"}, headers=ANY)
        assert client.get(f"{AT}/kiku").json()["code"] == "collection-unknown"
        assert client.get(f"{AT}/kikka").json()["id"] == one["id"]

    def test_one_that_is_removed_is_gone_and_its_articles_stay(self, client: TestClient, articles: list[str]) -> None:
        collection = made(client, articles=articles)
        at = f"{AT}/{collection['id']}"
        assert client.delete(at, headers={"If-Match": '"2"'}).status_code == 412
        assert client.delete(at, headers={"If-Match": '"1"'}).status_code == 204
        assert client.get(at).status_code == 404
        assert client.get(f"/v1/manage/articles/{articles[0]}").status_code == 200
        assert made(client)["slug"] == collection["slug"]

    def test_purging_an_article_is_its_collections_next_version(self, client: TestClient, articles: list[str]) -> None:
        collection = made(client, articles=articles)
        for purge in ("", "?purge=true"):
            assert client.get(f"{AT}/{collection['id']}").headers["etag"] == '"1"'
            client.delete(f"/v1/manage/articles/{articles[1]}{purge}", headers=ANY)
        answer = client.get(f"{AT}/{collection['id']}")
        assert answer.headers["etag"] == '"2"'
        assert answer.json()["articles"] == [articles[0], *articles[2:]]


class TestOneArticle:
    def test_it_is_added_at_the_end_or_beside_another(self, client: TestClient, articles: list[str]) -> None:
        one, two, three, four = articles
        at = f"{AT}/{made(client, articles=[one])['id']}"
        for place, order in [
            ({"id": two}, [one, two]),
            ({"id": three, "before": two}, [one, three, two]),
            ({"id": four, "after": one}, [one, four, three, two]),
        ]:
            version = client.get(at).json()["version"]
            answer = client.post(f"{at}/articles", json=place, headers={"If-Match": f'"{version}"'})
            assert (answer.status_code, answer.json()["articles"]) == (200, order)
            assert answer.headers["etag"] == f'"{version + 1}"'
            assert client.get(at).json() == answer.json()

    def test_what_it_holds_already_is_not_moved(self, client: TestClient, articles: list[str]) -> None:
        at = f"{AT}/{made(client, articles=articles)['id']}"
        answer = client.post(f"{at}/articles", json={"id": articles[0]})
        assert (answer.status_code, answer.json()["code"]) == (409, "article-in-collection")
        assert client.get(at).json()["articles"] == articles

    def test_it_is_moved_before_and_after_others(self, client: TestClient, articles: list[str]) -> None:
        one, two, three, four = articles
        at = f"{AT}/{made(client, articles=articles)['id']}/articles"
        assert client.post(f"{at}/{four}/move", json={"before": one}, headers=ANY).json()["articles"] == [
            four, one, two, three,
        ]  # fmt: skip
        answer = client.post(f"{at}/{one}/move", json={"after": three}, headers=ANY)
        assert answer.json()["articles"] == [four, two, three, one]
        same = client.post(f"{at}/{one}/move", json={"after": three}, headers={"If-Match": answer.headers["etag"]})
        assert (same.json(), same.headers["etag"]) == (answer.json(), answer.headers["etag"])
        assert client.post(f"{at}/{one}/move", json={"after": three}, headers={"If-Match": '"1"'}).status_code == 412

    def test_it_is_taken_out(self, client: TestClient, articles: list[str]) -> None:
        at = f"{AT}/{made(client, articles=articles)['id']}"
        answer = client.delete(f"{at}/articles/{articles[1]}", headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", '"2"')
        assert client.get(at).json()["articles"] == [articles[0], *articles[2:]]
        again = client.delete(f"{at}/articles/{articles[1]}", headers=ANY)
        assert (again.status_code, again.json()["code"]) == (404, "article-unknown")

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ({}, [("", "target-invalid")]),
            ({"before": NOBODY}, [("/before", "target-invalid")]),
            ({"before": "itself"}, [("/before", "target-invalid")]),
            ({"before": "other", "after": "other"}, [("", "target-invalid")]),
        ],
    )
    def test_a_place_that_is_none_is_refused(
        self, client: TestClient, articles: list[str], target: dict[str, str], expected: Any
    ) -> None:
        names = {"itself": articles[0], "other": articles[1]}
        sent = {side: names.get(id, id) for side, id in target.items()}
        at = f"{AT}/{made(client, articles=articles)['id']}"
        assert faults(client.post(f"{at}/articles/{articles[0]}/move", json=sent, headers=ANY)) == expected

    def test_one_that_is_not_there_is_refused_and_so_is_one_too_many(
        self, client: TestClient, articles: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = f"{AT}/{made(client, articles=articles[:2])['id']}"
        assert faults(client.post(f"{at}/articles", json={"id": NOBODY})) == [("/id", "article-unknown")]
        monkeypatch.setattr("app.articles.collections.ARTICLES", 2)
        assert faults(client.post(f"{at}/articles", json={"id": articles[2]})) == [("", "too-many-articles")]


class TestMerging:
    def test_the_other_gets_what_it_lacks_at_its_end_and_the_old_address_leads_there(
        self, client: TestClient, articles: list[str]
    ) -> None:
        one, two, three, four = articles
        before = made(client, slug="kiku", articles=[four, one, three])
        into = made(client, slug="aki", articles=[two, one])
        answer = client.post(f"{AT}/kiku/merge", json={"into": "aki"}, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["id"]) == (200, into["id"])
        assert answer.json()["articles"] == [two, one, four, three]
        assert answer.headers["etag"] == '"2"'
        for key in ("kiku", before["id"]):
            moved = client.get(f"{AT}/{key}")
            assert (moved.status_code, moved.headers["location"]) == (308, f"{AT}/{into['id']}")
            refused = client.put(f"{AT}/{key}", json={"title": "別"}, headers=ANY)
            assert (refused.status_code, refused.json()["code"]) == (409, "merged")
        assert [item["id"] for item in client.get(AT).json()["items"]] == [into["id"]]
        again = client.post(f"{AT}/kiku/merge", json={"into": "aki"}, headers=ANY)
        assert (again.status_code, again.headers["etag"]) == (200, '"2"')
        assert client.post(AT, json={"title": "別", "slug": "kiku"}).json()["code"] == "slug-taken"

    def test_it_is_refused_into_itself_into_nothing_and_where_it_would_hold_too_many(
        self, client: TestClient, articles: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(client, slug="kiku", articles=articles[:2])
        made(client, slug="aki", articles=articles[2:])
        monkeypatch.setattr("app.articles.collections.ARTICLES", 3)
        for into in ("kiku", NOBODY, "aki"):
            assert faults(client.post(f"{AT}/kiku/merge", json={"into": into}, headers=ANY)) == [
                ("/into", "target-invalid")
            ]
        assert held(client, "kiku") == articles[:2]

    def test_removing_the_other_removes_it_too(self, client: TestClient) -> None:
        made(client, slug="kiku")
        made(client, slug="aki")
        client.post(f"{AT}/kiku/merge", json={"into": "aki"}, headers=ANY)
        assert client.delete(f"{AT}/aki", headers=ANY).status_code == 204
        assert client.get(f"{AT}/kiku").status_code == 404


class TestListing:
    def test_it_is_paged_counted_and_finds_those_that_hold_an_article(
        self, client: TestClient, articles: list[str]
    ) -> None:
        all_of_them = [made(client, articles=articles[at:]) for at in range(4)][::-1]
        assert walk(client, AT, limit=1) == walk(client, AT) == all_of_them
        first = client.get(AT, params={"article": articles[1], "count": "exact", "limit": 1}).json()
        assert (first["items"], first["count"]) == ([all_of_them[2]], {"value": 2, "relation": "eq"})
        assert walk(client, AT, article=articles[1]) == all_of_them[2:]
