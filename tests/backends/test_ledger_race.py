"""The ledger changes while an article is being published: whoever comes second sees what the first did."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from app.articles import drafts
from app.articles.document import ArticleInput
from app.articles.entries import SourceInput
from app.database import Database, Writer
from app.publishing import ledger, publish
from app.publishing.ledger import Of
from tests.factories import a_citation, a_document, a_section, create, published

PAUSE_SECONDS = 0.5
"""How long the first keeps its transaction open once the second has begun."""


def cited(article: dict[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = article["pages"][0]["sections"][0]["citations"][0]["source"]
    return source


def retitle(writer: Writer, source_id: str) -> None:
    def edit(stored: dict[str, Any]) -> SourceInput:
        return SourceInput.model_validate(stored | {"title": "直した題"})

    ledger.change(writer, Of("source", source_id), None, edit, lambda: None)


class TestTwoAtOnce:
    def test_an_article_published_just_before_shows_the_change(self, client: TestClient, database: Database) -> None:
        article = create(client, pages=[{"sections": [a_section(citations=[a_citation()])]}])
        self.overlap(
            database,
            first=lambda writer: publish.publish(writer, article["id"], None),
            second=lambda writer: retitle(writer, cited(article)["id"]),
        )
        assert cited(client.get(f"/v1/articles/{article['id']}").json())["title"] == "直した題"

    def test_an_article_published_just_after_shows_it_too(self, client: TestClient, database: Database) -> None:
        article = create(client, pages=[{"sections": [a_section(citations=[a_citation()])]}])
        self.overlap(
            database,
            first=lambda writer: retitle(writer, cited(article)["id"]),
            second=lambda writer: publish.publish(writer, article["id"], None),
        )
        assert cited(client.get(f"/v1/articles/{article['id']}").json())["title"] == "直した題"

    def test_a_source_made_just_before_its_publisher_is_merged_is_of_the_other(
        self, client: TestClient, database: Database
    ) -> None:
        old, now = (client.post("/v1/manage/publishers", json={"name": name}).json()["id"] for name in ("旧", "新"))
        card = a_citation(source={"url": "https://a.jp/1", "publisher": {"name": "旧"}})
        document = a_document(pages=[{"sections": [a_section(citations=[card])]}])
        self.overlap(
            database,
            first=lambda writer: drafts.create(writer, ArticleInput.model_validate(document)),
            second=lambda writer: ledger.merge(writer, Of("publisher", old), now, None, lambda: None),
        )
        (made,) = client.get("/v1/manage/articles").json()["items"]
        assert cited(client.get(f"/v1/manage/articles/{made['id']}").json())["publisher"]["id"] == now

    def test_a_save_and_a_change_of_the_ledger_do_not_wait_for_each_other(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client, pages=[{"sections": [a_section(citations=[a_citation()])]}])
        with database.writing() as saving:
            drafts.load(saving, article["id"])
            if saving.on_postgresql:  # SQLite has one writer
                with database.writing() as changing:
                    retitle(changing, cited(article)["id"])
        title = cited(client.get(f"/v1/articles/{article['id']}").json())["title"]
        assert title == ("直した題" if saving.on_postgresql else cited(article)["title"])

    def overlap(self, database: Database, first: Any, second: Any) -> None:
        """Begin ``second`` while the transaction of ``first`` is done with its work and still open."""
        done = threading.Event()

        def run_first() -> None:
            with database.writing() as writer:
                first(writer)
                done.set()
                time.sleep(PAUSE_SECONDS)

        def run_second() -> None:
            assert done.wait(20)
            with database.writing() as writer:
                second(writer)

        with ThreadPoolExecutor(2) as pool:
            for running in [pool.submit(run_first), pool.submit(run_second)]:
                running.result()
