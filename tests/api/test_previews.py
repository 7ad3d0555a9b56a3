"""Preview links: whoever has one sees the working copy as readers would, nobody else does, and nothing keeps it."""

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import Clock, a_key
from tests.factories import a_section, create, publish, published
from tests.strategies import documents

ANY = {"If-Match": "*"}
MOMENTS = ("published_at", "revised_at")
CHECKS = ("title-empty", "first-page-empty", "section-heading-missing", "section-empty", "answer-missing")
OPTIONS = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def linked(client: TestClient, article_id: str, **sent: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/manage/articles/{article_id}/preview-links", json=sent)
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.json()
    at = f"/v1/manage/articles/{article_id}/preview-links/{link['id']}"
    assert (answer.headers["location"], answer.headers["etag"]) == (at, '"1"')
    assert (client.get(at).json(), client.get(at).headers["etag"]) == (link, '"1"')
    return link


def told(answer: Any) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["code"]


UNKNOWN, ENDED = (404, "preview-unknown"), (410, "preview-ended")


class TestLinks:
    def test_one_tells_who_made_it_and_when_it_ends_a_week_from_then(
        self, client: TestClient, database: Database
    ) -> None:
        article = create(client)
        key = a_key(database, "write")
        client.headers["Authorization"] = f"Bearer {key}"
        link = linked(client, article["id"])
        assert list(link) == ["id", "url", "token", "created_at", "created_by", "expires_at", "revoked_at"]
        assert link["url"] == f"/v1/preview/{link['token']}"
        assert (link["created_at"], link["expires_at"]) == ("2026-01-02T03:04:05.678Z", "2026-01-09T03:04:05.678Z")
        assert (link["created_by"], link["revoked_at"]) == (key.split("_")[1], None)

    @pytest.mark.parametrize("seconds", [59, 2_592_001, "1", None])
    def test_it_is_good_for_a_minute_to_thirty_days(self, client: TestClient, seconds: Any) -> None:
        at = f"/v1/manage/articles/{create(client)['id']}/preview-links"
        assert client.post(at, json={"expires_in_seconds": seconds}).status_code == 422
        assert client.post(at).status_code == 201

    def test_they_are_listed_again_with_their_tokens_the_last_made_first(self, client: TestClient) -> None:
        article = create(client)
        links = [linked(client, article["id"]) for _ in range(3)][::-1]
        linked(client, create(client)["id"])
        at = f"/v1/manage/articles/{article['id']}/preview-links"
        first = client.get(at, params={"limit": 2}).json()
        rest = client.get(at, params={"limit": 2, "cursor": first["next"]}).json()
        assert [*first["items"], *rest["items"]] == links

    @pytest.mark.parametrize("scope", ["read:drafts", "read", "sync"])
    def test_only_who_writes_or_publishes_makes_one(self, client: TestClient, database: Database, scope: Any) -> None:
        at = f"/v1/manage/articles/{create(client)['id']}/preview-links"
        headers = ANY | {"Authorization": f"Bearer {a_key(database, scope)}"}
        assert client.post(at, headers=headers).status_code == 403
        assert client.delete(at, headers=headers).status_code == 403
        assert client.get(at, headers=headers).status_code == (200 if scope == "read:drafts" else 403)

    def test_a_limited_key_shows_nobody_what_it_does_not_see(self, client: TestClient) -> None:
        ours, theirs = create(client, language="en")["id"], create(client, language="ja")["id"]
        limited = {"name": "翻訳", "scopes": ["write"], "languages": ["en"]}
        client.headers["Authorization"] = f"Bearer {client.post('/v1/manage/keys', json=limited).json()['key']}"
        assert client.post(f"/v1/manage/articles/{ours}/preview-links").status_code == 201
        assert told(client.post(f"/v1/manage/articles/{theirs}/preview-links")) == (404, "article-unknown")

    def test_another_articles_link_is_not_there_and_a_trashed_one_gets_none(self, client: TestClient) -> None:
        article, other = create(client), create(client)
        link = linked(client, article["id"])
        answer = client.get(f"/v1/manage/articles/{other['id']}/preview-links/{link['id']}")
        assert told(answer) == UNKNOWN
        client.delete(f"/v1/manage/articles/{other['id']}", headers=ANY)
        assert told(client.post(f"/v1/manage/articles/{other['id']}/preview-links")) == (409, "transition")


class TestEnd:
    def test_it_is_over_at_its_instant(self, client: TestClient, reader: TestClient, clock: Clock) -> None:
        link = linked(client, create(client)["id"], expires_in_seconds=60)
        clock.advance(seconds=59)
        assert reader.get(link["url"]).status_code == 200
        clock.advance(seconds=1)
        assert told(reader.get(link["url"])) == told(reader.get(f"{link['url']}/pages/1")) == ENDED

    def test_it_is_revoked_by_itself_or_with_all_others(self, client: TestClient, reader: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}/preview-links"
        one, two, three = (linked(client, article["id"]) for _ in range(3))
        elsewhere = linked(client, create(client)["id"])
        assert client.delete(f"{at}/{one['id']}", headers={"If-Match": '"2"'}).status_code == 412
        assert client.delete(f"{at}/{one['id']}", headers={"If-Match": '"1"'}).status_code == 204
        assert client.delete(f"{at}/{one['id']}", headers=ANY).status_code == 204
        assert (told(reader.get(one["url"])), reader.get(two["url"]).status_code) == (ENDED, 200)
        assert client.delete(at, headers={"If-Match": '"7"'}).status_code == 412
        assert client.delete(at, headers={"If-Match": '"1"'}).status_code == 204
        assert told(reader.get(two["url"])) == told(reader.get(three["url"])) == ENDED
        assert reader.get(elsewhere["url"]).status_code == 200
        assert {link["revoked_at"] for link in client.get(at).json()["items"]} == {"2026-01-02T03:04:05.678Z"}

    def test_trashing_hides_it_and_purging_ends_it(self, client: TestClient, reader: TestClient) -> None:
        article = create(client)
        link, at = linked(client, article["id"]), f"/v1/manage/articles/{article['id']}"
        client.delete(at, headers=ANY)
        assert told(reader.get(link["url"])) == UNKNOWN
        client.post(f"{at}/restore", headers=ANY)
        assert reader.get(link["url"]).status_code == 200
        for purge in ("", "?purge=true"):
            client.delete(f"{at}{purge}", headers=ANY)
        assert told(reader.get(link["url"])) == UNKNOWN

    def test_a_token_that_was_changed_or_made_up_is_unknown(self, client: TestClient, reader: TestClient) -> None:
        token = linked(client, create(client)["id"])["token"]
        other = linked(client, create(client)["id"])["token"]
        raw = base64.urlsafe_b64decode(token)
        wrong = {token[:-1], token + "A", f"{token}=", "x", "A" * 64, token[:32] + other[32:], token.swapcase()}
        wrong |= {
            base64.urlsafe_b64encode(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode() for at in range(48)
        }
        for each in wrong:
            assert told(reader.get(f"/v1/preview/{each}")) == UNKNOWN, each
        assert reader.get(f"/v1/preview/{token}").status_code == 200


class TestShown:
    def test_nothing_keeps_it_and_nothing_finds_it(self, client: TestClient, reader: TestClient) -> None:
        article = create(client, title="朝靄の渡し船", slug="kiku")
        link = linked(client, article["id"])
        for path in (link["url"], f"{link['url']}/pages/1", f"{link['url']}.txt"):
            answer = reader.get(path, headers={"If-None-Match": "*"})
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "etag" not in answer.headers
        assert reader.get("/v1/articles/kiku").status_code == 404
        assert reader.get("/v1/articles").json()["items"] == []
        assert reader.get("/v1/search", params={"q": "朝靄"}).json()["items"] == []

    def test_it_follows_the_working_copy_and_not_what_is_public(self, client: TestClient, reader: TestClient) -> None:
        article = published(client, title="前")
        link = linked(client, article["id"])
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"title": "後"}, headers=ANY)
        assert reader.get(link["url"]).json()["title"] == "後"
        assert reader.get(f"/v1/articles/{article['id']}").json()["title"] == "前"

    def test_its_moments_are_those_it_would_have_now(
        self, client: TestClient, reader: TestClient, clock: Clock
    ) -> None:
        article = create(client)
        link = linked(client, article["id"])
        clock.advance(hours=1)
        shown = reader.get(link["url"]).json()
        assert [shown[name] for name in MOMENTS] == ["2026-01-02T04:04:05.678Z"] * 2
        publish(client, article["id"])
        clock.advance(hours=1)
        shown = reader.get(link["url"]).json()
        assert [shown[name] for name in MOMENTS] == ["2026-01-02T04:04:05.678Z", "2026-01-02T05:04:05.678Z"]

    def test_a_page_that_is_only_announced_or_not_there_is_unknown(
        self, client: TestClient, reader: TestClient
    ) -> None:
        link = linked(client, create(client)["id"])
        assert reader.get(f"{link['url']}/pages/1").json()["next"]["href"] is None
        for number in ("2", "0", "01", "x", "99999999999"):
            assert told(reader.get(f"{link['url']}/pages/{number}")) == (404, "page-unknown")

    def test_the_renditions_are_those_of_the_published_article(self, client: TestClient, reader: TestClient) -> None:
        article = create(client, pages=[{"sections": [a_section()]}, {"sections": [a_section()], "teaser": "次は"}])
        link = linked(client, article["id"])
        suffixes = [f"{page}.{name}" for page in ("", "/pages/2") for name in ("json", "txt", "md", "html", "jsonld")]
        before = {suffix: reader.get(f"{link['url']}{suffix}") for suffix in suffixes}
        publish(client, article["id"])
        for suffix, shown in before.items():
            after = reader.get(f"/v1/articles/{article['id']}{suffix}")
            assert (shown.content, shown.headers["content-type"]) == (after.content, after.headers["content-type"])
        plain = reader.get(link["url"], headers={"Accept": "text/plain"})
        assert plain.content == before[".txt"].content
        assert told(reader.get(link["url"], headers={"Accept": "image/png"})) == (406, "not-acceptable")

    def test_it_needs_no_key_where_reading_does(
        self, client: TestClient, database: Database, database_url: str
    ) -> None:
        link = linked(client, create(client)["id"])
        closed = create_app(Settings(database_url=database_url, access_log="off", read_keys="required"), database)
        with TestClient(closed) as stranger:
            assert stranger.get("/v1/articles").status_code == 401
            assert stranger.get(link["url"]).status_code == 200

    @OPTIONS
    @given(document=documents)
    def test_it_is_what_readers_get_right_after_publishing(
        self, client: TestClient, reader: TestClient, document: dict[str, Any]
    ) -> None:
        client.put("/v1/manage/site", json={"checks": dict.fromkeys(CHECKS, "off")}, headers=ANY)
        article = create(client, {name: value for name, value in document.items() if name != "slug"})
        link, public = linked(client, article["id"])["url"], f"/v1/articles/{article['id']}"
        paths = ["", *(f"/pages/{page['number']}" for page in article["pages"])]
        before = [reader.get(f"{link}{path}") for path in paths]
        publish(client, article["id"])
        after = [reader.get(f"{public}{path}") for path in paths]
        assert [said(answer) for answer in before] == [said(answer) for answer in after]
        for purge in ("", "?purge=true"):
            assert client.delete(f"/v1/manage/articles/{article['id']}{purge}", headers=ANY).status_code == 204


def said(answer: Any) -> dict[str, Any]:
    """What an article or page says, its moments aside; of a failure its code."""
    shown: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        return {"code": shown["code"]}
    moments = dict.fromkeys(MOMENTS)
    return shown | ({"article": shown["article"] | moments} if "article" in shown else moments)
