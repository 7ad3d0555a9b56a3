"""Databases that hold thirty articles already, counted: every test of this folder begins with a copy of one."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import worker
from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import Clock, _address, _command, a_key
from tests.search import corpus
from tests.search.corpus import Item


@pytest.fixture(scope="session")
def sqlite_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "template.db"
    shutil.copy(sqlite_template, path)
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_address: str, postgres_template: str) -> str:
    name = f"{postgres_template}_corpus"
    _command(postgres_address, f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    _fill(_address(postgres_address, name))
    return name


@pytest.fixture(scope="session")
def _read() -> dict[str, list[Item]]:
    return {}


@pytest.fixture
def articles(request: pytest.FixtureRequest, client: TestClient, _read: dict[str, list[Item]]) -> list[Item]:
    """The published articles, the newest first; read once from each database."""
    backend = request.node.callspec.params["database_url"]
    if backend not in _read:
        _read[backend] = corpus.read(client)
    return _read[backend]


def _fill(url: str) -> None:
    clock = Clock()
    clock.now = datetime(2022, 11, 3, tzinfo=UTC)
    database = Database(url, clock)
    app = create_app(Settings(database_url=url, access_log="off"), database)
    with TestClient(app) as client:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
        corpus.fill(client, clock)
    while worker.count_words(database):
        pass
    database.close()
