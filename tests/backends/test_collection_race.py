"""Several editors put articles into one collection at once: none is lost, and each has a place of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from app.articles import collections
from app.articles.collections import Addition, CollectionInput, Move
from app.database import Database
from app.errors import KikuError
from tests.factories import create

EDITORS = 6


def at_once(*works: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [running.result() for running in [pool.submit(work) for work in works]]


class TestAtOnce:
    def test_what_each_adds_without_a_precondition_is_there(self, client: TestClient, database: Database) -> None:
        first = create(client)["id"]
        made = client.post("/v1/manage/collections", json={"title": "菊", "articles": [first]}).json()
        shares = [[create(client)["id"] for _ in range(3)] for _ in range(EDITORS)]

        def add(share: list[str]) -> None:
            for article in share:
                with database.writing() as writer:
                    collections.add(writer, made["id"], Addition(id=article, before=first), None)

        at_once(*(lambda share=share: add(share) for share in shares))
        now = client.get(f"/v1/manage/collections/{made['id']}").json()
        assert sorted(now["articles"]) == sorted([first, *(each for share in shares for each in share)])
        assert now["articles"][-1] == first
        for share in shares:
            assert [each for each in now["articles"] if each in share] == share
        assert now["version"] == 1 + 3 * EDITORS

    def test_of_those_who_name_one_version_a_single_one_changes_it(
        self, client: TestClient, database: Database
    ) -> None:
        articles = [create(client)["id"] for _ in range(EDITORS)]
        made = client.post("/v1/manage/collections", json={"title": "菊", "articles": articles}).json()

        def move(article: str) -> str:
            try:
                with database.writing() as writer:
                    collections.move(writer, made["id"], article, Move(before=articles[0]), frozenset({1}))
            except KikuError as error:
                return error.code
            return "moved"

        told = at_once(*(lambda each=each: move(each) for each in articles[1:]))
        assert sorted(told) == ["draft-stale"] * (EDITORS - 2) + ["moved"]

    def test_namesakes_made_at_once_get_a_slug_each(self, database: Database) -> None:
        def make() -> str:
            with database.writing() as writer:
                return collections.create(writer, CollectionInput(title="菊", articles=[])).resource["slug"]  # type: ignore[no-any-return]

        slugs = at_once(*[make] * EDITORS)
        assert len(set(slugs)) == EDITORS
