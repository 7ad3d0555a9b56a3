"""A configured database, and the command line in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli

Run = Callable[..., int]


@pytest.fixture
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a migrated database, configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIKU_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def run() -> Run:
    """Runs a command; its exit code."""

    def typed(*arguments: str) -> int:
        with pytest.raises(SystemExit) as left:
            cli.main(list(arguments))
        return int(left.value.code or 0)

    return typed
