"""Alive, ready, counted."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import a_key


class TestReady:
    def test_a_migrated_database_is_ready(self, http: TestClient) -> None:
        answer = http.get("/health/ready")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")

    def test_one_that_is_not_migrated_is_not(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path}/empty.db")
        with TestClient(create_app(Settings(access_log="off"), database)) as client:
            answer = client.get("/health/ready")
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert client.get("/health/live").status_code == 200
        database.close()

    def test_a_process_that_shuts_down_is_not(self, database: Database) -> None:
        app = create_app(Settings(access_log="off"), database)
        with TestClient(app):
            pass
        assert TestClient(app).get("/health/ready").status_code == 503


class TestMetrics:
    def test_they_need_the_admin_key(self, http: TestClient, database: Database) -> None:
        assert http.get("/metrics").status_code == 401
        headers = {"Authorization": f"Bearer {a_key(database, 'write')}"}
        assert http.get("/metrics", headers=headers).status_code == 403
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        assert "kiku_http_requests_total" in http.get("/metrics", headers=headers).text

    def test_they_are_open_on_a_private_address(self, database: Database) -> None:
        with TestClient(create_app(Settings(private_bind=True, access_log="off"), database)) as client:
            assert client.get("/metrics").status_code == 200


class TestDatabase:
    def test_one_that_the_app_opened_is_closed_with_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIKU_DATABASE_URL", f"sqlite:///{tmp_path}/own.db")
        monkeypatch.setenv("KIKU_ACCESS_LOG", "off")
        app = create_app()
        with TestClient(app) as client:
            assert client.get("/health/live").status_code == 200
        assert app.state.sessions.database.engine().pool.checkedin() == 0
