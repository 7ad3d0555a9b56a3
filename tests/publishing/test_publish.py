"""Publishing: one transaction that readers see whole (section 5)."""

import hashlib
import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.database import Database
from app.delivery.parts import public_citations, public_key_points, public_questions, public_sections, public_tags
from app.sync.changes import changes
from tests.conftest import Clock
from tests.factories import a_citation, a_document, a_section, create, publish, published


def test_a_client_that_names_the_type_of_no_body_publishes_all_the_same(client: TestClient) -> None:
    at = f"/v1/manage/articles/{create(client)['id']}/publish"
    answer = client.post(at, content=b"", headers={"If-Match": "*", "Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text


class TestPublishing:
    def test_the_answer_names_what_readers_get_from_now_on(self, client: TestClient) -> None:
        article = create(client)
        answer = publish(client, article["id"])
        read = client.get(f"/v1/articles/{article['id']}", headers={"Accept-Encoding": "identity"})
        assert list(answer) == [
            "id",
            "slug",
            "version",
            "status",
            "published_at",
            "changed",
            "etag",
            "sync",
            "warnings",
        ]
        assert (answer["status"], answer["changed"], answer["etag"]) == ("published", True, read.headers["etag"])
        assert read.headers["etag"] == f'"{hashlib.sha256(read.content).hexdigest()}"'

    def test_the_public_article_is_the_document_and_its_times(self, client: TestClient) -> None:
        article = published(client)
        public = client.get(f"/v1/articles/{article['slug']}").json()
        beside = {"version", "status", "in_review", "schedule", "has_unpublished_changes", "created_at", "updated_at"}
        expected = {name: value for name, value in article.items() if name not in beside | {"published_at"}}
        assert {n: v for n, v in public.items() if n not in {"published_at", "revised_at"}} == expected

    def test_publishing_the_same_bytes_again_changes_nothing(self, client: TestClient, clock: Clock) -> None:
        article = create(client)
        first = publish(client, article["id"])
        clock.advance(hours=1)
        second = publish(client, article["id"])
        assert (second["changed"], second["etag"], second["sync"]) == (False, first["etag"], first["sync"])

    def test_a_save_and_its_reversal_leave_the_same_etag(self, client: TestClient, clock: Clock) -> None:
        article = create(client)
        first = publish(client, article["id"])
        at = f"/v1/manage/articles/{article['id']}"
        changed = client.put(at, json=article | {"lead": "別"}, headers={"If-Match": "*"}).json()
        client.put(at, json=changed | {"lead": article["lead"]}, headers={"If-Match": "*"})
        clock.advance(hours=1)
        again = publish(client, article["id"])
        assert (again["changed"], again["etag"], again["version"]) == (False, first["etag"], 3)
        assert client.get(at).json()["has_unpublished_changes"] is False

    def test_revised_at_moves_and_published_at_stays(self, client: TestClient, clock: Clock) -> None:
        article = published(client)
        clock.advance(hours=1)
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers={"If-Match": "*"})
        publish(client, article["id"])
        public = client.get(f"/v1/articles/{article['id']}").json()
        assert (public["published_at"], public["revised_at"]) == (
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T04:04:05.678Z",
        )

    def test_readers_see_nothing_of_a_draft_or_of_later_changes(self, client: TestClient) -> None:
        draft = create(client)
        assert client.get(f"/v1/articles/{draft['id']}").status_code == 404
        article = published(client)
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "秘密"}, headers={"If-Match": "*"})
        assert "秘密" not in client.get(f"/v1/articles/{article['id']}").text + client.get("/v1/articles").text

    def test_every_part_has_its_public_row_and_none_is_left_after_withdrawal(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client)
        tables = (public_sections, public_citations, public_key_points, public_questions, public_tags)
        with database.reading() as reader:
            assert [len(reader.rows(select(table))) for table in tables] == [1, 1, 3, 1, 1]
        client.post(f"/v1/manage/articles/{article['id']}/unpublish", headers={"If-Match": "*"})
        with database.reading() as reader:
            assert [len(reader.rows(select(table))) for table in tables] == [0] * 5


class TestChecks:
    @pytest.mark.parametrize(
        ("document", "found"),
        [
            ({"title": " "}, [("title-empty", "/title"), ("first-page-empty", "/pages")]),
            ({"title": "菊", "pages": [{"teaser": "次"}]}, [("first-page-empty", "/pages/0/sections")]),
            (
                {"title": "菊", "pages": [{"sections": [{"heading": ""}, {"question": "なぜ?", "body": "x"}]}]},
                [
                    ("section-heading-missing", "/pages/0/sections/0/heading"),
                    ("section-empty", "/pages/0/sections/0"),
                    ("answer-missing", "/pages/0/sections/1/answer"),
                ],
            ),
            ({"title": "菊", "pages": [{"sections": [{"heading": None, "body": "x"}]}]},
             [("section-heading-missing", "/pages/0/sections/0/heading")]),
        ],
    )  # fmt: skip
    def test_what_stands_in_the_way_is_told_and_refused_with_the_same_entries(
        self, client: TestClient, document: dict[str, object], found: list[tuple[str, str]]
    ) -> None:
        article = create(client, document)
        at = f"/v1/manage/articles/{article['id']}"
        checks = client.get(f"{at}/checks").json()
        assert checks["publishable"] is False
        errors = [check for check in checks["problems"] if check["severity"] == "error"]
        assert [(check["code"], check["pointer"]) for check in errors] == found
        refused = client.post(f"{at}/publish", headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["code"]) == (422, "checks-failed")
        assert refused.json()["errors"] == errors
        assert client.get(f"/v1/articles/{article['id']}").status_code == 404

    def test_a_continuation_and_an_announced_page_pass(self, client: TestClient) -> None:
        dated = [a_citation(published_on="2024-10-20", key_points=[{"text": text}]) for text in ("一", "二")]
        sections = [a_section(citations=dated[:1]), a_section(heading=None, citations=dated[1:])]
        article = create(client, a_document(pages=[{"sections": sections}, {"teaser": "次"}]))
        answer = client.get(f"/v1/manage/articles/{article['id']}/checks").json()
        assert answer == {"publishable": True, "problems": []}

    def test_the_site_lowers_a_check_to_a_warning_that_publishing_repeats(self, client: TestClient) -> None:
        site = {"name": "菊", "checks": {"answer-missing": "warning"}}
        assert client.put("/v1/manage/site", json=site, headers={"If-Match": "*"}).status_code == 200
        article = create(client, pages=[{"sections": [a_section(answer=None)]}])
        answer = publish(client, article["id"])
        assert ("answer-missing", "warning") in [(w["code"], w["severity"]) for w in answer["warnings"]]


class TestUnpublishing:
    def test_it_takes_the_article_from_every_reading_address(self, client: TestClient) -> None:
        article = published(client)
        answer = client.post(f"/v1/manage/articles/{article['id']}/unpublish", headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["status"], answer.json()["etag"]) == (200, "unpublished", None)
        for path in ("", ".txt", "/pages/1", "/sections"):
            assert client.get(f"/v1/articles/{article['slug']}{path}").status_code == 404

    def test_repeating_it_changes_nothing_and_a_draft_has_nothing_to_withdraw(self, client: TestClient) -> None:
        article = published(client)
        at = f"/v1/manage/articles/{article['id']}/unpublish"
        first = client.post(at, headers={"If-Match": "*"}).json()
        second = client.post(at, headers={"If-Match": "*"}).json()
        assert (first["changed"], second["changed"], first["sync"] == second["sync"]) == (True, False, True)
        draft = create(client)
        refused = client.post(f"/v1/manage/articles/{draft['id']}/unpublish", headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["code"]) == (409, "transition")


class TestTheFeed:
    def test_each_publication_takes_the_next_number_and_moves_its_row(
        self, client: TestClient, database: Database
    ) -> None:
        first, second = published(client), published(client)
        client.post(f"/v1/manage/articles/{first['id']}/unpublish", headers={"If-Match": "*"})
        with database.reading() as reader:
            rows = reader.rows(select(changes).order_by(changes.c.number))
        assert [(row["article_id"], row["number"], row["live"]) for row in rows] == [
            (second["id"], 2, True),
            (first["id"], 3, False),
        ]

    def test_a_refused_publication_takes_no_number(self, client: TestClient, database: Database) -> None:
        article = create(client, {"title": "菊"})
        client.post(f"/v1/manage/articles/{article['id']}/publish", headers={"If-Match": "*"})
        with database.reading() as reader:
            assert reader.rows(select(changes)) == []


class TestPages:
    def test_page_two_leaves_the_etag_of_page_one_alone(self, client: TestClient) -> None:
        article = published(client, pages=[{"sections": [a_section()]}, {"teaser": "次", "sections": [a_section()]}])
        before = client.get(f"/v1/articles/{article['slug']}/pages/1")
        article["pages"][1]["sections"][0]["body"] = "書き直しました。"
        client.put(f"/v1/manage/articles/{article['id']}", json=article, headers={"If-Match": "*"})
        publish(client, article["id"])
        after = client.get(f"/v1/articles/{article['slug']}/pages/1")
        assert after.headers["etag"] == before.headers["etag"]
        assert "書き直しました" in client.get(f"/v1/articles/{article['slug']}/pages/2").text

    def test_a_page_shows_its_neighbours_and_the_last_one_the_conclusion(self, client: TestClient) -> None:
        pages = [
            {"sections": [a_section()]},
            {"title": "二", "teaser": "続き", "sections": [a_section()]},
            {"teaser": "また"},
        ]
        article = published(client, slug="kiku", pages=pages, conclusion="おわり。")
        first = client.get("/v1/articles/kiku/pages/1").json()
        second = client.get("/v1/articles/kiku/pages/2").json()
        assert list(first) == [
            "article",
            "id",
            "number",
            "title",
            "teaser",
            "sections",
            "conclusion",
            "previous",
            "next",
        ]
        assert {"pages", "conclusion", "revised_at"} & first["article"].keys() == set()
        assert first["previous"] is None
        assert first["next"] == {"number": 2, "title": "二", "teaser": "続き", "href": "/v1/articles/kiku/pages/2"}
        assert second["previous"] == {"number": 1, "title": None, "href": "/v1/articles/kiku/pages/1"}
        assert second["next"] == {"number": 3, "title": None, "teaser": "また", "href": None}
        assert (first["conclusion"], second["conclusion"]) == ("", "おわり。")
        assert client.get("/v1/articles/kiku/pages/3").status_code == 404
        assert client.get(first["next"]["href"]).status_code == 200
        assert client.get("/v1/articles").json()["items"][0]["page_count"] == 2
        assert json.dumps(article["pages"][2]["sections"]) == "[]"
