"""A statement that looks for many values: any number of them are one parameter, and an index finds them."""

from typing import Any

from sqlalchemy import select, text

from app.articles.tags import tags
from app.database import Database, is_one_of
from app.search.index import search_state

_TAGGED = select(tags.c.slug).where(is_one_of(tags.c.slug, "slugs")).order_by(tags.c.slug)


class TestIsOneOf:
    def test_finds_those_that_are_there_among_more_than_a_statement_has_parameters_for(
        self, database: Database
    ) -> None:
        stored = ["a", "条約", "\U00020bb7", "x'] --"]
        with database.writing() as writer:
            writer.execute(tags.insert(), [{"slug": slug, "name": slug} for slug in stored])
        with database.reading() as reader:
            asked = [*(f"absent-{number}" for number in range(70_000)), *stored]
            found = [row["slug"] for row in reader.rows(_TAGGED, {"slugs": asked})]
        assert found == sorted(stored)

    def test_no_values_are_nothing(self, database: Database) -> None:
        with database.reading() as reader:
            numbers = select(search_state.c.id).where(is_one_of(search_state.c.id, "ids"))
            assert reader.rows(numbers, {"ids": []}) == []
            assert [row["id"] for row in reader.rows(numbers, {"ids": [7, 1]})] == [1]

    def test_an_index_is_used(self, database: Database) -> None:
        with database.reading() as reader:
            compiled = str(_TAGGED.compile(reader.connection.engine))
            asked: Any
            if reader.on_postgresql:
                reader.execute(text("SET LOCAL enable_seqscan = off"))  # a table of no rows is read through else
                explain, asked = f"EXPLAIN {compiled.replace('%(slugs)s', '(:slugs)')}", ["a"]
            else:
                explain, asked = f"EXPLAIN QUERY PLAN {compiled.replace('?', ':slugs')}", "[]"
            plan = str(reader.execute(text(explain), {"slugs": asked}).all())
        assert "SEARCH tags USING" in plan or "Index Cond: (slug = ANY (" in plan, plan
