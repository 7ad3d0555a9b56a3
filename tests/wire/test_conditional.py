"""Preconditions of writes, and 304 for readers."""

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from app.wire import conditional


def request(if_none_match: str | None = None) -> Request:
    headers = [] if if_none_match is None else [(b"if-none-match", if_none_match.encode("latin-1"))]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


class TestIfMatch:
    @pytest.mark.parametrize(
        ("value", "versions"),
        [
            ('"3"', [3]),
            ('"3", "4"', [3, 4]),
            (' "3" ,, "4",', [3, 4]),
            ("*", None),
            ('W/"3"', []),
            ('"03"', []),
            ('"0"', []),
            ('"-1"', []),
            ('"abc", "5"', [5]),
            ('"99999999999999999999"', []),
            ('""', []),
        ],
    )
    def test_it_names_the_versions_a_write_may_change(
        self, http: TestClient, value: str, versions: list[int] | None
    ) -> None:
        assert http.put("/things/1", headers={"If-Match": value}).json()["match"] == versions

    @pytest.mark.parametrize("value", ["3", '"3', '"3" "4"', "", ",", '"3",*', "W/3"])
    def test_a_broken_one_is_malformed(self, http: TestClient, value: str) -> None:
        answer = http.put("/things/1", headers={"If-Match": value})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "If-Match"

    def test_a_write_without_it_is_refused(self, http: TestClient) -> None:
        answer = http.put("/things/1")
        assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")


class TestNoneMatch:
    @pytest.mark.parametrize(
        ("value", "same"),
        [
            (None, False),
            ("*", True),
            ('"a"', True),
            ('W/"a"', True),
            ('"b", "a"', True),
            ('"a-gzip"', True),
            ('"b"', False),
            ("a", False),
            ("", False),
        ],
    )
    def test_a_client_that_has_the_bytes_is_recognised(self, value: str | None, same: bool) -> None:
        assert conditional.none_match(value, '"a"') is same

    def test_the_identity_tag_is_as_good_as_that_of_the_gzip_copy(self) -> None:
        assert conditional.none_match('"a"', '"a-gzip"')


class TestAnswer:
    def test_it_carries_what_caches_need(self) -> None:
        answer = conditional.answer(request(), b"{}", vary="Accept", surrogate_keys="a b")
        assert answer.status_code == 200
        assert answer.headers["etag"] == conditional.digest(b"{}")
        assert answer.headers["cache-control"] == conditional.CACHE_CONTROL
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["surrogate-key"] == "a b"

    def test_304_has_the_same_headers_and_no_body(self) -> None:
        answer = conditional.answer(request('"x"'), b"{}", '"x"', vary="Accept")
        assert (answer.status_code, answer.body) == (304, b"")
        assert (answer.headers["etag"], answer.headers["vary"]) == ('"x"', "Accept")
        assert "content-type" not in answer.headers

    def test_a_body_the_client_has_is_not_built(self) -> None:
        def build() -> tuple[bytes, dict[str, str]]:
            raise AssertionError

        assert conditional.lazy(request('"x"'), '"x"', build).status_code == 304

    def test_without_a_tag_the_bytes_give_it(self) -> None:
        answer = conditional.lazy(request(), None, lambda: (b"[]", {"Link": "<x>"}))
        assert (answer.headers["etag"], answer.headers["link"]) == (conditional.digest(b"[]"), "<x>")
