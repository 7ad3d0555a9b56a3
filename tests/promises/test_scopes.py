"""Each address is opened by the scopes that the documentation prints, and by no other: every route, every scope."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.access.scopes import SCOPES
from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import a_key
from tests.promises import scopes
from tests.promises.addresses import Addresses

REFUSALS = {401, 403}
READ = ("/v1/", "/feeds/", "/sitemap.xml")
"""Where reading needs a key, if it needs one at all."""


@pytest.fixture(params=["open", "required"])
def reading(request: pytest.FixtureRequest) -> str:
    """Whether reading what is published needs a key."""
    return str(request.param)


@pytest.fixture
def stranger(database: Database, reading: str) -> Iterator[TestClient]:
    settings = Settings(read_keys=reading, access_log="off")  # type: ignore[arg-type]
    with TestClient(create_app(settings, database), follow_redirects=False) as client:
        yield client


class TestScopes:
    def test_the_page_is_as_the_code_prints_it(self) -> None:
        assert scopes.PAGE.read_text() == scopes.printed(), "docs/scopes.md is older than the code: run `make docs`"

    def test_each_address_is_opened_by_the_scopes_of_the_page_and_no_other(
        self, client: TestClient, stranger: TestClient, database: Database, reading: str
    ) -> None:
        addresses, table = Addresses(client), scopes.read()
        callers: dict[str, dict[str, str]] = {scopes.NOBODY: {}}
        callers |= {scope: {"Authorization": f"Bearer {a_key(database, scope)}"} for scope in SCOPES}
        asked = 0
        for operation in addresses:
            if operation.template == "/metrics":
                continue  # opened by where Kiku listens, too
            row = table[str(operation)]
            keyed_reading = reading == "required" and row[scopes.NOBODY] and operation.template.startswith(READ)
            keyed_reading = keyed_reading and not operation.template.startswith("/v1/preview/")
            for who, headers in callers.items():
                if operation.streams and row[who]:
                    continue  # it has no end: tests/promises/test_sync.py
                # Without body and precondition: whoever is let in changes nothing.
                answer = stranger.request(operation.method, addresses.of(operation.template), headers=headers)
                opened = row[who] and not (keyed_reading and who in {scopes.NOBODY, "sync"})
                assert (answer.status_code not in REFUSALS) == opened, (str(operation), who, answer.status_code)
                asked += 1
        assert asked == (len(table) - 1) * (len(SCOPES) + 1) - 2  # a bell that sync and admin may hear

    def test_a_key_of_several_scopes_is_let_in_by_each(self, stranger: TestClient, database: Database) -> None:
        stranger.headers["Authorization"] = f"Bearer {a_key(database, 'sync', 'read:drafts')}"
        assert stranger.get("/v1/manage/articles").status_code == 200
        assert stranger.post("/v1/manage/articles").status_code == 403
