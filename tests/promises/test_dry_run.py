"""``dry_run=true`` answers what would happen, on every write, and stores nothing."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import schema
from app.database import Database
from app.wire.bodies import MERGE_PATCH
from tests.factories import a_document, a_section, create, published

ANY = {"If-Match": "*"}
DRY = {"dry_run": "true"}


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with database.reading() as reader:
        return {name: sorted(map(repr, reader.tuples(select(table)))) for name, table in schema.metadata.tables.items()}


def writes(client: TestClient) -> list[tuple[str, str, Any]]:
    """One write of each kind, as method, address and body."""
    article, other, draft = published(client), published(client), create(client)
    page = article["pages"][0]
    section = page["sections"][0]
    source = section["citations"][0]["source"]
    at, manage = f"/v1/manage/articles/{article['id']}", "/v1/manage"
    made = client.post(f"{manage}/collections", json={"title": "菊", "articles": [article["id"], other["id"]]}).json()
    collection = f"{manage}/collections/{made['id']}"
    target = client.post(f"{manage}/collections", json={"title": "梅"}).json()["id"]
    link = client.post(f"{at}/preview-links").json()["id"]
    webhooks, hook = f"{manage}/webhooks", {"url": "https://hooks.example.jp/kiku"}
    webhook = f"{webhooks}/{client.post(webhooks, json=hook).json()['id']}"
    published(client)  # which it can be told again
    return [
        ("POST", f"{manage}/collections", {"title": "桜", "articles": [article["id"]]}),
        ("PUT", collection, {"title": "菊", "articles": [other["id"]]}),
        ("POST", f"{collection}/articles", {"id": draft["id"], "before": other["id"]}),
        ("POST", f"{collection}/articles/{other['id']}/move", {"before": article["id"]}),
        ("DELETE", f"{collection}/articles/{other['id']}", None),
        ("POST", f"{collection}/merge", {"into": target}),
        ("DELETE", collection, None),
        ("POST", f"{at}/preview-links", {"expires_in_seconds": 60}),
        ("DELETE", f"{at}/preview-links", None),
        ("DELETE", f"{at}/preview-links/{link}", None),
        ("POST", webhooks, hook),
        ("PUT", webhook, hook | {"tag": "菊"}),
        ("PATCH", webhook, {"enabled": False}),
        ("POST", f"{webhook}/rotate", None),
        ("POST", f"{webhook}/test", None),
        ("POST", f"{webhook}/replay", {"after": "2020-01-01T00:00:00Z"}),
        ("DELETE", webhook, None),
        ("POST", f"{manage}/articles", a_document()),
        ("PUT", f"{manage}/articles/ext:cms:1", a_document()),
        ("PUT", at, a_document(lead="別")),
        ("PATCH", at, {"lead": "別"}),
        ("DELETE", at, None),
        ("POST", f"{at}/publish", None),
        ("POST", f"{manage}/articles/{draft['id']}/publish", None),
        ("POST", f"{at}/unpublish", None),
        ("POST", f"{at}/archive", None),
        ("POST", f"{at}/submit", None),
        ("PUT", f"{at}/schedule", {"publish_at": "2030-01-01T00:00:00Z"}),
        ("POST", f"{manage}/pages/{page['id']}/sections", a_section()),
        ("PATCH", f"{manage}/sections/{section['id']}", {"body": "別"}),
        ("DELETE", f"{manage}/sections/{section['id']}", None),
        ("POST", f"{manage}/sections/{section['id']}/move", {"into": article["pages"][1]["id"]}),
        ("PATCH", f"{manage}/sources/{source['id']}", {"title": "別"}),
        ("POST", f"{manage}/publishers", {"name": "北浜日報"}),
        (
            "POST",
            f"{manage}/sources/{source['id']}/merge",
            {"into": other["pages"][0]["sections"][0]["citations"][0]["source"]["id"]},
        ),
        ("PUT", f"{manage}/site", {"default_language": "en"}),
    ]


class TestDryRun:
    def test_every_kind_of_write_succeeds_and_stores_nothing(self, client: TestClient, database: Database) -> None:
        for method, path, body in writes(client):
            sent: dict[str, Any] = {} if body is None else {"json": body}
            headers = {} if path.endswith("ext:cms:1") else dict(ANY)
            if method == "PATCH":
                headers["Content-Type"] = MERGE_PATCH
            if path.endswith("/site"):
                headers |= {"If-Match": client.get(path).headers["etag"]}
            before = everything(database)
            dry = client.request(method, path, params=DRY, headers=headers, **sent)
            assert dry.status_code in {200, 201, 202, 204}, (method, path, dry.text)
            assert everything(database) == before, (method, path)

    def test_the_same_write_then_answers_the_same(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        changed = article | {"lead": "別"}
        dry, wet = client.put(at, params=DRY, json=changed, headers=ANY), client.put(at, json=changed, headers=ANY)
        assert (dry.status_code, dry.json(), dry.headers["etag"]) == (200, wet.json(), wet.headers["etag"])

    def test_the_token_it_answers_is_that_of_before(self, client: TestClient) -> None:
        before = client.post(f"/v1/manage/articles/{published(client)['id']}/publish", headers=ANY).json()["sync"]
        draft = create(client)
        dry = client.post(f"/v1/manage/articles/{draft['id']}/publish", params=DRY, headers=ANY).json()
        assert (dry["changed"], dry["sync"]) == (True, before)

    def test_faults_are_told_as_by_the_write_itself(self, client: TestClient) -> None:
        article = create(client, pages=[])
        answer = client.post(f"/v1/manage/articles/{article['id']}/publish", params=DRY, headers=ANY)
        assert (answer.status_code, answer.json()["code"]) == (422, "checks-failed")

    def test_readers_see_nothing_of_it(self, client: TestClient) -> None:
        draft = create(client, title="朝靄の渡し船")
        assert client.post(f"/v1/manage/articles/{draft['id']}/publish", params=DRY, headers=ANY).status_code == 200
        assert client.get(f"/v1/articles/{draft['id']}").status_code == 404
        assert client.get("/v1/search", params={"q": "朝靄"}).json()["items"] == []

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_every_write_knows_it(self, client: TestClient, method: str) -> None:
        paths = client.get("/openapi.json").json()["paths"]
        operations = {path: item[method] for path, item in paths.items() if method in item}
        assert operations
        lacking = [
            path
            for path, operation in operations.items()
            if "dry_run" not in {parameter["name"] for parameter in operation.get("parameters", [])}
        ]
        assert lacking == []
