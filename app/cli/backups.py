"""``kiku backup`` and ``kiku restore``: a copy of an SQLite database that is whole, and an instance made of one.

PostgreSQL has better tools for the former than anybody could build here. What can be read is ``kiku export``'s.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from sqlalchemy import make_url

from app import revision, schema
from app.cli.door import bar, commands, fail, open_database, read_settings, say
from app.database import Database
from app.search import index
from app.sync import changes

_PAGES = 256
"""How many pages are copied between two looks of the bar."""
_OF_POSTGRESQL = (
    "A PostgreSQL database is backed up by its own tools: `pg_dump -Fc`, or `pg_basebackup` with the log; after "
    "`pg_restore` run `kiku restore` without a file. `kiku export --revisions` keeps what articles need."
)


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to; what is there is replaced when it is whole.")],
) -> None:
    """Copy the SQLite database, one moment of it, while others read and write. The copy is checked.

    It holds everything, keys and audit too: keep it as you keep the database.
    """
    with open_database():
        path = _path() or fail(_OF_POSTGRESQL)
    if file.exists() and file.samefile(path):
        fail("This is the database itself.")
    copy = file.with_name(f"{file.name}.part")
    _copy(path, copy, "Backing up")
    _fold(copy)
    copy.replace(file)
    say(f"{file} is a whole copy: {file.stat().st_size:,} bytes.")


@commands.command()
def restore(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="What `kiku backup` made; none where other tools restored."),
    ] = None,
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In place of a database that is there.")] = False,
) -> None:
    """Make the database of a backup and begin a new epoch: mirrors start again, as what they know may be undone.

    No server may run. Without a file only the epoch is begun, in a database that other tools have restored.
    """
    if file is None:
        with open_database() as database:
            _begin(database)
        say("A new epoch has begun: mirrors start again.")
        return
    path = _path() or fail("Only an SQLite database is made of a file. " + _OF_POSTGRESQL)
    _demand_free(path, overwrite=overwrite)
    copy = path.with_name(f"{path.name}.part")
    _copy(file, copy, "Restoring")
    database = Database(f"sqlite:///{copy}")
    try:
        stored = revision.stored(database)
        known = stored is not None and schema.knows(stored)
        if known:
            schema.migrate(database)
        fits = known and _begin(database)
    finally:
        database.close()
    _fold(copy)
    if not known:
        copy.unlink()
        fail("This is no backup of Kiku, or of a newer one.")
    _demand_free(path, overwrite=overwrite)  # again: a server may have begun meanwhile
    for beside in ("-wal", "-shm"):  # of a database that is gone: SQLite would take them for the new one's
        path.with_name(path.name + beside).unlink(missing_ok=True)
    copy.replace(path)
    say("The database is restored, and a new epoch has begun: mirrors start again.")
    if not fits:
        say("The search index was made with another dictionary or other rules: run `kiku rebuild`.")


def _begin(database: Database) -> bool:
    """Begin a new epoch; says whether searches find what they should."""
    with database.writing() as writer:
        changes.begin_epoch(writer)
        return index.fits(writer)


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
    """One moment of a database, in a new file that is checked."""
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)  # it holds what stands for keys
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
        target.unlink()
        fail(f"{source} cannot be copied whole: {next(each for each in found if each != 'ok')}.")


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None)
