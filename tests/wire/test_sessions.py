"""Transactions end before the answer begins, everybody is answered, and nobody keeps a slot."""

from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event, text
from starlette.types import Message

from app.access import keys
from app.access.keys import Grant
from app.database import Database
from app.errors import Busy
from app.wire import sessions
from app.wire.sessions import Sessions
from tests.conftest import a_key

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def stored(database: Database) -> list[str]:
    with database.reading() as reader:
        return [key.id for key in keys.list(reader)]


class TestCommit:
    def test_it_precedes_the_first_byte_of_the_answer(self, http: TestClient, app: FastAPI, database: Database) -> None:
        happened: list[str] = []
        event.listen(database.engine(), "commit", lambda _: happened.append("commit"))
        inner = app.middleware_stack
        assert inner is not None

        async def watched(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            async def watch(message: Message) -> None:
                happened.append(message["type"])
                await send(message)

            await inner(scope, receive, watch)

        app.middleware_stack = watched
        assert http.post("/things", json={"id": "one"}).status_code == 201
        assert happened[:2] == ["commit", "http.response.start"]

    def test_its_failure_is_an_error_and_nothing_is_stored(self, served: str, database: Database) -> None:
        def fail(_: object) -> None:
            raise RuntimeError

        event.listen(database.engine(), "commit", fail)
        answer = httpx2.post(f"{served}/things", json={"id": "one"}, timeout=60)
        assert answer.status_code == 500
        assert answer.json()["code"] == "internal-error"
        event.remove(database.engine(), "commit", fail)
        assert stored(database) == []

    def test_a_unique_value_taken_meanwhile_is_a_conflict(self, http: TestClient) -> None:
        assert http.post("/things", json={"id": "one"}).status_code == 201
        answer = http.post("/things", json={"id": "one"})
        assert (answer.status_code, answer.json()["code"]) == (409, "write-conflict")


class TestWaiting:
    def test_a_hundred_concurrent_writers_are_all_answered(self, served: str, database: Database) -> None:
        with httpx2.Client(timeout=30, limits=httpx2.Limits(max_connections=100)) as client:

            def write(number: int) -> int:
                return client.post(f"{served}/things", json={"id": f"thing-{number}"}).status_code

            with ThreadPoolExecutor(100) as threads:
                assert list(threads.map(write, range(100))) == [201] * 100
        assert len(stored(database)) == 100

    async def test_who_waits_too_long_is_told_to_come_back(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sessions, "WAIT_SECONDS", 0.05)
        rooms = Sessions(database)
        async with anyio.create_task_group() as group:
            held = anyio.Event()

            async def hold() -> None:
                async with rooms.writing(None, None):
                    held.set()
                    await anyio.sleep_forever()

            for _ in range(database.writer_slots):
                held = anyio.Event()
                group.start_soon(hold)
                await held.wait()
            with pytest.raises(Busy):
                async with rooms.writing(None, None):
                    pass
            group.cancel_scope.cancel()

    async def test_searches_that_wait_do_not_keep_other_readers_waiting(self, database: Database) -> None:
        rooms = Sessions(database)
        async with anyio.create_task_group() as group:

            async def search() -> None:
                async with rooms.searches.admit(database.reading()):
                    await anyio.sleep_forever()

            for _ in range(20):
                group.start_soon(search)
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(3):
                async with rooms.readers.admit(database.reading()) as reader:
                    assert not keys.list(reader)
            group.cancel_scope.cancel()

    async def test_readers_that_take_long_do_not_keep_keys_from_being_found(self, database: Database) -> None:
        rooms = Sessions(database)
        presented = a_key(database, "read")
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(self._read_for_ever, rooms)
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(3):
                found = await rooms.look_up(lambda reader: keys.find(reader, presented, database.clock()))
            assert found is not None
            group.cancel_scope.cancel()

    @staticmethod
    async def _read_for_ever(rooms: Sessions) -> None:
        async with rooms.readers.admit(rooms.database.reading()):
            await anyio.sleep_forever()

    async def test_a_cancelled_writer_rolls_back_and_gives_its_slot_back(self, database: Database) -> None:
        rooms = Sessions(database)
        for _ in range(database.writer_slots + 1):
            with anyio.move_on_after(0.2) as scope:
                async with rooms.writing(None, None) as writer:
                    keys.create(writer, Grant("cancelled", ("read",)))
                    await anyio.sleep_forever()
            assert scope.cancelled_caught
        async with rooms.writing(None, None) as writer:
            writer.execute(text("SELECT 1"))
        assert stored(database) == []


class TestWriter:
    def test_it_knows_the_key_and_the_request(self, http: TestClient, database: Database) -> None:
        key = a_key(database, "write")
        answer = http.post("/edits", headers={"Authorization": f"Bearer {key}"})
        assert answer.json() == {"caller": key.split("_")[1], "same": True}
        headers = {"X-Request-Id": "mine"}
        assert http.post("/things", json={"id": "one"}, headers=headers).json()["request_id"] == "mine"
