"""The feed's numbers follow commits: who reads on from the highest number it saw misses nothing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from sqlalchemy import select

from app.database import Database
from app.sync.changes import changes
from tests.conftest import a_key
from tests.factories import a_document
from tests.live import served

PUBLISHERS = 12
ROUNDS = 6


@pytest.fixture
def live(database_url: str, database: Database) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
    with (
        served(database_url, workers=2) as address,
        httpx2.Client(base_url=address, headers=headers, timeout=60) as client,
    ):
        yield client


def test_a_follower_by_number_sees_the_last_state_of_every_article(live: httpx2.Client, database: Database) -> None:
    finished = threading.Event()
    seen: dict[str, bool] = {}

    def follow() -> None:
        cursor = 0
        while True:
            last = finished.is_set()
            with database.reading() as reader:
                rows = reader.rows(select(changes).where(changes.c.number > cursor).order_by(changes.c.number))
            for row in rows:
                seen[row["article_id"]] = row["live"]
                cursor = row["number"]
            if last:
                return

    def publish(_: int) -> int:
        steps = 0
        made = live.post("/v1/manage/articles", json=a_document())
        at = made.headers["location"]
        for step in range(ROUNDS):
            action = "unpublish" if step % 3 == 2 else "publish"
            steps += live.post(f"{at}/{action}", headers={"If-Match": "*"}).json()["changed"]
            changed = live.get(at).json() | {"lead": f"{step}回目"}
            live.put(at, json=changed, headers={"If-Match": "*"})
        return steps

    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        steps = sum(pool.map(publish, range(PUBLISHERS)))
    finished.set()
    follower.join(timeout=30)
    with database.reading() as reader:
        final = {row["article_id"]: row["live"] for row in reader.rows(select(changes))}
        highest = max(row["number"] for row in reader.rows(select(changes)))
    assert len(final) == PUBLISHERS
    assert seen == final
    assert highest == steps
