"""The hot reads: which requests they answer themselves, and that they never answer what is no longer so.

That they answer to the byte what the routes answer is asserted by every test that reads (``tests/conftest.py``).
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.api.hot import KEPT_BYTES, Answer, HotReads, Kept
from app.database import Database, system_clock
from app.delivery.stored import Stored
from app.direct import PostgresqlDirect, SqliteDirect
from app.main import create_app
from app.settings import Settings
from app.wire.limits import Rates
from app.wire.trace import Trace
from tests.conftest import a_key
from tests.factories import a_section, create, publish, published

PASSED_ON = 418
RATES = Rates(Settings(), system_clock)
"""Nobody is counted."""


def at(name: object) -> tuple[str, bytes, bool]:
    """An address of that name."""
    return str(name), b"", False


CODINGS = ("identity", "gzip", "gzip;q=0, *;q=0.1")
ACCEPTS = ("*/*", "application/json", "application/json, text/plain, */*")


async def beneath(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where the routes are, and says that it was asked."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    await send({"type": "http.response.start", "status": PASSED_ON, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def hot(database: Database) -> Iterator[TestClient]:
    """The hot reads alone."""
    with TestClient(HotReads(beneath, Stored(database.direct()), Trace(beneath, logs=False), RATES)) as client:
        yield client


@pytest.fixture
def article(client: TestClient) -> dict[str, Any]:
    pages = [{"sections": [a_section()]}, {"teaser": "次", "sections": [a_section()]}, {"teaser": "また"}]
    return published(client, slug="菊まつり", pages=pages)


class TestWhatIsAnswered:
    @pytest.mark.parametrize("address", ["/{id}", "/{slug}", "/{id}/pages/1", "/{slug}/pages/2", "", "?limit=1"])
    def test_an_article_a_page_and_the_list_and_that_a_client_has_them(
        self, hot: TestClient, client: TestClient, article: dict[str, Any], address: str
    ) -> None:
        path = "/v1/articles" + address.format(**article)
        for coding, accept in product(CODINGS, ACCEPTS):
            headers = {"Accept-Encoding": coding, "Accept": accept}
            answer = hot.get(path, headers=headers)
            assert answer.status_code == 200
            assert answer.content == client.get(path, headers=headers).content
            for seen in (answer.headers["etag"], '"x", ' + answer.headers["etag"], "*"):
                assert hot.get(path, headers=headers | {"If-None-Match": seen}).status_code == 304
                assert client.get(path, headers=headers | {"If-None-Match": seen}).status_code == 304
            for unseen in ('"other"', "broken"):
                assert hot.get(path, headers=headers | {"If-None-Match": unseen}).status_code == 200
                assert client.get(path, headers=headers | {"If-None-Match": unseen}).status_code == 200

    @pytest.mark.parametrize(
        "address",
        ["/{id}.json", "/{slug}.txt", "/x", "/{id}/pages/3", "/{id}/sections", "?tag=x", "?limit=0", "?cursor=x",
         "?limit=1&limit=2", "?limit", "/{id}?x=1", "/ext:cms:1", "/{id}/pages/0", "/a%00"],
    )  # fmt: skip
    def test_anything_else_is_passed_on(
        self, hot: TestClient, client: TestClient, article: dict[str, Any], address: str
    ) -> None:
        path = "/v1/articles" + address.format(**article)
        assert hot.get(path).status_code == PASSED_ON
        client.get(path)

    def test_other_methods_and_renditions_are_passed_on(self, hot: TestClient, article: dict[str, Any]) -> None:
        path = f"/v1/articles/{article['id']}"
        assert hot.head(path).status_code == PASSED_ON
        assert hot.post(path).status_code == PASSED_ON
        assert hot.get(path, headers={"Accept": "text/plain"}).status_code == PASSED_ON
        twice = [("If-None-Match", '"a"'), ("If-None-Match", '"b"')]
        assert hot.get(path, headers=twice).status_code == PASSED_ON

    def test_pages_of_the_list_lead_through_all_articles(self, hot: TestClient, client: TestClient) -> None:
        made = [published(client)["id"] for _ in range(5)]
        path, seen = "/v1/articles?limit=2", []
        while path:
            answer = hot.get(path)
            assert client.get(path).content == answer.content
            seen += [card["id"] for card in answer.json()["items"]]
            path = answer.links.get("next", {}).get("url", "")
        assert seen == sorted(made, reverse=True)

    def test_reading_with_keys_asks_for_one(self, database: Database, database_url: str) -> None:
        with TestClient(create_app(Settings(database_url=database_url, read_keys="required"), database)) as closed:
            assert closed.get("/v1/articles/kiku").status_code == 401


class TestFreshness:
    def test_the_list_follows_every_publication_at_once(self, client: TestClient) -> None:
        first = client.get("/v1/articles")
        for number in range(3):
            published(client, slug=f"kiku-{number}")
            first, again = client.get("/v1/articles"), client.get("/v1/articles")
            assert first.content == again.content
            assert len(first.json()["items"]) == number + 1
        client.post("/v1/manage/articles/kiku-0/unpublish", headers={"If-Match": "*"})
        assert client.get("/v1/articles", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
        assert len(client.get("/v1/articles").json()["items"]) == 2

    def test_what_is_changed_or_withdrawn_is_so_at_once(self, client: TestClient) -> None:
        article = published(client, slug="kiku")
        before = client.get("/v1/articles/kiku")
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers={"If-Match": "*"})
        assert client.get("/v1/articles/kiku").content == before.content
        publish(client, article["id"])
        assert client.get("/v1/articles/kiku").json()["lead"] == "別"
        client.post(f"/v1/manage/articles/{article['id']}/unpublish", headers={"If-Match": "*"})
        assert client.get("/v1/articles/kiku").status_code == 404

    def test_on_sqlite_answers_are_kept_until_anything_is_committed_and_never_without_limit(
        self, database: Database
    ) -> None:
        large = Answer('"a"', [], [], b"x" * (KEPT_BYTES // 2), "")

        async def keep() -> None:
            direct = database.direct()
            kept = Kept(Stored(direct))
            assert await kept.find(at("a")) is None
            seen = kept.version
            kept.put(at("a"), large, seen)
            assert await kept.find(at("a")) is None  # asked for once
            kept.put(at("a"), large, seen)
            if seen is None:
                assert isinstance(direct, PostgresqlDirect)
                assert await kept.find(at("a")) is None
                return
            assert await kept.find(at("a")) is large
            a_key(database, "read")
            assert await kept.find(at("a")) is None
            kept.put(at("late"), large, seen)  # read before the version that stands now was seen
            assert await kept.find(at("late")) is None
            for number in [*range(9), *range(9)]:
                kept.put(at(number), large, kept.version)
            assert len([number for number in range(9) if await kept.find(at(number))]) <= 3
            await direct.close()

        anyio.run(keep)


class TestADatabaseThatIsAway:
    def test_the_routes_are_left_to_tell_it(self, client: TestClient) -> None:
        lost = HotReads(beneath, Stored(SqliteDirect("/nowhere/kiku.db")), Trace(beneath, logs=False), RATES)
        with TestClient(lost) as hot:
            assert hot.get("/v1/articles/kiku").status_code == PASSED_ON
            assert hot.get("/v1/articles").status_code == PASSED_ON
        assert create(client)["status"] == "draft"
