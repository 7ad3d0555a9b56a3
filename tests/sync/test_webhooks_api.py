"""Webhooks over the API: versions guard them, a secret is shown once, and nothing leads where it must not."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import a_key
from tests.factories import a_citation, a_section, published
from tests.promises.addresses import NOBODY
from tests.promises.test_error_shape import assert_problem
from tests.sync.receiver import AT, HOST, Receiver, deliver, subscribe

PUBLISHERS = "/v1/manage/publishers"
URL = "https://hooks.example.jp/kiku"
PATCH = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}


class TestWebhooks:
    def test_one_is_told_everything_where_nothing_is_said(self, client: TestClient) -> None:
        made = subscribe(client, URL)
        secret = made.pop("secret")
        assert secret.startswith("whsec_")
        assert made == {
            "id": made["id"],
            "url": URL,
            "events": ["article.published", "article.updated", "article.withdrawn"],
            "language": None,
            "tag": None,
            "publisher": None,
            "enabled": True,
            "disabled_reason": None,
            "failing_since_at": None,
            "version": 1,
            "created_at": "2026-01-02T03:04:05.678Z",
        }
        assert client.get(f"{AT}/{made['id']}").json() == made
        assert client.get(AT).json() == {"items": [made], "next": None}

    def test_a_secret_is_in_no_other_answer(self, client: TestClient) -> None:
        made = subscribe(client, URL)
        rotated = client.post(f"{AT}/{made['id']}/rotate").json()
        assert rotated["secret"] != made["secret"]
        answers = [client.get(f"{AT}/{made['id']}"), client.get(AT), client.get("/v1/manage/audit")]
        answers.append(client.patch(f"{AT}/{made['id']}", json={"tag": "菊"}, headers=PATCH))
        assert not any(each["secret"][6:] in answer.text for answer in answers for each in (made, rotated))

    def test_an_answer_can_be_edited_and_sent_back(self, client: TestClient) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        now = client.get(at)
        changed = client.put(at, json=now.json() | {"tag": "菊"}, headers={"If-Match": now.headers["etag"]})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert changed.json() == now.json() | {"tag": "菊", "version": 2}
        assert client.put(at, json=changed.json(), headers={"If-Match": "*"}).headers["etag"] == '"2"'
        stale = client.put(at, json=now.json(), headers={"If-Match": '"1"'})
        assert_problem(stale, 412, "draft-stale")
        assert stale.headers["etag"] == '"2"'

    def test_what_the_server_says_is_not_changed(self, client: TestClient) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        said = {"id": NOBODY, "version": 9, "created_at": "2020-01-01T00:00:00.000Z", "disabled_reason": "gone"}
        answer = client.patch(at, json=said, headers=PATCH)
        assert_problem(answer, 422, "validation")
        assert {error["pointer"] for error in answer.json()["errors"]} == {f"/{name}" for name in said}

    def test_switching_off_is_said_to_be_asked_for(self, client: TestClient) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        off = client.patch(at, json={"enabled": False}, headers=PATCH).json()
        assert (off["enabled"], off["disabled_reason"]) == (False, "asked")
        on = client.patch(at, json={"enabled": True}, headers=PATCH).json()
        assert (on["enabled"], on["disabled_reason"], on["version"]) == (True, None, 3)

    def test_one_that_is_removed_is_gone_with_its_deliveries(self, client: TestClient) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        delivery = client.post(f"{at}/test").headers["location"]
        assert client.delete(at, headers={"If-Match": "*"}).status_code == 204
        for address in (at, f"{at}/deliveries"):
            assert_problem(client.get(address), 404, "webhook-unknown")
        assert_problem(client.get(delivery), 404, "delivery-unknown")

    def test_the_audit_tells_of_it(self, client: TestClient) -> None:
        made = subscribe(client, URL)
        at = f"{AT}/{made['id']}"
        client.patch(at, json={"tag": "菊"}, headers=PATCH)
        client.post(f"{at}/rotate")
        client.delete(at, headers={"If-Match": "*"})
        items = client.get("/v1/manage/audit", params={"object_kind": "webhook"}).json()["items"]
        assert [(item["action"], item["version_before"], item["version_after"]) for item in items] == [
            ("webhook.deleted", 2, None),
            ("webhook.rotated", 2, 2),
            ("webhook.updated", 1, 2),
            ("webhook.created", None, 1),
        ]

    def test_they_are_listed_page_by_page(self, client: TestClient) -> None:
        made = [subscribe(client, URL)["id"] for _ in range(3)]
        first = client.get(AT, params={"limit": 2, "fields": "id"}).json()
        rest = client.get(AT, params={"limit": 2, "cursor": first["next"]}).json()
        assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]

    def test_a_test_that_is_sent_again_is_sent_once(self, client: TestClient) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        first, second = (client.post(f"{at}/test", headers={"Idempotency-Key": "once"}) for _ in range(2))
        assert (first.content, second.headers["idempotent-replayed"]) == (second.content, "true")
        assert len(client.get(f"{at}/deliveries").json()["items"]) == 1

    def test_what_makes_a_secret_is_not_asked_for_with_an_idempotency_key(self, client: TestClient) -> None:
        webhook = subscribe(client, URL)
        for at, body in ((AT, {"url": URL}), (f"{AT}/{webhook['id']}/rotate", {})):
            answer = client.post(at, json=body, headers={"Idempotency-Key": "once"})
            assert_problem(answer, 400, "parameter-invalid")
            (error,) = answer.json()["errors"]
            assert (error["code"], error["parameter"]) == ("idempotency-key", "Idempotency-Key")
        del webhook["secret"]
        assert client.get(AT).json()["items"] == [webhook]

    def test_one_whose_host_is_allowed_no_more_can_be_switched_off_and_not_on(
        self, client: TestClient, database: Database, database_url: str
    ) -> None:
        at = f"{AT}/{subscribe(client, f'http://{HOST}/hook')['id']}"
        app = create_app(Settings(database_url=database_url, access_log="off"), database)
        with TestClient(app, headers={"Authorization": client.headers["Authorization"]}) as strict:
            assert strict.patch(at, json={"tag": "菊"}, headers=PATCH).status_code == 200
            assert strict.patch(at, json={"enabled": False}, headers=PATCH).json()["enabled"] is False
            answer = strict.patch(at, json={"enabled": True}, headers=PATCH)
            assert answer.json()["errors"][0]["code"] == "address-refused"

    def test_no_batch_makes_one(self, client: TestClient) -> None:
        operation = {"method": "POST", "path": AT, "body": {"url": URL}}
        answer = client.post("/v1/manage/batch", json={"operations": [operation]})
        assert answer.json()["errors"][0]["code"] == "operation-alone"

    def test_only_an_admin_sees_any_of_it(self, client: TestClient, database: Database) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write', 'publish', 'sync')}"
        for answer in (client.get(AT), client.get(at), client.post(f"{at}/test"), client.get(f"{at}/deliveries")):
            assert_problem(answer, 403, "scope-missing")


class TestMerged:
    def test_a_filter_follows_a_merged_publisher(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        one, other = (client.post(PUBLISHERS, json={"name": name}).json()["id"] for name in ("甲新聞", "乙新聞"))
        webhook = subscribe(client, receiver.url, publisher=one)
        merged = client.post(f"{PUBLISHERS}/{one}/merge", json={"into": other}, headers={"If-Match": "*"})
        assert merged.status_code == 200
        now = client.get(f"{AT}/{webhook['id']}").json()
        assert (now["publisher"], now["version"]) == (other, 2)
        source = {"url": "https://news.example.jp/1", "title": "菊", "publisher": {"name": "甲新聞"}}
        published(client, slug="kiku", pages=[{"sections": [a_section(citations=[a_citation(source=source)])]}])
        deliver(database)
        assert receiver.told() == [("article.published", "kiku")]
        assert subscribe(client, URL, publisher=one)["publisher"] == other

    def test_a_filter_follows_a_merged_tag(self, client: TestClient, database: Database, receiver: Receiver) -> None:
        published(client, slug="ichi", tags=["秋"])
        published(client, slug="ni", tags=["紅葉"])
        webhook = subscribe(client, receiver.url, tag="秋")
        merged = client.post("/v1/manage/tags/秋/merge", json={"into": "紅葉"}, headers={"If-Match": "*"})
        assert merged.status_code == 200
        assert client.get(f"{AT}/{webhook['id']}").json()["tag"] == "紅葉"
        published(client, slug="san", tags=["紅葉"])
        deliver(database)
        assert receiver.told() == [("article.updated", "ichi"), ("article.published", "san")]
        assert subscribe(client, URL, tag="秋")["tag"] == "紅葉"

    def test_nobody_can_filter_by_a_publisher_that_there_is_not(self, client: TestClient) -> None:
        answer = client.post(AT, json={"url": URL, "publisher": NOBODY})
        assert_problem(answer, 422, "validation")
        (error,) = answer.json()["errors"]
        assert (error["code"], error["pointer"]) == ("publisher-unknown", "/publisher")


class TestRefused:
    @pytest.mark.parametrize(
        "url",
        [
            "https://127.1/",
            "http://2130706433/",
            "https://①②⑦.0.0.2/",
            "https://[::ffff:127.0.0.1]/",
            "http://localhost/",
        ],
    )
    def test_an_address_that_is_plainly_not_public(self, client: TestClient, url: str) -> None:
        at = f"{AT}/{subscribe(client, URL)['id']}"
        sent: tuple[Any, ...] = (
            client.post(AT, json={"url": url}),
            client.put(at, json={"url": url}, headers={"If-Match": "*"}),
            client.patch(at, json={"url": url}, headers=PATCH),
        )
        for answer in sent:
            assert_problem(answer, 422, "validation")
            (error,) = answer.json()["errors"]
            assert (error["code"], error["pointer"]) == ("address-refused", "/url")
        assert client.get(at).json()["url"] == URL

    def test_but_not_where_the_operator_allows_the_host(self, client: TestClient) -> None:
        assert subscribe(client, f"http://{HOST}:8080/hook")["url"] == f"http://{HOST}:8080/hook"

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://hooks.example.jp/",
            "https://",
            "https://a:b@hooks.example.jp/",
            "hooks",
            "http://./",
            "https://hooks.example.jp:0/",
        ],
    )
    def test_what_is_no_address(self, client: TestClient, url: str) -> None:
        assert client.post(AT, json={"url": url}).json()["errors"][0]["code"] == "url-invalid"

    @pytest.mark.parametrize(
        "said", [{"events": []}, {"events": ["article.read"]}, {"enabled": "yes"}, {"secret": "x"}]
    )
    def test_what_nobody_knows(self, client: TestClient, said: dict[str, Any]) -> None:
        assert_problem(client.post(AT, json={"url": URL} | said), 422, "validation")
        assert client.get(AT).json()["items"] == []
