"""What happens is told: each change once, to whom it concerns, signed, again until it gets through or a day is over."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import worker
from app.database import Database
from app.sync import deliveries
from app.sync.couriers import EACH, Couriers
from app.sync.deliveries import LEASE_SECONDS, RETRY_SECONDS
from app.sync.events import KEPT_DAYS
from tests.conftest import Clock
from tests.factories import a_citation, a_section, create, publish, published
from tests.promises.addresses import NOBODY
from tests.sync.receiver import AT, SENDER, Call, Receiver, deliver, log, receiving, subscribe

ANY = {"If-Match": "*"}
ARTICLES = "/v1/manage/articles"
PATCH = ANY | {"Content-Type": "application/merge-patch+json"}


def act(client: TestClient, article: dict[str, Any], action: str) -> None:
    assert client.post(f"{ARTICLES}/{article['id']}/{action}", headers=ANY).status_code == 200


def change(client: TestClient, article: dict[str, Any], **changes: Any) -> None:
    now = client.get(f"{ARTICLES}/{article['id']}").json()
    assert client.put(f"{ARTICLES}/{article['id']}", json=now | changes, headers=ANY).status_code == 200
    publish(client, article["id"])


def shown(client: TestClient, webhook: dict[str, Any]) -> dict[str, Any]:
    return client.get(f"{AT}/{webhook['id']}").json()  # type: ignore[no-any-return]


def cited(article: dict[str, Any]) -> dict[str, Any]:
    """The source of the first citation."""
    return article["pages"][0]["sections"][0]["citations"][0]["source"]  # type: ignore[no-any-return]


class TestEvents:
    def test_each_step_that_readers_see_is_told_once(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        subscribe(client, receiver.url)
        article = published(client, slug="kiku")
        publish(client, article["id"])  # identical bytes
        change(client, article, lead="別の話です。")
        for action in ("unpublish", "publish", "archive", "restore", "publish"):
            act(client, article, action)
        client.delete(f"{ARTICLES}/{article['id']}", headers=ANY)
        deliver(database)
        assert receiver.told() == [
            ("article.published", "kiku"),
            ("article.updated", "kiku"),
            ("article.withdrawn", "kiku"),
            ("article.published", "kiku"),
            ("article.withdrawn", "kiku"),
            ("article.published", "kiku"),
            ("article.withdrawn", "kiku"),
        ]

    def test_what_is_planned_is_told_when_it_happens(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        subscribe(client, receiver.url)
        article = create(client, slug="kiku")
        planned = {"publish_at": "2026-01-02T04:00:00Z", "unpublish_at": "2026-01-02T05:00:00Z"}
        client.put(f"{ARTICLES}/{article['id']}/schedule", json=planned, headers=ANY)
        deliver(database)
        assert receiver.told() == []
        for _ in range(2):
            clock.advance(hours=1)
            worker.run_schedule(database)
            deliver(database)
        assert receiver.told() == [("article.published", "kiku"), ("article.withdrawn", "kiku")]

    def test_a_change_of_the_ledger_is_told_of_each_article_that_it_rewrites(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        source = {"url": "https://news.example.jp/shared", "title": "共通"}
        pages = [{"sections": [a_section(citations=[a_citation(source=source)])]}]
        articles = [published(client, slug=slug, pages=pages) for slug in ("ichi", "ni")]
        subscribe(client, receiver.url)
        address = f"/v1/manage/sources/{cited(articles[0])['id']}"
        assert client.patch(address, json={"title": "改題"}, headers=PATCH).status_code == 200
        deliver(database)
        assert sorted(receiver.told()) == [("article.updated", "ichi"), ("article.updated", "ni")]

    def test_a_job_tells_of_what_it_rewrites(
        self, client: TestClient, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.publishing.ledger.AT_ONCE", 1)
        monkeypatch.setattr("app.publishing.ledger.STEP", 1)
        source = {"url": "https://news.example.jp/shared", "title": "共通"}
        pages = [{"sections": [a_section(citations=[a_citation(source=source)])]}]
        article, *_ = [published(client, pages=pages) for _ in range(3)]
        subscribe(client, receiver.url)
        address = f"/v1/manage/sources/{cited(article)['id']}"
        assert client.patch(address, json={"title": "改題"}, headers=PATCH).status_code == 202
        while worker.run_due(database):
            pass
        deliver(database)
        assert len({call.said["data"]["id"] for call in receiver.calls}) == 3

    def test_a_batch_tells_of_what_it_publishes_and_a_refused_one_of_nothing(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        subscribe(client, receiver.url)
        one, other = create(client, slug="ichi"), create(client, slug="ni", pages=[])
        operations = [
            {"method": "POST", "path": f"{ARTICLES}/{each['id']}/publish", "headers": ANY} for each in (one, other)
        ]
        assert client.post("/v1/manage/batch", json={"operations": operations}).status_code == 422
        deliver(database)
        assert receiver.told() == []
        assert client.post("/v1/manage/batch", json={"operations": operations[:1]}).status_code == 200
        deliver(database)
        assert receiver.told() == [("article.published", "ichi")]

    def test_what_is_only_tried_is_not_told(self, client: TestClient, database: Database, receiver: Receiver) -> None:
        subscribe(client, receiver.url)
        article = create(client)
        client.post(f"{ARTICLES}/{article['id']}/publish", params={"dry_run": "true"}, headers=ANY)
        deliver(database)
        assert receiver.calls == []

    def test_what_happened_before_there_was_the_webhook_is_not_told(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        with receiving() as other:
            subscribe(client, other.url)
            published(client, slug="mae")
            subscribe(client, receiver.url)
            published(client, slug="ato")
            deliver(database)
            assert [slug for _, slug in other.told()] == ["mae", "ato"]
        assert [slug for _, slug in receiver.told()] == ["ato"]


class TestFilters:
    def test_each_filter_and_each_type_is_asked_for(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        source = {"url": "https://a.example.jp/1", "publisher": {"name": "甲"}}
        section = a_section(citations=[a_citation(source=source)])
        first = published(client, slug="ichi", tags=["秋"], pages=[{"sections": [section]}])
        publisher = cited(first)["publisher"]["id"]
        with receiving() as by_tag, receiving() as by_publisher, receiving() as by_language, receiving() as by_type:
            subscribe(client, by_tag.url, tag="秋")
            subscribe(client, by_publisher.url, publisher=publisher)
            subscribe(client, by_language.url, language="en")
            subscribe(client, by_type.url, events=["article.withdrawn"])
            change(client, first, lead="別")
            second = published(client, slug="ni", tags=["冬"], language="en")
            act(client, second, "unpublish")
            deliver(database)
            assert by_tag.told() == by_publisher.told() == [("article.updated", "ichi")]
            assert by_language.told() == [("article.published", "ni"), ("article.withdrawn", "ni")]
            assert by_type.told() == [("article.withdrawn", "ni")]
            assert receiver.told() == []

    def test_an_article_that_enters_or_leaves_the_filter_is_told(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        article = published(client, slug="kiku", tags=["秋"])
        subscribe(client, receiver.url, tag="秋")
        for tags in (["冬"], ["春"], ["秋"]):
            change(client, article, tags=tags)
            deliver(database)
        assert receiver.told() == [("article.updated", "kiku")] * 2
        left = receiver.calls[0].said["data"]["sync"]
        items = client.get("/v1/sync", params={"token": left, "tag": "秋"}).json()["items"]
        assert [item["type"] for item in items] == ["upsert"]  # it came back meanwhile

    def test_of_an_article_of_before_traits_were_kept_everybody_is_told_once(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        article = published(client, tags=["秋"])
        with database.engine().begin() as connection:
            connection.exec_driver_sql("UPDATE changes SET traits = NULL")
        subscribe(client, receiver.url, tag="春")
        for lead in "甲乙":
            change(client, article, lead=lead)
        deliver(database)
        assert [type for type, _ in receiver.told()] == ["article.updated"]


class TestRetries:
    def test_what_failed_is_tried_again_with_the_same_id_until_it_gets_through(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        receiver.answer = lambda call: 503 if call.number < 4 else 200
        webhook = subscribe(client, receiver.url)
        published(client)
        for expected in (1, 2, 3):
            deliver(database)
            (line,) = log(client, webhook)
            assert (line["status"], line["attempts"], line["response_code"]) == ("pending", expected, 503)
            assert line["error"] == "refused"
            assert shown(client, webhook)["failing_since_at"] == "2026-01-02T03:04:05.678Z"
            clock.advance(seconds=RETRY_SECONDS[expected - 1] * 1.1)
        deliver(database)
        (line,) = log(client, webhook)
        assert (line["status"], line["attempts"], line["response_code"], line["error"]) == ("delivered", 4, 200, None)
        assert line["next_attempt_at"] is None
        assert shown(client, webhook)["failing_since_at"] is None
        assert {call.id for call in receiver.calls} == {line["event_id"]}
        assert len({call.body for call in receiver.calls}) == 1

    def test_it_is_not_tried_again_before_its_time(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: 500
        subscribe(client, receiver.url)
        published(client)
        deliver(database)
        clock.advance(seconds=RETRY_SECONDS[0] - 1)
        deliver(database)
        assert len(receiver.calls) == 1

    def test_after_a_day_of_failure_the_webhook_is_paused_and_enabled_again_it_is_told_all_it_missed(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: 500
        webhook = subscribe(client, receiver.url)
        published(client, slug="ichi")
        for seconds in RETRY_SECONDS:
            deliver(database)
            assert shown(client, webhook)["enabled"]
            clock.advance(seconds=seconds * 1.1)
        deliver(database)
        assert len(receiver.calls) == len(RETRY_SECONDS) + 1
        now = shown(client, webhook)
        assert (now["enabled"], now["disabled_reason"], now["version"]) == (False, "failing", 2)
        assert [line["status"] for line in log(client, webhook)] == ["failed"]
        published(client, slug="ni")
        deliver(database)
        assert len(receiver.calls) == len(RETRY_SECONDS) + 1
        receiver.calls.clear()
        receiver.answer = lambda _: 200
        answer = client.patch(f"{AT}/{webhook['id']}", json={"enabled": True}, headers=PATCH | {"If-Match": '"2"'})
        assert (answer.json()["enabled"], answer.json()["disabled_reason"]) == (True, None)
        deliver(database)
        assert [slug for _, slug in receiver.told()] == ["ichi", "ni"]

    def test_a_receiver_that_is_gone_is_told_nothing_more(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: 410
        webhook = subscribe(client, receiver.url)
        for _ in range(3):
            published(client)
            deliver(database)
        now = shown(client, webhook)
        assert (len(receiver.calls), now["enabled"], now["disabled_reason"]) == (1, False, "gone")
        paused = client.get("/v1/manage/audit", params={"object_id": webhook["id"]}).json()["items"][0]
        assert (paused["action"], paused["key_id"], paused["version_after"]) == ("webhook.paused", None, 2)

    def test_a_redirect_is_a_failure_and_is_not_followed(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        with receiving() as other:
            receiver.answer, receiver.location = lambda _: 307, other.url
            webhook = subscribe(client, receiver.url)
            published(client)
            deliver(database)
            assert other.calls == []
        (line,) = log(client, webhook)
        assert (line["status"], line["response_code"], line["error"]) == ("pending", 307, "redirected")

    def test_who_took_a_delivery_and_died_leaves_it_to_another(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        published(client)
        worker.tell(database)
        with database.writing() as writer:
            assert deliveries.take(writer, webhook["id"]) is not None
        with database.writing() as writer:
            assert deliveries.take(writer, webhook["id"]) is None
        clock.advance(seconds=LEASE_SECONDS + 1)
        deliver(database)
        assert len(receiver.calls) == 1

    def test_a_slow_receiver_holds_up_no_other(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        come = threading.Event()

        def wait(_: Call) -> int:
            come.wait(30)
            return 200

        with receiving(wait) as slow:
            for _ in range(3):
                subscribe(client, slow.url)
            subscribe(client, receiver.url)
            for _ in range(3):
                published(client)
            while worker.tell(database):
                pass
            couriers = Couriers(database, SENDER, threading.Event())
            while len(receiver.calls) < 3:
                couriers.send()
            assert slow.accepted == []
            assert len(slow.calls) <= 3 * EACH
            come.set()
            couriers.end()


class TestReplay:
    def test_from_an_event_on_all_is_told_again_with_the_same_ids(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        for slug in ("ichi", "ni", "san"):
            published(client, slug=slug)
        deliver(database)
        first, second, third = receiver.calls
        receiver.calls.clear()
        answer = client.post(f"{AT}/{webhook['id']}/replay", json={"event": second.id})
        assert (answer.status_code, answer.json()) == (202, {"events": 2})
        deliver(database)
        assert [call.id for call in receiver.calls] == [second.id, third.id]
        assert [line["event_id"] for line in log(client, webhook)] == [first.id, second.id, third.id]

    def test_from_an_instant_on(self, client: TestClient, database: Database, clock: Clock, receiver: Receiver) -> None:
        webhook = subscribe(client, receiver.url)
        published(client, slug="ichi")
        clock.advance(hours=1)
        published(client, slug="ni")
        deliver(database)
        receiver.calls.clear()
        for after, told in (("2026-01-02T04:04:05.678Z", ["ni"]), ("2026-01-02T04:04:05.679Z", [])):
            answer = client.post(f"{AT}/{webhook['id']}/replay", json={"after": after})
            assert answer.json() == {"events": len(told)}
            deliver(database)
            assert [slug for _, slug in receiver.told()] == told
            receiver.calls.clear()

    def test_a_new_webhook_can_be_told_what_happened_before_it(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        with receiving() as other:
            subscribe(client, other.url)
            published(client, slug="kiku")
            webhook = subscribe(client, receiver.url)
            client.post(f"{AT}/{webhook['id']}/replay", json={"after": "2026-01-01T00:00:00Z"})
            deliver(database)
        assert [slug for _, slug in receiver.told()] == ["kiku"]

    @pytest.mark.parametrize("said", [{}, {"event": NOBODY, "after": "2026-01-01T00:00:00Z"}])
    def test_it_begins_at_one_place(self, client: TestClient, receiver: Receiver, said: dict[str, Any]) -> None:
        webhook = subscribe(client, receiver.url)
        answer = client.post(f"{AT}/{webhook['id']}/replay", json=said)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "replay-start")

    def test_an_event_that_there_is_not_is_named(self, client: TestClient, receiver: Receiver) -> None:
        webhook = subscribe(client, receiver.url)
        answer = client.post(f"{AT}/{webhook['id']}/replay", json={"event": NOBODY})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"], error["pointer"]) == (422, "event-unknown", "/event")


class TestTest:
    def test_it_is_sent_once_and_its_outcome_can_be_asked_for(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: 500
        webhook = subscribe(client, receiver.url, enabled=False)
        answer = client.post(f"{AT}/{webhook['id']}/test")
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        deliver(database)
        clock.advance(days=1)
        deliver(database)
        (call,) = receiver.calls
        token = call.said["data"]["sync"]
        data = {"id": None, "slug": None, "sync": token, "surrogate_keys": []}
        assert call.said == {"type": "webhook.test", "timestamp": "2026-01-02T03:04:05.678Z", "data": data}
        assert client.get("/v1/sync", params={"token": token}).status_code == 200
        line = client.get(answer.headers["location"]).json()
        assert (line["status"], line["response_code"], line["error"]) == ("failed", 500, "refused")
        assert shown(client, webhook)["failing_since_at"] is None

    def test_it_is_sent_to_no_other_webhook(self, client: TestClient, database: Database, receiver: Receiver) -> None:
        with receiving() as other:
            subscribe(client, other.url)
            webhook = subscribe(client, receiver.url)
            client.post(f"{AT}/{webhook['id']}/test")
            deliver(database)
            assert (len(receiver.calls), len(other.calls)) == (1, 0)


class TestKept:
    def test_events_and_deliveries_are_forgotten_after_a_month(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        webhook = subscribe(client, receiver.url)
        published(client)
        deliver(database)
        clock.advance(days=KEPT_DAYS - 1)
        published(client, slug="ato")
        assert worker.purge_events(database) is False
        clock.advance(days=1)
        assert worker.purge_events(database) is True
        assert worker.purge_events(database) is False
        deliver(database)
        assert [line["article_id"] for line in log(client, webhook)] == [receiver.calls[1].said["data"]["id"]]

    def test_without_a_webhook_nothing_is_kept(self, client: TestClient, database: Database, clock: Clock) -> None:
        published(client)
        clock.advance(days=KEPT_DAYS * 2)
        assert worker.purge_events(database) is False

    def test_the_log_is_paged_and_filtered(self, client: TestClient, database: Database, receiver: Receiver) -> None:
        receiver.answer = lambda call: 500 if call.said["data"]["slug"] == "ni" else 200
        webhook = subscribe(client, receiver.url)
        for slug in ("ichi", "ni", "san"):
            published(client, slug=slug)
        deliver(database)
        first = client.get(f"{AT}/{webhook['id']}/deliveries", params={"limit": 2}).json()
        rest = client.get(f"{AT}/{webhook['id']}/deliveries", params={"limit": 2, "cursor": first["next"]}).json()
        assert [line["status"] for line in first["items"] + rest["items"]] == ["delivered", "pending", "delivered"]
        assert [line["attempts"] for line in log(client, webhook, status="pending")] == [1]
