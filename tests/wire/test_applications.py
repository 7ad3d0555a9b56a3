"""Applications of one process share the routes of ``app/api``, and nothing else."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_api
from app.settings import Settings
from tests.conftest import Side
from tests.factories import published


def application(database: Database, **chosen: str) -> FastAPI:
    return create_api(Settings(access_log="off", **chosen), database, owned=False)  # type: ignore[arg-type]


class TestRoutes:
    def test_they_are_made_once_a_process(self, database: Database, app: FastAPI) -> None:
        shared = {id(route) for route in app.routes}
        apart = [getattr(route, "path", route) for route in application(database).routes if id(route) not in shared]
        assert apart == ["/openapi.json", "/docs"]

    def test_one_that_is_hung_on_one_application_is_not_on_another(self, database: Database, http: TestClient) -> None:
        with TestClient(application(database)) as other:
            assert http.get("/things").status_code == 200
            assert other.get("/things").status_code == 404
            assert "/things" not in other.get("/openapi.json").json()["paths"]


class TestState:
    def test_each_answers_from_its_own_database(self, both: tuple[Side, Side]) -> None:
        for side, other in (both, both[::-1]):
            slug = f"of-{side.database.engine().name}"
            published(side.client, slug=slug)
            found = [each.client.get(f"/v1/articles/{slug}/pages/1").status_code for each in (side, other)]
            assert found == [200, 404]

    def test_each_keeps_to_its_own_settings_and_counts_for_itself(self, database: Database) -> None:
        chosen: tuple[dict[str, str], ...] = (
            {},
            {"read_keys": "required"},
            {"rate_limit": "1/60s"},
            {"rate_limit": "2/60s"},
        )
        asked = [TestClient(application(database, **each)) for each in chosen]
        answers = [[client.get("/v1/tags").status_code for client in asked] for _ in range(3)]
        assert answers == [[200, 401, 200, 200], [200, 401, 429, 200], [200, 401, 429, 429]]
