"""The hot reads answer what the routes beneath them answer, to the byte and to the header."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.delivery.snapshot_file import SnapshotFile
from app.main import create_app
from app.settings import Settings
from tests.factories import a_section, create, publish, published

BENEATH = {"Accept": "application/json;q=1"}
"""An Accept that only the routes understand: the same answer, made by them."""


def told(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, without the request's own id."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    return answer.status_code, headers, answer.content


class TestAnswers:
    @pytest.mark.parametrize("address", ["{id}", "{slug}", "{id}/pages/1", "{slug}/pages/2", "{slug}/pages/3", "x"])
    @pytest.mark.parametrize("coding", ["identity", "gzip", "gzip;q=0, *;q=0.1"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_they_are_those_of_the_routes(self, client: TestClient, address: str, coding: str, method: str) -> None:
        pages = [{"sections": [a_section()]}, {"teaser": "次", "sections": [a_section()]}, {"teaser": "また"}]
        article = published(client, slug="菊まつり", pages=pages)
        path = f"/v1/articles/{address.format(**article)}"
        headers = {"Accept-Encoding": coding}
        hot = client.request(method, path, headers=headers)
        beneath = client.request(method, path, headers=headers | BENEATH)
        if hot.status_code == 404:
            assert beneath.status_code == 404
            return
        assert told(hot) == told(beneath)
        for seen in (hot.headers["etag"], '"x", ' + hot.headers["etag"], "*", '"other"', "broken"):
            both = [
                client.request(method, path, headers=headers | {"If-None-Match": seen} | more) for more in ({}, BENEATH)
            ]
            assert told(both[0]) == told(both[1]), seen

    def test_the_first_page_of_the_list_is_that_of_the_route_and_follows_every_publication(
        self, client: TestClient
    ) -> None:
        seen = [told(client.get("/v1/articles", headers=more)) for more in ({}, {}, BENEATH)]
        assert seen[0] == seen[1] == seen[2]
        for number in range(3):
            published(client, slug=f"kiku-{number}")
            routed = client.get("/v1/articles?limit=20").json()["items"]
            first, answer = client.get("/v1/articles"), client.get("/v1/articles")
            assert told(first) == told(answer)
            assert answer.json()["items"] == routed
            assert len(routed) == number + 1
            known = client.get("/v1/articles", headers={"If-None-Match": answer.headers["etag"]})
            assert (known.status_code, known.content) == (304, b"")
            assert told(client.head("/v1/articles"))[1] == told(answer)[1]
        client.post("/v1/manage/articles/kiku-0/unpublish", headers={"If-Match": "*"})
        assert len(client.get("/v1/articles").json()["items"]) == 2

    def test_what_is_withdrawn_or_changed_is_so_at_once(self, client: TestClient) -> None:
        article = published(client, slug="kiku")
        assert client.get("/v1/articles/kiku").status_code == 200
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers={"If-Match": "*"})
        publish(client, article["id"])
        assert client.get("/v1/articles/kiku").json()["lead"] == "別"
        client.post(f"/v1/manage/articles/{article['id']}/unpublish", headers={"If-Match": "*"})
        assert client.get("/v1/articles/kiku").status_code == 404

    def test_reading_with_keys_asks_for_one(self, database: Database, database_url: str) -> None:
        with TestClient(create_app(Settings(database_url=database_url, read_keys="required"), database)) as closed:
            assert closed.get("/v1/articles/kiku").status_code == 401


class TestTheFile:
    def test_one_that_cannot_be_read_gives_nothing_and_is_tried_again(
        self, client: TestClient, database: Database
    ) -> None:
        if database.sqlite_path is None:
            assert create(client)["status"] == "draft"
            return
        assert SnapshotFile("/nowhere/kiku.db").read("kiku", None, "body") is None
        file = SnapshotFile(database.sqlite_path)
        assert file.read("kiku", None, "body") is None
        published(client, slug="kiku")
        found = file.read("kiku", None, "body")
        assert found is not None
        assert found.body == client.get("/v1/articles/kiku", headers={"Accept-Encoding": "identity"}).content
        assert file.read("kiku", None, None) == found._replace(body=b"")
