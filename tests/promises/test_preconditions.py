"""Preconditions (section 4): no write overtakes another unnoticed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import a_section, create


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


def write_part(client: TestClient, act: str, article: dict[str, Any], if_match: str) -> Any:
    first, second = (section["id"] for section in article["pages"][0]["sections"])
    at, headers = f"/v1/manage/sections/{first}", {"If-Match": if_match}
    match act:
        case "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
            return client.patch(at, content='{"heading":"新"}', headers=headers)
        case "DELETE":
            return client.delete(at, headers=headers)
        case "move":
            return client.post(f"{at}/move", json={"after": second}, headers=headers)
        case _:
            return client.post(f"{at}/citations", json={"source": {"url": "https://a.example"}}, headers=headers)


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

    def test_of_two_who_saw_the_same_version_only_the_first_is_let_through(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        first = client.put(at, json=article | {"title": "先"}, headers={"If-Match": '"1"'})
        second = client.put(at, json=article | {"title": "後"}, headers={"If-Match": '"1"'})
        assert (first.status_code, second.status_code) == (200, 412)
        assert second.headers["etag"] == first.headers["etag"] == '"2"'
        assert client.get(at).json() == first.json()

    def test_a_working_copy_is_never_stored_by_caches_and_never_304(self, client: TestClient) -> None:
        article = create(client)
        answer = client.get(f"/v1/manage/articles/{article['id']}", headers={"If-None-Match": '"1"'})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


class TestParts:
    """A part's ETag is its article's version: who changes one part is told of changes to any other."""

    @pytest.mark.parametrize("act", ["PATCH", "DELETE", "move", "add"])
    def test_a_change_of_another_part_makes_the_version_stale(self, client: TestClient, act: str) -> None:
        article = create(client, pages=[{"sections": [a_section(), a_section()]}])
        page = article["pages"][0]["id"]
        assert client.get(f"/v1/manage/pages/{page}").headers["etag"] == '"1"'
        added = client.post(f"/v1/manage/pages/{page}/sections", json={"heading": "別"})
        assert (added.status_code, added.headers["etag"]) == (201, '"2"')
        before = client.get(f"/v1/manage/articles/{article['id']}").json()
        stale = write_part(client, act, article, '"1"')
        assert (stale.status_code, stale.json()["code"], stale.headers["etag"]) == (412, "draft-stale", '"2"')
        assert client.get(f"/v1/manage/articles/{article['id']}").json() == before
        assert write_part(client, act, article, '"2"').status_code in {200, 201, 204}
        assert client.get(f"/v1/manage/articles/{article['id']}").headers["etag"] == '"3"'


class TestCreation:
    AT = "/v1/manage/articles/ext:cms:42"

    def test_by_an_external_id_the_first_put_creates_and_the_next_replaces(self, client: TestClient) -> None:
        assert [client.put(self.AT, json={"title": title}).status_code for title in "一二"] == [201, 200]
        assert client.get(self.AT).json()["title"] == "二"

    def test_if_none_match_only_creates(self, client: TestClient) -> None:
        absent = {"If-None-Match": "*"}
        assert client.put(self.AT, json={"title": "一"}, headers=absent).status_code == 201
        again = client.put(self.AT, json={"title": "二"}, headers=absent)
        assert (again.status_code, again.headers["etag"]) == (412, '"1"')
        assert client.get(self.AT).json()["title"] == "一"

    def test_if_match_never_creates(self, client: TestClient) -> None:
        for if_match in ("*", '"1"'):
            answer = client.put(self.AT, json={"title": "一"}, headers={"If-Match": if_match})
            assert (answer.status_code, answer.json()["code"]) == (412, "draft-stale")
        assert client.get(self.AT).status_code == 404

    def test_a_list_of_tags_in_if_none_match_is_refused(self, client: TestClient) -> None:
        answer = client.put(self.AT, json={"title": "一"}, headers={"If-None-Match": '"1"'})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "If-None-Match")
