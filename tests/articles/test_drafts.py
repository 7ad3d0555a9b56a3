"""What a save of a working copy touches, and what it leaves behind (section 6, A save touches only what changed)."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import event, select

from app.articles.tables import revisions
from app.database import Database
from tests.factories import a_citation, a_document, a_section, create

LIFE = (
    "version", "status", "in_review", "schedule", "has_unpublished_changes", "created_at", "updated_at", "published_at",
)  # fmt: skip


@contextmanager
def writes(database: Database) -> Iterator[list[str]]:
    """What is written meanwhile, one line a statement: its table, and the columns of an UPDATE."""
    found: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        written = re.match(r"(INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement)
        if written:
            changed = statement.partition(" WHERE ")[0] if written[1] == "UPDATE" else ""
            found.append(" ".join([written[1], written[2], *re.findall(r"(\w+)=", changed)]))

    event.listen(database.engine(), "before_cursor_execute", note)
    yield found
    event.remove(database.engine(), "before_cursor_execute", note)


def put(client: TestClient, article: dict[str, Any]) -> dict[str, Any]:
    sent = {name: value for name, value in article.items() if name != "version"}
    answer = client.put(f"/v1/manage/articles/{article['id']}", json=sent, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


class TestWhatASaveTouches:
    def test_an_edit_writes_the_columns_that_differ_and_a_revision(
        self, client: TestClient, database: Database
    ) -> None:
        article = create(client)
        section = article["pages"][0]["sections"][0]
        section["body"], section["citations"][0]["key_points"][0]["text"] = "書き直しました。", "要点も直しました。"
        with writes(database) as written:
            put(client, article)
        assert written == [
            "UPDATE articles version updated_at",
            "UPDATE sections body",
            "UPDATE key_points text",
            "INSERT INTO revisions",
            "INSERT INTO audit",
        ]

    def test_parts_that_change_alike_are_one_statement(self, client: TestClient, database: Database) -> None:
        article = create(client, takeaways=[{"text": str(number)} for number in range(10)])
        article["takeaways"].reverse()
        with writes(database) as written:
            saved = put(client, article)
        assert written == [
            "UPDATE articles version updated_at",
            "UPDATE key_points position",
            "INSERT INTO revisions",
            "INSERT INTO audit",
        ]
        assert saved["takeaways"] == article["takeaways"]
        assert client.get(f"/v1/manage/articles/{article['id']}").json() == saved

    def test_parts_that_change_differently_each_get_their_own(self, client: TestClient) -> None:
        article = create(client, pages=[{"sections": [a_section(), a_section(heading="別の話")]}])
        first, second = article["pages"][0]["sections"]
        first["heading"], second["heading"], second["body"] = "一つ目", "二つ目", "二つ目の本文。"
        put(client, article)
        shown = client.get(f"/v1/manage/articles/{article['id']}").json()
        assert shown["pages"] == article["pages"]

    def test_what_changes_nothing_writes_nothing(self, client: TestClient, database: Database) -> None:
        article = create(client)
        with writes(database) as written:
            put(client, article)
        assert written == []

    def test_a_new_article_is_written_once_where_its_slug_is_free(self, client: TestClient, database: Database) -> None:
        with writes(database) as written:
            create(client, title="菊のただ一つの話")
        assert [line for line in written if "articles" in line] == ["INSERT INTO articles"]


class TestSources:
    def test_what_stands_beside_the_id_of_a_source_cited_already_is_ignored(self, client: TestClient) -> None:
        article = create(client)
        sent = deepcopy(article)
        sent["pages"][0]["sections"][0]["citations"][0]["source"]["title"] = "別の題"
        assert put(client, sent) == article

    def test_known_and_new_sources_stand_side_by_side(self, client: TestClient) -> None:
        article = create(client)
        section = article["pages"][0]["sections"][0]
        known, new = section["citations"][0]["source"], a_citation()
        section["citations"] += [new, {"source": {"id": known["id"]}}]
        saved = put(client, article)["pages"][0]["sections"][0]["citations"]
        assert [citation["source"]["title"] for citation in saved] == [
            known["title"],
            new["source"]["title"],
            known["title"],
        ]

    def test_the_pointer_of_an_unknown_source_counts_the_known_ones(self, client: TestClient) -> None:
        article = create(client)
        unknown = {"source": {"id": article["id"]}}
        article["pages"][0]["sections"][0]["citations"].append(unknown)
        answer = client.put(f"/v1/manage/articles/{article['id']}", json=article, headers={"If-Match": "*"})
        assert answer.status_code == 422
        assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [
            ("source-unknown", "/pages/0/sections/0/citations/1/source/id")
        ]


class TestRevisions:
    def test_revision_n_is_the_document_of_version_n(self, client: TestClient, database: Database) -> None:
        first = create(client, a_document(lead='「引用」"quoted" \\ 改\n行\t€ 🌼 \u2028', seo={"noindex": True}))
        second = put(client, first | {"title": "二番目の題"})
        query = select(revisions.c.number, revisions.c.document).order_by(revisions.c.number)
        with database.reading() as reader:
            kept = {row["number"]: json.loads(gzip.decompress(row["document"])) for row in reader.rows(query)}
        documents = [{name: value for name, value in said.items() if name not in LIFE} for said in (first, second)]
        assert kept == {1: documents[0], 2: documents[1]}
