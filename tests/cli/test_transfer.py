"""``kiku export`` and ``kiku import`` of bundles: whole files, told by line, resumed by running again."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.api.transfer import ARTICLE
from app.database import Database
from tests.cli.conftest import Run
from tests.conftest import Clock
from tests.publishing.bundles import dumped, furnish

HEADER = b'{"kind":"header","format":1}\n'
PLAIN = HEADER + b'{"kind":"article","document":{"title":"A","slug":"a","external_ids":{"cms":"1"}}}\n'
BAD = PLAIN + b'{"kind":"article","document":{"title":"B","slug":"a"}}\n'


@pytest.mark.usefixtures("configured")
class TestExport:
    @pytest.fixture
    def _furnished(self, client: TestClient, clock: Clock) -> None:
        furnish(client, clock)

    @pytest.mark.usefixtures("_furnished")
    def test_it_is_all_there_is_on_standard_output_or_in_a_file(
        self, database: Database, run: Run, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        assert run("export") == 0
        assert capfdbinary.readouterr().out == dumped(database)
        assert run("export", "all.ndjson", "--revisions") == 0
        assert (tmp_path / "all.ndjson").read_bytes() == dumped(database, revisions=True)
        assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("configured")
class TestImport:
    def test_run_again_it_finds_everything_there(
        self, run: Run, tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "cms.ndjson"
        file.write_bytes(PLAIN)
        assert run("import", str(file)) == 0
        assert run("import", str(tmp_path)) == 0
        told = capsys.readouterr().out.splitlines()
        assert told[0] == f"{file}: 1 created, 0 updated, 0 unchanged, 0 failed"
        assert told[1] == f"{file}: 0 created, 0 updated, 1 unchanged, 0 failed"
        assert dumped(database).count(b'"slug":"a"') == 1

    def test_what_was_refused_is_told_by_line(
        self, run: Run, tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "cms.ndjson"
        file.write_bytes(BAD)
        assert run("import", str(file)) == 1
        told = capsys.readouterr()
        assert f"{file}:3 /document/slug: Another article has this slug.\n" in told.err
        assert told.out == f"{file}: 1 created, 0 updated, 0 unchanged, 1 failed\n"
        assert dumped(database).count(b'"kind":"article"') == 1

    @pytest.mark.parametrize(("option", "content"), [("--atomic", BAD), ("--dry-run", PLAIN)])
    def test_nothing_is_stored_of_what_is_atomic_and_fails_or_is_only_tried(
        self, run: Run, tmp_path: Path, database: Database, option: str, content: bytes
    ) -> None:
        file = tmp_path / "cms.ndjson"
        file.write_bytes(content)
        assert run("import", str(file), option) == (content == BAD)
        assert b'"kind":"article"' not in dumped(database)

    def test_publish_publishes_what_has_no_life_of_its_own(
        self, run: Run, tmp_path: Path, client: TestClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "cms.ndjson"
        section = b'{"heading":"H","body":"B"}'
        file.write_bytes(PLAIN.replace(b'"slug":"a"', b'"slug":"a","pages":[{"sections":[' + section + b"]}]"))
        assert run("import", str(file), "--publish") == 0, capsys.readouterr()
        assert client.get("/v1/articles/a").status_code == 200

    def test_a_markdown_file_becomes_an_article(
        self, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "a.md"
        file.write_text(ARTICLE)
        assert run("import", str(file), "--publish") == 0
        assert capsys.readouterr().out.startswith(f"{file}: created: kiku-matsuri (")
