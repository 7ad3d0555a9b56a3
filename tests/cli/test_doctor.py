"""``kiku doctor`` tells what is wrong, a line a finding, and ends with 1; of what is well it says so."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app import schema
from app.database import Database
from app.delivery.snapshots import snapshots
from app.search import index
from tests.cli.conftest import Run
from tests.factories import published


class TestDoctor:
    def test_of_an_instance_that_is_well_it_says_so(
        self, configured: str, run: Run, client: TestClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        published(client)
        assert run("doctor") == 0, configured
        told = capsys.readouterr().out.splitlines()
        assert told[0].startswith("schema 0")
        assert told[-2:] == ["1 published articles", "Nothing is wrong."]

    @pytest.fixture
    def harmed(self, configured: str, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        """An instance with a fault of each kind."""
        published(client)
        with database.writing() as writer:
            writer.execute(update(snapshots).values(etag='"0"'))
            index.unmark(writer)
        monkeypatch.setenv("KIKU_CORS_ORIGINS", "desk.example.jp")
        monkeypatch.setenv("KIKU_REPLICA_URL", configured)

    @pytest.mark.usefixtures("harmed")
    def test_each_finding_is_a_line_and_the_end_is_1(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("doctor") == 1
        told = capsys.readouterr().out
        for part in ("KIKU_REPLICA_URL: ", "desk.example.jp is no origin", "kiku rebuild", "its ETag is not that"):
            assert part in told
        assert all(line.startswith("wrong: ") for line in told.splitlines() if "is no origin" in line or "ETag" in line)

    def test_a_schema_that_is_behind_is_told_alone(
        self, configured: str, run: Run, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        schema.migrate(database, "0009")
        assert run("doctor") == 1, configured
        assert "kiku migrate" in capsys.readouterr().out
