"""A body is strict JSON of the declared type and size, or it is refused before anything is opened."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app import validation
from app.database import Database
from app.errors import Conflict, Invalid, Malformed, TooLarge
from app.validation import parse_json
from app.wire.bodies import JSON_PATCH, MERGE_PATCH, Patch, apply

JSON = {"Content-Type": "application/json"}
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé犬\n"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~"), inner, max_size=4),
    max_leaves=20,
)


def post(http: TestClient, content: bytes | Iterator[bytes], headers: dict[str, str] = JSON) -> tuple[int, Any]:
    answer = http.post("/things", content=content, headers=headers)
    return answer.status_code, answer.json()


class TestStrictJson:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b" \n ",
            b"{",
            b"\xef\xbb\xbf{}",
            b'{"id": "\x93\xfa"}',
            '{"id": "あ"}'.encode("utf-16"),
            b'{"id": NaN}',
            b'{"size": Infinity}',
            b'{"size": -Infinity}',
            b'{"size": 1e999}',
            b'{"size": ' + b"9" * 400 + b"}",
            b'{"size": ' + b"9" * 5000 + b"}",
            b'{"id": "a", "id": "b"}',
            b'{"id": "a"} {}',
            b"{'id': 1}",
            b'{"id": "a\nb"}',
            b"[" * 33 + b"]" * 33,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 200 + b"1" + b"}" * 200,
        ],
    )
    def test_what_is_not_strict_json_is_malformed(self, http: TestClient, content: bytes) -> None:
        status, problem = post(http, content)
        assert (status, problem["code"]) == (400, "json-invalid")

    @pytest.mark.parametrize(
        ("content", "pointer"),
        [
            (rb'{"id": "\u0000"}', "/id"),
            (rb'{"id": "\ud800"}', "/id"),
            (rb'{"id": "a", "tags": [{"name": "\udc00\ud800"}]}', "/tags/0/name"),
            (rb'{"id": "a", "labels": {"\ud800": "b"}}', "/labels"),
        ],
    )
    def test_what_no_database_takes_is_invalid(self, http: TestClient, content: bytes, pointer: str) -> None:
        status, problem = post(http, content)
        assert status == 422
        assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [(pointer, "text-refused")]

    def test_thirty_two_levels_are_taken(self) -> None:
        assert parse_json(b"[" * 32 + b"]" * 32)

    def test_escaped_pairs_are_characters(self) -> None:
        assert parse_json(rb'"\ud83d\udca1"') == "💡"

    @pytest.mark.parametrize(
        ("spelled", "number"),
        [
            (b"20.0", 20),
            (b"2e1", 20),
            (b"-0.0", 0),
            (b"9007199254740991.0", 2**53 - 1),
            (b"2.5", 2.5),
            (b"1e300", 1e300),
        ],
    )
    def test_a_whole_number_is_an_integer_however_it_is_spelled(self, spelled: bytes, number: float) -> None:
        value = parse_json(spelled)
        assert (value, type(value)) == (number, type(number))

    @given(NESTED)
    def test_all_other_json_is_read_as_python_reads_it(self, value: object) -> None:
        for ascii_only in (True, False):
            assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


class TestMediaType:
    @pytest.mark.parametrize(
        "media_type", ["", "text/plain", "application", "application/json; charset=shift_jis", "application/jsonx"]
    )
    def test_another_one_is_refused_with_the_one_that_is_taken(self, http: TestClient, media_type: str) -> None:
        answer = http.post(
            "/things", content=b'{"id": "a"}', headers={"Content-Type": media_type} if media_type else {}
        )
        assert answer.status_code == 415
        assert answer.headers["accept-post"] == "application/json"

    def test_utf_8_may_be_named(self, http: TestClient) -> None:
        headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
        assert post(http, b'{"id": "a"}', headers)[0] == 201

    def test_a_compressed_body_is_refused(self, http: TestClient) -> None:
        assert post(http, b"{}", {**JSON, "Content-Encoding": "gzip"})[0] == 415


class TestSize:
    def test_a_body_of_a_mebibyte_is_read(self, http: TestClient) -> None:
        content = b'{"id": "a"}'
        assert post(http, content + b" " * (1_048_576 - len(content)))[0] == 201

    def test_a_longer_one_is_too_large(self, http: TestClient) -> None:
        assert post(http, b" " * 1_048_577)[0] == 413

    def test_one_in_chunks_is_not_read_to_its_end(self, http: TestClient) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * 65_536

        assert post(http, chunks())[0] == 413


class TestValidation:
    def test_all_faults_are_told_at_once_with_pointers_and_without_the_input(self, http: TestClient) -> None:
        secret = "hunter2"
        content = {
            "tags": [{"name": secret}, {"name": "ok", "kind": secret}, {"kind": "a"}],
            "labels": {"z/~": "v", "a/b": 1},
            "size": secret,
            "extra": secret,
        }
        status, problem = post(http, json.dumps(content).encode())
        assert status == 422
        assert problem["code"] == "validation"
        assert {(fault["pointer"], fault["code"]) for fault in problem["errors"]} == {
            ("/id", "required"),
            ("/tags/0/name", "string-too-long"),
            ("/tags/1/kind", "literal-error"),
            ("/tags/2/name", "required"),
            ("/labels/z~1~0", "literal-error"),
            ("/labels/a~1b", "string-type"),
            ("/size", "int-type"),
            ("/extra", "unknown-field"),
        }
        assert secret not in json.dumps(problem)

    def test_a_refused_body_opens_no_transaction(self, http: TestClient, database: Database) -> None:
        with database.writing():
            assert post(http, b'{"size": 1}')[0] == 422


class TestRawBody:
    def test_it_is_handed_over_as_it_came(self, http: TestClient) -> None:
        answer = http.post("/raw", content=b"\xff\xfe", headers={"Content-Type": "Text/Plain; charset=Shift_JIS"})
        assert answer.json() == {"bytes": 2, "media_type": "text/plain", "charset": "shift_jis"}

    def test_its_limit_is_the_routes_own(self, http: TestClient) -> None:
        assert http.post("/raw", content=b"x" * 101, headers={"Content-Type": "text/plain"}).status_code == 413


class TestPatchBody:
    def test_a_merge_patch_changes_members(self, http: TestClient) -> None:
        answer = http.patch("/things/1", content=b'{"size": null, "x": 1}', headers={"Content-Type": MERGE_PATCH})
        assert answer.json() == {"id": "1", "tags": [{"name": "n"}], "x": 1}

    def test_a_json_patch_changes_places(self, http: TestClient) -> None:
        content = b'[{"op": "replace", "path": "/tags/0/name", "value": "m"}]'
        answer = http.patch("/things/1", content=content, headers={"Content-Type": JSON_PATCH})
        assert answer.json()["tags"] == [{"name": "m"}]

    def test_plain_json_is_refused_with_the_types_that_are_taken(self, http: TestClient) -> None:
        answer = http.patch("/things/1", content=b"{}", headers=JSON)
        assert answer.status_code == 415
        assert answer.headers["accept-patch"] == f"{MERGE_PATCH}, {JSON_PATCH}"

    @pytest.mark.parametrize(
        ("media_type", "content"), [(MERGE_PATCH, b"[]"), (JSON_PATCH, b"{}"), (MERGE_PATCH, b"1")]
    )
    def test_the_wrong_kind_of_value_is_invalid(self, http: TestClient, media_type: str, content: bytes) -> None:
        answer = http.patch("/things/1", content=content, headers={"Content-Type": media_type})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "patch-invalid")


def operations(*each: dict[str, object]) -> Patch:
    return Patch(JSON_PATCH, list(each))


class TestApply:
    # RFC 7396, appendix A: those whose patch is an object.
    @pytest.mark.parametrize(
        ("document", "patch", "result"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_a_merge_patch_does_what_the_rfc_shows(
        self, document: dict[str, object], patch: dict[str, object], result: dict[str, object]
    ) -> None:
        before = json.dumps(document)
        assert apply(Patch(MERGE_PATCH, patch), document) == result
        assert json.dumps(document) == before

    def test_a_failed_test_is_a_conflict(self) -> None:
        with pytest.raises(Conflict) as caught:
            apply(operations({"op": "test", "path": "/a", "value": 2}), {"a": 1})
        assert caught.value.code == "patch-test-failed"

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "/b"},
            {"op": "replace", "path": "/a/0", "value": 1},
            {"op": "add", "path": "/list/7", "value": 1},
            {"op": "move", "from": "/b", "path": "/c"},
            {"op": "copy", "from": "/list/x", "path": "/c"},
            {"op": "remove", "path": ""},
            {"op": "remove", "path": "a"},
            {"op": "move", "from": "/list", "path": "/list/0"},
        ],
    )
    def test_a_place_that_is_not_there_is_a_conflict(self, operation: dict[str, object]) -> None:
        document = {"a": 1, "list": [1, 2]}
        with pytest.raises(Conflict):
            apply(operations(operation), document)
        assert document == {"a": 1, "list": [1, 2]}

    @pytest.mark.parametrize(
        "operation",
        [1, {}, {"op": "append", "path": "/a", "value": "x"}, {"op": "add", "path": "/a"}, {"op": ["add"]},
         {"op": "add", "path": 1, "value": 1}, {"op": "copy", "path": "/a"}, {"op": "move", "from": 1, "path": "/a"}],
    )  # fmt: skip
    def test_what_is_no_operation_is_invalid(self, operation: dict[str, object]) -> None:
        with pytest.raises(Invalid):
            apply(operations(operation), {"a": 1})

    def test_what_leaves_no_object_is_invalid(self) -> None:
        with pytest.raises(Invalid):
            apply(operations({"op": "replace", "path": "", "value": []}), {"a": 1})

    def test_copies_that_double_the_document_again_and_again_are_stopped(self) -> None:
        copies: list[dict[str, object]] = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(25)]
        with pytest.raises((TooLarge, Malformed)):
            apply(operations(*copies), {"text": "x" * 1000})

    def test_a_copy_is_not_the_same_object(self) -> None:
        shared = {"x": 1}
        copied = apply(
            operations({"op": "copy", "from": "/a", "path": "/b"}, {"op": "replace", "path": "/b/x", "value": 2}),
            {"a": shared},
        )
        assert copied == {"a": {"x": 1}, "b": {"x": 2}}
        assert shared == {"x": 1}


class TestPointer:
    def test_tilde_and_slash_are_escaped(self) -> None:
        assert validation.pointer(("a/b", 0, "~")) == "/a~1b/0/~0"
