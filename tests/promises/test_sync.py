"""The feed: a mirror that follows it holds, byte for byte, what readers see; and the digest proves it."""

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from starlette.types import Message

from app.access import keys
from app.access.keys import Limits
from app.api.sync import LOOK_SECONDS
from app.database import Database, Writer, system_clock
from app.main import create_api
from app.settings import Settings
from app.sync.changes import feed
from app.text import instant
from app.worker import purge_tombstones
from tests.conftest import Clock, a_key
from tests.factories import create, publish, published
from tests.live import served
from tests.promises.mirror import Mirror
from tests.promises.test_hidden import statements

ANY = {"If-Match": "*"}
AT = "/v1/manage/articles"
EVENT = "text/event-stream"
BELL = "/v1/sync/events"


def act(client: TestClient, article_id: str, action: str) -> None:
    assert client.post(f"{AT}/{article_id}/{action}", headers=ANY).status_code == 200


def change(client: TestClient, article: dict[str, Any], **changes: Any) -> None:
    now = client.get(f"{AT}/{article['id']}").json()
    assert client.put(f"{AT}/{article['id']}", json=now | changes, headers=ANY).status_code == 200
    publish(client, article["id"])


class TestFollowing:
    def test_a_document_is_what_its_address_answers_byte_for_byte(self, client: TestClient) -> None:
        article = published(client, title="菊の“朝”")
        at = client.get(f"/v1/articles/{article['id']}", headers={"Accept-Encoding": "identity"})
        page = client.get("/v1/sync").text
        (item,) = json.loads(page)["items"]
        assert (item["type"], item["id"], item["etag"]) == ("upsert", article["id"], at.headers["etag"])
        assert f'"document":{at.text}}}' in page

    def test_a_mirror_hears_of_each_article_once_as_it_is_now(self, client: TestClient) -> None:
        articles = [published(client) for _ in range(5)]
        create(client)
        act(client, articles[0]["id"], "unpublish")
        change(client, articles[1], lead="別")
        mirror = Mirror(client).follow(limit=2)
        assert mirror.documents.keys() == {article["id"] for article in articles[1:]}
        assert mirror.documents[articles[1]["id"]][1]["lead"] == "別"
        assert mirror.is_right()
        told = client.get("/v1/sync").json()["items"]
        assert [item["id"] for item in told] == [articles[at]["id"] for at in (2, 3, 4, 1)]

    def test_what_is_withdrawn_while_it_pages_is_deleted(self, client: TestClient) -> None:
        articles = [published(client) for _ in range(4)]
        mirror = Mirror(client)
        mirror.step(limit=2)
        act(client, articles[0]["id"], "archive")
        client.delete(f"{AT}/{articles[3]['id']}", headers=ANY)
        assert mirror.follow(limit=1).documents.keys() == {articles[1]["id"], articles[2]["id"]}
        assert mirror.is_right()

    def test_an_empty_page_answers_the_token_it_was_given(self, client: TestClient) -> None:
        published(client)
        token = client.get("/v1/sync").json()["next"]
        page = client.get("/v1/sync", params={"token": token}).json()
        assert page == {"items": [], "next": token, "more": False}

    def test_the_token_of_a_publication_leads_to_what_comes_after_it(self, client: TestClient) -> None:
        token = publish(client, create(client)["id"])["sync"]
        assert client.get("/v1/sync", params={"token": token}).json()["items"] == []
        later = published(client)
        (item,) = client.get("/v1/sync", params={"token": token}).json()["items"]
        assert item["id"] == later["id"]

    def test_what_did_not_change_is_not_told(self, client: TestClient) -> None:
        article = published(client)
        token = client.get("/v1/sync").json()["next"]
        publish(client, article["id"])
        assert client.get("/v1/sync", params={"token": token}).json()["items"] == []


class TestFilters:
    def test_what_leaves_a_filter_is_deleted_and_what_enters_comes(self, client: TestClient) -> None:
        one, other = published(client, tags=["花"]), published(client, tags=["秋"], language="en")
        by_tag, by_language = Mirror(client, tag="花").follow(), Mirror(client, language="en").follow()
        assert by_tag.documents.keys() == {one["id"]}
        assert by_language.documents.keys() == {other["id"]}
        change(client, one, tags=["秋"])
        change(client, other, tags=["花"])
        (left, entered) = client.get("/v1/sync", params={"tag": "花", "token": by_tag.token}).json()["items"]
        assert left == {"type": "delete", "id": one["id"], "reason": "left_filter"}
        assert (entered["type"], entered["id"]) == ("upsert", other["id"])
        assert by_tag.follow().documents.keys() == {other["id"]}
        assert by_tag.is_right()
        assert by_language.follow().is_right()

    def test_by_publisher_also_when_the_ledger_changes(self, client: TestClient) -> None:
        article = published(client)
        publisher = article["pages"][0]["sections"][0]["citations"][0]["source"]["publisher"]["id"]
        other = client.post("/v1/manage/publishers", json={"name": "北浜日報"}).json()["id"]
        mirror = Mirror(client, publisher=publisher).follow()
        assert mirror.documents.keys() == {article["id"]}
        client.post(f"/v1/manage/publishers/{publisher}/merge", json={"into": other}, headers=ANY)
        assert mirror.follow().documents == {}
        assert mirror.is_right()

    def test_a_token_belongs_to_its_filters(self, client: TestClient) -> None:
        token = client.get("/v1/sync", params={"language": "ja"}).json()["next"]
        for wrong in ({}, {"language": "en"}, {"language": "ja", "tag": "花"}):
            answer = client.get("/v1/sync", params=wrong | {"token": token})
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "sync-filters")

    def test_a_limited_key_mirrors_what_it_is_limited_to(self, client: TestClient) -> None:
        english = published(client, language="en", tags=["花"])
        published(client, language="ja", tags=["花"])
        published(client, language="en", tags=["秋"])
        sent = {"name": "支局", "scopes": ["sync"], "languages": ["en"], "tags": ["花"]}
        client.headers["Authorization"] = f"Bearer {client.post('/v1/manage/keys', json=sent).json()['key']}"
        mirror = Mirror(client).follow()
        assert mirror.documents.keys() == {english["id"]}
        assert mirror.is_right()


class TestTokens:
    @pytest.mark.parametrize("token", ["x", "W10", "?", "WzEsImUiLDAsMCx7fV0A", "WzIsImUiLDAsMCx7fV0"])
    def test_one_that_is_none_is_400(self, client: TestClient, token: str) -> None:
        answer = client.get("/v1/sync", params={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (400, "sync-token-invalid")

    def test_one_of_another_epoch_is_410(self, client: TestClient, database: Database) -> None:
        published(client)
        mirror = Mirror(client).follow()
        with database.writing() as writer:
            writer.execute(update(feed).values(epoch="another"))
        answer = client.get("/v1/sync", params={"token": mirror.token})
        assert (answer.status_code, answer.json()["code"]) == (410, "sync-token-expired")
        assert mirror.follow().is_right()

    def test_who_has_missed_a_forgotten_tombstone_starts_again_and_nobody_else(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        gone, stays = published(client), published(client)
        late, begun = Mirror(client).follow(), Mirror(client)
        act(client, gone["id"], "unpublish")
        prompt = Mirror(client).follow()
        begun.step(limit=1)
        clock.advance(days=91)
        assert purge_tombstones(database, 90)
        assert not purge_tombstones(database, 90)
        assert client.get("/v1/sync", params={"token": late.token}).status_code == 410
        for mirror in (late, begun, prompt):
            assert mirror.follow().documents.keys() == {stays["id"]}
            assert mirror.is_right()
        assert client.get("/v1/sync", params={"token": prompt.token}).status_code == 200

    def test_only_a_key_with_sync_follows(self, client: TestClient, database: Database) -> None:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write', 'publish', 'read')}"
        for path in ("/v1/sync", "/v1/sync/digest", BELL):
            assert client.get(path).status_code == 403


class TestTheBell:
    def test_it_rings_for_what_is_published_and_withdrawn_and_goes_on_where_it_was(
        self, database_url: str, database: Database
    ) -> None:
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        with (
            served(database_url) as address,
            httpx2.Client(base_url=address, headers=headers, timeout=30) as client,
        ):
            first = published(client)  # type: ignore[arg-type]
            rung: list[dict[str, str]] = []
            ready = threading.Event()

            asked_by = {"Authorization": f"Bearer {a_key(database, 'sync')}"}

            def listen(wanted: int, **asked: str) -> None:
                with client.stream("GET", BELL, headers=asked | asked_by) as stream:
                    assert stream.headers["content-type"].startswith(EVENT)
                    event: dict[str, str] = {}
                    for line in stream.iter_lines():
                        ready.set()
                        name, _, value = line.partition(": ")
                        if name:
                            event[name] = value
                        elif "id" in event:
                            rung.append(event)
                            event = {}
                            if len(rung) == wanted:
                                return

            listener = threading.Thread(target=listen, args=(1,))
            listener.start()
            assert ready.wait(20)
            second = published(client)  # type: ignore[arg-type]
            listener.join(20)
            client.post(f"{AT}/{first['id']}/unpublish", headers=ANY)
            listen(2, **{"Last-Event-ID": rung[0]["id"]})
            assert [(each["event"], json.loads(each["data"])["id"]) for each in rung] == [
                ("upsert", second["id"]),
                ("delete", first["id"]),
            ]
            page = client.get("/v1/sync", params={"token": rung[0]["id"]}).json()
            assert [item["id"] for item in page["items"]] == [first["id"]]

    def test_a_server_that_is_told_to_stop_ends_it(self, database_url: str, database: Database) -> None:
        headers = {"Authorization": f"Bearer {a_key(database, 'sync')}"}
        with ExitStack() as stopping:
            address = stopping.enter_context(served(database_url, workers=1))
            with httpx2.stream("GET", f"{address}{BELL}", headers=headers, timeout=60) as stream:
                lines = stream.iter_lines()
                assert next(lines) == ": here"
                stopping.close()
                assert not [line for line in lines if line]  # to its end: one that is cut off raises

    def test_it_ends_for_a_key_that_may_not_listen_any_more(self, database_url: str, database: Database) -> None:
        def revoke(writer: Writer, id: str) -> None:
            keys.revoke(writer, id)

        def narrow(writer: Writer, id: str) -> None:
            keys.change(writer, id, None, lambda key: replace(key.grant, scopes=("read",)))

        def limit(writer: Writer, id: str) -> None:
            keys.change(writer, id, None, lambda key: replace(key.grant, limits=Limits(languages=("en",))))

        def expire(writer: Writer, id: str) -> None:
            ends = instant(system_clock() + timedelta(seconds=1))
            keys.change(writer, id, None, lambda key: replace(key.grant, expires_at=ends))

        def rotate(writer: Writer, id: str) -> None:
            # The clock of the fixture stands still, long before the server's.
            keys.rotate(writer, id, timedelta(0))

        ended, stays = [], a_key(database, "sync", "publish", "write")
        with (
            served(database_url, workers=1) as address,
            httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {stays}"}, timeout=60) as client,
            client.stream("GET", BELL) as staying,
        ):
            rest = staying.iter_lines()
            assert next(rest) == ": here"
            for end in (revoke, narrow, limit, expire, rotate):
                presented = a_key(database, "sync")
                with client.stream("GET", BELL, headers={"Authorization": f"Bearer {presented}"}) as stream:
                    lines = stream.iter_lines()
                    assert next(lines) == ": here"
                    with database.writing() as writer:
                        end(writer, presented.split("_")[1])
                    assert len([*islice(lines, 4)]) < 4  # else it said twice that it was there still
                    ended.append(end)
            article = published(client)  # type: ignore[arg-type]
            heard = next(line for line in rest if line.startswith("data: "))
            assert json.loads(heard.removeprefix("data: "))["id"] == article["id"]
        assert len(ended) == 5

    def test_however_many_listen_the_database_is_asked_once(self, client: TestClient, database: Database) -> None:
        api = create_api(Settings(access_log="off"), database, owned=False)
        headers = [(b"authorization", f"Bearer {a_key(database, 'sync')}".encode())]
        scope = {"type": "http", "method": "GET", "path": BELL, "query_string": b"", "headers": headers}

        async def listen(begun: anyio.Event, rung: anyio.Event) -> None:
            async def send(message: Message) -> None:
                for said, event in ((b": here", begun), (b"event: upsert", rung)):
                    if said in message.get("body", b""):
                        event.set()

            await api(dict(scope), anyio.sleep_forever, send)  # type: ignore[arg-type]

        async def try_it() -> None:
            events = [(anyio.Event(), anyio.Event()) for _ in range(10)]
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    for begun, rung in events:
                        group.start_soon(listen, begun, rung)
                    for begun, _ in events:
                        await begun.wait()
                    with statements(database) as sent:
                        began = time.monotonic()
                        await anyio.to_thread.run_sync(published, client)
                        for _, rung in events:
                            await rung.wait()
                        await anyio.sleep(LOOK_SECONDS * 2)
                        most = (time.monotonic() - began) / LOOK_SECONDS + 2
                    group.cancel_scope.cancel()
            assert len([each for each in sent if "FROM changes" in each]) == 1
            assert 0 < len([each for each in sent if "FROM feed" in each]) <= most

        anyio.run(try_it)


def test_mirrors_of_any_speed_are_right_whatever_is_done(client: TestClient, database: Database, clock: Clock) -> None:
    random = Random(20_261_124)  # noqa: S311 - the same each time
    articles = [published(client, language=random.choice(["ja", "en"])) for _ in range(6)]
    mirrors = [Mirror(client), Mirror(client, language="en"), Mirror(client, tag="花")]
    for _ in range(120):
        article = random.choice(articles)
        now = client.get(f"{AT}/{article['id']}").json()
        if now["status"] == "published" and random.random() < 0.3:
            act(client, article["id"], "unpublish")
        else:
            tags = random.choice([["花"], ["秋"], []])
            change(client, article, tags=tags, language=random.choice(["ja", "en"]))
        clock.advance(hours=random.randint(0, 40))
        if random.random() < 0.2:
            purge_tombstones(database, 3)
        for mirror in mirrors:
            if random.random() < 0.4:
                mirror.step(limit=random.randint(1, 3))
    for mirror in mirrors:
        assert mirror.follow(limit=2).is_right()
