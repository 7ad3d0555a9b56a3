"""Every failure is one problem document, whoever notices it."""

import json
import logging
from typing import Annotated

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, Discriminator, Tag, ValidationError
from starlette.requests import Request

from app import errors, validation
from app.wire import problems

MEMBERS = ["type", "title", "status", "code", "detail", "request_id", "errors"]


def request(method: str = "GET") -> Request:
    return Request({"type": "http", "method": method, "path": "/", "headers": [], "state": {"request_id": "r"}})


class TestShape:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nowhere", 404),
            ("GET", "/things/", 404),
            ("PUT", "/things/%00", 404),
            ("POST", "/public", 405),
            ("PUT", "/things/1", 428),
            ("GET", "/things?limit=0", 400),
            ("GET", "/broken", 500),
            ("POST", "/edits", 401),
        ],
    )
    def test_a_problem_has_the_same_members_everywhere(
        self, http: TestClient, method: str, path: str, status: int
    ) -> None:
        answer = http.request(method, path)
        problem = answer.json()
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert list(problem) == MEMBERS
        assert problem["status"] == status
        assert problem["type"] == f"/problems/{problem['code']}"
        assert problem["request_id"] == answer.headers["x-request-id"]

    def test_every_kind_of_failure_has_a_status(self) -> None:
        kinds = {kind for kind in errors.KikuError.__subclasses__() if kind.__module__ == "app.errors"}
        assert kinds == set(problems.STATUSES)

    def test_it_can_be_encoded_whatever_came_in(self) -> None:
        fault = errors.Fault("unknown-field", "…", pointer="/\ud800")
        answer = problems.answer(request(), errors.Invalid("validation", "…", (fault,)))
        assert json.loads(bytes(answer.body))["errors"] == [
            {"pointer": "/\ud800", "code": "unknown-field", "detail": "…"}
        ]


class TestHeaders:
    def test_405_names_the_methods_of_all_routes_at_the_address(self, http: TestClient) -> None:
        answer = http.post("/things/1")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "PATCH, PUT"
        assert http.delete("/things").headers["allow"] == "GET, HEAD, POST"

    @pytest.mark.parametrize(
        ("error", "name", "value"),
        [
            (errors.Stale(3), "etag", '"3"'),
            (errors.Busy("…", 7), "retry-after", "7"),
            (errors.Unauthenticated("key-missing", "…"), "www-authenticate", "Bearer"),
            (errors.UnsupportedMediaType("…", ("a/b", "c/d")), "accept-post", "a/b, c/d"),
        ],
    )
    def test_the_header_that_belongs_to_the_kind_is_there(self, error: errors.KikuError, name: str, value: str) -> None:
        assert problems.answer(request("POST"), error).headers[name] == value

    def test_an_unknown_version_gives_no_etag(self) -> None:
        assert "etag" not in problems.answer(request(), errors.Stale(None)).headers


class TestUnexpected:
    def test_the_traceback_is_in_the_log_with_the_request_and_not_in_the_answer(
        self, http: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR, "kiku.problems"):
            answer = http.get("/broken", headers={"Origin": "https://example.org", "X-Request-Id": "mine"})
        assert "secret" not in answer.text
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "mine" in caplog.text
        assert "a secret" in caplog.text


class TestParameters:
    def test_a_fault_names_the_parameter_and_not_its_value(self, http: TestClient) -> None:
        answer = http.get("/things?limit=secret&count=secret")
        assert answer.status_code == 400
        assert [(fault["parameter"], fault["code"]) for fault in answer.json()["errors"]] == [
            ("limit", "int-parsing"),
            ("count", "literal-error"),
        ]
        assert "secret" not in answer.text

    def test_a_fault_in_the_path_does_so_too(self, http: TestClient) -> None:
        answer = http.put("/things/secret", headers={"If-Match": "*"})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "id"

    @pytest.mark.parametrize("path", ["/public?x=1", "/things?x=1", "/openapi.json?x=1", "/health/live?x=1"])
    def test_an_unknown_one_is_refused_on_every_route(self, http: TestClient, path: str) -> None:
        answer = http.get(path)
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"parameter": "x", "code": "unknown-parameter", "detail": "This address knows no such parameter."}
        ]

    def test_one_that_has_one_value_is_given_once(self, http: TestClient) -> None:
        assert http.get("/things?kind=a&kind=b").json()["errors"][0]["code"] == "repeated-parameter"
        assert http.get("/things?tag=a&tag=b").status_code == 200

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("kind=%ff", "The query is not percent-encoded UTF-8."),
            ("kind=%00", "A parameter is not as it should be."),
            ("&".join(["tag=a"] * 1001), "A query has at most 1,000 parameters."),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, http: TestClient, query: str, detail: str) -> None:
        refused = http.get(f"/things?{query}")
        assert (refused.status_code, refused.json()["detail"]) == (400, detail)
        assert http.get("/things?" + "&".join(["tag=a"] * 1000)).status_code == 200


class TestFaults:
    def test_a_tag_that_names_no_branch_is_not_echoed(self) -> None:
        class A(BaseModel):
            kind: str

        class Holder(BaseModel):
            inner: Annotated[Annotated[A, Tag("a")], Discriminator(lambda value: value["kind"])]

        with pytest.raises(ValidationError) as caught:
            Holder.model_validate({"inner": {"kind": "secret"}})
        (error,) = caught.value.errors()
        assert "secret" in error["msg"]
        assert "secret" not in validation.fault_detail(error)
