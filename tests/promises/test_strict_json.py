"""Strict JSON (section 4), the same on both databases."""

import pytest
from fastapi.testclient import TestClient

JSON = {"Content-Type": "application/json"}


class TestUnreadableBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b" ", b"{", b"{'title': 1}", b'{"title": NaN}', b'{"title": Infinity}', b'{"title": 1e999}',
            b'{"title": "a", "title": "b"}', b'\xef\xbb\xbf{"title": "a"}', b'{"title": "\xff"}',
            '{"title": "a"}'.encode("utf-16"), "題".encode("shift_jis"), b"[" * 200 + b"]" * 200,
            b"[" * 100_000, b'{"a":' * 33 + b"1" + b"}" * 33, b'{"title": "a"} x', b'{"title": "a",}',
            b'{"title": "' + b"\x01" + b'"}', b"1" * 5000,
        ],
    )  # fmt: skip
    def test_what_is_not_json_is_400(self, client: TestClient, body: bytes) -> None:
        answer = client.post("/v1/manage/articles", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "json-invalid")

    @pytest.mark.parametrize(
        "body", [r'{"title": "\ud800"}', r'{"title": "\u0000"}', r'{"\udfff": 1}', r'{"title": "a", "x\u0000": 1}']
    )
    def test_what_no_database_could_keep_is_422(self, client: TestClient, body: str) -> None:
        answer = client.post("/v1/manage/articles", content=body, headers=JSON)
        assert answer.status_code == 422
        answer.content.decode("utf-8")

    @pytest.mark.parametrize(
        "body",
        [
            "1",
            '"a"',
            "null",
            "[]",
            "true",
            '{"title": 1}',
            '{"title": null}',
            '{"title": "a", "pages": {}}',
            '{"title": "a", "seo": {"noindex": 1}}',
            '{"title": "a", "seo": {"noindex": "true"}}',
        ],
    )
    def test_another_type_than_asked_for_is_422(self, client: TestClient, body: str) -> None:
        answer = client.post("/v1/manage/articles", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation")
        assert client.get("/v1/manage/articles").json()["items"] == []
