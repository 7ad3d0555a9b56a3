"""Slugs, external ids, translations (section 2, Slugs)."""

import pytest
from fastapi.testclient import TestClient

from tests.factories import a_document, create, publish, published


class TestSlugs:
    def test_a_derived_slug_gets_a_suffix_where_it_is_taken(self, client: TestClient) -> None:
        slugs = [create(client, title="菊の 話!")["slug"] for _ in range(3)]
        assert slugs == ["菊の-話", "菊の-話-2", "菊の-話-3"]

    def test_editors_find_an_article_by_the_suffix_of_its_slug(self, client: TestClient) -> None:
        second = [create(client, title="菊の話")["id"] for _ in range(2)][1]
        found = client.get("/v1/manage/articles", params={"q": "菊の話-2"}).json()["items"]
        assert [item["id"] for item in found] == [second]

    def test_an_explicit_slug_that_is_taken_is_a_conflict(self, client: TestClient) -> None:
        create(client, slug="kiku")
        answer = client.post("/v1/manage/articles", json=a_document(slug="kiku"))
        assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")
        other = create(client)
        answer = client.put(
            f"/v1/manage/articles/{other['id']}", json=other | {"slug": "kiku"}, headers={"If-Match": "*"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")

    def test_a_title_without_letters_gives_the_id(self, client: TestClient) -> None:
        article = create(client, title="!!!")
        assert article["slug"] == article["id"]
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=article, headers={"If-Match": "*"})
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "slug", ["a.b", "a b", "a/b", "", "a" * 121, "菊!", "01a20952-730d-73de-8611-1d33b4d4b762"]
    )
    def test_what_is_no_slug_is_refused(self, client: TestClient, slug: str) -> None:
        answer = client.post("/v1/manage/articles", json=a_document(slug=slug))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/slug"

    def test_a_slug_is_folded_to_one_form(self, client: TestClient) -> None:
        assert create(client, slug="ＫＩＫＵ")["slug"] == "kiku"

    def test_the_working_slug_becomes_public_at_publish_and_the_old_one_redirects(self, client: TestClient) -> None:
        article = published(client, slug="old")
        client.patch(
            f"/v1/manage/articles/{article['id']}",
            content='{"slug": "new"}',
            headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
        )
        assert client.get("/v1/articles/new").status_code == 404
        assert client.get("/v1/articles/old").status_code == 200
        publish(client, article["id"])
        assert client.get("/v1/articles/new").status_code == 200
        for path, target in [
            ("/v1/articles/old", "/v1/articles/new"),
            ("/v1/articles/old.txt", "/v1/articles/new.txt"),
            ("/v1/articles/old/pages/1.txt", "/v1/articles/new/pages/1.txt"),
            ("/v1/articles/old/sections?limit=2&fields=id,page", "/v1/articles/new/sections?limit=2&fields=id,page"),
        ]:
            answer = client.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (308, target)

    def test_a_living_slug_beats_an_old_one(self, client: TestClient) -> None:
        first = published(client, slug="kiku")
        client.put(f"/v1/manage/articles/{first['id']}", json=first | {"slug": "moved"}, headers={"If-Match": "*"})
        publish(client, first["id"])
        second = published(client, slug="kiku")
        assert client.get("/v1/articles/kiku").json()["id"] == second["id"]

    def test_an_old_public_slug_is_taken_back_unless_another_lives_there(self, client: TestClient) -> None:
        first = published(client, slug="kiku")
        at, any_version = f"/v1/manage/articles/{first['id']}", {"If-Match": "*"}

        def rename(slug: str) -> int:
            sent = {name: value for name, value in first.items() if name != "version"} | {"slug": slug}
            return client.put(at, json=sent, headers=any_version).status_code

        assert rename("moved") == 200
        publish(client, first["id"])
        assert rename("kiku") == 200
        publish(client, first["id"])
        assert client.get("/v1/articles/moved").headers["location"] == "/v1/articles/kiku"
        assert rename("moved") == 200
        publish(client, first["id"])
        create(client, slug="kiku")
        assert rename("kiku") == 409

    def test_a_slug_that_was_never_public_is_free_once_it_is_left(self, client: TestClient) -> None:
        article = published(client, slug="kiku")
        for slug in ("draft", "final"):
            article = client.put(
                f"/v1/manage/articles/{article['id']}", json=article | {"slug": slug}, headers={"If-Match": "*"}
            ).json()
        assert create(client, slug="draft")["slug"] == "draft"
        answer = client.post("/v1/manage/articles", json=a_document(slug="kiku"))
        assert answer.status_code == 409  # it is public still

    def test_a_trashed_articles_slug_stays_reserved_until_it_is_purged(self, client: TestClient) -> None:
        article = create(client, slug="kiku")
        at = f"/v1/manage/articles/{article['id']}"
        assert client.delete(at, headers={"If-Match": "*"}).status_code == 204
        assert client.post("/v1/manage/articles", json=a_document(slug="kiku")).status_code == 409
        assert client.delete(f"{at}?purge=true", headers={"If-Match": "*"}).status_code == 204
        assert client.post("/v1/manage/articles", json=a_document(slug="kiku")).status_code == 201
        assert client.get(at).status_code == 404


class TestExternalIds:
    def test_put_on_an_external_id_creates_then_replaces(self, client: TestClient) -> None:
        at = "/v1/manage/articles/ext:cms:a.1"
        first = client.put(at, json=a_document(title="一"))
        assert first.status_code == 201
        assert first.json()["external_ids"] == {"cms": "a.1"}
        assert first.headers["location"] == f"/v1/manage/articles/{first.json()['id']}"
        second = client.put(at, json=a_document(title="二"))
        assert (second.status_code, second.json()["id"], second.json()["version"]) == (200, first.json()["id"], 2)

    def test_if_none_match_only_creates(self, client: TestClient) -> None:
        at = "/v1/manage/articles/ext:cms:1"
        assert client.put(at, json=a_document(), headers={"If-None-Match": "*"}).status_code == 201
        answer = client.put(at, json=a_document(), headers={"If-None-Match": "*"})
        assert (answer.status_code, answer.headers["etag"]) == (412, '"1"')

    def test_a_taken_external_id_is_a_conflict(self, client: TestClient) -> None:
        create(client, external_ids={"cms": "1"})
        answer = client.post("/v1/manage/articles", json=a_document(external_ids={"cms": "1"}))
        assert (answer.status_code, answer.json()["code"]) == (409, "external-id-taken")

    def test_a_published_article_is_read_by_its_external_id(self, client: TestClient) -> None:
        article = published(client, external_ids={"cms": "a.1"})
        answer = client.get("/v1/articles/ext:cms:a.1")
        assert (answer.status_code, answer.json()["id"]) == (200, article["id"])
        assert client.get("/v1/articles/ext:cms:a.1.txt").headers["content-type"].startswith("text/plain")

    @pytest.mark.parametrize(
        "external", [{"CMS": "1"}, {"cms": "a b"}, {"cms": ""}, {"cms": "x.json"}, {"cms": "y.txt"}]
    )
    def test_what_is_no_external_id_is_refused(self, client: TestClient, external: dict[str, str]) -> None:
        answer = client.post("/v1/manage/articles", json=a_document(external_ids=external))
        assert answer.status_code == 422

    def test_put_with_if_match_keeps_the_external_id_it_was_addressed_by(self, client: TestClient) -> None:
        at = "/v1/manage/articles/ext:cms:1"
        client.put(at, json=a_document())
        for match in ('"1"', "*"):
            answer = client.put(at, json=a_document(title=f"二{match}"), headers={"If-Match": match})
            assert (answer.status_code, answer.json()["external_ids"]) == (200, {"cms": "1"})
        both = client.put(at, json=a_document(), headers={"If-Match": "*", "If-None-Match": "*"})
        assert both.status_code == 412

    @pytest.mark.parametrize("match", ["*", '"1"'])
    def test_if_match_on_an_external_id_nobody_bears_is_stale(self, client: TestClient, match: str) -> None:
        answer = client.put("/v1/manage/articles/ext:cms:9", json=a_document(), headers={"If-Match": match})
        assert answer.status_code == 412
        assert client.get("/v1/manage/articles").json()["items"] == []


class TestTranslations:
    def test_one_article_for_each_language_of_a_translation(self, client: TestClient) -> None:
        create(client, translation_key="kiku", language="ja")
        create(client, translation_key="kiku", language="en")
        answer = client.post("/v1/manage/articles", json=a_document(translation_key="kiku", language="ja"))
        assert (answer.status_code, answer.json()["code"]) == (409, "translation-taken")


class TestNamesakes:
    def test_many_articles_of_one_title_get_slugs_without_gaps(self, client: TestClient) -> None:
        slugs = [create(client, {"title": "同じ題"})["slug"] for _ in range(12)]
        assert slugs == ["同じ題", *(f"同じ題-{number}" for number in range(2, 13))]
