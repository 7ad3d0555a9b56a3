"""The databases under measurement: made empty and migrated, filled by processes of their own, removed at the end.

What they are filled with is in ``corpus.py``; how processes are started and ended, in ``processes.py``.
"""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app import schema, worker
from app.access import keys
from app.access.keys import Grant
from app.database import Database
from app.errors import Busy
from app.sync import changes
from benchmarks import corpus, processes
from benchmarks.processes import Server

NAMES = ("sqlite", "postgresql")
_LOOK_SECONDS = 2
"""How often one looks how far a filling is."""
_STALL_SECONDS = 120
"""A filling that publishes nothing for so long will never end."""


@dataclass(frozen=True)
class Store:
    """A database for one run: its address, a folder for what belongs to it, and its server if it has one."""

    name: str
    url: str
    folder: Path
    server: Server | None

    def key(self, name: str) -> str:
        """A key that may do everything."""
        with closing(Database(self.url)) as database, database.writing() as writer:
            _, secret = keys.create(writer, Grant(name, ("admin",)))
        return secret

    def vacuum(self) -> None:
        """On PostgreSQL do now what autovacuum would do in the middle of what is measured next."""
        if self.server is not None:
            self._command("VACUUM (ANALYZE)")

    def checkpoint(self) -> None:
        """Write everything to its place in the files, so that nobody does it while reads are measured."""
        self._command("PRAGMA wal_checkpoint(TRUNCATE)" if self.server is None else "CHECKPOINT")

    def disk_bytes(self) -> int:
        """What it takes on disk after a checkpoint; PostgreSQL's log, which does not grow with it, is left out."""
        if self.server is None:
            return sum(path.stat().st_size for path in self.folder.glob("kiku.db*"))
        return int(self._command("SELECT pg_database_size(current_database())"))

    def _command(self, statement: str) -> str:
        """Run what no transaction may hold; the first value of its answer, if there is one."""
        if self.server is None:
            with closing(sqlite3.connect(self.folder / "kiku.db", isolation_level=None)) as file:
                return str(file.execute(statement).fetchone()[0])
        with psycopg.connect(self.url, autocommit=True) as connection:
            answer = connection.execute(statement.encode())
            return str(answer.fetchall()[0][0]) if answer.description else ""


@contextmanager
def store(name: str, below: Path) -> Iterator[Store]:
    """The database called ``name``, one of ``NAMES``: migrated and empty, with a folder in ``below``."""
    folder = below / name
    folder.mkdir()
    if name == "sqlite":
        yield Store(name, _migrated(f"sqlite:///{folder / 'kiku.db'}"), folder, None)
        return
    # Beside that folder, not below it: as root PostgreSQL runs as a user that may not enter it.
    data = below.with_name(f"{below.name}-{name}")
    with processes.postgresql(folder, data) as (url, server):
        yield Store(name, _migrated(url), folder, server)


def fill(stores: Sequence[Store], numbers: range, workers: int, tell: Callable[[str], object]) -> None:
    """Publish the articles of these numbers in each store, the stores side by side; nothing is measured.

    ``workers``: how many processes share a store, where it takes more than one writer.
    Raises: RuntimeError when a process fails, or when nothing is published any more.
    """
    with ExitStack() as stack:
        databases = [stack.enter_context(closing(Database(store.url))) for store in stores]
        running = [stack.enter_context(process) for store in stores for process in _sharing(store, numbers, workers)]
        began = moved = time.monotonic()
        done = first = _published(databases)
        while any(process.poll() is None for process in running):
            with suppress(subprocess.TimeoutExpired):
                next(process for process in running if process.returncode is None).wait(_LOOK_SECONDS)
            found, now = done, time.monotonic()
            with suppress(Busy):  # then the next look tells
                found = _published(databases)
            done, moved = found, moved if found == done else now
            rate = f"{(done - first) / (now - began):.0f} a second"
            tell(f"Filling {' and '.join(s.name for s in stores)}: {done:,} of {numbers.stop - 1:,} articles, {rate}")
            if any(process.returncode for process in running) or now - moved > _STALL_SECONDS:
                break
        if any(process.poll() != 0 for process in running):
            raise RuntimeError("A database could not be filled; the log is above.")
    for store in stores:
        tell(f"Counting words: {store.name}")
        count_words(store)


def count_words(store: Store) -> None:
    """Count the words that searches weigh, which a server's worker would do beside what is measured."""
    with closing(Database(store.url)) as database:
        while worker.count_words(database):
            pass


def _published(databases: Sequence[Database]) -> int:
    """How many articles the emptiest of them has published: the feed numbers them, each once."""
    found = []
    for database in databases:
        with database.reading() as reader:
            found.append(changes.state(reader)[1])
    return min(found)


def _migrated(url: str) -> str:
    """The address, once the database there is migrated: processes that fill it together could not do that together."""
    with closing(Database(url)) as database:
        schema.migrate(database)
    return url


def _sharing(store: Store, numbers: range, workers: int) -> Iterator[processes.Process]:
    """Processes that publish these articles between them, not started yet."""
    # Writers of several articles each would lock shared sources in different orders: beside others, one at a time.
    shares, together = (1, corpus.CHUNK) if store.server is None or workers == 1 else (workers, 1)
    for at in range(shares):
        share = range(numbers.start + at, numbers.stop, shares)
        yield processes.filling(store.url, share, together, store.folder / f"filling-{at}")
