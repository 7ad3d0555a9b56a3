"""Keys over the API: a secret is shown once, two stand while clients change over, and only admins see any of it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from tests.conftest import Clock, a_key
from tests.promises.test_error_shape import assert_problem

AT = "/v1/manage/keys"


def made(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(AT, json={"name": "編集部", "scopes": ["write"]} | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def works(client: TestClient, key: str) -> bool:
    return client.get("/v1/manage/articles", headers={"Authorization": f"Bearer {key}"}).status_code == 200


class TestKeys:
    def test_a_key_works_from_its_answer_on_and_its_secret_is_nowhere_else(self, client: TestClient) -> None:
        key = made(client)
        assert works(client, key["key"])
        read = client.get(f"{AT}/{key['id']}").json()
        assert read == {name: value for name, value in key.items() if name != "key"}
        assert key["key"].split("_")[2] not in client.get(AT).text

    def test_they_are_listed_page_by_page_the_latest_first(self, client: TestClient, clock: Clock) -> None:
        names = [f"{number}" for number in range(5)]
        for name in names:
            clock.advance(seconds=1)
            made(client, name=name)
        first = client.get(AT, params={"limit": 3}).json()
        rest = client.get(AT, params={"limit": 3, "cursor": first["next"]}).json()
        assert [key["name"] for key in first["items"] + rest["items"]] == [*reversed(names), "test"]

    def test_a_rotated_key_has_two_secrets_for_a_while(self, client: TestClient, clock: Clock) -> None:
        key = made(client)
        second = client.post(f"{AT}/{key['id']}/rotate", json={"overlap_seconds": 60}).json()["key"]
        assert works(client, key["key"])
        assert works(client, second)
        clock.advance(seconds=61)
        assert (works(client, key["key"]), works(client, second)) == (False, True)

    def test_never_more_than_two_stand(self, client: TestClient) -> None:
        key = made(client)
        second, third = (client.post(f"{AT}/{key['id']}/rotate").json()["key"] for _ in range(2))
        assert [works(client, each) for each in (key["key"], second, third)] == [False, True, True]

    def test_a_revoked_key_falls_at_once_and_has_no_new_secret(self, client: TestClient) -> None:
        key = made(client)
        for _ in range(2):
            assert client.delete(f"{AT}/{key['id']}", headers={"If-Match": "*"}).status_code == 204
        assert not works(client, key["key"])
        assert client.post(f"{AT}/{key['id']}/rotate").json()["code"] == "key-ended"

    def test_it_falls_when_it_expires(self, client: TestClient, clock: Clock) -> None:
        key = made(client, expires_at="2026-01-02T04:00:00Z")
        assert works(client, key["key"])
        clock.advance(hours=1)
        assert not works(client, key["key"])

    def test_what_it_was_given_can_be_changed_and_its_secret_stays(self, client: TestClient, clock: Clock) -> None:
        key = made(client)
        at = f"{AT}/{key['id']}"
        told = client.get(at)
        clock.advance(minutes=5)
        answer = client.put(at, json=told.json() | {"name": "支局", "languages": ["en"]}, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.headers["etag"], answer.json()["version"]) == (200, '"2"', 2)
        assert answer.json() == told.json() | {"name": "支局", "languages": ["en"], "version": 2}
        patch = {"Content-Type": "application/merge-patch+json", "If-Match": '"2"'}
        answer = client.patch(at, json={"languages": None, "scopes": ["read"]}, headers=patch)
        assert (answer.json()["languages"], answer.json()["scopes"], answer.json()["version"]) == (None, ["read"], 3)
        assert not works(client, key["key"])  # the secret is known, the scope is not enough
        client.patch(at, json={"scopes": ["read:drafts"]}, headers=patch | {"If-Match": "*"})
        assert works(client, key["key"])

    def test_what_changes_nothing_keeps_its_version_and_a_stale_one_is_refused(self, client: TestClient) -> None:
        key = made(client)
        at = f"{AT}/{key['id']}"
        sent = client.get(at).json()
        assert client.put(at, json=sent, headers={"If-Match": '"1"'}).headers["etag"] == '"1"'
        stale = client.put(at, json=sent | {"name": "別"}, headers={"If-Match": '"4"'})
        assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')

    def test_a_revoked_one_is_not_changed_and_what_the_server_says_is_not_the_clients(self, client: TestClient) -> None:
        key = made(client)
        at = f"{AT}/{key['id']}"
        answer = client.put(at, json={"name": "n", "scopes": ["read"], "created_at": "x"}, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/created_at")
        client.delete(at, headers={"If-Match": "*"})
        answer = client.put(at, json={"name": "n", "scopes": ["read"]}, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "key-ended")

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"name": ""}, "/name"),
            ({"scopes": []}, "/scopes"),
            ({"scopes": ["root"]}, "/scopes/0"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ({"secret": "x"}, "/secret"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(self, client: TestClient, changes: dict[str, Any], pointer: str) -> None:
        answer = client.post(AT, json={"name": "n", "scopes": ["read"]} | changes)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)

    def test_nobody_but_an_admin_gets_near_them(self, client: TestClient, database: Database) -> None:
        key = made(client)
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write', 'publish', 'sync')}"
        for method, path in (
            ("GET", AT), ("POST", AT), ("GET", f"{AT}/{key['id']}"), ("DELETE", f"{AT}/{key['id']}"),
            ("POST", f"{AT}/{key['id']}/rotate"),
        ):  # fmt: skip
            assert client.request(method, path, json={} if method == "POST" else None).status_code == 403, path

    def test_what_makes_a_secret_is_not_asked_for_with_an_idempotency_key(self, client: TestClient) -> None:
        key = made(client)
        before = client.get(AT).json()["items"]
        for at, body in ((AT, {"name": "n", "scopes": ["read"]}), (f"{AT}/{key['id']}/rotate", {})):
            answer = client.post(at, json=body, headers={"Idempotency-Key": "once"})
            assert_problem(answer, 400, "parameter-invalid")
            (error,) = answer.json()["errors"]
            assert (error["code"], error["parameter"]) == ("idempotency-key", "Idempotency-Key")
        assert client.get(AT).json()["items"] == before
