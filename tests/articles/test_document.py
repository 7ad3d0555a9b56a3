"""The rules of section 2, over the API: defaults, echo, read-only fields, texts, labels."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import a_citation, a_document, a_section, create

ARTICLE_FIELDS = [
    "id", "slug", "language", "translation_key", "external_ids", "title", "title_reading", "lead", "hero_image",
    "bylines", "introduction", "takeaways", "pages", "conclusion", "tags", "corrections", "canonical_url", "seo",
    "labels", "version", "status", "in_review", "schedule", "has_unpublished_changes", "created_at", "updated_at",
    "published_at",
]  # fmt: skip


class TestDefaults:
    def test_a_title_is_enough_and_every_field_is_answered(self, client: TestClient) -> None:
        article = create(client, {"title": "菊"})
        assert list(article) == ARTICLE_FIELDS
        assert article["lead"] == ""
        assert article["hero_image"] is None
        assert article["pages"] == []
        assert article["language"] == "ja"
        assert article["seo"] == {"title": None, "description": None, "noindex": False}
        assert article["version"] == 1
        assert article["status"] == "draft"
        assert article["has_unpublished_changes"] is True

    def test_a_citation_needs_only_its_source(self, client: TestClient) -> None:
        section = {"citations": [{"source": {"url": "https://example.jp/a"}}]}
        article = create(client, {"title": "菊", "pages": [{"sections": [section]}]})
        stored = article["pages"][0]["sections"][0]
        citation = stored["citations"][0]
        assert stored["anchor"] == stored["id"]
        assert citation["shows_published_on"] is True
        assert citation["source"]["type"] == "article-newspaper"
        assert citation["source"]["publisher"] is None
        assert citation["key_points"] == []

    def test_put_without_slug_keeps_it_and_clears_what_is_left_out(self, client: TestClient) -> None:
        article = create(client, slug="kiku", lead="前文")
        answer = client.put(
            f"/v1/manage/articles/{article['id']}", json={"title": "新"}, headers={"If-Match": '"1"'}
        ).json()
        assert (answer["slug"], answer["lead"], answer["pages"]) == ("kiku", "", [])

    def test_an_empty_text_is_never_turned_into_null(self, client: TestClient) -> None:
        article = create(client, {"title": "", "title_reading": "", "pages": [{"sections": [{"heading": ""}]}]})
        assert article["title_reading"] == ""
        assert article["pages"][0]["sections"][0]["heading"] == ""
        assert article["pages"][0]["sections"][0]["question"] is None


class TestSendingAnAnswerBack:
    def test_an_answer_put_back_unchanged_keeps_version_and_etag(self, client: TestClient) -> None:
        article = create(client)
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=article, headers={"If-Match": '"1"'})
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"1"'
        assert answer.json() == article

    @pytest.mark.parametrize(
        ("pointer", "change"),
        [
            ("/version", {"version": 7}),
            ("/created_at", {"created_at": "2001-01-01T00:00:00.000Z"}),
            ("/id", {"id": "01a20952-0000-7000-8000-000000000000"}),
        ],
    )
    def test_a_changed_server_owned_field_is_refused(
        self, client: TestClient, pointer: str, change: dict[str, Any]
    ) -> None:
        article = create(client)
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=article | change, headers={"If-Match": "*"})
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("read-only", pointer)]

    def test_fields_that_change_without_a_version_are_ignored(self, client: TestClient) -> None:
        article = create(client)
        sent = article | {"status": "published", "in_review": True, "has_unpublished_changes": False}
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=sent, headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert answer.json()["status"] == "draft"

    def test_pages_may_change_places_with_their_old_numbers(self, client: TestClient) -> None:
        article = create(client, pages=[{"sections": [a_section()]}, {"sections": [a_section()]}])
        sent = article | {"pages": article["pages"][::-1]}
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=sent, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
        assert [page["id"] for page in answer.json()["pages"]] == [page["id"] for page in sent["pages"]]
        assert [page["number"] for page in answer.json()["pages"]] == [1, 2]


class TestTexts:
    @pytest.mark.parametrize(
        "text",
        [
            "  spaces kept  ", "ﾐｻｲﾙ", "e\u0301 NFD", "👩‍👩‍👧‍👦", "<script>alert(1)</script>",
            "'; DROP TABLE articles;--",
            "../../etc/passwd", "\u2067שלום\u2069", "line\r\nline\ttab", "%s %d {0} \\n", "C:\\temp", "\u200b",
        ],
    )  # fmt: skip
    def test_a_text_comes_back_exactly_as_sent(self, client: TestClient, text: str) -> None:
        article = create(client, {"title": text, "introduction": text, "takeaways": [{"text": text}]})
        read = client.get(f"/v1/manage/articles/{article['id']}").json()
        assert (read["title"], read["introduction"], read["takeaways"][0]["text"]) == (text, text, text)

    @pytest.mark.parametrize(
        "text", ["a\u0000b", "a\u0007b", "\u202eabc", "\u2066abc\u202c", "e" + "\u0301" * 31, "a\u001fb"]
    )
    def test_a_text_that_could_harm_is_refused(self, client: TestClient, text: str) -> None:
        answer = client.post("/v1/manage/articles", json={"title": "菊", "lead": text})
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("text-refused", "/lead")]


class TestFaults:
    def test_all_faults_are_told_at_once_and_nothing_is_stored(self, client: TestClient) -> None:
        bad = a_document(labels={"mast": "x"}, language="日本語", surprise=1)
        bad["pages"][0]["sections"][0]["citations"] = [a_citation(source={"url": "javascript:alert(1)"})]
        answer = client.post("/v1/manage/articles", json=bad)
        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == {
            "/labels/mast",
            "/language",
            "/surprise",
            "/pages/0/sections/0/citations/0/source/url",
        }
        assert client.get("/v1/manage/articles").json()["items"] == []

    @pytest.mark.parametrize("date", ["2024-13", "2024-02-30", "24", "2024/01/01", ""])
    def test_a_date_that_is_none_is_refused(self, client: TestClient, date: str) -> None:
        citation = a_citation(published_on=date)
        answer = client.post(
            "/v1/manage/articles", json=a_document(pages=[{"sections": [a_section(citations=[citation])]}])
        )
        assert answer.status_code == 422

    @pytest.mark.parametrize("date", ["2024", "2024-11", "2024-11-30"])
    def test_a_partial_date_is_kept_as_sent(self, client: TestClient, date: str) -> None:
        article = create(client, pages=[{"sections": [a_section(citations=[a_citation(published_on=date)])]}])
        citation = article["pages"][0]["sections"][0]["citations"][0]
        assert citation["source"]["published_on"] == date

    @pytest.mark.parametrize("at", ["20240101T000000Z", "2024-01-01", "2024-01-01T00:00:00", "2024-W01-1T00:00:00Z"])
    def test_an_instant_that_is_none_is_refused(self, client: TestClient, at: str) -> None:
        answer = client.post("/v1/manage/articles", json={"title": "菊", "corrections": [{"at": at}]})
        assert answer.json()["errors"][0]["code"] == "instant-invalid"

    def test_a_language_has_one_spelling(self, client: TestClient) -> None:
        assert create(client, language="ZH-hant-tw")["language"] == "zh-Hant-TW"

    def test_a_correction_keeps_the_time_of_its_first_save(self, client: TestClient) -> None:
        document = a_document(corrections=[{"text": "訂正"}])
        article = create(client, document)
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=document, headers={"If-Match": "*"})
        assert answer.json() == article

    @pytest.mark.parametrize(
        "site", [{"menu": [{"href": "javascript:1"}]}, {"menu": [{"href": "/\u0007"}]}, {"timezone": "No/Where"}]
    )
    def test_a_site_is_held_against_the_same_rules(self, client: TestClient, site: dict[str, Any]) -> None:
        answer = client.put("/v1/manage/site", json=site, headers={"If-Match": "*"})
        assert answer.status_code == 422
