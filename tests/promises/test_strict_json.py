"""Strict JSON (section 4), the same on both databases."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import create

JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
DEEP = 100_000

NOT_JSON = {
    "nothing": b"",
    "white space": b" \t\r\n",
    "an open object": b"{",
    "an open string": b'{"title": "a',
    "single quotes": b"{'title': 1}",
    "no quotes": b"{title: 1}",
    "NaN": b'{"title": NaN}',
    "-NaN": b'{"title": -NaN}',
    "Infinity": b'{"title": Infinity}',
    "-Infinity": b'{"title": -Infinity}',
    "1e999": b'{"title": 1e999}',
    "-1e999": b'{"title": -1e999}',
    "400 digits": b'{"title": ' + b"9" * 400 + b"}",
    "5,000 digits": b"1" * 5000,
    "a leading zero": b'{"title": 01}',
    "a plus sign": b'{"title": +1}',
    "no digit before the point": b'{"title": .5}',
    "no digit behind the point": b'{"title": 5.}',
    "no exponent": b'{"title": 1e}',
    "hexadecimal": b'{"title": 0x1}',
    "full-width digits": '{"title": １}'.encode(),
    "True": b'{"title": True}',
    "undefined": b'{"title": undefined}',
    "a key twice": b'{"title": "a", "title": "b"}',
    "a key twice, once escaped": rb'{"title": "a", "\u0074itle": "b"}',
    "a key twice, deep inside": b'{"title": "a", "seo": {"noindex": true, "noindex": true}}',
    "a comma too many": b'{"title": "a",}',
    "a comma too few": b'{"title": "a" "lead": "b"}',
    "something behind it": b'{"title": "a"} x',
    "two values": b'{"title": "a"}{}',
    "a comment": b'{"title": "a"} // a',
    "a no-break space": '{"title":\u00a0"a"}'.encode(),
    "a raw control character": b'{"title": "\x01"}',
    "a raw NUL": b'{"title": "\x00"}',
    "a raw line feed": b'{"title": "a\nb"}',
    "an unknown escape": rb'{"title": "\x41"}',
    "a short escape": rb'{"title": "\u12"}',
    "a byte order mark": b'\xef\xbb\xbf{"title": "a"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "UTF-16, no mark": '{"title": "a"}'.encode("utf-16-le"),
    "UTF-32": '{"title": "a"}'.encode("utf-32-be"),
    "Shift_JIS": '{"title": "題"}'.encode("shift_jis"),
    "EUC-JP": '{"title": "題"}'.encode("euc-jp"),
    "no UTF-8": b'{"title": "\xff"}',
    "an overlong form": b'{"title": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "33 levels": b'{"a":' * 32 + b"[]" + b"}" * 32,
    "200 levels": b"[" * 200 + b"]" * 200,
    "100,000 arrays": b"[" * DEEP + b"]" * DEEP,
    "100,000 open arrays": b"[" * DEEP,
    "100,000 objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}
UNSTORABLE = [
    r'{"title": "\ud800"}', r'{"title": "\udfff"}', r'{"title": "\ude00\ud83d"}', r'{"title": "a\ud83d"}',
    r'{"title": "\u0000"}', r'{"title": "a\u0000b"}', r'{"\udfff": 1}', r'{"title": "a", "x\u0000": 1}',
    r'{"title": "a", "labels": {"\ud800": "b"}}', r'{"title": "a", "tags": ["\ud800"]}',
    r'{"title": "a", "pages": [{"sections": [{"citations": [{"source": {"url": "https://a/\ud800"}}]}]}]}',
    r'{"title": "\u0001"}', r'{"title": "\u001f"}', r'{"title": "\u0008"}',
]  # fmt: skip
OTHER_TYPES = [
    ("1", ""), ('"a"', ""), ("null", ""), ("[]", ""), ("true", ""), ("1.5", ""),
    ('{"title": 1}', "/title"), ('{"title": null}', "/title"), ('{"title": ["a"]}', "/title"),
    ('{"title": {"a": 1}}', "/title"), ('{"title": true}', "/title"),
    ('{"title": "a", "pages": {}}', "/pages"), ('{"title": "a", "pages": null}', "/pages"),
    ('{"title": "a", "pages": ["a"]}', "/pages/0"), ('{"title": "a", "pages": [[]]}', "/pages/0"),
    ('{"title": "a", "seo": []}', "/seo"), ('{"title": "a", "seo": {"noindex": 1}}', "/seo/noindex"),
    ('{"title": "a", "seo": {"noindex": "true"}}', "/seo/noindex"),
    ('{"title": "a", "seo": {"noindex": null}}', "/seo/noindex"),
    ('{"title": "a", "hero_image": {"width": "1"}}', "/hero_image/width"),
    ('{"title": "a", "hero_image": {"width": 1.5}}', "/hero_image/width"),
    ('{"title": "a", "hero_image": {"width": true}}', "/hero_image/width"),
    ('{"title": "a", "hero_image": {"width": 1e20}}', "/hero_image/width"),
    ('{"title": "a", "hero_image": {"alt": null}}', "/hero_image/alt"),
    ('{"title": "a", "external_ids": [["cms", "1"]]}', "/external_ids"),
    ('{"title": "a", "external_ids": {"cms": 1}}', "/external_ids/cms"),
    ('{"title": "a", "tags": "菊"}', "/tags"), ('{"title": "a", "takeaways": ["菊"]}', "/takeaways/0"),
]  # fmt: skip


def send(client: TestClient, body: bytes | str) -> Any:
    answer = client.post("/v1/manage/articles", content=body, headers=JSON)
    answer.content.decode("utf-8")
    return answer


class TestUnreadableBodies:
    def test_what_is_not_json_is_400(self, client: TestClient) -> None:
        article = create(client)
        at = f"/v1/manage/articles/{article['id']}"
        for name, body in NOT_JSON.items():
            for answer in (send(client, body), client.patch(at, content=body, headers=MERGE)):
                assert (answer.status_code, answer.json()["code"]) == (400, "json-invalid"), name
        assert client.get(at).json() == article

    def test_what_no_database_could_keep_is_422(self, client: TestClient) -> None:
        for body in UNSTORABLE:
            answer = send(client, body)
            assert answer.status_code == 422, body
            assert {"text-refused"} <= {fault["code"] for fault in answer.json()["errors"]}, body
        assert client.get("/v1/manage/articles").json()["items"] == []

    def test_another_type_than_asked_for_is_422(self, client: TestClient) -> None:
        for body, pointer in OTHER_TYPES:
            answer = send(client, body)
            assert (answer.status_code, answer.json()["code"]) == (422, "validation"), body
            assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer], body
        assert client.get("/v1/manage/articles").json()["items"] == []

    def test_unknown_members_are_all_named_wherever_they_stand(self, client: TestClient) -> None:
        source = {"url": "https://news.example.jp", "a/b": 1}
        section = {"citations": [{"source": source, "key_points": [{"Text": "a"}]}], "heading ": ""}
        answer = send(client, json.dumps({"title": "a", "Title": 1, "pages": [{"sections": [section], "~": []}]}))
        assert answer.status_code == 422
        assert {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]} == {
            ("/Title", "unknown-field"),
            ("/pages/0/~0", "unknown-field"),
            ("/pages/0/sections/0/heading ", "unknown-field"),
            ("/pages/0/sections/0/citations/0/source/a~1b", "unknown-field"),
            ("/pages/0/sections/0/citations/0/key_points/0/Text", "unknown-field"),
        }


class TestReadableBodies:
    @pytest.mark.parametrize(
        ("body", "title"),
        [
            (b' \t\r\n{ "title" : "a" }\n', "a"),
            (rb'{"\u0074itle": "\u0061\/\\\"\b"}'.replace(rb"\b", b""), 'a/\\"'),
            (rb'{"title": "\ud83d\udca1"}', "💡"),
            (rb'{"title": "\t\r\n"}', "\t\r\n"),
            (b'{"title": "\x7f\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf"}', "\x7f\x85\u2028\ufeff\uffff"),
            (rb'{"title": "\\u0000"}', "\\u0000"),
        ],
    )
    def test_each_way_to_spell_a_text_gives_that_text(self, client: TestClient, body: bytes, title: str) -> None:
        assert send(client, body).json()["title"] == title

    def test_each_way_to_spell_a_number_gives_that_number(self, client: TestClient) -> None:
        for width in ("300", "300.0", "3e2", "3E+2", "0.3e3", "30000e-2"):
            answer = send(client, f'{{"title": "a", "hero_image": {{"alt": "菊", "width": {width}}}}}')
            assert (answer.status_code, '"width":300,' in answer.text) == (201, True), width

    def test_the_same_key_may_stand_in_two_objects(self, client: TestClient) -> None:
        assert send(client, b'{"title": "a", "seo": {"title": "b"}}').json()["seo"]["title"] == "b"
