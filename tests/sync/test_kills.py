"""Doorbells that always ring: whatever is killed, every event gets through, and hardly any twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import ColumnElement, func, select
from standardwebhooks import Webhook as Verifier

from app.database import Database, system_clock
from app.sync import deliveries
from app.text import instant
from tests.conftest import Clock, a_key
from tests.factories import a_document, published
from tests.house.tree import ROOT
from tests.live import served
from tests.sync.receiver import AT, HOST, Call, Receiver, log, receiving, subscribe

_c = deliveries.deliveries.c
ANY = {"If-Match": "*"}
KILLS = 20
WAIT_SECONDS = 30


def wait(true: Callable[[], object]) -> None:
    """Until that is true, but not for ever."""
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)


class Lives:
    """Workers one after the other, each killed."""

    def __init__(self, mother: "subprocess.Popen[str]", database: Database, clock: Clock) -> None:
        self._mother, self._database, self._clock = mother, database, clock
        self.in_flight = 0
        """How many deliveries were in somebody's hands when that one was killed, taken together."""

    def one(self, seconds: float | None = None) -> None:
        """One life, after all leases of before, and all retries that are not far off.

        It is as long as it is said to be, or until what was due is done.
        """
        self._clock.advance(minutes=15)
        id = int(self._ask(self._begin))
        if seconds is None:
            wait(self._done)
        else:
            time.sleep(seconds)
        os.kill(id, signal.SIGKILL)
        assert self._answer() == "dead"
        self.in_flight += self._count(_c.leased_until_at > self._begin)

    @property
    def _begin(self) -> str:
        return instant(self._clock.now)

    def _done(self) -> bool:
        with self._database.reading() as reader:
            told = not deliveries.untold(reader)
        return told and not self._count(_c.status == "pending", _c.due_at <= self._begin)

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        with self._database.reading() as reader:
            return int(reader.execute(select(func.count()).where(*conditions)).scalar_one())

    def _ask(self, line: str) -> str:
        assert self._mother.stdin is not None
        self._mother.stdin.write(f"{line}\n")
        self._mother.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._mother.stdout is not None
        return self._mother.stdout.readline().strip()


@contextmanager
def lives(url: str, database: Database, clock: Clock) -> Iterator[Lives]:
    command = [sys.executable, "-m", "tests.sync.lives", url, HOST]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mother:
        yield Lives(mother, database, clock)
        assert mother.stdin is not None
        mother.stdin.close()


class TestKills:
    def test_every_event_gets_through_twenty_kills_and_a_receiver_that_fails_half_its_calls(
        self, client: TestClient, database: Database, database_url: str, clock: Clock
    ) -> None:
        random = Random(20)  # noqa: S311 - the same each time

        def answer(call: Call) -> int:
            time.sleep(random.uniform(0, 0.05))
            return 500 if call.number % 2 else 200

        with receiving(answer) as receiver, lives(database_url, database, clock) as workers:
            webhook = subscribe(client, receiver.url)
            articles = [published(client)["id"] for _ in range(10)]
            happened = len(articles)
            for kill in range(KILLS):
                for step in ("unpublish", "publish"):
                    at = f"/v1/manage/articles/{articles[kill % len(articles)]}/{step}"
                    happened += client.post(at, headers=ANY).json()["changed"]
                workers.one(random.uniform(0, 0.6))
            for _ in range(KILLS):
                if len(log(client, webhook, status="delivered")) == happened:
                    break
                workers.one()
            lines = log(client, webhook)
            assert len(lines) == happened == 50
            assert {line["status"] for line in lines} == {"delivered"}
            assert set(receiver.accepted) == {line["event_id"] for line in lines}
            assert len(receiver.accepted) - len(set(receiver.accepted)) <= workers.in_flight
            assert {call.id for call in receiver.calls} == set(receiver.accepted)
            assert len({(call.id, call.body) for call in receiver.calls}) == happened


class TestProcesses:
    def test_a_served_kiku_tells_what_it_publishes(
        self, database_url: str, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIKU_WEBHOOK_ALLOWED_HOSTS", f"hooks.example.jp, {HOST}")
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        with (
            served(database_url, workers=1) as at,
            httpx2.Client(base_url=at, headers=headers, timeout=60) as live,
        ):
            made = live.post(AT, json={"url": receiver.url}).json()
            article = live.post("/v1/manage/articles", json=a_document()).json()
            live.post(f"/v1/manage/articles/{article['id']}/publish", headers=ANY)
            wait(lambda: receiver.calls)
        call = receiver.calls[0]
        assert Verifier(made["secret"]).verify(call.body, call.headers)["data"]["id"] == article["id"]

    def test_a_worker_ends_though_a_receiver_never_answers(
        self, client: TestClient, database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.now = system_clock()
        monkeypatch.setenv("KIKU_WEBHOOK_ALLOWED_HOSTS", HOST)
        monkeypatch.setenv("KIKU_DATABASE_URL", database_url)

        def never(_: Call) -> int:
            time.sleep(WAIT_SECONDS)
            return 200

        with receiving(never) as receiver:
            subscribe(client, receiver.url)
            published(client)
            process = subprocess.Popen([sys.executable, "-c", "from app.cli import main; main()", "work"])
            wait(lambda: receiver.calls)
            process.terminate()
            assert process.wait(timeout=WAIT_SECONDS / 2) == 0
