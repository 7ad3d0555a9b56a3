"""Migrations on both databases: up, down, up on a FILLED one, and no drift from the tables in the code."""

from datetime import timedelta
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from sqlalchemy import LargeBinary, cast, func, select, text

from app import revision, schema, worker
from app.articles.tables import articles
from app.database import Database
from app.delivery.snapshots import snapshot_pages, snapshots
from app.publishing import publish
from app.search.dialects import dialect_of
from app.search.index import search_texts
from app.text import instant
from tests.conftest import Clock
from tests.factories import published
from tests.house.tree import report


def revisions() -> list[str]:
    """From the first to the newest."""
    return [script.revision for script in ScriptDirectory.from_config(schema.config()).walk_revisions()][::-1]


def counted(database: Database) -> dict[str, int]:
    with database.reading() as reader:
        return {
            table.name: reader.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        }


def compared(name: str | None, kind: str, _: Any) -> bool:
    """Not what each database finds characters by: an FTS5 table with tables of its own, or an index over arrays."""
    return not (kind == "table" and name is not None and name.startswith("search_grams"))


class TestMigrations:
    def test_the_newest_one_is_the_one_the_code_asks_for(self) -> None:
        newest = revisions()[-1]
        assert newest == revision.NEWEST, report(
            [f"migrations/versions ends with {newest}, app/revision.py says {revision.NEWEST}"],
            "a serving process asks whether the database is migrated, and holds no Alembic to read the files with.",
            f'set NEWEST = "{newest}" in app/revision.py.',
        )

    def test_each_leads_up_down_and_up_on_a_filled_database(self, client: TestClient, database: Database) -> None:
        own: list[dict[str, Any]] = [{}, {"canonical_url": "https://own.example/菊"}, {"seo": {"noindex": True}}]
        for changes in own:
            published(client, external_ids={}, hero_image={"alt": "菊"}, **changes)
        first, second, third = (item["id"] for item in client.get("/v1/articles").json()["items"])
        order = [second, third, first]
        client.post("/v1/manage/collections", json={"slug": "kiku", "title": "菊", "articles": order})
        while worker.count_words(database):
            pass
        before, found = counted(database), client.get("/sitemap.xml").text
        assert "own.example" in found
        assert before["articles"] == before["search_articles"] == 3
        for below in revisions()[-2::-1]:
            schema.migrate(database, below)
            schema.migrate(database)
            with database.writing() as writer:
                publish.reindex(writer, None, 100)
            while worker.count_words(database):
                pass
            assert counted(database) == before
            assert client.get("/sitemap.xml").text == found
            assert client.get("/v1/manage/collections/kiku").json()["articles"] == order
        schema.migrate(database, "base")
        schema.migrate(database)
        assert revision.is_current(database)
        assert counted(database)["articles"] == 0
        assert client.get("/v1/articles").status_code == 200

    def test_grams_that_are_made_anew_find_and_leave_out_what_those_do_that_are_put_there(
        self, client: TestClient, database: Database
    ) -> None:
        ids = [published(client, title=title)["id"] for title in ("裏庭", "庭", "庭園の庭")]
        while worker.count_words(database):
            pass

        def found() -> list[list[str]]:
            answers = [client.get(f"/v1/search?q={asked}").json() for asked in ("庭", "裏庭", "「庭園の庭」")]
            assert [answer["total"]["value"] for answer in answers] == [3, 1, 1]
            return [[item["id"] for item in answer["items"]] for answer in answers]

        before = found()
        schema.migrate(database, "0013")
        schema.migrate(database)
        assert found() == before
        for id in ids:
            client.post(f"/v1/manage/articles/{id}/unpublish", headers={"If-Match": "*"})
        with database.reading() as reader:
            dialect = dialect_of(reader)
            for gram in ("庭", "裏庭", "庭園の"):
                grams = {"grams": dialect.asked([gram], [])}
                assert reader.tuples(dialect.matching(None), grams) == []

    def test_a_search_by_time_finds_what_was_published_before_it_was_kept_there(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        for title in ("早い菊", "遅い菊"):
            published(client, title=title)
            clock.advance(days=1)
        schema.migrate(database, "0016")
        schema.migrate(database)
        asked = {"q": "菊", "published_after": instant(clock() - timedelta(days=1))}
        found = client.get("/v1/search", params=asked).json()["items"]
        assert [item["article"]["title"] for item in found] == ["遅い菊"]

    def test_the_migrated_schema_is_the_one_in_the_code(self, database: Database) -> None:
        with database.engine().connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": compared})
            differences: list[Any] = compare_metadata(context, schema.metadata)
        assert differences == []

    def test_what_is_read_whole_is_kept_as_it_is(self, client: TestClient, database: Database) -> None:
        body = "同じ文がくり返される。" * 1_000
        published(client, pages=[{"sections": [{"heading": "長い節", "body": body}]}])
        with database.reading() as reader:
            for column in (snapshots.c.body, snapshot_pages.c.body, search_texts.c.folded):
                kept = func.pg_column_size(column) if reader.on_postgresql else func.length(cast(column, LargeBinary))
                assert reader.execute(select(kept)).scalar_one() > len(body.encode())

    def test_every_constraint_is_named_and_foreign_keys_hold(self, client: TestClient, database: Database) -> None:
        published(client)
        for table in schema.metadata.sorted_tables:
            assert all(constraint.name for constraint in table.constraints), table.name
        with database.reading() as reader:
            if not reader.on_postgresql:
                assert reader.rows(text("PRAGMA foreign_key_check")) == []
            assert reader.rows(select(articles.c.id))
