"""A POST that is sent again with its ``Idempotency-Key`` is answered as the first time, and does nothing again."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message

from app import worker
from app.api.transfer import PAGE
from app.database import Database
from tests.conftest import Clock, a_key
from tests.factories import a_document, a_section, create, published

AT = "/v1/manage/articles"
KEY = {"Idempotency-Key": "9d0a1c5e-菊".encode().hex()}
ANY = {"If-Match": "*"}


def count(client: TestClient) -> int:
    answer: int = client.get(AT, params={"count": "exact"}).json()["count"]["value"]
    return answer


class TestReplay:
    def test_the_same_request_is_answered_the_same_and_makes_one_article(self, client: TestClient) -> None:
        document = a_document()
        first = client.post(AT, json=document, headers=KEY)
        second = client.post(AT, json=document, headers=KEY)
        assert (first.status_code, second.status_code) == (201, 201)
        assert second.content == first.content
        for name in ("etag", "location", "content-type", "cache-control"):
            assert second.headers[name] == first.headers[name]
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert count(client) == 1

    def test_it_is_answered_as_the_first_time_though_the_article_has_changed_since(self, client: TestClient) -> None:
        document = a_document()
        first = client.post(AT, json=document, headers=KEY)
        client.put(f"{AT}/{first.json()['id']}", json=first.json() | {"lead": "別"}, headers=ANY)
        assert client.post(AT, json=document, headers=KEY).json() == first.json()

    def test_it_tells_again_how_far_readers_must_be_and_what_caches_drop(self, client: TestClient) -> None:
        publication = f"{AT}/{create(client)['id']}/publish"
        first, again = (client.post(publication, headers=KEY | ANY) for _ in range(2))
        assert first.headers["kiku-seq"] == again.headers["kiku-seq"] == "1"
        collection = {"title": "菊の季節", "articles": []}
        first, again = (client.post("/v1/manage/collections", json=collection, headers=KEY) for _ in range(2))
        assert first.headers["surrogate-key"] == again.headers["surrogate-key"] == "collections"
        saved, again = (client.post(AT, json=a_document(title="菊"), headers=KEY) for _ in range(2))
        assert not {"kiku-seq", "surrogate-key"} & {*saved.headers, *again.headers}

    def test_another_body_or_query_is_refused_and_does_nothing(self, client: TestClient) -> None:
        client.post(AT, json=a_document(), headers=KEY)
        answer = client.post(AT, json=a_document(), headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
        assert count(client) == 1

    def test_the_same_key_at_another_address_or_of_another_caller_is_another_request(
        self, client: TestClient, database: Database
    ) -> None:
        article = create(client)
        one = client.post(f"{AT}/{article['id']}/publish", headers=KEY | ANY)
        other = client.post(f"{AT}/{article['id']}/unpublish", headers=KEY | ANY)
        assert (one.json()["status"], other.json()["status"]) == ("published", "unpublished")
        client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
        again = client.post(f"{AT}/{article['id']}/publish", headers=KEY | ANY)
        assert "idempotent-replayed" not in again.headers
        assert again.json()["status"] == "published"

    def test_every_kind_of_post_can_be_sent_again(self, client: TestClient) -> None:
        article = published(client)
        page = article["pages"][0]
        section = page["sections"][0]
        posts: list[tuple[str, Any]] = [
            (f"/v1/manage/pages/{page['id']}/sections", a_section(heading="また")),
            (f"/v1/manage/sections/{section['id']}/move", {"into": article["pages"][1]["id"]}),
            (f"{AT}/{article['id']}/submit", None),
            (f"{AT}/{article['id']}/archive", None),
            ("/v1/manage/publishers", {"name": "北浜日報"}),
        ]
        for path, body in posts:
            sent = {"json": body} if body is not None else {}
            first = client.post(path, headers=KEY | ANY, **sent)
            assert first.status_code in {200, 201}, (path, first.text)
            second = client.post(path, headers=KEY | ANY, **sent)
            assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true"), path

    def test_a_page_is_imported_once(self, client: TestClient) -> None:
        headers = KEY | {"Content-Type": "text/plain; charset=utf-8"}
        first = client.post("/v1/manage/imports", content=PAGE.encode(), headers=headers)
        second = client.post("/v1/manage/imports", content=PAGE.encode(), headers=headers)
        assert first.status_code == 201, first.text
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"


class TestRefused:
    def test_a_refusal_is_answered_again_too_and_left_nothing_behind(self, client: TestClient) -> None:
        article = create(client, pages=[])
        at = f"{AT}/{article['id']}/publish"
        first = client.post(at, headers=KEY | ANY)
        assert first.json()["code"] == "checks-failed"
        client.put(f"{AT}/{article['id']}", json=a_document(), headers=ANY)
        second = client.post(at, headers=KEY | ANY)
        assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true")
        assert client.get(f"/v1/articles/{article['id']}").status_code == 404
        assert client.post(at, headers=KEY | ANY | {"Idempotency-Key": "another"}).status_code == 200

    def test_a_stale_version_and_a_missing_scope_are_not_kept(self, client: TestClient, database: Database) -> None:
        article = published(client)
        at = f"{AT}/{article['id']}/archive"
        assert client.post(at, headers=KEY | {"If-Match": '"7"'}).status_code == 412
        assert client.post(at, headers=KEY | {"If-Match": '"1"'}).status_code == 200
        other = published(client)
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write')}"
        for _ in range(2):
            answer = client.post(f"{AT}/{other['id']}/archive", headers=KEY | ANY)
            assert (answer.status_code, "idempotent-replayed" in answer.headers) == (403, False)

    def test_an_address_may_be_long(self, client: TestClient) -> None:
        name = "".join(f"{number:x}" for number in range(3_000))
        for _ in range(2):
            assert client.post(f"{AT}/ext:x:{name}/publish", headers=KEY | ANY).status_code == 404

    def test_half_of_a_refused_write_is_not_stored(self, client: TestClient) -> None:
        taken = create(client, slug="kiku")
        document = a_document(slug=taken["slug"])
        for _ in range(2):
            answer = client.post(AT, json=document, headers=KEY)
            assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")
        assert count(client) == 1

    def test_what_never_came_to_be_tried_is_not_kept(self, client: TestClient) -> None:
        assert client.post(AT, json={"lead": "題がない"}, headers=KEY).status_code == 422
        assert client.post(AT, json=a_document(), headers=KEY).status_code == 201

    @pytest.mark.parametrize("value", ["", "a b", "x" * 256, "é"])
    def test_a_key_that_is_none_is_refused_by_name(self, client: TestClient, value: str) -> None:
        headers = {b"Idempotency-Key": value.encode("latin-1")}
        answer = client.post(AT, json=a_document(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "parameter-invalid")
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
        assert count(client) == 0


class TestCrowd:
    def test_of_twenty_at_once_one_makes_an_article(self, client: TestClient) -> None:
        document = a_document()
        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda _: client.post(AT, json=document, headers=KEY), range(20)))
        told = {(answer.status_code, answer.json().get("code")) for answer in answers}
        assert told <= {(201, None), (409, "idempotency-in-progress")}
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert len(made) == 1
        assert client.post(AT, json=document, headers=KEY).json()["id"] in made
        assert count(client) == 1

    def test_an_answer_that_was_lost_on_its_way_is_had_by_asking_again(self, app: ASGIApp, client: TestClient) -> None:
        body = json.dumps(a_document()).encode()
        headers = {"authorization": client.headers["Authorization"], "content-type": "application/json"}
        headers |= {name.lower(): value for name, value in KEY.items()}

        async def lose() -> None:
            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(_: Message) -> None:
                raise OSError

            scope = {
                "type": "http",
                "method": "POST",
                "path": AT,
                "raw_path": AT.encode(),
                "query_string": b"",
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
                "state": {},
            }
            with pytest.raises(OSError):  # noqa: PT011 - ours, from above
                await app(scope, receive, send)

        anyio.run(lose)
        assert count(client) == 1
        again = client.post(AT, content=body, headers=KEY | {"Content-Type": "application/json"})
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert count(client) == 1


class TestKept:
    def test_after_a_day_the_key_is_free_again(self, client: TestClient, database: Database, clock: Clock) -> None:
        document = a_document()
        client.post(AT, json=document, headers=KEY)
        clock.advance(hours=23)
        assert worker.purge_answers(database) is False
        assert "idempotent-replayed" in client.post(AT, json=document, headers=KEY).headers
        clock.advance(hours=1)
        assert "idempotent-replayed" not in client.post(AT, json=document, headers=KEY).headers
        assert count(client) == 2

    def test_answers_are_removed_after_a_day(self, client: TestClient, database: Database, clock: Clock) -> None:
        client.post(AT, json=a_document(), headers=KEY)
        clock.advance(hours=24)
        assert worker.purge_answers(database) is True
        assert worker.purge_answers(database) is False
