"""Commands say what they did, print results alone, and tell in one line what an operator can put right."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app import cli, revision, schema
from app.access import keys
from app.articles.fields import new_id
from app.cli import running
from app.database import Database
from app.publishing import ledger
from app.sync import jobs

Run = Callable[..., int]


@pytest.fixture
def unmigrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database that is not there yet, configured."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/kiku.db"
    monkeypatch.setenv("KIKU_DATABASE_URL", url)
    return url


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


class TestHelp:
    @pytest.mark.parametrize(
        "command",
        [
            [],
            ["serve"],
            ["work"],
            ["migrate"],
            ["keys"],
            ["keys", "create"],
            ["keys", "list"],
            ["keys", "revoke"],
            ["import"],
            ["export"],
            ["backup"],
            ["restore"],
            ["doctor"],
        ],
    )
    def test_every_command_explains_itself(self, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert run(*command, "--help") == 0
        assert "Usage: kiku" in capsys.readouterr().out


class TestRefusals:
    @pytest.mark.parametrize(
        "command", [["serve"], ["work"], ["keys", "list"], ["keys", "create", "n", "--scope", "read"]]
    )
    def test_a_missing_database_is_told_and_not_made(
        self, unmigrated: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(*command) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err == "kiku: The database is not at this version: run `kiku migrate`.\n"
        assert not (tmp_path / "kiku.db").exists(), unmigrated

    def test_an_unmigrated_one_is_too(self, unmigrated: str, capsys: pytest.CaptureFixture[str]) -> None:
        database = Database(unmigrated)
        schema.migrate(database)
        schema.migrate(database, "base")
        database.close()
        assert run("serve") == 2
        assert "kiku migrate" in capsys.readouterr().err

    def test_what_is_no_database_is_told_in_one_line(
        self, unmigrated: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "kiku.db").write_text("not a database, " * 100)
        assert run("keys", "list") == 2, unmigrated
        assert capsys.readouterr().err.count("\n") == 1

    @pytest.mark.usefixtures("unmigrated")
    @pytest.mark.parametrize("command", ["serve", "work", "migrate", "rebuild"])
    def test_a_dictionary_that_is_not_installed_is_named(
        self, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("KIKU_DICTIONARY", "core")
        assert run(command) == 2
        assert "pip install 'kiku[core]'" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("name", "value"), [("KIKU_DATABASE_URL", "mysql://x"), ("KIKU_READ_KEYS", "maybe"), ("KIKU_ACCESS_LOG", "1")]
    )
    def test_a_bad_setting_is_named(
        self, name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(name, value)
        assert run("migrate") == 2
        told = capsys.readouterr().err
        assert told.startswith(f"kiku: {name}: ")
        assert told.count("\n") == 1


class TestMigrate:
    def test_it_makes_the_database_and_repeating_it_changes_nothing(
        self, unmigrated: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("migrate") == 0
        assert "is up to date" in capsys.readouterr().err
        assert run("migrate") == 0
        assert "was up to date" in capsys.readouterr().err
        database = Database(unmigrated)
        assert revision.is_current(database)
        database.close()


class TestKeys:
    def test_a_key_is_printed_alone_listed_and_revoked(
        self, configured: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("keys", "create", "編集部", "--scope", "write", "--scope", "publish", "--expires-in-days", "3") == 0
        presented = capsys.readouterr().out.strip()
        key_id = presented.split("_")[1]
        assert run("keys", "list") == 0
        assert capsys.readouterr().out.split("\t")[:3] == [key_id, "active", "write,publish"]
        assert run("keys", "revoke", key_id) == 0
        assert run("keys", "list") == 0
        told = capsys.readouterr().out
        assert told.split("\t")[1] == "revoked"
        assert presented not in told
        database = Database(configured)
        with database.reading() as reader:
            assert keys.find(reader, presented, database.clock()) is None
        database.close()

    @pytest.mark.parametrize(
        "command", [["create", "n", "--scope", "root"], ["create", "", "--scope", "read"], ["revoke", "nothing"]]
    )
    def test_what_cannot_be_is_told(
        self, configured: str, command: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("keys", *command) == 2, configured
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)


class TestImport:
    def test_a_file_that_is_no_digest_page_is_refused_and_the_others_are_not(
        self, configured: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = Path(__file__).parents[2] / "examples" / "digest-page.txt"
        folder = tmp_path / "pages"
        folder.mkdir()
        (folder / "good.txt").write_bytes(page.read_bytes())
        (folder / "bad.txt").write_text("[not] a digest page\n", encoding="utf-8")
        (folder / "ignored.jpg").write_bytes(b"\xff")
        assert run("import", str(folder), "--publish") == 1, configured
        told = capsys.readouterr()
        assert "good.txt: imported" in told.out
        assert "bad.txt: refused" in told.err
        assert "1 of 2 refused" in told.err
        assert run("import", str(page)) == 0
        assert "known already" in capsys.readouterr().out


class TestPrivate:
    @pytest.mark.parametrize(
        ("host", "private"),
        [
            ("127.0.0.1", True),
            ("::1", True),
            ("localhost", True),
            ("10.0.0.7", True),
            ("0.0.0.0", False),  # noqa: S104 - not bound, only judged
            ("::", False),
            ("8.8.8.8", False),
            ("kiku.example", False),
        ],
    )
    def test_only_addresses_that_strangers_cannot_reach_are(self, host: str, private: bool) -> None:
        assert running.private(host) is private


class TestServe:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_it_answers_logs_lines_of_json_and_stops_when_told(
        self, configured: str, workers: int, tmp_path: Path
    ) -> None:
        port = free_port()
        process = started(configured, "serve", "--port", str(port), "--workers", str(workers), TMPDIR=str(tmp_path))
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready", process)
            counted = 'kiku_http_requests_total{method="GET",route="/health/ready"'
            until = time.monotonic() + 40  # another worker's counts come a second later
            while counted not in (told := httpx2.get(f"http://127.0.0.1:{port}/metrics")).text:
                assert (told.status_code, time.monotonic() < until) == (200, True)
                time.sleep(0.1)
            assert len(list(tmp_path.glob("kiku-metrics-*"))) == (workers > 1)
        finally:
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=40)
        assert all(json.loads(line)["status"] == 200 for line in out.splitlines()), out
        assert process.returncode in {0, -signal.SIGTERM}, errors
        assert "Traceback" not in errors
        assert not list(tmp_path.glob("kiku-metrics-*"))

    def test_several_workers_share_what_they_imported_and_nothing_they_draw(
        self, configured: str, tmp_path: Path
    ) -> None:
        port = free_port()
        chosen = {"KIKU_ACCESS_LOG": "off", "TMPDIR": str(tmp_path)}
        process = started(configured, "serve", "--port", str(port), "--workers", "2", **chosen)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready", process)
            runs: set[str] = set()
            until = time.monotonic() + 40
            while len(runs) < 2:  # a new connection each: either may take it
                told = httpx2.get(f"http://127.0.0.1:{port}/health/live").headers["X-Request-Id"]
                runs.add(told[:24])
                assert time.monotonic() < until, runs
            shared = [memory(each)["Shared_Dirty"] for each in (process.pid, *below(process.pid))]
            assert [kib > 20_000 for kib in shared] == [True] * 3, shared
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=40)
        assert "Warning" not in errors

    def test_a_worker_that_has_only_just_begun_ends_when_told(self, configured: str) -> None:
        process = started(configured, "serve", "--port", str(free_port()), "--workers", "2")
        assert process.stderr is not None
        try:
            while "Started parent process" not in (line := process.stderr.readline()):
                assert line, "it ended by itself"
            while not (workers := below(process.pid)):
                time.sleep(0.001)
            time.sleep(0.002)  # it has been forked, and imports what runs its event loop
            os.kill(workers[0], signal.SIGTERM)
            until = time.monotonic() + 20
            while workers[0] in below(process.pid):
                assert time.monotonic() < until
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=40)
        assert process.returncode in {0, -signal.SIGTERM}
        assert "Traceback" not in errors

    @pytest.mark.parametrize("workers", [1, 2])
    def test_it_is_itself_whatever_lies_where_it_is_started(
        self, configured: str, workers: int, tmp_path: Path
    ) -> None:
        (tmp_path / "app.py").write_text("raise SystemExit('not Kiku')")
        port = free_port()
        process = started(configured, "serve", "--port", str(port), "--workers", str(workers))
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready", process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=40)

    def test_a_port_that_is_taken_is_told_by_the_exit_code(self, configured: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            process = started(configured, "serve", "--port", str(taken.getsockname()[1]))
            _, errors = process.communicate(timeout=40)
        assert process.returncode == 3, errors
        assert "address already in use" in errors

    def test_what_only_the_command_line_needs_is_not_in_the_serving_process(self) -> None:
        names = "'alembic', 'mako', 'pydantic.v1.main', 'rich', 'typer'"
        program = f"import sys, app.server, app.preloaded; print([name for name in ({names}) if name in sys.modules])"
        assert told_by(program) == "[]\n"

    def test_importing_what_workers_share_opens_and_starts_nothing(self) -> None:
        open_now = "[len(os.listdir(f'/proc/self/{each}')) for each in ('fd', 'task')]"
        assert told_by(f"import os; before = {open_now}; import app.preloaded; print(before == {open_now})") == "True\n"


class TestWork:
    @pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
    def test_it_does_what_is_due_and_ends_in_order_when_told(self, configured: str, told: signal.Signals) -> None:
        database = Database(configured)
        with database.writing() as writer:
            payload = {"kind": "source", "key": new_id(), "after": ""}
            job = jobs.create(writer, ledger.JOB, payload, (0, 0))
        process = started(configured, "work")
        until = time.monotonic() + 40
        while status(database, job.id) != "done" and time.monotonic() < until:
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        process.send_signal(told)
        out, errors = process.communicate(timeout=40)
        assert (process.returncode, out, errors) == (0, "", "")
        assert status(database, job.id) == "done"
        database.close()


def status(database: Database, job_id: str) -> str:
    with database.reading() as reader:
        return jobs.load(reader, job_id).status


def environment(**chosen: str) -> dict[str, str]:
    """Ours, with the modules we have in reach."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **chosen}


def started(url: str, *arguments: str, **chosen: str) -> subprocess.Popen[str]:
    """A command that runs in a process of its own over this database."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from app.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(KIKU_DATABASE_URL=url, **chosen),
    )


def told_by(program: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=True).stdout


def below(process_id: int) -> list[int]:
    """The processes that this one started, and those that they did."""
    told = (each.read_text() for each in Path(f"/proc/{process_id}/task").glob("*/children"))
    children = [int(child) for each in told for child in each.split()]
    return children + [each for child in children for each in below(child)]


def memory(process_id: int) -> dict[str, int]:
    """What kinds of memory a process uses, each in KiB."""
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    message = "the server did not get ready"
    raise AssertionError(message)
