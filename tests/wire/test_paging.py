"""Pages follow one another by cursors that fit one list only."""

import base64
import json
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.requests import Request

from app.errors import Malformed
from app.wire import paging
from app.wire.paging import Count, ListQuery


def request(path: str = "/things", query: bytes = b"") -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": [], "server": ("h", 80)}
    )


class TestCursor:
    @given(st.text(st.characters(exclude_categories=("C", "Z"))), st.integers(0, 2**31 - 1))
    def test_it_leads_back_to_its_position(self, text: str, number: int) -> None:
        cursor = paging.cursor((text, number), "list")
        assert paging.position(cursor, "list", (str, int)) == (text, number)

    def test_none_is_the_beginning(self) -> None:
        assert paging.position(None, "list", (str,)) is None

    def test_it_does_not_fit_another_list(self) -> None:
        cursor = paging.cursor(("a",), paging.bound_to("list", "tag"))
        with pytest.raises(Malformed, match="cursor"):
            paging.position(cursor, paging.bound_to("list", "other"), (str,))

    @pytest.mark.parametrize("cursor", ["", "a", "!", "犬", "AAAA", "A" * 2000, paging.cursor((1,), "list") + "A"])
    def test_a_broken_one_is_malformed(self, cursor: str) -> None:
        with pytest.raises(Malformed):
            paging.position(cursor, "list", (int,))

    @pytest.mark.parametrize("values", [[1], ["a", "b"], [None], [["a"]], {"a": 1}, ["\0"], ["\ud800"], [True]])
    def test_a_forged_one_with_values_no_database_compares_is_malformed(self, values: object) -> None:
        content = json.dumps(values).encode()
        forged = base64.urlsafe_b64encode(paging._digest(content, "list") + content).decode().rstrip("=")
        with pytest.raises(Malformed):
            paging.position(forged, "list", (str,))


class TestPage:
    FOUND: ClassVar = [
        ((f"at-{number}", f"id-{number}"), b'{"id":%d,"in":{"a":1,"b":[{"c":1,"d":2}]}}' % number)
        for number in range(3)
    ]

    def page(self, query: ListQuery, raw: bytes = b"", count: Count | None = None) -> tuple[Any, dict[str, str]]:
        body, headers = paging.page(
            request(query=raw).scope, self.FOUND, "list", limit=query.limit, fields=query.fields, counted=count
        )
        return json.loads(body), headers

    def test_one_item_too_many_means_that_there_is_a_next_page(self) -> None:
        body, headers = self.page(ListQuery(limit=2), b"limit=2&cursor=old&tag=%E7%8A%AC")
        assert [item["id"] for item in body["items"]] == [0, 1]
        assert paging.position(body["next"], "list", (str, str)) == ("at-1", "id-1")
        assert headers == {"Link": f'</things?limit=2&tag=%E7%8A%AC&cursor={body["next"]}>; rel="next"'}

    def test_the_last_page_leads_nowhere(self) -> None:
        body, headers = self.page(ListQuery(limit=3))
        assert (len(body["items"]), body["next"], headers) == (3, None, {})

    def test_the_count_stands_beside_the_items(self) -> None:
        body, _ = self.page(ListQuery(), count=Count(3, "eq"))
        assert body["count"] == {"value": 3, "relation": "eq"}
        assert "count" not in self.page(ListQuery())[0]

    def test_a_projection_keeps_the_named_members(self) -> None:
        body, _ = self.page(ListQuery(limit=1, fields="in.b.d,id"))
        assert body["items"] == [{"id": 0, "in": {"b": [{"d": 2}]}}]

    def test_a_whole_member_beats_its_parts(self) -> None:
        assert paging.project({"a": {"b": 1, "c": 2}}, "a.b,a") == {"a": {"b": 1, "c": 2}}

    def test_null_stays_null(self) -> None:
        assert paging.project({"image": None}, "image.url") == {"image": None}

    @pytest.mark.parametrize("fields", ["nothing", "id.x", "in.x"])
    def test_an_unknown_member_is_malformed(self, fields: str) -> None:
        with pytest.raises(Malformed) as caught:
            self.page(ListQuery(fields=fields))
        assert caught.value.faults[0].parameter == "fields"


class TestQuery:
    @pytest.mark.parametrize(
        "wrong", [{"limit": 0}, {"limit": 101}, {"count": "all"}, {"fields": ""}, {"fields": "a,"}, {"x": 1}]
    )
    def test_what_it_does_not_know_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            ListQuery.model_validate(wrong)

    @pytest.mark.parametrize(
        ("wanted", "there", "count"),
        [
            (None, 5, None),
            ("exact", 5000, Count(5000, "eq")),
            ("capped", 5, Count(5, "eq")),
            ("capped", 1000, Count(1000, "eq")),
            ("capped", 5000, Count(1000, "gte")),
        ],
    )
    def test_it_counts_as_far_as_it_is_asked(
        self, wanted: Literal["exact", "capped"] | None, there: int, count: Count | None
    ) -> None:
        assert paging.counted(wanted, lambda cap: there if cap is None else min(there, cap + 1)) == count
