"""Who takes its number in the feed first may commit last: whoever comes after it waits, and no mirror misses either."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from fastapi.testclient import TestClient
from sqlalchemy import func, select, text

from app.database import Database
from app.errors import Busy
from app.publishing import publish
from app.sync.changes import changes
from app.worker import purge_tombstones
from tests.factories import create, published
from tests.promises.mirror import Mirror

OTHERS = 5
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


def publish_patiently(database: Database, article_id: str) -> int | None:
    """The number its change got, however long the others keep it waiting."""
    while True:
        try:
            with database.writing() as writer:
                publish.publish(writer, article_id, None)
                return writer.sequence
        except Busy:
            continue


def purge_patiently(database: Database) -> bool:
    """Purge every tombstone there is when it begins, however long others keep it waiting."""
    while True:
        try:
            return purge_tombstones(database, 0)
        except Busy:
            continue


def let_them_wait(database: Database, how_many: int) -> None:
    """Until so many writers wait for another one; on SQLite, which does not tell, until they had time to begin."""
    for _ in range(20):
        with database.reading() as reader:
            if reader.on_postgresql and reader.execute(WAITING).scalar_one() >= how_many:
                return
        time.sleep(0.05)


def numbers(database: Database) -> dict[str, int]:
    with database.reading() as reader:
        return dict(reader.tuples(select(changes.c.article_id, changes.c.number)))


class TestLateCommit:
    def test_the_others_follow_it_and_mirrors_that_read_meanwhile_get_them_all(
        self, client: TestClient, database: Database
    ) -> None:
        late, *others = (str(create(client)["id"]) for _ in range(1 + OTHERS))
        follower, beginner = Mirror(client).follow(), Mirror(client)
        with ThreadPoolExecutor(OTHERS) as pool:
            with database.writing() as writer:
                publish.publish(writer, late, None)
                assert writer.sequence == 1
                waiting = [pool.submit(publish_patiently, database, id) for id in others]
                let_them_wait(database, OTHERS)
                assert not any(each.done() for each in waiting)
                for mirror in (follower, beginner):  # each keeps a token from before all of them
                    assert mirror.follow(limit=1).documents == {}
            told = {each.result() for each in waiting}
        assert told == set(range(2, 2 + OTHERS))
        assert numbers(database)[late] == 1
        for mirror in (follower, beginner):
            assert mirror.follow(limit=2).documents.keys() == {late, *others}
            assert mirror.is_right()

    def test_a_number_that_was_taken_for_nothing_is_the_next_ones(self, client: TestClient, database: Database) -> None:
        late, other = (str(create(client)["id"]) for _ in range(2))
        with ThreadPoolExecutor(1) as pool:
            with suppress(RuntimeError), database.writing() as writer:
                publish.publish(writer, late, None)
                waiting = pool.submit(publish_patiently, database, other)
                let_them_wait(database, 1)
                raise RuntimeError
            assert waiting.result() == 1
        assert numbers(database) == {other: 1}
        with database.reading() as reader:
            assert reader.execute(select(func.max(changes.c.number))).scalar_one() == 1

    def test_a_withdrawal_that_commits_while_tombstones_are_purged_is_heard_of(
        self, client: TestClient, database: Database
    ) -> None:
        old, late = (str(published(client)["id"]) for _ in range(2))
        with database.writing() as writer:
            publish.unpublish(writer, old, None)
        follower = Mirror(client).follow()
        with ThreadPoolExecutor(1) as pool:
            with database.writing() as writer:
                publish.unpublish(writer, late, None)
                purging = pool.submit(purge_patiently, database)
                let_them_wait(database, 1)
            assert purging.result()
        assert follower.follow().documents == {}
        assert follower.is_right()
