"""What holds of every address that OpenAPI describes: methods, HEAD, keys, preconditions, bodies, problems."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.promises.addresses import METHODS, NOBODY, Addresses, Operation
from tests.promises.test_error_shape import assert_problem

LARGE = 1_048_577
"""One byte more than a JSON body may have."""
SENT_AS_IT_IS_READ = "/v1/manage/exports"
"""Nobody knows its length before its end."""
COUNTED = "/metrics"
"""Each request changes what it answers."""


class Bodies:
    """The application, and how many bytes of body it sent last: a test client hides what follows a HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.sent_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def count(message: Message) -> None:
            self.sent_bytes += len(message.get("body", b""))
            await send(message)

        self.sent_bytes = 0
        await self._app(scope, receive, count)


@pytest.fixture
def app(app: ASGIApp) -> Bodies:
    return Bodies(app)


@pytest.fixture
def addresses(client: TestClient) -> Addresses:
    return Addresses(client)


def headers(operation: Operation, **beside: str) -> dict[str, str]:
    """What the operation needs to get as far as its body."""
    return ({"If-Match": "*"} if operation.needs("If-Match") else {}) | beside


def with_bodies(addresses: Addresses) -> list[Operation]:
    return [operation for operation in addresses if operation.media_types]


def changing(addresses: Addresses) -> list[Operation]:
    """The writes that change what is there: all but creations, and a PUT may create as well."""
    lifecycle = ("/publish", "/unpublish", "/schedule", "/archive", "/restore", "/move", "/merge")
    return [
        operation
        for operation in addresses
        if operation.method in {"PUT", "PATCH", "DELETE"} or operation.template.endswith(lifecycle)
    ]


class TestMethods:
    def test_another_one_is_405_with_all_that_are_allowed(
        self, client: TestClient, app: Bodies, addresses: Addresses
    ) -> None:
        for template in addresses.templates():
            path = addresses.of(template)
            allowed = addresses.methods_at(path)
            assert allowed, template
            for method in {*METHODS, "OPTIONS", "TRACE", "LINK"} - allowed:
                answer = client.request(method, path)
                if method == "HEAD":
                    assert (answer.status_code, app.sent_bytes) == (405, 0), path
                else:
                    assert_problem(answer, 405, "method-not-allowed")
                assert answer.headers["allow"] == ", ".join(sorted(allowed)), (method, path)

    def test_no_address_is_found_with_a_slash_behind_it(self, client: TestClient, addresses: Addresses) -> None:
        for template in addresses.templates():
            path = addresses.of(template).partition("?")[0]
            assert_problem(client.get(f"{path}/"), 404, "not-found")

    @pytest.mark.parametrize("there", [True, False])
    def test_head_is_get_without_the_body(
        self, client: TestClient, app: Bodies, addresses: Addresses, there: bool
    ) -> None:
        answered = set()
        for operation in addresses:
            if operation.method != "GET" or operation.streams:
                continue
            path = addresses.of(operation.template, there=there)
            got = client.get(path)
            assert app.sent_bytes > 0 or got.status_code == 308, path
            head = client.head(path)
            assert (head.status_code, app.sent_bytes) == (got.status_code, 0), path
            volatile = {"x-request-id"} | ({"content-length"} if path == COUNTED or got.status_code >= 400 else set())
            assert told(head, volatile) == told(got, volatile), path
            sized = got.status_code == 308 or path == SENT_AS_IT_IS_READ
            assert sized or head.headers["content-length"].isdecimal(), path
            if there and NOBODY not in path:
                assert got.status_code == 200, path
            answered.add(got.status_code)
        assert answered >= ({200} if there else {200, 404})


def told(answer: Any, volatile: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in volatile}


class TestKeys:
    def test_no_working_copy_is_seen_or_changed_without_one(self, reader: TestClient, client: TestClient) -> None:
        addresses = Addresses(client)
        for operation in addresses:
            answer = reader.request(operation.method, addresses.of(operation.template))
            if operation.manages:
                assert_problem(answer, 401, "key-missing")
                assert answer.headers["www-authenticate"] == "Bearer"
            elif {} in operation.described.get("security", [{}]) and not operation.streams:
                assert answer.status_code in {200, 308}, operation


class TestPreconditions:
    def test_what_changes_something_needs_one(self, client: TestClient, addresses: Addresses) -> None:
        before = client.get(f"/v1/manage/articles/{addresses.article['id']}").json()
        assert len(changing(addresses)) > 15
        for operation in changing(addresses):
            content_type = {"Content-Type": operation.media_types[0]} if operation.media_types else {}
            path = addresses.of(operation.template)
            answer = client.request(operation.method, path, content=body(operation), headers=content_type)
            assert_problem(answer, 428, "precondition-required")
        assert client.get(f"/v1/manage/articles/{addresses.article['id']}").json() == before

    def test_openapi_says_so(self, addresses: Addresses) -> None:
        for operation in changing(addresses):
            assert {"412", "428"} <= operation.described["responses"].keys(), operation
            assert operation.needs("If-Match") or str(operation) == "PUT /v1/manage/articles/{key}"


def body(operation: Operation) -> bytes:
    """The operation's own example, or the least there is."""
    for content in operation.described.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            return json.dumps(example["value"]).encode()
    return b"{}"


class TestBodies:
    def test_another_media_type_is_415_with_those_that_are_taken(
        self, client: TestClient, addresses: Addresses
    ) -> None:
        assert len(with_bodies(addresses)) > 15
        for operation in with_bodies(addresses):
            for media_type in ("", "application/xml", "multipart/form-data; boundary=x"):
                sent = headers(operation, **({"Content-Type": media_type} if media_type else {}))
                answer = client.request(operation.method, addresses.of(operation.template), content=b"x", headers=sent)
                assert_problem(answer, 415, "unsupported-media-type")
                name = {"POST": "accept-post", "PATCH": "accept-patch"}.get(operation.method, "accept")
                assert set(answer.headers[name].split(", ")) == set(operation.media_types)

    def test_one_that_is_too_large_is_413_also_in_chunks(self, client: TestClient, addresses: Addresses) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(17):
                yield b" " * 65_536

        for operation in with_bodies(addresses):
            path, sent = (
                addresses.of(operation.template),
                headers(operation, **{"Content-Type": operation.media_types[0]}),
            )
            if operation.template.endswith("/imports"):  # 64 MiB: only what is announced
                sent["Content-Length"] = str(64 * 1_048_576 + 1)
                assert_problem(client.request("POST", path, content=b"", headers=sent), 413, "too-large")
                continue
            for content in (b" " * LARGE, chunks()):
                assert_problem(client.request(operation.method, path, content=content, headers=sent), 413, "too-large")

    def test_one_that_is_no_json_is_400(self, client: TestClient, addresses: Addresses) -> None:
        for operation in with_bodies(addresses):
            path = addresses.of(operation.template)
            for media_type in operation.media_types:
                sent = headers(operation, **{"Content-Type": media_type})
                required = operation.described["requestBody"].get("required", False)
                broken = (b"{", b"[NaN]", b"\xff", b"[" * 100_000, *([b""] if required else []))
                for content in broken if media_type.endswith("json") else ():
                    answer = client.request(operation.method, path, content=content, headers=sent)
                    assert_problem(answer, 400, "json-invalid")

    def test_members_nobody_knows_are_all_named(self, client: TestClient, addresses: Addresses) -> None:
        seen = 0
        for operation in with_bodies(addresses):
            if operation.media_types == ("application/json",):
                path, sent = addresses.of(operation.template), headers(operation)
                answer = client.request(operation.method, path, json={"nobody": 1, "knows": {}}, headers=sent)
                assert_problem(answer, 422, "validation")
                unknown = {fault["pointer"] for fault in answer.json()["errors"] if fault["code"] == "unknown-field"}
                assert unknown == {"/nobody", "/knows"}, operation
                seen += 1
        assert seen > 8


class TestParameters:
    def test_one_that_nobody_knows_is_400(self, client: TestClient, addresses: Addresses) -> None:
        for operation in addresses:
            path = addresses.of(operation.template)
            path += f"{'&' if '?' in path else '?'}nobody=knows"
            answer = client.request(operation.method, path, headers=headers(operation))
            assert_problem(answer, 400, "parameter-invalid")
            assert {"unknown-parameter"} <= {fault["code"] for fault in answer.json()["errors"]}, operation

    def test_an_address_that_is_too_long_is_414(self, client: TestClient, addresses: Addresses) -> None:
        for operation in addresses:
            for long in (f"/{'菊' * 4_000}", f"?q={'x' * 32_768}"):
                answer = client.request(operation.method, operation.template + long)
                assert_problem(answer, 414, "uri-too-long")
        for path in ("/nothing?" + "x" * 32_768, "/" + "x" * 32_768):
            assert_problem(client.get(path), 414, "uri-too-long")
        assert client.head("/v1/articles/" + "x" * 32_768).status_code == 414

    def test_the_longest_url_that_a_source_may_have_can_be_looked_up(self, client: TestClient) -> None:
        url = "https://news.example.jp/" + "💡" * (2_048 - 24)
        client.get("/v1/sources/lookup", params={"url": url}).json()
        assert_problem(client.get("/v1/sources/lookup", params={"url": url}), 404, "source-unknown")


class TestDescribed:
    def test_every_failure_that_is_not_one_of_all_addresses_is_a_problem_in_openapi(self, addresses: Addresses) -> None:
        for operation in addresses:
            assert {"400", "414", "500", "503"} <= operation.described["responses"].keys(), operation
            if operation.manages:
                assert {"401", "403"} <= operation.described["responses"].keys(), operation
