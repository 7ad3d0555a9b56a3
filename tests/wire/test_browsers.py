"""HEAD, CORS and the headers that make browsers careful."""

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.settings import Settings

ORIGIN = {"Origin": "https://reader.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "GET"}


class TestHead:
    @pytest.mark.parametrize("path", ["/health/live", "/openapi.json", "/nowhere", "/v1/articles"])
    def test_it_answers_as_get_does_without_the_body(self, served: str, path: str) -> None:
        told = ("content-length", "content-type", "etag", "cache-control")
        get, head = httpx2.get(served + path), httpx2.head(served + path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert [head.headers.get(name) for name in told] == [get.headers.get(name) for name in told]

    def test_it_is_refused_where_get_is(self, http: TestClient) -> None:
        assert http.head("/raw").status_code == 405


class TestCors:
    def test_every_page_may_read(self, http: TestClient) -> None:
        headers = http.get("/public", headers=ORIGIN).headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["access-control-expose-headers"] == "ETag, Link, Retry-After, RateLimit"
        assert "origin" not in headers.get("vary", "").lower()

    def test_a_preflight_is_answered(self, http: TestClient) -> None:
        answer = http.options("/v1/articles", headers={**PREFLIGHT, "Access-Control-Request-Headers": "if-none-match"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"

    def test_a_refused_preflight_is_a_problem(self, http: TestClient) -> None:
        answer = http.options("/v1/manage/articles", headers=PREFLIGHT)
        assert (answer.status_code, answer.json()["code"]) == (400, "preflight-refused")
        assert "access-control-allow-origin" not in answer.headers

    def test_only_chosen_origins_may_manage(self, database: Database) -> None:
        app = create_app(Settings(cors_origins=("https://editor.example",), access_log="off"), database)
        with TestClient(app) as http:
            for origin, allowed in (
                ("https://editor.example", "https://editor.example"),
                ("https://other.example", None),
            ):
                headers = http.get("/v1/manage/articles", headers={"Origin": origin}).headers
                assert headers.get("access-control-allow-origin") == allowed
                assert "Origin" in headers["vary"]


class TestSafety:
    def test_every_answer_is_believed_to_be_what_it_says(self, http: TestClient) -> None:
        for path in ("/public", "/nowhere", "/broken"):
            assert http.get(path).headers["x-content-type-options"] == "nosniff"
