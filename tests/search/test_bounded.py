"""A search is bounded in time, waits for its turn no longer than it may, and leaves its connection as it was."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from app.database import Database
from app.delivery.part_lists import Filters
from app.errors import Busy
from app.search import hits, index, passing, query
from app.wire import sessions
from tests.compared import Compared


def counting(most: int) -> str:
    """A statement that takes long to answer ``most``."""
    return f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {most}) SELECT max(n) FROM c"  # noqa: S608 - a number


class TestWithin:
    def test_a_statement_that_takes_longer_is_stopped(self, database: Database) -> None:
        with pytest.raises(Busy), database.reading() as reader, reader.within(0.05, {}):
            reader.execute(text(counting(1_000_000_000)))

    def test_the_next_transaction_may_take_its_time(self, database: Database) -> None:
        for _ in range(12):  # more than there are connections: whichever comes back is unbounded again
            with database.reading() as reader, reader.within(0.001, {}):
                pass
            with database.reading() as reader:
                assert reader.execute(text(counting(50_000))).scalar_one() == 50_000

    def test_a_connection_whose_statement_was_stopped_serves_again(self, database: Database) -> None:
        with pytest.raises(Busy), database.reading() as reader, reader.within(0.05, {}):
            reader.execute(text(counting(1_000_000_000)))
        with database.reading() as reader:
            assert reader.execute(text(counting(1))).scalar_one() == 1


class TestGrams:
    @pytest.mark.parametrize("found", [0, 10_000], ids=["looked at", "named"])
    def test_sqlite_matches_them_once_and_reads_a_text_last_whatever_a_filter_allows(
        self, sqlite_template: Path, found: int
    ) -> None:
        with closing(Database(f"sqlite:///{sqlite_template}")) as database, database.reading() as reader:
            filters = Filters(language="ja")
            known = index.look_up(reader, list(passing.terms(filters)))
            allowed = passing.demanded(reader, filters, known, found)
            literally = hits._literally(reader, query.parse("「菊の花展」"), (), allowed, besides=False)
            assert literally is not None
            statement = hits._ordered(literally.articles, costly=True).compile(dialect=sqlite.dialect())
            values = dict.fromkeys(statement.params, 1) | {"grams": '"菊花"'}
            given = tuple(values[name] for name in statement.positiontup or ())
            steps = reader.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            plan = [step for *_, step in steps]
        (matched,) = (step for step in plan if "search_grams" in step)
        assert "=" not in matched, plan  # by what it holds alone, by no number of an article
        order = [name for step in plan for name in ("search_postings", "search_texts") if name in step]
        assert order == ["search_postings", "search_texts"], plan


@contextmanager
def searching(app: Compared, client: TestClient) -> Iterator[None]:
    """Somebody else searches for the length of the block."""
    slot = app.beneath.state.sessions.searches._slots
    portal = client.portal
    assert portal is not None
    portal.call(slot.acquire)
    yield
    portal.call(slot.release)


class TestTurns:
    @pytest.mark.parametrize("path", ["/v1/search", "/v1/questions", "/v1/sources"])
    def test_who_waits_too_long_is_told_to_come_back_and_is_answered_then(
        self, app: Compared, client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        monkeypatch.setattr(sessions, "WAIT_SECONDS", 0.05)
        with searching(app, client):
            answer = client.get(path, params={"q": "菊"})
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "1")
        assert client.get(path, params={"q": "菊"}).status_code == 200

    def test_what_needs_no_searching_does_not_wait(self, app: Compared, client: TestClient) -> None:
        with searching(app, client):
            assert client.get("/v1/search/suggest", params={"q": "菊"}).status_code == 200
            assert client.get("/v1/questions").status_code == 200
