"""Alive, ready, counted."""

from pathlib import Path

from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_api, create_app
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
    def test_one_that_the_app_owns_is_closed_with_it(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path}/own.db")
        pool = database.engine().pool
        with database.writing():
            pass
        with TestClient(create_api(Settings(access_log="off"), database, owned=True)) as client:
            assert client.get("/health/live").status_code == 200
            assert "Connections in pool: 1" in pool.status()
        assert "Connections in pool: 0" in pool.status()

    def test_one_that_was_handed_in_stays_open(self, database: Database) -> None:
        with database.writing():
            pass
        with TestClient(create_api(Settings(access_log="off"), database, owned=False)):
            pass
        assert "Connections in pool: 1" in database.engine().pool.status()
