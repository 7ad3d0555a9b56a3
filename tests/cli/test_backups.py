"""A backup is one moment, whole, whatever is written meanwhile; what is made of it is another time to mirrors.

Those that PostgreSQL's own tools make are tried in ``test_archives.py``.
"""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.cli.conftest import Run
from tests.conftest import a_key
from tests.factories import create, published
from tests.promises.test_error_shape import assert_problem


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


class TestBackup:
    def test_it_never_replaces_the_database_itself(
        self, configured: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        if is_sqlite(configured):
            path = Path(configured.removeprefix("sqlite:///"))
            (tmp_path / "below").mkdir()
            (tmp_path / "other.db").symlink_to(path)
            for other in (tmp_path / "below" / ".." / path.relative_to(tmp_path), tmp_path / "other.db"):
                assert run("backup", str(other)) == 2
                assert "the database itself" in capsys.readouterr().err

    def test_it_is_whole_while_others_write(
        self, configured: str, run: Run, tmp_path: Path, client: TestClient
    ) -> None:
        if not is_sqlite(configured):
            return
        published(client)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                create(client)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            assert run("backup", "copy.db") == 0
        finally:
            stop.set()
            writing.join()
        with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
            articles = copy.execute("SELECT count(*) FROM articles").fetchone()[0]
            assert articles == copy.execute("SELECT count(*) FROM revisions").fetchone()[0] >= 1
        assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]


class TestRestore:
    def test_mirrors_start_again_and_all_else_is_as_it_was(
        self, configured: str, run: Run, tmp_path: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        article = published(client)
        token = client.get("/v1/sync").json()["next"]
        if is_sqlite(configured):
            assert run("backup", "copy.db") == 0
            monkeypatch.setenv("KIKU_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
            assert run("restore", "copy.db") == 0
            url = f"sqlite:///{tmp_path / 'other.db'}"
        else:  # where pg_restore has been
            assert run("restore") == 0
            url = configured
        assert run("doctor") == 0
        database = Database(url)
        with TestClient(create_app(Settings(database_url=url, access_log="off"), database)) as restored:
            restored.headers["Authorization"] = client.headers["Authorization"]
            assert_problem(restored.get("/v1/sync", params={"token": token}), 410, "sync-token-expired")
            seen = restored.get(f"/v1/articles/{article['id']}")
            assert seen.content == client.get(f"/v1/articles/{article['id']}").content
            assert [item["id"] for item in restored.get("/v1/sync").json()["items"]] == [article["id"]]
        database.close()

    def test_it_overwrites_nothing_unless_told_and_nothing_that_is_in_use(
        self, configured: str, run: Run, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        if not is_sqlite(configured):
            return
        assert run("backup", "copy.db") == 0
        a_key(database, "read")
        assert run("restore", "copy.db") == 2
        assert run("restore", "copy.db", "--overwrite") == 2
        assert "end the server first" in capsys.readouterr().err
        database.close()
        assert run("restore", "copy.db", "--overwrite") == 0
        assert run("keys", "list") == 0
        assert capsys.readouterr().out == ""

    def test_what_is_no_backup_is_refused(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KIKU_DATABASE_URL", f"sqlite:///{tmp_path / 'kiku.db'}")
        (tmp_path / "noise.db").write_bytes(b"noise, " * 1_000)
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
            other.execute("CREATE TABLE t (x)")
        for name, told in (("noise.db", "cannot be copied whole"), ("other.db", "no backup of Kiku")):
            assert run("restore", name) == 2
            assert told in capsys.readouterr().err
        assert not list(tmp_path.glob("kiku.db*"))
