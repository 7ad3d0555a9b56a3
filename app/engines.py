"""How connections to SQLite and PostgreSQL are opened, set up and pooled.

What is done with them is in ``database.py``; the event loop's own connections are opened in ``direct.py``.
"""

import json
import operator
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

POOL_SIZE = 10
"""Connections for reading and, on PostgreSQL, as many again for writing."""
LOCK_TIMEOUT_SECONDS = 5
"""How long a statement waits for another writer before the request is told to come back."""

WRITER_CACHE_BYTES = 2 * 1_048_576
BULK_CACHE_BYTES = 32 * 1_048_576
"""For who stores many articles: the pages of frequent words are met again with each, and bringing one in takes a sixth
less CPU."""
CHECKPOINT_PAGES = 4_000
"""How long SQLite's log grows, 16 MB, before its pages go to their places: those of frequent words are in it with each
publication. With a quarter of that, SQLite's own choice, publishing takes a tenth more CPU and a fifth more time."""
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {LOCK_TIMEOUT_SECONDS * 1000}",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
)


def sqlite(url: str, begin: str, *pragmas: str) -> Engine:
    """Connections to a SQLite file whose transactions start with ``begin``, each set up with the ``pragmas``."""
    path = make_url(url).database or ":memory:"
    # Only a file that was never there is made: one that is moved away must not come back empty.
    mode = "rw" if Path(path).exists() else "rwc"

    def connect() -> sqlite3.Connection:
        # isolation_level None: sqlite3 begins nothing by itself; SQLAlchemy's own BEGIN is replaced by ours.
        return sqlite3.connect(
            f"file:{quote(path)}?mode={mode}",
            uri=True,
            timeout=LOCK_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # the pool hands a connection to one thread at a time
        )

    engine = _engine(url, creator=connect)

    def configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        for pragma in (*_SQLITE_PRAGMAS, *pragmas):
            connection.execute(pragma)
        # Whether bytes hold others: SQLite's own instr() takes three to four times as long to see it.
        connection.create_function("holds", 2, operator.contains, deterministic=True)

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)
    return engine


def postgresql(url: str, isolation: str, *, readonly: bool = False) -> Engine:
    """Connections to a PostgreSQL server."""
    engine = _engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        isolation_level=isolation,
        pool_pre_ping=True,
        connect_args={"options": f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c timezone=UTC", "connect_timeout": 5},
    )
    if not readonly:
        return engine
    driver: Any = engine.dialect.dbapi

    class Cursor(driver.Cursor):  # type: ignore[misc]
        """Takes what is read as the server has it: as text, which is the rule, bytes come as digits, twice as long."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.format = driver.pq.Format.BINARY

    def configure(connection: Any, _: ConnectionPoolEntry) -> None:
        connection.cursor_factory = Cursor

    event.listen(engine, "connect", configure)
    return engine.execution_options(postgresql_readonly=True)


def _engine(url: str, **options: Any) -> Engine:
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=LOCK_TIMEOUT_SECONDS,
        pool_use_lifo=True,  # the same connection again: it has prepared what is asked often, and holds pages of it
        json_serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        **options,
    )
