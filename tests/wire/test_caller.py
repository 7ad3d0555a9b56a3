"""Who has no key, a bad one or the wrong scope is refused before anything else happens."""

import pytest
from fastapi.testclient import TestClient

from app.access import keys
from app.access.keys import Grant
from app.access.scopes import Scope
from app.database import Database
from app.main import create_api
from app.settings import Settings
from app.text import instant
from tests.conftest import Clock, a_key
from tests.wire.conftest import hang_routes


def edit(http: TestClient, authorization: str | None) -> tuple[int, str]:
    answer = http.post("/edits", headers={} if authorization is None else {"Authorization": authorization})
    return answer.status_code, answer.json().get("code", "")


class TestKey:
    @pytest.mark.parametrize("authorization", [None, "", "Basic a2lrdTo=", "Bearer", "kiku_1_2"])
    def test_none_is_told_from_a_bad_one(self, http: TestClient, authorization: str | None) -> None:
        assert edit(http, authorization) == (401, "key-missing")

    @pytest.mark.parametrize("key", ["x", "kiku__", "kiku_a_b", "kiku_000000000000_" + "0" * 64])
    def test_one_that_is_none_is_refused(self, http: TestClient, key: str) -> None:
        assert edit(http, f"Bearer {key}") == (401, "key-invalid")

    def test_one_that_stands_is_let_in(self, http: TestClient, database: Database) -> None:
        assert edit(http, f"bearer {a_key(database, 'write')}")[0] == 200

    def test_an_expired_one_is_refused(self, http: TestClient, database: Database, clock: Clock) -> None:
        with database.writing() as writer:
            _, key = keys.create(writer, Grant("short", ("write",), instant(clock.now.replace(hour=4))))
        assert edit(http, f"Bearer {key}")[0] == 200
        clock.advance(hours=1)
        assert edit(http, f"Bearer {key}") == (401, "key-invalid")

    def test_anonymous_writes_never_wait_for_the_lock(self, http: TestClient, database: Database) -> None:
        with database.writing():
            assert edit(http, None) == (401, "key-missing")


class TestScope:
    @pytest.mark.parametrize("scope", ["read", "read:drafts", "publish", "sync"])
    def test_another_one_is_not_enough(self, http: TestClient, database: Database, scope: Scope) -> None:
        assert edit(http, f"Bearer {a_key(database, scope)}") == (403, "scope-missing")

    def test_admin_is(self, http: TestClient, database: Database) -> None:
        assert edit(http, f"Bearer {a_key(database, 'admin')}")[0] == 200


class TestPublicReader:
    def test_anybody_reads_while_reading_is_open(self, http: TestClient) -> None:
        assert http.get("/public", headers={"Authorization": "Bearer nonsense"}).json() == {"caller": None}

    def test_where_keys_are_required_a_scope_that_includes_reading_is_needed(self, database: Database) -> None:
        app = create_api(Settings(read_keys="required", access_log="off"), database, owned=False)
        hang_routes(app)
        with TestClient(app) as http:
            assert http.get("/public").status_code == 401
            for scope, status in (("read", 200), ("write", 200), ("sync", 403)):
                headers = {"Authorization": f"Bearer {a_key(database, scope)}"}  # type: ignore[arg-type]
                assert http.get("/public", headers=headers).status_code == status
