"""The database: a ``Reader`` sees one snapshot, a ``Writer`` holds one transaction; both are short-lived.

Tables belong to their owner modules and only share ``metadata``; how many requests may wait for a
connection is decided in ``app/wire/sessions.py``, how connections are opened in ``engines.py``.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    func,
    literal,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from app import engines
from app.direct import SMALL_CACHE, Direct, PostgresqlDirect, SqliteDirect
from app.errors import Busy, Conflict
from app.text import instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Ids, slugs, codes and instants compare by code point on both databases, so that an order is the same order.
Key = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# An instant is stored as answers write it (UTC, milliseconds, Z): it sorts as text and needs no conversion.
Instant = Key
Json = JSON(none_as_null=True)


class Bytes(LargeBinary):
    """Bytes, handed to the drivers as they are: wrapping some hundred of them, as is the rule, costs milliseconds."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is done to a value."""


class _Several(TypeDecorator[Sequence[Any]]):
    """Values of one type in one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(self.item) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(list(value or ()))


class _IsOneOf(FunctionElement[bool]):
    # Without a type of truth: such a function SQLAlchemy compares with 1, and then SQLite uses no index.
    inherit_cache = True


@compiles(_IsOneOf, "postgresql")
def _in_array(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_IsOneOf, "sqlite")
def _in_json(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are SQL already


def is_one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether ``column`` is one of the values of the parameter ``name``, whole numbers or texts, however many.

    They go as one parameter, so that the statement is the same for any number of them: with one for each, both
    databases read it anew for every other number.
    """
    return _IsOneOf(column, bindparam(name, type_=_Several(column.type)))


_PROGRESS_STEPS = 10_000
"""How many steps SQLite goes between two looks at the clock: some tenths of a millisecond."""
_SQLITE_PASSING = {
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
}
# Connection, rolled back by a deadlock or the like, resources, operator, lock not had (SQLSTATE classes).
_POSTGRESQL_PASSING = {"08", "40", "53", "55", "57"}
_POSTGRESQL_LIMITS = "54"
"""A value over a limit of the server stays over it."""

Row = Mapping[Any, Any]
"""A row by column name."""


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


class View(NamedTuple):
    """Which working copies there are for a caller: those in these languages, with one of these tags; None: any."""

    languages: frozenset[str] | None
    tags: frozenset[str] | None


class Reader:
    """One consistent snapshot of the database, perhaps a replica's. It cannot write."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        """SQLAlchemy's own, for inspection; statements go through the methods below."""
        self.view: View | None = None
        """What the caller is limited to, if it is."""

    def execute(self, statement: Executable, parameters: Row | Sequence[Row] | None = None) -> CursorResult[Any]:
        """Run one statement; a list of parameters runs it once for each."""
        return self.connection.execute(statement, parameters)

    def rows(self, statement: Executable, parameters: Row | None = None) -> list[Row]:
        """All rows of a SELECT, each by column name."""
        return [row._mapping for row in self.connection.execute(statement, parameters).all()]  # noqa: SLF001 - SQLAlchemy's documented name

    def tuples(self, statement: Executable, parameters: Row | None = None) -> list[tuple[Any, ...]]:
        """All rows of a SELECT, each in the order of its columns, its values as the driver has them.

        JSON is not read there, and what is true may be 1. For many that are small: to make rows of SQLAlchemy's of two
        thousand takes three times as long as all else.
        """
        with self.connection.execute(statement, parameters) as result:
            cursor: Any = result.cursor
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def row(self, statement: Executable, parameters: Row | None = None) -> Row | None:
        """The first row of a SELECT by column name, or None."""
        found = self.connection.execute(statement, parameters).first()
        return None if found is None else found._mapping  # noqa: SLF001 - SQLAlchemy's documented name

    @contextmanager
    def within(self, seconds: float, settings: Mapping[str, str]) -> Iterator[None]:
        """Let no statement of this block, the last of its transaction, go on for longer. Raises: Busy.

        ``settings``: what else is set for the block, on PostgreSQL.
        """
        if self.on_postgresql:
            asked = {"statement_timeout": f"{seconds * 1000:.0f}", **settings}
            self.execute(select(*(func.set_config(name, value, literal(value=True)) for name, value in asked.items())))
            yield
            return
        file: Any = self.connection.connection.driver_connection
        deadline = time.monotonic() + seconds
        file.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
        try:
            yield
        finally:
            file.set_progress_handler(None, 0)

    @property
    def on_postgresql(self) -> bool:
        """Whether this is PostgreSQL; else it is SQLite."""
        return self.connection.dialect.name == "postgresql"


class Writer(Reader):
    """One transaction, committed as a whole when its block ends and rolled back when it raises."""

    def __init__(self, connection: Connection, now: datetime, caller: str | None, request_id: str | None) -> None:
        super().__init__(connection)
        self.now = now
        self.stamp = instant(now)
        """``now`` as rows and answers write it."""
        self.caller = caller
        """The id of the API key that writes; None for the command line and the worker."""
        self.request_id = request_id
        self.reason: str | None = None
        """Why, if that was said; kept with the revision that comes of it, and in the audit."""
        self.address_hash: str | None = None
        """What stands for the client's address, where there is a client."""
        self.sequence: int | None = None
        """The number of the last change of the feed, once there is one in this transaction."""
        self.touched: set[str] = set()
        """The cache keys of what readers see changed by this transaction, beside those that the feed's changes name."""
        self.dry = False
        """Whether it is only tried: nothing of it will be committed."""

    def hold(self, name: str, *, shared: bool = False) -> None:
        """Keep every other writer that holds the same ``name`` waiting until this transaction ends.

        For what cannot be said by a unique value alone: find, and make only where nothing was found. Those who hold
        it ``shared`` do not wait for one another. Raises: Busy, as the statements of a Writer do.
        """
        if self.on_postgresql:  # on SQLite a Writer is alone anyway
            lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            self.execute(select(lock(func.hashtextextended(name, 0))))

    def try_to_hold(self, name: str) -> bool:
        """``hold`` without waiting: False where another writer holds ``name``."""
        if not self.on_postgresql:
            return True
        return bool(self.execute(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))).scalar_one())

    def savepoint(self) -> AbstractContextManager[object]:
        """A block whose writes alone are undone where it raises; the transaction goes on."""
        return self.connection.begin_nested()

    def insert_absent(self, table: Table, row: Row) -> bool:
        """Insert ``row`` unless a unique value of it is taken; says whether it was inserted.

        Race-free on both databases: a concurrent insert of the same value is waited for.
        """
        return self.execute(_insertion(table, self.connection.dialect.name), row).rowcount == 1

    def insert_all_absent(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert those of the rows, one at least, of which no unique value is taken.

        Race-free as ``insert_absent`` is. All writers must sort such rows in one way: else they wait for one another.
        """
        self.execute(_insertion(table, self.connection.dialect.name), rows)


@cache
def _insertion(table: Table, dialect: str) -> Executable:
    """Inserts rows of which no unique value is taken; made once, for making it takes longer than to send it."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


class Database:
    """The door to one SQLite file, or to a PostgreSQL primary with an optional replica for reads."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime] = system_clock,
        *,
        replica_url: str | None = None,
        cache_bytes: int = engines.WRITER_CACHE_BYTES,
    ) -> None:
        """``cache_bytes``: how much of a SQLite file its writer keeps."""
        self.clock = clock
        self._url = url
        self._read_url = replica_url or url
        self.reader_slots = self.writer_slots = engines.POOL_SIZE
        if url.startswith("sqlite"):
            self.writer_slots = 1  # SQLite has one writer: a second would only wait inside a thread
            self._writers = engines.sqlite(url, "BEGIN IMMEDIATE", f"PRAGMA cache_size = -{cache_bytes // 1024}")
            self._readers = self._replicas = engines.sqlite(url, "BEGIN", "PRAGMA query_only = ON", SMALL_CACHE)
        else:
            self._writers = engines.postgresql(url, "READ COMMITTED")
            self._readers = self._replicas = engines.postgresql(url, "REPEATABLE READ", readonly=True)
            if replica_url:
                self._replicas = engines.postgresql(replica_url, "REPEATABLE READ", readonly=True)

    @contextmanager
    def reading(self, *, replica: bool = False) -> Iterator[Reader]:
        """A Reader for the length of the block; of the ``replica``, where there is one: it may be some time behind.

        Raises: Busy when the database is away.
        """
        with _errors(), (self._replicas if replica else self._readers).connect() as connection, connection.begin():
            yield Reader(connection)

    @contextmanager
    def writing(
        self, caller: str | None = None, request_id: str | None = None, *, dry_run: bool = False
    ) -> Iterator[Writer]:
        """A Writer for the length of the block; the commit happens as the block ends, in a ``dry_run`` a rollback.

        Raises: Busy when the lock is not had within ``LOCK_TIMEOUT_SECONDS`` or the database is away;
        Conflict (``write-conflict``) when a concurrent write took a unique value first.
        """
        with _errors(), self._writers.connect() as connection, connection.begin() as transaction:
            writer = Writer(connection, self.clock(), caller, request_id)
            writer.dry = dry_run
            yield writer
            if dry_run:
                transaction.rollback()

    def direct(self) -> Direct:
        """A way to read on the event loop, one statement at a time; from the replica, where there is one."""
        sqlite_path = make_url(self._url).database if self._url.startswith("sqlite") else None
        if sqlite_path is not None:
            return SqliteDirect(sqlite_path)
        return PostgresqlDirect(self._read_url, self._readers.dialect.dbapi)

    def engine(self) -> Engine:
        """The writers' engine, for migrations."""
        return self._writers

    def close(self) -> None:
        """Close every pooled connection."""
        self._readers.dispose()
        self._replicas.dispose()
        self._writers.dispose()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("write-conflict", "A concurrent write got there first; read again and retry.") from error
    except PoolTimeoutError as error:
        raise Busy("All database connections are in use.") from error
    except DBAPIError as error:
        if _passing(error):
            raise Busy("The database is busy or away.") from error
        raise


def is_of_values(error: Exception) -> bool:
    """Whether a statement failed for what it was to store: undone to a savepoint, the transaction can go on."""
    # The last two: what sqlite3 cannot hand over at all, which SQLAlchemy leaves as it is.
    if isinstance(error, IntegrityError | DataError | OverflowError | UnicodeError):
        return True
    sqlstate = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return str(sqlstate).startswith(_POSTGRESQL_LIMITS)


def _passing(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return original.sqlite_errorcode & 0xFF in _SQLITE_PASSING
    sqlstate: str | None = getattr(original, "sqlstate", None)
    if sqlstate is not None:
        return sqlstate[:2] in _POSTGRESQL_PASSING
    return isinstance(error, OperationalError) or error.connection_invalidated
