"""Preconditions (section 4): no write overtakes another unnoticed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import create


def write(client: TestClient, method: str, article: dict[str, Any], if_match: str | None) -> Any:
    at = f"/v1/manage/articles/{article['id']}"
    headers = {} if if_match is None else {"If-Match": if_match}
    match method:
        case "PUT":
            return client.put(at, json={"title": "新"}, headers=headers)
        case "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
            return client.patch(at, content='{"title":"新"}', headers=headers)
        case "DELETE":
            return client.delete(at, headers=headers)
        case _:
            return client.post(f"{at}/{method}", headers=headers)


WRITES = ["PUT", "PATCH", "DELETE", "publish", "unpublish"]


class TestIfMatch:
    @pytest.mark.parametrize("method", WRITES)
    def test_a_write_without_if_match_is_refused(self, client: TestClient, method: str) -> None:
        article = create(client)
        answer = write(client, method, article, None)
        assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
        assert client.get(f"/v1/manage/articles/{article['id']}").json() == article

    @pytest.mark.parametrize("method", WRITES)
    @pytest.mark.parametrize("if_match", ['"2"', 'W/"1"', '"other"', '"01"'])
    def test_a_stale_version_is_refused_with_the_current_one(
        self, client: TestClient, method: str, if_match: str
    ) -> None:
        article = create(client)
        answer = write(client, method, article, if_match)
        assert (answer.status_code, answer.json()["code"]) == (412, "draft-stale")
        assert answer.headers["etag"] == '"1"'
        assert client.get(f"/v1/manage/articles/{article['id']}").json() == article

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "publish"])
    @pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
    def test_the_current_version_is_let_through(self, client: TestClient, method: str, if_match: str) -> None:
        assert write(client, method, create(client), if_match).status_code in {200, 204}

    @pytest.mark.parametrize("if_match", ["1", '"1', '"1" "2"', ""])
    def test_a_broken_header_is_named(self, client: TestClient, if_match: str) -> None:
        answer = write(client, "PUT", create(client), if_match)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "If-Match"

    def test_a_working_copy_is_never_stored_by_caches_and_never_304(self, client: TestClient) -> None:
        article = create(client)
        answer = client.get(f"/v1/manage/articles/{article['id']}", headers={"If-None-Match": '"1"'})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
