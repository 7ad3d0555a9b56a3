"""Couriers: who takes something sends it, and no receiver takes them all, whether it is slow or dead."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from app import worker
from app.database import Database
from app.sync import deliveries
from app.sync.couriers import Couriers
from app.sync.deliveries import RETRY_SECONDS
from app.sync.sender import Outcome, Sender
from app.text import instant
from tests.conftest import Clock
from tests.factories import create, publish, published
from tests.sync.receiver import AT, SENDER, Call, Receiver, deliver, log, receiving, subscribe

PATCH = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}


def tell(database: Database) -> Couriers:
    """Couriers who have not been sent, and what there is for them."""
    while worker.tell(database):
        pass
    return Couriers(database, SENDER, threading.Event())


def send(couriers: Couriers, come: Callable[[], object]) -> None:
    """Send couriers until that is so, and some times more, but not for ever."""
    more = 3
    for _ in range(1_000):
        couriers.send()
        more -= bool(come())
        if not more:
            return
        time.sleep(0.02)
    pytest.fail("it does not come")


def wait() -> None:
    """Until all couriers are back."""
    for thread in threading.enumerate():
        if thread.name == "kiku-courier":
            thread.join(30)


@contextmanager
def slow() -> Iterator[Receiver]:
    """One that answers nobody before the block is left; all couriers are back then."""
    over = threading.Event()

    def answer(_: Call) -> int:
        over.wait(30)
        return 200

    with receiving(answer) as receiver:
        try:
            yield receiver
        finally:
            over.set()
            wait()


class TestCarry:
    def test_a_courier_whose_time_is_over_takes_nothing_with_it(
        self, client: TestClient, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.sync.couriers.CARRY_SECONDS", 0)
        webhook = subscribe(client, receiver.url)
        for _ in range(3):
            published(client)
        deliver(database)
        assert len(receiver.calls) == 3
        assert [line["status"] for line in log(client, webhook)] == ["delivered"] * 3

    def test_one_carries_what_there_is(self, client: TestClient, database: Database, receiver: Receiver) -> None:
        subscribe(client, receiver.url)
        for _ in range(3):
            published(client)
        tell(database).send()
        wait()
        assert len(receiver.calls) == 3

    def test_what_nobody_foresaw_is_written_down_too(self, client: TestClient, database: Database) -> None:
        def resolve(*_: object) -> list[tuple[object, ...]]:
            raise ValueError

        webhook = subscribe(client, "https://hooks.example.jp/")
        published(client)
        deliver(database, Sender((), resolve))
        (line,) = log(client, webhook)
        assert (line["status"], line["attempts"], line["error"]) == ("pending", 1, "answer-invalid")


class TestTake:
    def test_who_looks_up_a_name_for_minutes_has_it_still(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        published(client)
        worker.tell(database)
        with database.writing() as writer:
            assert deliveries.take(writer, webhook["id"]) is not None
        clock.advance(minutes=4)
        with database.writing() as writer:
            assert deliveries.take(writer, webhook["id"]) is None

    def test_a_test_goes_before_what_happened(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        for _ in range(2):
            published(client)
        worker.tell(database)
        clock.advance(seconds=1)
        client.post(f"{AT}/{webhook['id']}/test")
        with database.writing() as writer:
            lease = deliveries.take(writer, webhook["id"])
        assert lease is not None
        assert lease.number is None

    def test_what_a_paused_webhook_owes_is_not_awaited_but_its_tests_are(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        published(client)
        worker.tell(database)
        client.patch(f"{AT}/{webhook['id']}", json={"enabled": False}, headers=PATCH)
        (line,) = log(client, webhook)
        assert (line["status"], line["next_attempt_at"]) == ("pending", None)
        with database.reading() as reader:
            assert deliveries.due(reader, instant(clock.now)) == []
        tried = client.post(f"{AT}/{webhook['id']}/test").json()
        assert tried["next_attempt_at"] is not None
        deliver(database)
        assert [call.id for call in receiver.calls] == [tried["event_id"]]
        client.patch(f"{AT}/{webhook['id']}", json={"enabled": True}, headers=PATCH)
        assert log(client, webhook)[0]["next_attempt_at"] is not None


class TestRecord:
    @pytest.mark.parametrize("outcome", [Outcome(410, "gone"), Outcome(None, "timeout"), Outcome(200, None)])
    def test_what_the_address_before_answered_is_not_laid_to_the_one_of_now(
        self, client: TestClient, database: Database, receiver: Receiver, outcome: Outcome
    ) -> None:
        webhook = subscribe(client, "https://mukashi.example.jp/")
        published(client)
        worker.tell(database)
        with database.writing() as writer:
            lease = deliveries.take(writer, webhook["id"])
        assert lease is not None
        client.patch(f"{AT}/{webhook['id']}", json={"url": receiver.url}, headers=PATCH)
        with database.writing() as writer:
            deliveries.record(writer, lease, outcome, 5)
        now = client.get(f"{AT}/{webhook['id']}").json()
        assert (now["enabled"], now["failing_since_at"]) == (True, None)
        assert [(line["status"], line["attempts"]) for line in log(client, webhook)] == [("pending", 0)]
        deliver(database)
        assert [line["status"] for line in log(client, webhook)] == ["delivered"]
        assert len(receiver.calls) == 1


class TestSend:
    @pytest.fixture(autouse=True)
    def four(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As many couriers as a test can fill."""
        monkeypatch.setattr("app.sync.couriers.COURIERS", 4)
        monkeypatch.setattr("app.sync.couriers.SPARE", 2)

    def test_those_that_fail_leave_half_of_the_couriers_to_others(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        article = create(client)
        with slow() as dead:
            patience, dead.answer = dead.answer, lambda _: 500
            for _ in range(5):
                subscribe(client, dead.url)
            publish(client, article["id"])
            deliver(database)
            dead.calls.clear()
            dead.answer = patience
            clock.advance(seconds=RETRY_SECONDS[0] * 2)
            subscribe(client, receiver.url)
            published(client)
            couriers = tell(database)
            send(couriers, lambda: receiver.calls and len(dead.calls) > 1)
            assert len(dead.calls) == 2

    def test_those_that_are_slow_have_a_second_one_only_while_there_are_many(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        with slow() as late:
            for _ in range(3):
                subscribe(client, late.url)
            for _ in range(4):
                published(client)
            couriers = tell(database)
            send(couriers, lambda: len(late.calls) > 2)
            subscribe(client, receiver.url)
            published(client)
            worker.tell(database)
            send(couriers, lambda: receiver.calls)
            assert len(late.calls) == 3
