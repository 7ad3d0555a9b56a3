"""Trash and purge of whole articles; what changes the version and what does not."""

from fastapi.testclient import TestClient

from app.database import Database
from tests.conftest import a_key
from tests.factories import create, publish, published


class TestTrash:
    def test_a_trashed_article_is_kept_for_editors_and_refuses_changes(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        assert client.delete(at, headers={"If-Match": '"1"'}).status_code == 204
        assert client.delete(at, headers={"If-Match": '"1"'}).status_code == 204
        read = client.get(at)
        assert (read.status_code, read.json()["status"], read.json()["version"]) == (200, "trashed", 1)
        for answer in (
            client.put(at, json=article | {"title": "新"}, headers={"If-Match": "*"}),
            client.post(f"{at}/publish", headers={"If-Match": "*"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "transition")

    def test_trashing_a_published_article_withdraws_it_in_the_same_transaction(self, client: TestClient) -> None:
        article = published(client)
        client.delete(f"/v1/manage/articles/{article['id']}", headers={"If-Match": "*"})
        assert client.get(f"/v1/articles/{article['id']}").status_code == 404
        assert client.get("/v1/articles").json()["items"] == []

    def test_only_a_trashed_article_can_be_purged(self, client: TestClient) -> None:
        article = create(client)
        answer = client.delete(f"/v1/manage/articles/{article['id']}?purge=true", headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "transition")

    def test_a_write_key_cannot_withdraw_by_trashing(self, client: TestClient, database: Database) -> None:
        article = published(client)
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write')}"
        answer = client.delete(f"/v1/manage/articles/{article['id']}", headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
        assert client.get(f"/v1/articles/{article['id']}").status_code == 200


class TestVersions:
    def test_a_save_raises_the_version_and_lifecycle_steps_do_not(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        assert publish(client, article["id"])["version"] == 1
        assert client.get(at).json()["has_unpublished_changes"] is False
        saved = client.put(at, json=article | {"lead": "新しい前文"}, headers={"If-Match": '"1"'})
        assert (saved.json()["version"], saved.headers["etag"]) == (2, '"2"')
        assert saved.json()["has_unpublished_changes"] is True
        assert saved.json()["status"] == "published"
        client.post(f"{at}/unpublish", headers={"If-Match": '"2"'})
        assert (client.get(at).json()["version"], client.get(at).json()["status"]) == (2, "unpublished")


class TestListing:
    def test_working_copies_are_found_by_a_substring_in_any_width_or_case(self, client: TestClient) -> None:
        wanted = create(client, title="ＫＣＮＡの報道", slug="report")
        create(client, title="別の話")
        for q in ("kcna", "ＫＣＮＡ", "の報", "REPORT"):
            found = client.get("/v1/manage/articles", params={"q": q}).json()["items"]
            assert [item["id"] for item in found] == [wanted["id"]], q
        for q in ("%", "_", "\\"):
            assert client.get("/v1/manage/articles", params={"q": q}).json()["items"] == []

    def test_working_copies_are_filtered_by_status_and_tag(self, client: TestClient) -> None:
        public = published(client, tags=["菊"])
        draft = create(client, tags=["秋"])
        assert [i["id"] for i in client.get("/v1/manage/articles?status=published").json()["items"]] == [public["id"]]
        assert [i["id"] for i in client.get("/v1/manage/articles", params={"tag": "秋"}).json()["items"]] == [
            draft["id"]
        ]
