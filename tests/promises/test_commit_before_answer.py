"""What was answered is stored: the commit precedes the answer, for a hundred writers at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from sqlalchemy import select

from app.articles.tables import articles
from app.database import Database
from tests.conftest import a_key
from tests.factories import a_document
from tests.live import served

WRITERS = 100


@pytest.fixture
def live(database_url: str, database: Database) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
    limits = httpx2.Limits(max_connections=WRITERS)
    with (
        served(database_url, workers=1) as address,
        httpx2.Client(base_url=address, headers=headers, timeout=60, limits=limits) as client,
    ):
        yield client


def test_each_of_a_hundred_concurrent_writers_finds_its_article_stored_when_it_is_answered(
    live: httpx2.Client, database: Database
) -> None:
    def write(_: int) -> tuple[int, bool]:
        answer = live.post("/v1/manage/articles", json=a_document())
        if answer.status_code != 201:
            return answer.status_code, "retry-after" in answer.headers
        with database.reading() as reader:
            return 201, reader.row(select(articles.c.id).where(articles.c.id == answer.json()["id"])) is not None

    with ThreadPoolExecutor(WRITERS) as pool:
        results = list(pool.map(write, range(WRITERS)))
    # Who waited longer than the deadline is told to come back; nobody is left without an answer.
    assert {status for status, _ in results} <= {201, 503}
    assert all(sound for _, sound in results)
    with database.reading() as reader:
        stored = len(reader.rows(select(articles.c.id)))
    assert stored == sum(status == 201 for status, _ in results) >= WRITERS // 2
