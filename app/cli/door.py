"""What every command needs: the settings, the database they name, a line for the operator; and ``commands`` itself.

What is done by which command stands in the files beside this one.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from app import revision
from app.database import Database
from app.engines import BULK_CACHE_BYTES
from app.search import tokens
from app.settings import Settings

commands = typer.Typer(
    name="kiku",
    help="Kiku: a headless JSON API for digest articles. Configured by KIKU_* variables or a .env file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def read_settings() -> Settings:
    """The settings; texts are read with their dictionary from now on."""
    settings = Settings()
    if not tokens.installed(settings.dictionary):
        fail(f"KIKU_DICTIONARY: install it first, `pip install 'kiku[{settings.dictionary}]'`.")
    tokens.use(settings.dictionary)
    return settings


@contextmanager
def open_database() -> Iterator[Database]:
    """The configured database, found and at this version."""
    settings = read_settings()
    database = Database(settings.database_url, cache_bytes=BULK_CACHE_BYTES)
    try:
        if not present(database) or not revision.is_current(database):
            fail("The database is not at this version: run `kiku migrate`.")
        yield database
    finally:
        database.close()


def present(database: Database) -> bool:
    """Whether there is something to look into: SQLite would make an empty file merely by looking."""
    url = database.engine().url
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def bar() -> Progress:
    """A bar on standard error that is gone when the work is done."""
    return Progress(console=console(), transient=True)


def console() -> Console:
    """Standard error, for people."""
    return Console(stderr=True)


def say(line: str) -> None:
    """Tell the operator something that is no result."""
    typer.echo(line, err=True)


def fail(line: str) -> NoReturn:
    """Tell in one line what the operator can put right, and end with exit code 2."""
    say(f"kiku: {line}")
    sys.exit(2)
