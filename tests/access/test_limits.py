"""A key that is limited to languages or tags: other working copies are not there for it, nor what articles share."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.access import keys
from app.database import Database
from app.main import create_api
from app.settings import Settings
from app.text import instant
from app.worker import record_uses
from tests.conftest import Clock, a_key
from tests.factories import a_document, create, published

ANY = {"If-Match": "*"}
AT = "/v1/manage/articles"


def limited(client: TestClient, **limits: Any) -> dict[str, str]:
    """The header of a key that may write and publish within these limits."""
    sent = {"name": "支局", "scopes": ["write", "publish"]} | limits
    answer = client.post("/v1/manage/keys", json=sent)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['key']}"}


def seen(client: TestClient, key: dict[str, str]) -> set[str]:
    answer = client.get(AT, params={"count": "exact"}, headers=key).json()
    assert answer["count"]["value"] == len(answer["items"])
    return {item["id"] for item in answer["items"]}


class TestWhatThereIs:
    def test_only_articles_in_its_languages_are_listed_read_and_changed(self, client: TestClient) -> None:
        english, japanese = create(client, language="en"), create(client, language="ja")
        key = limited(client, languages=["en", "fr"])
        assert seen(client, key) == {english["id"]}
        assert client.get(f"{AT}/{english['id']}", headers=key).status_code == 200
        part = japanese["pages"][0]["sections"][0]["id"]
        hidden = [
            client.get(f"{AT}/{japanese['id']}", headers=key),
            client.put(f"{AT}/{japanese['id']}", json=a_document(), headers=key | ANY),
            client.post(f"{AT}/{japanese['id']}/publish", headers=key | ANY),
            client.get(f"{AT}/{japanese['id']}/revisions", headers=key),
            client.get(f"/v1/manage/sections/{part}", headers=key),
            client.delete(f"/v1/manage/sections/{part}", headers=key | ANY),
            client.delete(f"{AT}/{japanese['slug']}", headers=key | ANY),
            client.put(f"{AT}/{japanese['id']}", json=a_document(), headers=key | {"If-Match": '"7"'}),
        ]
        assert [answer.status_code for answer in hidden] == [404] * 8
        codes = [answer.json()["code"] for answer in hidden]
        assert codes == ["article-unknown"] * 4 + ["part-unknown"] * 2 + ["article-unknown"] * 2
        assert client.get(f"{AT}/{japanese['id']}").json()["version"] == 1

    def test_only_articles_with_one_of_its_tags_also_when_that_was_merged(self, client: TestClient) -> None:
        one, _ = create(client, tags=["花", "秋"]), create(client, tags=["春"])
        key = limited(client, tags=["花"])
        assert seen(client, key) == {one["id"]}
        other = create(client, tags=["草花"])
        client.post("/v1/manage/tags/花/merge", json={"into": "草花"}, headers=ANY)
        assert seen(client, key) == {one["id"], other["id"]}
        assert client.get(f"{AT}/{one['id']}", headers=key).status_code == 200

    def test_both_hold_together(self, client: TestClient) -> None:
        create(client, language="en", tags=["春"])
        create(client, language="ja", tags=["花"])
        both = create(client, language="en", tags=["花"])
        assert seen(client, limited(client, languages=["en"], tags=["花"])) == {both["id"]}

    def test_what_it_writes_is_what_it_sees(self, client: TestClient) -> None:
        key = limited(client, languages=["en"], tags=["花"])
        assert client.post(AT, json=a_document(language="en", tags=["花"]), headers=key).status_code == 201
        for changes in ({"language": "ja", "tags": ["花"]}, {"language": "en", "tags": []}):
            answer = client.post(AT, json=a_document(**changes), headers=key)
            assert (answer.status_code, answer.json()["code"]) == (403, "outside-limits")
        mine = client.get(AT, headers=key).json()["items"][0]["id"]
        patch = {"Content-Type": "application/merge-patch+json"}
        answer = client.patch(f"{AT}/{mine}", json={"language": "ja"}, headers=key | ANY | patch)
        assert (answer.status_code, answer.json()["code"]) == (403, "outside-limits")
        assert client.get(f"{AT}/{mine}", headers=key).json()["language"] == "en"

    def test_an_import_tells_nothing_of_what_it_does_not_see(self, client: TestClient) -> None:
        article = published(client, language="ja")
        page = client.get(f"/v1/articles/{article['id']}.txt").text
        text = {"Content-Type": "text/plain; charset=utf-8"}
        client.post("/v1/manage/imports", content=page.encode(), headers=text)
        key = limited(client, languages=["en"]) | text
        for content in (page, page.replace("菊の話", "花の話")):
            answer = client.post("/v1/manage/imports", content=content.encode(), headers=key)
            assert (answer.status_code, answer.json()["code"]) == (403, "outside-limits")
        for into in (article["id"], "01a20952-0000-7000-8000-000000000000"):
            answer = client.post("/v1/manage/imports", params={"into": into, "page": 2}, content=b"x", headers=key)
            assert (answer.status_code, answer.json()["code"]) == (404, "article-unknown")

    def test_what_articles_share_is_not_its_to_change(self, client: TestClient) -> None:
        article = published(client, language="en")
        source = article["pages"][0]["sections"][0]["citations"][0]["source"]["id"]
        key = limited(client, languages=["en"])
        for answer in (
            client.post("/v1/manage/tags", json={"slug": "花"}, headers=key),
            client.delete(f"/v1/manage/sources/{source}", headers=key | ANY),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "key-limited")
        assert client.get(f"/v1/manage/sources/{source}", headers=key).status_code == 200

    def test_readers_are_not_limited_by_it(self, client: TestClient) -> None:
        article = published(client, language="ja")
        key = limited(client, languages=["en"])
        assert client.get(f"/v1/articles/{article['id']}", headers=key).status_code == 200

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"languages": []}, "/languages"),
            ({"languages": ["?"]}, "/languages/0"),
            ({"tags": ["a b."]}, "/tags/0"),
            ({"rate_limit": "often"}, "/rate_limit"),
            ({"scopes": ["admin"], "tags": ["花"]}, "/scopes"),
        ],
    )
    def test_limits_that_cannot_be_are_refused(self, client: TestClient, wrong: dict[str, Any], pointer: str) -> None:
        answer = client.post("/v1/manage/keys", json={"name": "n", "scopes": ["write"]} | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)

    def test_a_key_tells_its_limits(self, client: TestClient) -> None:
        sent = {"name": "n", "scopes": ["write"], "languages": ["en"], "tags": ["花"], "rate_limit": "9/60s"}
        key = client.post("/v1/manage/keys", json=sent).json()
        assert client.get(f"/v1/manage/keys/{key['id']}").json().items() >= sent.items()


class TestLastUsed:
    def test_it_is_written_at_most_once_a_minute_outside_of_the_request(self, database: Database, clock: Clock) -> None:
        key = a_key(database, "read:drafts")
        api = create_api(Settings(access_log="off"), database, owned=False)

        def use() -> str | None:
            with TestClient(api) as client:
                assert client.get(AT, headers={"Authorization": f"Bearer {key}"}).status_code == 200
            record_uses(database, api.state.uses)
            with database.reading() as reader:
                return keys.load(reader, key.split("_")[1]).last_used_at

        first = clock.now
        assert use() == instant(first)
        clock.advance(seconds=59)
        assert use() == instant(first)
        clock.advance(seconds=1)
        assert use() == instant(clock.now)
        assert not record_uses(database, api.state.uses)

    def test_what_could_not_be_written_is_written_the_next_time(self, database: Database, clock: Clock) -> None:
        key = a_key(database, "read").split("_")[1]
        uses = keys.Uses()
        uses.note(key, clock.now)
        uses.give_back(uses.take())
        assert record_uses(database, uses)
        with database.reading() as reader:
            assert keys.load(reader, key).last_used_at == instant(clock.now)

    def test_two_processes_do_not_write_it_twice_a_minute(self, database: Database, clock: Clock) -> None:
        key = a_key(database, "read").split("_")[1]
        for _ in range(2):
            uses = keys.Uses()
            uses.note(key, clock.now)
            record_uses(database, uses)
            clock.advance(seconds=30)
        with database.reading() as reader:
            assert keys.load(reader, key).last_used_at == "2026-01-02T03:04:05.678Z"
