"""``kiku mirror``: a copy in a folder or an SQLite file that goes on after a kill and proves itself."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx2
import pytest
from sqlalchemy import update

from app import mirror
from app.database import Database
from app.mirror import Feed, MirrorError
from app.sync.changes import feed
from app.worker import purge_tombstones
from tests.conftest import Clock, a_key
from tests.factories import a_document, published
from tests.house.tree import ROOT
from tests.live import served

ANY = {"If-Match": "*"}
AT = "/v1/manage/articles"


@pytest.fixture
def key(database: Database) -> str:
    return a_key(database, "admin")


@pytest.fixture
def live(database_url: str, key: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}
    with served(database_url, workers=1) as at, httpx2.Client(base_url=at, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(params=["copy", "copy.db"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def kiku(live: httpx2.Client, key: str, target: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", "from app.cli import main; main()", "mirror", str(live.base_url), str(target)]
    environment = os.environ | {"KIKU_MIRROR_KEY": key}
    return subprocess.Popen([*command, *options], env=environment, stderr=subprocess.PIPE)


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors.decode().lstrip()  # a bar that nobody sees leaves an empty line


def kept(target: Path) -> dict[str, bytes]:
    if target.suffix:
        rows = sqlite3.connect(target).execute("SELECT id, document FROM articles").fetchall()
        return dict(rows)
    return {file.stem: file.read_bytes() for file in (target / "articles").glob("*.json")}


def brought(live: httpx2.Client, key: str, target: Path, **filters: str) -> bool:
    return mirror.run(Feed(str(live.base_url), key, filters), target, lambda _: None)


class TestCopy:
    def test_it_holds_the_bytes_readers_get_goes_on_where_it_was_and_follows_a_new_epoch(
        self, live: httpx2.Client, key: str, target: Path, database: Database
    ) -> None:
        articles = [published(live, title=f"菊の“話”{n}") for n in range(3)]  # type: ignore[arg-type]
        assert ended(kiku(live, key, target)) == (0, "The copy is what the server has.\n")
        read = {each["id"]: live.get(f"/v1/articles/{each['id']}").content for each in articles}
        assert kept(target) == read
        live.post(f"{AT}/{articles[0]['id']}/unpublish", headers=ANY)
        assert brought(live, key, target)
        assert kept(target).keys() == {each["id"] for each in articles[1:]}
        with database.writing() as writer:
            writer.execute(update(feed).values(epoch="another"))
        live.delete(f"{AT}/{articles[1]['id']}", headers=ANY)
        assert brought(live, key, target)
        assert kept(target).keys() == {articles[2]["id"]}

    def test_what_is_forgotten_while_it_was_away_is_dropped_all_the_same(
        self, live: httpx2.Client, key: str, target: Path, database: Database, clock: Clock
    ) -> None:
        gone, stays = (published(live)["id"] for _ in range(2))  # type: ignore[arg-type]
        assert brought(live, key, target)
        live.post(f"{AT}/{gone}/unpublish", headers=ANY)
        clock.now = database.clock().replace(year=2099)
        assert purge_tombstones(database, 1)
        assert brought(live, key, target)
        assert kept(target).keys() == {stays}

    def test_other_filters_are_another_reading(self, live: httpx2.Client, key: str, target: Path) -> None:
        japanese, english = (published(live, language=each)["id"] for each in ("ja", "en"))  # type: ignore[arg-type]
        assert brought(live, key, target, language="ja")
        assert kept(target).keys() == {japanese}
        assert brought(live, key, target, language="en")
        assert kept(target).keys() == {english}

    def test_a_copy_that_is_wrong_says_so(self, live: httpx2.Client, key: str, target: Path) -> None:
        article = published(live)["id"]  # type: ignore[arg-type]
        assert brought(live, key, target)
        if target.suffix:
            with sqlite3.connect(target) as rows:
                rows.execute("UPDATE articles SET document = ?", (b"{}",))
        else:
            (target / "articles" / f"{article}.json").write_bytes(b"{}")
        assert ended(kiku(live, key, target)) == (1, "kiku: The copy is not what the server has.\n")

    def test_a_server_that_refuses_or_is_not_there_is_told(self, live: httpx2.Client, target: Path) -> None:
        assert ended(kiku(live, "nobody", target)) == (2, "kiku: The server answers 401 Unauthorized.\n")
        with pytest.raises(MirrorError, match="cannot be read"):
            mirror.run(Feed("http://127.0.0.1:1", "k", {}), target, lambda _: None)


class TestKilled:
    def test_what_its_first_page_brought_before_a_kill_and_is_gone_since_is_dropped(
        self, live: httpx2.Client, key: str, tmp_path: Path
    ) -> None:
        gone, stays = (published(live)["id"] for _ in range(2))  # type: ignore[arg-type]
        copy = mirror.Folder(tmp_path)
        copy.begin({"token": None, "filters": {}, "begins": True})
        with pytest.raises(TypeError):  # where a kill hurts: the documents are there, the state is not
            copy.take({id: live.get(f"/v1/articles/{id}").content for id in (gone, stays)}, {"token": object()})
        live.post(f"{AT}/{gone}/unpublish", headers=ANY)
        assert brought(live, key, tmp_path)
        assert kept(tmp_path).keys() == {stays}

    def test_whenever_it_is_killed_while_articles_change_it_ends_right(
        self, live: httpx2.Client, key: str, target: Path
    ) -> None:
        random = Random(7)  # noqa: S311 - the same each time
        articles = [published(live)["id"] for _ in range(12)]  # type: ignore[arg-type]
        finished = threading.Event()

        def change() -> None:
            while not finished.is_set():
                id = random.choice(articles)
                live.post(f"{AT}/{id}/unpublish", headers=ANY)
                live.put(f"{AT}/{id}", json=a_document(), headers=ANY)
                live.post(f"{AT}/{id}/publish", headers=ANY)

        changing = threading.Thread(target=change)
        changing.start()
        for wait in (0.5, 0.8, 1.1, 1.4):
            process = kiku(live, key, target)
            try:
                process.communicate(timeout=wait)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        finished.set()
        changing.join(30)
        assert ended(kiku(live, key, target))[0] == 0
        assert kept(target) == {id: live.get(f"/v1/articles/{id}").content for id in articles}


def test_integrators_can_read_it_in_one_sitting() -> None:
    lines = (ROOT / "app" / "mirror.py").read_text().splitlines()
    assert len(lines) < 200, "app/mirror.py is what integrators read first: keep it short"
