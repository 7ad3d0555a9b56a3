"""Whatever is done leaves its trace: who, what, from which version to which; and the trace stays as it was written."""

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from app import worker
from app.access import audit
from app.database import Database
from tests.conftest import Clock, a_key
from tests.factories import a_document, create, published

ANY = {"If-Match": "*"}
AT = "/v1/manage/audit"


def entries(client: TestClient, **filters: Any) -> list[dict[str, Any]]:
    """What was done, the earliest first."""
    answer = client.get(AT, params={"limit": 100} | filters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"][::-1]
    return items


def told(client: TestClient, **filters: Any) -> list[tuple[str, int | None, int | None]]:
    """Each as its action and the versions before and after."""
    found = entries(client, **filters)
    return [(each["action"], each["version_before"], each["version_after"]) for each in found]


class TestWhatIsTold:
    def test_an_articles_life_from_its_creation_to_its_purge(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        for step in ("submit", "reject", "publish", "unpublish", "archive", "restore"):
            client.post(f"{at}/{step}", headers=ANY)
        client.put(at, json=a_document(lead="別"), headers=ANY)
        client.put(f"{at}/schedule", json={"publish_at": "2030-01-01T00:00:00Z"}, headers=ANY)
        client.delete(f"{at}/schedule", headers=ANY)
        client.delete(at, headers=ANY)
        client.delete(at, params={"purge": "true"}, headers=ANY)
        assert told(client, object_id=article["id"]) == [
            ("article.created", None, 1),
            ("article.submitted", 1, 1),
            ("article.rejected", 1, 1),
            ("article.published", None, 1),
            ("article.unpublished", 1, None),
            ("article.archived", 1, 1),
            ("article.restored", 1, 1),
            ("article.updated", 1, 2),
            ("article.scheduled", 2, 2),
            ("article.unscheduled", 2, 2),
            ("article.trashed", 2, 2),
            ("article.purged", 2, None),
        ]

    def test_a_part_of_an_article_is_its_articles_next_version(self, client: TestClient) -> None:
        article = create(client)
        section = article["pages"][0]["sections"][0]["id"]
        client.delete(f"/v1/manage/sections/{section}", headers=ANY)
        assert told(client, object_id=article["id"])[-1] == ("article.updated", 1, 2)

    def test_publishing_again_tells_from_which_version_to_which(self, client: TestClient) -> None:
        article = published(client)
        at = f"/v1/manage/articles/{article['id']}"
        client.put(at, json=article | {"lead": "別"}, headers=ANY)
        client.post(f"{at}/publish", headers=ANY)
        assert told(client, object_id=article["id"])[-1] == ("article.published", 1, 2)

    def test_publishing_that_only_ends_a_review_or_a_plan_is_told(self, client: TestClient) -> None:
        article = published(client)
        at = f"/v1/manage/articles/{article['id']}"
        client.post(f"{at}/submit", headers=ANY)
        assert not client.post(f"{at}/publish", headers=ANY).json()["changed"]
        assert told(client, object_id=article["id"])[-1] == ("article.published", 1, 1)

    def test_the_ledger_the_site_and_the_keys(self, client: TestClient) -> None:
        manage = "/v1/manage"
        one, other = (client.post(f"{manage}/publishers", json={"name": name}).json()["id"] for name in "甲乙")
        client.patch(
            f"{manage}/publishers/{one}",
            json={"country": "JP"},
            headers=ANY | {"Content-Type": "application/merge-patch+json"},
        )
        client.post(f"{manage}/publishers/{one}/merge", json={"into": other}, headers=ANY)
        client.delete(f"{manage}/publishers/{other}", headers=ANY)
        assert told(client, object_kind="publisher", object_id=one) == [
            ("publisher.created", None, 1),
            ("publisher.updated", 1, 2),
            ("publisher.merged", 2, 3),
        ]
        assert told(client, object_id=other) == [
            ("publisher.created", None, 1),
            ("publisher.updated", 1, 2),
            ("publisher.deleted", 2, None),
        ]
        client.put(f"{manage}/site", json={"name": "菊"}, headers=ANY)
        assert told(client, object_kind="site") == [("site.updated", 1, 2)]
        key = client.post(f"{manage}/keys", json={"name": "n", "scopes": ["read"]}).json()["id"]
        client.post(f"{manage}/keys/{key}/rotate")
        client.delete(f"{manage}/keys/{key}", headers=ANY)
        assert told(client, object_id=key) == [("key.created", None, 1), ("key.rotated", 1, 1), ("key.revoked", 1, 2)]

    def test_a_collection_from_its_creation_to_its_end(self, client: TestClient) -> None:
        manage, article = "/v1/manage/collections", create(client)["id"]
        one, other = (client.post(manage, json={"title": title}).json()["id"] for title in "甲乙")
        client.post(f"{manage}/{one}/articles", json={"id": article})
        client.post(f"{manage}/{one}/merge", json={"into": other}, headers=ANY)
        for purge in ("", "?purge=true"):
            client.delete(f"/v1/manage/articles/{article}{purge}", headers=ANY)
        client.delete(f"{manage}/{other}", headers=ANY)
        assert told(client, object_kind="collection", object_id=one) == [
            ("collection.created", None, 1),
            ("collection.updated", 1, 2),
            ("collection.merged", 2, 3),
        ]
        assert told(client, object_id=other) == [
            ("collection.created", None, 1),
            ("collection.updated", 1, 2),
            ("collection.updated", 2, 3),
            ("collection.deleted", 3, None),
        ]

    def test_a_preview_link_that_is_made_and_revoked(self, client: TestClient) -> None:
        at = f"/v1/manage/articles/{create(client)['id']}/preview-links"
        one, other = (client.post(at).json()["id"] for _ in range(2))
        for path in (f"{at}/{one}", f"{at}/{one}", at):
            assert client.delete(path, headers=ANY).status_code == 204
        for link in (one, other):
            assert told(client, object_kind="preview-link", object_id=link) == [
                ("preview-link.created", None, 1),
                ("preview-link.revoked", 1, 2),
            ]

    def test_who_under_which_request_from_where_and_why(self, client: TestClient, database: Database) -> None:
        key = a_key(database, "write")
        said = {"Authorization": f"Bearer {key}", "X-Request-Id": "eins", "Kiku-Reason": quote("校正")}
        article = client.post("/v1/manage/articles", json=a_document(), headers=said).json()
        entry = entries(client, object_id=article["id"])[0]
        assert (entry["key_id"], entry["request_id"], entry["reason"]) == (key.split("_")[1], "eins", "校正")
        assert len(entry["address_hash"]) == 32
        assert entry["address_hash"] == entries(client, object_id=create(client)["id"])[0]["address_hash"]

    def test_what_the_worker_does_is_nobodys(self, client: TestClient, database: Database, clock: Clock) -> None:
        article = create(client)
        soon = {"publish_at": "2026-01-02T04:00:00Z"}
        client.put(f"/v1/manage/articles/{article['id']}/schedule", json=soon, headers=ANY)
        clock.advance(hours=1)
        worker.run_schedule(database)
        last = entries(client, object_id=article["id"])[-1]
        assert (last["action"], last["key_id"], last["request_id"]) == ("article.published", None, None)

    def test_what_changes_nothing_is_refused_or_tried_only_leaves_none(self, client: TestClient) -> None:
        article = published(client)
        at = f"/v1/manage/articles/{article['id']}"
        before = entries(client)
        for step in ("publish", "reject", "restore"):
            client.post(f"{at}/{step}", headers=ANY)
        client.put(at, json=article, headers=ANY)
        client.put(at, json=article | {"lead": "別"}, headers={"If-Match": '"7"'})
        client.put(at, json=article | {"lead": "別"}, headers=ANY, params={"dry_run": "true"})
        client.post("/v1/manage/articles", json={"title": 1})
        assert entries(client) == before

    def test_no_text_and_no_secret_is_in_it(self, client: TestClient) -> None:
        published(client, title="朝靄の渡し船", lead="霧笛が三度鳴った")
        key = client.post("/v1/manage/keys", json={"name": "鍵の名", "scopes": ["read"]}).json()["key"]
        everything = client.get(AT, params={"limit": 100}).text
        assert not [each for each in ("朝靄", "霧笛", "鍵の名", key, key.split("_")[2]) if each in everything]


class TestFinding:
    def test_it_is_paged_the_latest_first_and_filtered_by_every_column(
        self, client: TestClient, clock: Clock, database: Database
    ) -> None:
        articles = []
        for _ in range(5):
            clock.advance(minutes=1)
            articles.append(create(client))
        first = client.get(AT, params={"limit": 3, "action": "article.created"}).json()
        rest = client.get(AT, params={"limit": 3, "action": "article.created", "cursor": first["next"]}).json()
        ids = [entry["object_id"] for entry in first["items"] + rest["items"]]
        assert ids == [article["id"] for article in reversed(articles)]
        assert rest["next"] is None
        second = articles[1]["created_at"]
        assert [each["object_id"] for each in entries(client, after=second, before=second)] == [articles[1]["id"]]
        key = a_key(database, "write").split("_")[1]
        assert entries(client, key=key) == []

    def test_a_filter_nobody_knows_or_a_kind_there_is_not_is_refused(self, client: TestClient) -> None:
        for wrong in ({"who": "x"}, {"object_kind": "nobody"}, {"after": "yesterday"}):
            assert client.get(AT, params=wrong).status_code == 400

    def test_only_an_admin_reads_it(self, client: TestClient, database: Database) -> None:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write', 'publish', 'sync', 'read')}"
        assert client.get(AT).status_code == 403


class TestAppendOnly:
    @pytest.mark.parametrize("statement", [update(audit.audit).values(action="x"), delete(audit.audit)])
    def test_the_database_itself_refuses_to_change_or_remove_an_entry(
        self, client: TestClient, database: Database, statement: Any
    ) -> None:
        create(client)
        before = entries(client)
        with pytest.raises(DBAPIError, match="never changed or removed"), database.engine().begin() as connection:
            connection.execute(statement)
        assert entries(client) == before
