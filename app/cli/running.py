"""``kiku serve``, ``work``, ``migrate`` and ``rebuild``: what keeps an instance running.

The server that ``kiku serve`` becomes is ``app/server.py``.
"""

import ipaddress
import os
import signal
import sys
from typing import Annotated

import typer

from app import revision, schema, worker
from app.cli.door import bar, commands, console, fail, open_database, present, read_settings, say
from app.database import Database
from app.delivery import snapshots
from app.publishing import publish as publishing
from app.search import index
from app.settings import Settings
from app.sync.sender import Sender
from app.worker import Kept

REBUILT_TOGETHER = 20
"""How many articles are read anew in one transaction: publications wait for it."""


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer requests.")] = 1,
) -> None:
    """Serve the API. The database must be migrated first."""
    with open_database() as database:  # the server opens its own; here it is only looked whether it can
        _demand_index(database)
    if private(host):
        os.environ.setdefault("KIKU_PRIVATE_BIND", "true")
    # glibc: one heap for all threads. Each of its own keeps what it freed: 3 to 8 MB with 40 clients, no CPU saved.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # In an interpreter of its own: Typer, Rich and Alembic, which only the command line needs, are 13 MB of a process.
    command = [sys.executable, "-P", "-m", "app.server", host, str(port), str(workers)]  # -P: no app/ of where we are
    os.execv(sys.executable, command)  # noqa: S606 - its arguments were checked above


@commands.command()
def work() -> None:
    """Run what is due until told to stop (SIGTERM, Ctrl-C); the step at hand is finished first.

    Each serving process does the same beside its requests: this is for a process that does nothing else.
    """
    ending, settings = {signal.SIGTERM, signal.SIGINT}, Settings()
    with open_database() as database:
        _demand_index(database)
        signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # before there is a thread that could get them instead
        sender = Sender(settings.webhook_allowed_hosts)
        with worker.beside(database, Kept(settings.trash_days, settings.tombstone_days), sender):
            signal.sigwait(ending)


@commands.command()
def migrate() -> None:
    """Bring the database up to this version; a new one is made. Repeating it changes nothing."""
    settings = read_settings()
    database = Database(settings.database_url)
    try:
        if present(database) and revision.is_current(database):
            say("The database was up to date.")
            return
        with console().status("Migrating the database"):
            schema.migrate(database)
        say("The database is up to date.")
    finally:
        database.close()


@commands.command()
def rebuild() -> None:
    """Make the search index anew; readers go on searching.

    Needed where articles were published before there was search, and when the dictionary, the synonyms or the rules
    by which texts are read change: serving then begins only afterwards.
    """
    with open_database() as database, bar() as progress:
        with database.reading() as reader:
            task = progress.add_task("Rebuilding the index", total=snapshots.count(reader))
        last: str | None = None
        while True:
            with database.writing() as writer:
                last = publishing.reindex(writer, last, REBUILT_TOGETHER)
            progress.advance(task, REBUILT_TOGETHER)
            if last is None:
                break
        while worker.count_words(database):
            pass
        more = True
        while more:  # by and by, for others write meanwhile
            with database.writing() as writer:
                more = index.gather_all(writer)
    say("The search index is up to date.")


def _demand_index(database: Database) -> None:
    with database.reading() as reader:
        if not index.fits(reader):
            fail("The search index was not made with this dictionary and these rules: run `kiku rebuild`.")


def private(host: str) -> bool:
    """Whether only this machine or its private network can reach ``host``."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # 0.0.0.0 and :: are every address, though ipaddress calls them private.
    return address.is_private and not address.is_unspecified
