"""One line and one count a request, and nothing in them that is a secret."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from app.database import Database
from app.main import create_api
from app.settings import Settings
from app.wire import trace
from tests.conftest import a_key
from tests.wire.conftest import hang_routes


@pytest.fixture
def app(database: Database) -> FastAPI:
    app = create_api(Settings(access_log="on"), database, owned=False)
    hang_routes(app)
    return app


@pytest.fixture
def logged(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


class TestRequestId:
    def test_a_clients_own_is_kept(self, http: TestClient) -> None:
        assert http.get("/public", headers={"X-Request-Id": "a.B_1-2"}).headers["x-request-id"] == "a.B_1-2"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b'])
    def test_an_odd_one_is_replaced(self, http: TestClient, given: str) -> None:
        made = http.get("/public", headers={"X-Request-Id": given}).headers["x-request-id"]
        assert made != given
        assert len(made) == 32


class TestAccessLog:
    def test_a_line_tells_the_request_and_no_secret(
        self, logged: TestClient, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        key = a_key(database, "write")
        capsys.readouterr()
        logged.put("/things/7?x=secret", headers={"Authorization": f"Bearer {key}"}, content=b"secret")
        logged.head("/public")
        logged.post("/edits", headers={"Authorization": f"Bearer {key}", "X-Request-Id": "mine"})
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(line["method"], line["route"], line["status"], line["bytes"] > 0) for line in lines] == [
            ("PUT", "/things/{id}", 400, True),
            ("HEAD", "/public", 200, False),
            ("POST", "/edits", 200, True),
        ]
        assert list(lines[2]) == [
            "time", "method", "route", "status", "duration_ms", "bytes", "request_id", "key_id",
        ]  # fmt: skip
        assert (lines[2]["request_id"], lines[2]["key_id"]) == ("mine", key.split("_")[1])
        assert "secret" not in json.dumps(lines)
        assert key not in json.dumps(lines)

    def test_it_can_be_turned_off(self, http: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
        quiet = create_api(Settings(access_log="off"), http.app.state.sessions.database, owned=False)  # type: ignore[attr-defined]
        with TestClient(quiet) as client:
            client.get("/health/live")
        assert capsys.readouterr().out == ""


class TestMetrics:
    def test_requests_are_counted_by_template(self, http: TestClient) -> None:
        labels = {"method": "PUT", "route": "/things/{id}", "status": "4xx"}
        trace.count()
        before = REGISTRY.get_sample_value("kiku_http_requests_total", labels) or 0
        http.put("/things/1")
        http.put("/things/2")
        trace.count()
        assert REGISTRY.get_sample_value("kiku_http_requests_total", labels) == before + 2

    def test_strangers_make_no_new_series(self, http: TestClient) -> None:
        http.request("BREW", "/coffee")
        trace.count()
        labels = {"method": "other", "route": "unmatched", "status": "4xx"}
        assert REGISTRY.get_sample_value("kiku_http_requests_total", labels)
