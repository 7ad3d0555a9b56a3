"""One statement at a time, straight from the driver, on the event loop: for reads that cost less than a thread.

Every statement is a snapshot of its own. Readers and Writers, with their transactions, are in ``database.py``.
"""

import asyncio
import sqlite3
import threading
from itertools import count
from typing import Any, Protocol
from urllib.parse import quote

from app.errors import Busy

CONNECTIONS = 4
"""On PostgreSQL, how many statements of one process run at a time; the others wait."""
TIMEOUT_SECONDS = 5
"""How long a statement, or opening a connection, may take."""

SMALL_CACHE = "PRAGMA cache_size = -512"
"""A SQLite connection that only reads keeps 512 KiB of pages, not 2 MB: the system keeps them, too, once for all."""

Value = str | int
Rows = list[tuple[Any, ...]]


class Direct(Protocol):
    """A way to the database that belongs to no thread but the one that asks."""

    async def rows(self, statement: str, *values: Value) -> Rows:
        """All rows of a SELECT with ``?`` where the values go.

        Raises: Busy when the database cannot answer; a Reader may tell more.
        """
        ...

    async def version(self) -> object | None:
        """Another one after each commit of anybody; None where asking costs as much as a read. Raises: Busy."""
        ...

    async def close(self) -> None:
        """Close what this thread has opened; asking again opens it anew."""
        ...


class SqliteDirect:
    """An SQLite file, read inline: the loop waits some microseconds for a row."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._here = threading.local()
        self._openings = count()

    async def rows(self, statement: str, *values: Value) -> Rows:
        """All rows of a SELECT. Raises: Busy."""
        return self._rows(statement, values)

    async def version(self) -> object:
        """What SQLite counts for each connection, with the connection it was counted for. Raises: Busy."""
        ((version,),) = self._rows("PRAGMA data_version", ())
        return self._here.opened, version

    async def close(self) -> None:
        """Close this thread's connection."""
        self._drop()

    def _rows(self, statement: str, values: tuple[Value, ...]) -> Rows:
        try:
            connection: sqlite3.Connection | None = getattr(self._here, "connection", None)
            if connection is None:
                connection = self._here.connection = self._open()
                self._here.opened = next(self._openings)
            # All rows, though there be but one: a cursor read halfway would hold an old snapshot.
            return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._drop()
            raise Busy("The database is busy or away.") from error

    def _drop(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._here, "connection", None)
        self._here.connection = None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        # timeout 0: who must wait for a lock does so in a thread, not here.
        address = f"file:{quote(self._path)}?mode=ro"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=0)
        connection.execute(SMALL_CACHE)
        return connection


class PostgresqlDirect:
    """A PostgreSQL server, asked over a few connections of the event loop's own.

    ``driver``: psycopg, as the engine has loaded it. Imported here it would be 5 MB of each process on SQLite, too.
    """

    def __init__(self, url: str, driver: Any) -> None:
        self._url, self._driver = url, driver
        self._here = threading.local()

    async def rows(self, statement: str, *values: Value) -> Rows:
        """All rows of a SELECT. Raises: Busy."""
        if not hasattr(self._here, "turns"):
            self._here.turns, self._here.idle = asyncio.Semaphore(CONNECTIONS), []
        idle: list[Any] = self._here.idle
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._here.turns:
                cursor = idle.pop() if idle else await self._open()
                try:
                    await cursor.execute(statement.replace("?", "%s"), values, prepare=True)
                    found: Rows = await cursor.fetchall()
                except BaseException:
                    await cursor.connection.close()
                    raise
                idle.append(cursor)
                return found
        except (self._driver.Error, OSError, TimeoutError) as error:
            raise Busy("The database is busy or away.") from error

    async def version(self) -> None:
        """None: it would be a second trip to the server."""

    async def close(self) -> None:
        """Close this thread's connections."""
        for cursor in getattr(self._here, "idle", ()):
            await cursor.connection.close()
        self._here.__dict__.clear()

    async def _open(self) -> Any:
        # A route waits for a lock better than this: it tells the client when to come back.
        options = "-c default_transaction_read_only=on -c lock_timeout=1s"
        connection = await self._driver.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=TIMEOUT_SECONDS, options=options
        )
        return connection.cursor(binary=True)
