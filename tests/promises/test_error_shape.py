"""Problems (section 4): one shape for every failure, also those the framework makes."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from tests.conftest import a_key
from tests.factories import create, published

MEMBERS = ["type", "title", "status", "code", "detail", "request_id", "errors"]
JSON = {"Content-Type": "application/json"}


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert list(problem) == MEMBERS
    assert (problem["type"], problem["status"], problem["code"]) == (f"/problems/{code}", status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]


class TestEveryFailure:
    def test_nothing_there(self, client: TestClient) -> None:
        assert_problem(client.get("/nothing"), 404, "not-found")
        assert_problem(client.get("/v1/articles/nothing"), 404, "article-unknown")
        assert_problem(client.get("/v1/articles/"), 404, "not-found")
        assert_problem(client.get("/v1/manage/articles/nothing"), 404, "article-unknown")

    def test_a_method_that_is_not_allowed_names_those_that_are(self, client: TestClient) -> None:
        for path, allowed in [
            ("/v1/articles", {"GET", "HEAD"}),
            ("/v1/manage/articles/x", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
            ("/v1/manage/articles", {"GET", "HEAD", "POST"}),
        ]:
            answer = client.request("LINK", path)
            assert_problem(answer, 405, "method-not-allowed")
            assert {name.strip() for name in answer.headers["allow"].split(",")} == allowed

    def test_keys_that_are_missing_wrong_or_too_weak(self, reader: TestClient, database: Database) -> None:
        missing = reader.get("/v1/manage/articles")
        assert_problem(missing, 401, "key-missing")
        assert missing.headers["www-authenticate"].startswith("Bearer")
        for value in ("Bearer kiku_nobody_0", "Bearer x", f"Bearer {a_key(database, 'admin')[:-1]}0x", "Basic eDp5"):
            assert reader.get("/v1/manage/articles", headers={"Authorization": value}).status_code == 401
        weak = {"Authorization": f"Bearer {a_key(database, 'read')}"}
        assert_problem(reader.get("/v1/manage/articles", headers=weak), 403, "scope-missing")

    def test_who_may_not_write_is_told_before_the_body_is_judged(self, reader: TestClient) -> None:
        assert_problem(reader.post("/v1/manage/articles", content="{", headers=JSON), 401, "key-missing")

    @pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"])
    def test_a_media_type_that_is_not_taken(self, client: TestClient, media_type: str | None) -> None:
        headers = {} if media_type is None else {"Content-Type": media_type}
        assert_problem(client.post("/v1/manage/articles", content="{}", headers=headers), 415, "unsupported-media-type")

    def test_a_body_that_is_too_large_also_in_chunks(self, client: TestClient) -> None:
        large = b'{"title":"' + b"a" * 1_100_000 + b'"}'
        assert_problem(client.post("/v1/manage/articles", content=large, headers=JSON), 413, "too-large")
        chunks = (large[at : at + 65536] for at in range(0, len(large), 65536))
        assert_problem(client.post("/v1/manage/articles", content=chunks, headers=JSON), 413, "too-large")

    def test_a_parameter_nobody_knows(self, client: TestClient) -> None:
        for path in ("/v1/articles?offset=1", "/v1/manage/articles?limitt=1", "/v1/site?x=1"):
            answer = client.get(path)
            assert_problem(answer, 400, "parameter-invalid")
            assert answer.json()["errors"][0]["code"] == "unknown-parameter"

    def test_the_input_is_never_echoed(self, client: TestClient) -> None:
        secret = "sesame-open-4711"
        for answer in (
            client.post("/v1/manage/articles", json={"title": secret, "language": secret, secret: 1}),
            client.get(f"/v1/articles/{secret}"),
            client.get(f"/v1/articles?limit={secret}"),
            client.post("/v1/manage/articles", content=f'{{"title": {secret}', headers=JSON),
        ):
            body = answer.json()
            body["errors"] = [{k: v for k, v in e.items() if k not in {"pointer", "parameter"}} for e in body["errors"]]
            assert secret not in str(body)

    def test_an_unforeseen_failure_is_a_problem_without_a_traceback(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.articles.drafts.load", lambda *_: 1 / 0)
        answer = client.get("/v1/manage/articles/x")
        assert_problem(answer, 500, "internal-error")
        assert "ZeroDivision" not in answer.text

    def test_a_path_with_nul_or_broken_encoding_is_no_failure_of_the_server(self, client: TestClient) -> None:
        for path in (
            "/v1/articles/%00",
            "/v1/articles/%ff%fe",
            "/v1/manage/articles/ext:cms:%00",
            "/v1/articles/ext::",
        ):
            assert client.get(path).status_code == 404


class TestNothingIsHalfStored:
    def test_one_bad_key_point_and_nothing_is_stored(self, client: TestClient) -> None:
        article = create(client)
        bad = client.get(f"/v1/manage/articles/{article['id']}").json()
        bad["title"] = "新しい題"
        bad["pages"][0]["sections"][0]["citations"][0]["key_points"].append({"text": "x", "id": article["id"]})
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=bad, headers={"If-Match": "*"})
        assert_problem(answer, 422, "validation")
        assert client.get(f"/v1/manage/articles/{article['id']}").json() == article


class TestWhatIsNamed:
    def test_a_page_that_a_published_article_lacks_is_told_as_such(self, client: TestClient) -> None:
        published(client, slug="kiku")
        assert_problem(client.get("/v1/articles/kiku/pages/9"), 404, "page-unknown")
        assert_problem(client.get("/v1/articles/nothing/pages/9"), 404, "article-unknown")

    def test_the_pointer_of_what_a_part_cannot_change_is_into_what_was_sent(self, client: TestClient) -> None:
        page = create(client)["pages"][0]
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        answer = client.patch(f"/v1/manage/pages/{page['id']}", content='{"number":7}', headers=headers)
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/number"]
