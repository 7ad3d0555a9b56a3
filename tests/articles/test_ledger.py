"""The ledger of sources and publishers (section 2, Ledger)."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.articles.sources import canonical_url
from tests.factories import create


def cite(client: TestClient, **citation: Any) -> dict[str, Any]:
    article = create(client, {"title": "菊", "pages": [{"sections": [{"heading": "一", "citations": [citation]}]}]})
    cited: dict[str, Any] = article["pages"][0]["sections"][0]["citations"][0]
    return cited


class TestCanonicalUrl:
    @pytest.mark.parametrize(
        ("url", "canonical"),
        [
            ("http://Example.JP/a", "https://example.jp/a"),
            ("https://example.jp:443/a/", "https://example.jp/a"),
            ("http://example.jp:80/", "https://example.jp"),
            ("https://example.jp:8080/a", "https://example.jp:8080/a"),
            ("https://example.jp/a?utm_source=x&id=1&gclid=2#top", "https://example.jp/a?id=1"),
            ("https://example.jp/a?fbclid=1&yclid=2", "https://example.jp/a"),
            ("https://例え.jp/菊", "https://xn--r8jz45g.jp/菊"),
            ("https://example.jp/A?B=%E8%8F%8A", "https://example.jp/A?B=%E8%8F%8A"),
        ],
    )
    def test_it_keeps_what_names_the_piece_and_drops_the_rest(self, url: str, canonical: str) -> None:
        assert canonical_url(url) == canonical

    @given(
        st.from_regex(
            r"https?://[a-z]{1,8}\.jp(:[1-9][0-9]{1,3})?(/[a-z0-9]{0,4}){0,3}(\?[a-z_]{1,5}=[a-z]{0,3})?",
            fullmatch=True,
        )
    )
    def test_the_canonical_form_of_a_canonical_url_is_itself(self, url: str) -> None:
        assert canonical_url(canonical_url(url)) == canonical_url(url)


class TestInlineSources:
    def test_a_new_source_takes_the_printed_values_and_the_citation_keeps_none(self, client: TestClient) -> None:
        cited = cite(
            client,
            source={"url": "https://example.jp/1", "publisher": {"name": "菊新聞"}},
            display_title="見出し",
            published_on="2024-11",
        )
        assert cited["source"]["title"] == "見出し"
        assert cited["source"]["published_on"] == "2024-11"
        assert cited["source"]["publisher"]["name"] == "菊新聞"
        printed = [cited[name] for name in ("display_title", "published_on", "publisher_text", "url", "image")]
        assert printed == [None] * 5

    def test_a_known_source_is_linked_and_never_altered(self, client: TestClient) -> None:
        first = cite(client, source={"url": "https://example.jp/1", "title": "元の題", "published_on": "2024-01-01"})
        second = cite(
            client,
            source={"url": "http://EXAMPLE.jp/1/?utm_medium=a", "title": "別の題", "published_on": "2024-02-02"},
        )
        assert second["source"] == first["source"]
        assert second["display_title"] == "別の題"
        assert second["published_on"] == "2024-02-02"
        assert second["url"] == "http://EXAMPLE.jp/1/?utm_medium=a"

    def test_a_source_is_linked_by_its_id_and_what_stands_beside_it_is_ignored(self, client: TestClient) -> None:
        first = cite(client, source={"url": "https://example.jp/1", "title": "題"})
        second = cite(client, source={"id": first["source"]["id"], "title": "無視される"})
        assert second["source"] == first["source"]
        assert second["display_title"] is None

    def test_an_unknown_source_id_is_refused_with_its_pointer(self, client: TestClient) -> None:
        section = {"citations": [{"source": {"id": "01a20952-730d-73de-8611-1d33b4d4b762"}}]}
        answer = client.post("/v1/manage/articles", json={"title": "菊", "pages": [{"sections": [section]}]})
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [
            ("source-unknown", "/pages/0/sections/0/citations/0/source/id")
        ]

    def test_a_publisher_is_found_by_its_name_in_any_width(self, client: TestClient) -> None:
        first = cite(client, source={"url": "https://example.jp/1", "publisher": {"name": "KCNA"}})
        second = cite(client, source={"url": "https://example.jp/2", "publisher": {"name": "ＫＣＮＡ"}})
        assert second["source"]["publisher"] == first["source"]["publisher"]

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)", "ftp://example.jp/", "https://", "https://user:pw@example.jp/", "//example.jp/a",
            "https://example.jp/a\\b", "https://example.jp/a\nb", "https://example.jp/" + "a" * 2048, "",
            "https://exa mple.jp",
        ],
    )  # fmt: skip
    def test_an_address_that_is_none_is_refused(self, client: TestClient, url: str) -> None:
        section = {"citations": [{"source": {"url": url}}]}
        answer = client.post("/v1/manage/articles", json={"title": "菊", "pages": [{"sections": [section]}]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/pages/0/sections/0/citations/0/source/url"

    def test_a_new_source_cited_twice_is_made_of_the_first_and_nobody_else_becomes_a_publisher(
        self, client: TestClient
    ) -> None:
        first = {"source": {"url": "https://example.jp/1", "title": "題"}}
        second = {"source": {"url": "http://example.jp/1/", "title": "別の題", "publisher": {"name": "町の声"}}}
        section = {"citations": [first, second]}
        answer = client.post("/v1/manage/articles", json={"title": "菊", "pages": [{"sections": [section]}]})
        made, printed = answer.json()["pages"][0]["sections"][0]["citations"]
        assert (made["source"], made["source"]["publisher"]) == (printed["source"], None)
        assert (printed["display_title"], printed["publisher_text"]) == ("別の題", "町の声")
        assert client.get("/v1/manage/publishers").json()["items"] == []

    def test_an_address_of_the_longest_kind_is_kept_on_both_databases(self, client: TestClient) -> None:
        path = "".join(chr(0x4E00 + number) for number in range(1500))
        first = cite(client, source={"url": f"https://example.jp/{path}"})
        second = cite(client, source={"url": f"http://example.jp/{path}/"})
        assert first["source"]["id"] == second["source"]["id"]

    def test_an_image_the_source_has_already_is_not_kept_twice(self, client: TestClient) -> None:
        image = {"url": "https://example.jp/i.jpg", "alt": "菊"}
        first = cite(client, source={"url": "https://example.jp/1", "image": image}, image=image)
        assert (first["image"], first["source"]["image"]["alt"]) == (None, "菊")
