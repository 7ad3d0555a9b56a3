"""``kiku doctor``: whether an instance is well, a line a finding.

What is stored is looked through in ``app/publishing/inspection.py``.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import typer
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from app import revision
from app.cli.door import bar, commands, present, read_settings
from app.database import Database
from app.delivery import snapshots
from app.errors import Busy
from app.publishing import inspection
from app.search import index, tokens
from app.settings import Settings
from app.sync import changes

_FREE_BYTES = 1 << 30
"""Less free space than this, or than the database takes, is too little: a backup or a migration needs as much."""


@commands.command()
def doctor() -> None:
    """Look for what is wrong: schema, index, bytes and rows that disagree, replica, space, settings. Changes nothing.

    Prints a line for each finding; exit code 1 when something is wrong.
    """
    settings = read_settings()
    wrong = 0
    with closing(Database(settings.database_url, replica_url=settings.replica_url)) as database:
        for finding in _findings(database, settings):
            typer.echo(f"wrong: {finding}")
            wrong += 1
    if wrong:
        raise typer.Exit(1)
    typer.echo("Nothing is wrong.")


def _findings(database: Database, settings: Settings) -> Iterator[str]:
    yield from _suspicious(settings)
    if not present(database) or not revision.is_current(database):
        yield "the database is not at this version: run `kiku migrate`"
        return
    typer.echo(f"schema {revision.NEWEST}, {tokens.version()}")
    yield from _space(settings)
    yield from _replica(database, settings)
    with database.reading() as reader, bar() as progress:
        if not index.fits(reader):
            yield "the search index was not made with this dictionary and these rules: run `kiku rebuild`"
        task = progress.add_task("Rows", total=None)
        yield from inspection.rows(reader, database.clock())
        total = snapshots.count(reader)
        progress.update(task, description="Published bytes", total=total)
        for found in inspection.published(reader):
            yield from found
            progress.advance(task)
    typer.echo(f"{total:,} published articles")


def _suspicious(settings: Settings) -> Iterator[str]:
    if settings.replica_url is not None and settings.database_url.startswith("sqlite"):
        yield "KIKU_REPLICA_URL: an SQLite database has no replicas"
    elif settings.replica_url == settings.database_url:
        yield "KIKU_REPLICA_URL: this is the primary"
    for origin in settings.cors_origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
            yield f"KIKU_CORS_ORIGINS: {origin} is no origin, which is like https://desk.example.jp"


def _space(settings: Settings) -> Iterator[str]:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "").absolute()
    free, taken = shutil.disk_usage(path.parent).free, path.stat().st_size
    typer.echo(f"{taken:,} bytes, {free:,} free")
    if free < max(_FREE_BYTES, taken):
        yield f"{free:,} bytes are free beside a database of {taken:,}"
    with closing(Database(settings.database_url)) as database, database.reading() as reader:
        mode = reader.execute(text("PRAGMA journal_mode")).scalar_one()
    if mode != "wal":
        yield f"the database's journal is {mode}: readers and writers wait for one another"


def _replica(database: Database, settings: Settings) -> Iterator[str]:
    if settings.replica_url is None:
        return
    try:
        with database.reading(replica=True) as reader:  # first: the primary can only be further
            there, standby = changes.state(reader), reader.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
    except (Busy, SQLAlchemyError):
        yield "KIKU_REPLICA_URL: the replica cannot be read"
        return
    with database.reading() as reader:
        here = changes.state(reader)
    typer.echo(f"the replica is {here[1] - there[1]:,} changes behind")
    if there[0] != here[0]:
        yield "KIKU_REPLICA_URL: this is the replica of another database"
    if not standby:
        yield "KIKU_REPLICA_URL: this is no replica, it takes writes of its own"
