"""What receivers get: a thin message whose token leads to the change, signed with each secret that they may have."""

from fastapi.testclient import TestClient
from standardwebhooks import Webhook as Verifier

from app.database import Database, system_clock
from tests.conftest import Clock
from tests.factories import published
from tests.sync.receiver import AT, Receiver, deliver, subscribe


class TestMessage:
    def test_it_is_thin_and_its_token_leads_to_the_change(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        published(client)
        subscribe(client, receiver.url)
        article = published(client, slug="kiku")
        deliver(database)
        said = receiver.calls[0].said
        sync = said["data"]["sync"]
        assert said == {
            "type": "article.published",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "data": {
                "id": article["id"],
                "slug": "kiku",
                "sync": sync,
                "surrogate_keys": said["data"]["surrogate_keys"],
            },
        }
        items = client.get("/v1/sync", params={"token": sync}).json()["items"]
        assert [item["id"] for item in items] == [article["id"]]
        assert f"article-{article['id']}" in said["data"]["surrogate_keys"]

    def test_the_token_of_a_filtered_webhook_is_one_of_the_filtered_feed(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        subscribe(client, receiver.url, tag="秋", language="ja")
        article = published(client, tags=["秋"], language="ja")
        deliver(database)
        token = receiver.calls[0].said["data"]["sync"]
        items = client.get("/v1/sync", params={"token": token, "tag": "秋", "language": "ja"}).json()["items"]
        assert [item["id"] for item in items] == [article["id"]]

    def test_an_independent_library_verifies_it(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        clock.now = system_clock()  # it refuses what is older than some minutes
        webhook = subscribe(client, receiver.url)
        published(client, slug="菊まつり")
        deliver(database)
        (call,) = receiver.calls
        assert Verifier(webhook["secret"]).verify(call.body, call.headers) == call.said
        assert (call.headers["content-type"], call.path) == ("application/json", "/hook")

    def test_two_secrets_sign_while_the_receiver_changes_over(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        clock.now = system_clock()
        webhook = subscribe(client, receiver.url)
        answer = client.post(f"{AT}/{webhook['id']}/rotate", json={"overlap_seconds": 60}).json()
        secrets = (webhook["secret"], answer["secret"])
        published(client)
        deliver(database)
        for secret in secrets:
            Verifier(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
        clock.advance(seconds=61)
        published(client)
        deliver(database)
        signatures = receiver.calls[1].headers["webhook-signature"].split()
        assert len(signatures) == 1
        Verifier(secrets[1]).verify(receiver.calls[1].body, receiver.calls[1].headers)

    def test_the_secret_that_the_receiver_has_signs_though_it_is_rotated_twice(
        self, client: TestClient, database: Database, clock: Clock, receiver: Receiver
    ) -> None:
        clock.now = system_clock()
        webhook = subscribe(client, receiver.url)
        rotate = f"{AT}/{webhook['id']}/rotate"
        client.post(rotate)
        last = client.post(rotate).json()["secret"]
        published(client)
        deliver(database)
        for secret in (webhook["secret"], last):
            Verifier(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
        client.post(rotate, json={"overlap_seconds": 0})
        published(client)
        deliver(database)
        assert len(receiver.calls[1].headers["webhook-signature"].split()) == 1

    def test_a_path_and_a_query_in_any_script_arrive(
        self, client: TestClient, database: Database, receiver: Receiver
    ) -> None:
        subscribe(client, f"{receiver.url}/菊?話=%E8%8F%8A&a=1#x")
        published(client)
        deliver(database)
        assert receiver.calls[0].path == "/hook/%E8%8F%8A?%E8%A9%B1=%E8%8F%8A&a=1"
