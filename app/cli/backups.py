"""``kiku backup`` and ``kiku restore``: a copy of the database that is whole, and an instance made of one.

How PostgreSQL's own tools are asked is in ``archives.py``. What can be read, and is the same on both databases, is
``kiku export``'s.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from sqlalchemy import inspect, make_url

from app import revision, schema
from app.cli import archives
from app.cli.door import bar, commands, fail, open_database, read_settings, say
from app.database import Database
from app.search import index
from app.sync import changes

_PAGES = 256
"""How many pages are copied between two looks of the bar."""
_SQLITE_MARK = b"SQLite format 3\0"
_NO_BACKUP = "This is no backup of Kiku, or of a newer one."


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to; what is there is replaced when it is whole.")],
) -> None:
    """Copy the database, one moment of it, while others read and write. The copy is checked.

    It holds everything, keys and audit too: keep it as you keep the database. On PostgreSQL `pg_dump` makes it.
    """
    with open_database() as database:
        path = _path()
        if path is not None and file.exists() and file.samefile(path):
            fail("This is the database itself.")
        with _beside(file) as part:
            if path is None:
                archives.dump(database, part)
            else:
                _copy(path, part, "Backing up")
                _fold(part)
    say(f"{file} is a whole copy: {file.stat().st_size:,} bytes.")


@commands.command()
def restore(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="What `kiku backup` made; none where other tools restored."),
    ] = None,
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In place of all that is in the database.")] = False,
) -> None:
    """Make the database of a backup and begin a new epoch: mirrors start again, as what they know may be undone.

    No server may run. Without a file only the epoch is begun, in a database that other tools have restored.
    """
    if file is None:
        with open_database() as database:
            _renew(database)
        say("A new epoch has begun: mirrors start again.")
        return
    path = _path()
    _demand_kind(file, sqlite=path is not None)
    fits = _restore_postgresql(file, overwrite=overwrite) if path is None else _restore_sqlite(file, path, overwrite)
    say("The database is restored, and a new epoch has begun: mirrors start again.")
    if not fits:
        say("The search index was made with another dictionary or other rules: run `kiku rebuild`.")


def _restore_sqlite(file: Path, path: Path, overwrite: bool) -> bool:
    """Make the database; says whether searches find what they should."""
    _demand_free(path, overwrite=overwrite)
    with _beside(path) as part:
        _copy(file, part, "Restoring")
        with closing(Database(f"sqlite:///{part}")) as database:
            stored = revision.stored(database)
            if stored is None or not schema.knows(stored):
                fail(_NO_BACKUP)
            fits = _renew(database)
        _fold(part)
        _demand_free(path, overwrite=overwrite)  # again: a server may have begun meanwhile
        for beside in ("-wal", "-shm"):  # of a database that is gone: SQLite would take them for the new one's
            path.with_name(path.name + beside).unlink(missing_ok=True)
    return fits


def _restore_postgresql(file: Path, *, overwrite: bool) -> bool:
    """Make the database; says whether searches find what they should."""
    stored = archives.stored(file)
    if stored is None or not schema.knows(stored):
        fail(_NO_BACKUP)
    with closing(Database(read_settings().database_url)) as database:
        _demand_room(database, overwrite=overwrite)
        archives.load(database, file)
        return _renew(database)


def _renew(database: Database) -> bool:
    """Begin a new epoch, bring the database to this version; says whether searches find what they should."""
    with database.writing() as writer:
        changes.begin_epoch(writer)  # first: no mirror must go on, not even where what follows fails
    schema.migrate(database)
    with database.reading() as reader:
        return index.fits(reader)


def _demand_kind(file: Path, *, sqlite: bool) -> None:
    """Go on only with a backup that is not one of the other database."""
    with file.open("rb") as opened:
        start = opened.read(len(_SQLITE_MARK))
    if start.startswith(archives.MARK if sqlite else _SQLITE_MARK):
        of, here = ("a PostgreSQL", "SQLite") if sqlite else ("an SQLite", "PostgreSQL")
        fail(
            f"This is the backup of {of} database, and the database here is {here}: `kiku export` there and "
            "`kiku import` here lead from one to the other."
        )


def _demand_room(database: Database, *, overwrite: bool) -> None:
    """Go on only where the PostgreSQL database is empty, or where what is in it is Kiku's and may be replaced."""
    with database.reading() as reader:
        tables = inspect(reader.connection).get_table_names()
    if not tables:
        return
    if not overwrite:
        fail("The database holds tables already; `--overwrite` puts the backup in place of all of them.")
    stored = revision.stored(database)
    if stored is None or not schema.knows(stored) or changes.feed.name not in tables:
        fail("What the database holds is not Kiku's, or a newer one's: it is not overwritten.")


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """An empty file beside ``file``, for its owner alone, that takes its place when the block has ended well."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)  # it holds what stands for keys
    except OSError as error:
        fail(f"{part} cannot be written: {error.strerror}.")
    try:
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _path() -> Path | None:
    """The file of the configured database; None where it is not SQLite."""
    url = make_url(read_settings().database_url)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _demand_free(path: Path, *, overwrite: bool) -> None:
    """Go on only where a database may be put, and nobody has the one that is there open."""
    if not path.exists() or path.stat().st_size == 0:
        return
    if not overwrite:
        fail(f"{path} holds a database already; `--overwrite` puts the backup in its place.")
    try:
        _fold(path)
    except sqlite3.DatabaseError:
        fail(f"{path} is in use, or no database: end the server first.")


def _fold(path: Path) -> None:
    """Leave of a database one file, without a log beside it. Raises: DatabaseError where others have it open."""
    with closing(sqlite3.connect(path, timeout=0)) as file:
        file.execute("PRAGMA journal_mode = DELETE")


def _copy(source: Path, target: Path, description: str) -> None:
    """One moment of a database, in an empty file; it is checked."""
    try:
        with closing(_opened(source, "ro")) as here, closing(_opened(target, "rw")) as there, bar() as progress:
            task = progress.add_task(description, total=None)

            def show(_: int, left: int, pages: int) -> None:
                progress.update(task, completed=pages - left, total=pages)

            # Held open, so that every step copies the same moment: else each commit of others would begin it anew.
            here.execute("BEGIN")
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()
            here.backup(there, pages=_PAGES, progress=show)
            progress.update(task, description="Checking", total=None)
            found = [str(row[0]) for row in there.execute("PRAGMA quick_check").fetchall()]
            found += [f"a row of {row[0]} names what is not there" for row in there.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        fail(f"{source} cannot be copied whole: {next(each for each in found if each != 'ok')}.")


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None)
