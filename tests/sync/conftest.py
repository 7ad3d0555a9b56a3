"""An application whose operator allows webhooks to lead to loopback, and a receiver there."""

from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.sync.receiver import HOST, Receiver, receiving


@pytest.fixture
def app(database_url: str, database: Database) -> ASGIApp:
    return create_app(Settings(database_url=database_url, access_log="off", webhook_allowed_hosts=(HOST,)), database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
