"""A PostgreSQL database as one file, and back, by PostgreSQL's own ``pg_dump``, ``pg_restore`` and ``psql``.

When they are asked, what is asked before, and copies of SQLite files stand in ``backups.py``.
"""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.cli.door import bar, fail
from app.database import Database
from app.engines import LOCK_TIMEOUT_SECONDS

MARK = b"PGDMP"
"""How an archive begins."""
_REVISION = re.compile(r"^COPY \S*\balembic_version .*\n(\S+)\n\\\.$", re.MULTILINE)
_FEED = re.compile(r"^COPY \S*\bfeed \(", re.MULTILINE)
# Whoever is not the owner of others' sessions sees no backend_type of theirs; autovacuum has no user.
_ALONE = """
SELECT pg_catalog.pg_stat_clear_snapshot();
DO $$ BEGIN
  IF EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
      AND coalesce(backend_type, 'client backend') = 'client backend'
  ) THEN RAISE EXCEPTION 'The database is in use: end the server first.'; END IF;
END $$;
"""
# Not only what the archive holds: what later migrations made would stand in its way.
_BEFORE = f"""
BEGIN;
SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s';
SET client_min_messages = warning;
{_ALONE}
DO $$ DECLARE found record; BEGIN
  FOR found IN
    SELECT 'TABLE' AS kind, oid::regclass::text AS name FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
      AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
      AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name);
  END LOOP;
END $$;
"""  # noqa: S608 - its parts are constants
_AFTER = f"{_ALONE}\nCOMMIT;\n"


def dump(database: Database, file: Path) -> None:
    """Write one moment of the database to ``file``, and read it once through."""
    programs = [_program(name) for name in ("pg_dump", "pg_restore")]
    environment = _environment(database)
    with bar() as progress:
        task = progress.add_task("Backing up", total=None)
        _run(programs[0], "--format=custom", *_NOBODYS, f"--file={file.absolute()}", environment=environment)
        progress.update(task, description="Checking")
        _run(programs[1], f"--file={os.devnull}", str(file.absolute()))


def stored(file: Path) -> str | None:
    """The migration at which the database stood that was written to ``file``; None where it was not Kiku's."""
    tables = ("--data-only", "--table=alembic_version", "--table=feed")
    text = _run(_program("pg_restore"), *tables, "--file=-", str(file.absolute()))
    found = _REVISION.search(text)
    return found[1] if found and _FEED.search(text) else None


def load(database: Database, file: Path) -> None:
    """Put what ``file`` holds in place of all there is in the database, which nobody else may use: all, or nothing.

    One transaction of ``psql``: ``pg_restore`` alone removes only what the file holds, too. It is committed by the
    last line, which is written when ``pg_restore`` has ended well: whatever ends early leaves what was there.
    """
    restore = [_program("pg_restore"), "--clean", "--if-exists", *_NOBODYS, "--file=-", str(file.absolute())]
    psql = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=SHOW_CONTEXT=never"]
    environment = _environment(database)
    database.close()
    with (
        bar() as progress,
        tempfile.TemporaryFile() as told,
        subprocess.Popen(restore, stdout=subprocess.PIPE, stderr=told) as source,  # noqa: S603 - found above
        subprocess.Popen(  # noqa: S603 - found above
            [*psql, "--no-password"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told, env=environment
        ) as target,
    ):
        progress.add_task("Restoring", total=None)
        assert source.stdout and target.stdin  # noqa: S101, PT018 - both are pipes
        with suppress(BrokenPipeError):  # psql has ended, and told why
            target.stdin.write(_BEFORE.encode())
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                target.stdin.write(_AFTER.encode())
        with suppress(BrokenPipeError):
            target.stdin.close()
        source.stdout.close()  # else it would wait for a psql that is gone
        ended = (source.wait(), target.wait())
        told.seek(0)
        errors = told.read().decode(errors="replace")
    if any(ended):
        fail(f"Nothing was restored. {_in_a_line(errors)}")


_NOBODYS = ("--no-owner", "--no-privileges")
"""Whoever restores owns what is restored."""


def _program(name: str) -> str:
    return shutil.which(name) or fail(
        f"`{name}` is not on the PATH: install PostgreSQL's client programs (on Debian `postgresql-client`), of the "
        "server's version."
    )


def _environment(database: Database) -> dict[str, str]:
    """What tells libpq where the database is, as this process reaches it; a command line could be read by others."""
    with database.reading() as reader:
        driver: Any = reader.connection.connection.driver_connection
        options = [(option.envvar, option.val) for option in driver.pgconn.info]
    return os.environ | {name.decode(): value.decode() for name, value in options if name and value is not None}


def _run(program: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """What the program says; where it fails, this command fails with its words."""
    ended = subprocess.run([program, *arguments], env=environment, capture_output=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        fail(_in_a_line(ended.stderr.decode(errors="replace")))
    return ended.stdout.decode(errors="replace")


def _in_a_line(text: str) -> str:
    return " ".join(text.split())
