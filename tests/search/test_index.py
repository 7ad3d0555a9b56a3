"""What is kept of a published article: all of it while it is public, nothing of it afterwards."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from app import worker
from app.articles import identity
from app.database import Database
from app.publishing.publish import reindex
from app.search import folding, index, layout
from app.search.dialects import dialect_of
from app.search.fields import PARTS, SEPARATOR, Field
from app.search.index import search_articles, search_postings, search_state, search_terms, search_texts
from tests.backends.test_late_commit import let_them_wait
from tests.factories import a_section, create, publish, published
from tests.search import corpus

ANY = {"If-Match": "*"}
TABLES = ("search_articles", "search_terms", "search_postings", "search_texts", "search_uncounted")
NEW = "ヌヌ石とボボ石"
"""Words that the corpus has not."""


def count(database: Database) -> None:
    while worker.count_words(database):
        pass


def rows(database: Database) -> dict[str, int]:
    with database.reading() as reader:
        return {name: reader.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in TABLES}  # noqa: S608


def terms(database: Database) -> set[str]:
    with database.reading() as reader:
        return {row["term"] for row in reader.rows(select(search_terms.c.term))}


def numbers_by_gram(database: Database, gram: str) -> list[int]:
    with database.reading() as reader:
        dialect = dialect_of(reader)
        return [number for (number,) in reader.tuples(dialect.matching(None), {"grams": dialect.asked([gram], [])})]


def change(client: TestClient, article_id: str, **fields: Any) -> None:
    document = client.get(f"/v1/manage/articles/{article_id}").json() | fields
    answer = client.put(f"/v1/manage/articles/{article_id}", json=document, headers=ANY)
    assert answer.status_code == 200, answer.text


def act(client: TestClient, article_id: str, step: str) -> None:
    if step == "trash":
        assert client.delete(f"/v1/manage/articles/{article_id}", headers=ANY).status_code == 204
    elif step == "purge":
        act(client, article_id, "trash")
        assert client.delete(f"/v1/manage/articles/{article_id}?purge=true", headers=ANY).status_code == 204
    else:
        assert client.post(f"/v1/manage/articles/{article_id}/{step}", headers=ANY).status_code == 200


def a_day(client: TestClient, database: Database, titles: Sequence[str]) -> Iterator[None]:
    """Some articles are published under titles drawn from these, withdrawn, and words counted: a pause after each."""
    drawn = random.Random(8)  # noqa: S311 - the same day each time
    made = [create(client, title="菊 一")["id"] for _ in range(6)]
    for _ in range(40):
        article, title = drawn.choice(made), drawn.choice(titles)
        step = drawn.choice(["publish", "publish", "unpublish", "count"])
        if step == "publish":
            change(client, article, title=title)
            publish(client, article)
        elif step == "count":
            worker.count_words(database)
        else:
            client.post(f"/v1/manage/articles/{article}/unpublish", headers=ANY)
        yield


class TestWithdrawn:
    @pytest.mark.parametrize("step", ["unpublish", "purge"])
    def test_nothing_is_left_of_an_article_once_words_are_counted(
        self, client: TestClient, database: Database, step: str
    ) -> None:
        before, known = rows(database), terms(database)
        made = published(client, title=NEW)
        count(database)
        assert terms(database) > known
        assert numbers_by_gram(database, "ボボ") != []
        act(client, made["id"], step)
        assert numbers_by_gram(database, "ボボ") == []
        count(database)
        assert terms(database) == known
        assert rows(database) == before

    def test_nor_where_it_was_withdrawn_before_they_were_counted_at_all(
        self, client: TestClient, database: Database
    ) -> None:
        before, known = rows(database), terms(database)
        act(client, published(client, title=NEW)["id"], "unpublish")
        count(database)
        assert terms(database) == known
        assert rows(database) == before


class TestRepublished:
    @pytest.mark.parametrize("counted", [True, False])
    def test_only_the_new_words_are_left(self, client: TestClient, database: Database, counted: bool) -> None:
        made = published(client, title="庭")
        count(database)
        before, known = rows(database), terms(database)
        change(client, made["id"], title=NEW)
        publish(client, made["id"])
        if counted:
            count(database)
        change(client, made["id"], title="庭")
        publish(client, made["id"])
        assert numbers_by_gram(database, "ボボ") == []
        count(database)
        assert terms(database) == known
        assert rows(database) == before

    def test_an_article_keeps_its_number(self, client: TestClient, database: Database) -> None:
        made = published(client, title=NEW)
        before = numbers_by_gram(database, "ボボ")
        change(client, made["id"], lead="別の話")
        publish(client, made["id"])
        assert numbers_by_gram(database, "ボボ") == before


class TestCounts:
    def test_after_any_day_each_word_is_counted_as_often_as_articles_hold_it(
        self, client: TestClient, database: Database
    ) -> None:
        for _ in a_day(client, database, [*map(" ".join, permutations(corpus.WORDS, 3))]):
            pass
        count(database)
        expected: Counter[str] = Counter()
        articles = corpus.read(client)
        for each in articles:
            expected.update({word for text in corpus.texts(each).values() for word in corpus.words(text)})
            cited = (one for page in each["pages"] for section in page["sections"] for one in section["citations"])
            expected.update({index.facet("publisher", one["source"]["publisher"]["id"]) for one in cited})
            expected.update(index.facet("tag", tag) for tag in each["tags"])
            expected[index.facet("language", each["language"])] += 1
            expected[index.facet("year", each["published_at"][:4])] += 1
        with database.reading() as reader:
            counted = {
                row["term"]: row["df"] for row in reader.rows(select(search_terms).where(search_terms.c.df != 0))
            }
            state = reader.rows(select(search_state))[0]
            assert not index.uncounted(reader)
        assert counted == expected
        assert state["articles"] == len(articles)

    def test_at_any_time_a_word_is_in_as_many_articles_as_are_said_to_hold_it(
        self, client: TestClient, database: Database
    ) -> None:
        for _ in a_day(client, database, [*map(" ".join, permutations(["庭", "庭園", "裏庭"], 2))]):
            titles = [each["title"] for each in corpus.read(client)]
            for word in ("庭", "庭園"):  # the one is part of the other, and stands by itself, too
                told = client.get("/v1/search", params={"q": word}).json()["total"]
                assert told == {"value": sum(word in each for each in titles), "relation": "eq"}, (word, titles)

    def test_a_search_knows_of_a_word_what_counting_will_make_of_it_unless_much_is_left_to_count(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ["庭", "裏庭", "菊", index.facet("tag", "菊")]
        made = [published(client, title=title)["id"] for title in ("庭の話", "裏庭の話", "菊の話")]
        while worker.count_words(database):
            pass
        client.post(f"/v1/manage/articles/{made[0]}/unpublish", headers=ANY)
        published(client, title="庭と裏庭の話")
        with database.reading() as reader:
            now = index.look_up(reader, words)
            monkeypatch.setattr(index, "_ADDED_UP", 1)
            behind = index.look_up(reader, words)
        while worker.count_words(database):
            pass
        with database.reading() as reader:
            assert index.look_up(reader, words) == now
        assert all(its.counted for its in now.values())
        assert not any(its.counted for its in behind.values())
        assert behind["裏庭"].df == now["裏庭"].df - 1

    def test_counting_with_nothing_to_count_changes_nothing(self, client: TestClient, database: Database) -> None:
        published(client)
        assert worker.count_words(database) is True
        with database.reading() as reader:
            before = index.state(reader)
        assert worker.count_words(database) is False
        with database.reading() as reader:
            assert index.state(reader) == before


class TestPlaces:
    def test_the_last_part_that_an_article_may_have_has_a_place_and_a_key_of_its_own(self) -> None:
        last = identity.PARTS - 1
        key = layout.key(7, last)
        assert (layout.number_of(key), layout.place_of(key)) == (7, last)
        assert layout.key(6, 0) < key < layout.key(7, last - 1)
        fields = [Field("/a", "菊", 1.0, (("section", 0), ("source", last))), Field("/b", "菊", 1.0, ())]
        kept = layout.laid_out(fields)
        assert [layout.texts_of(kept, "source", number) for number in (last, last - 1)] == [[0], []]
        assert layout.parts_of(kept, "source", [0, 1]) == {last}
        assert layout.texts_near(kept, [layout.packed([("source", last)])]) == [0, 1]

    def test_a_word_knows_every_part_it_stands_in(self, client: TestClient, database: Database) -> None:
        points = [{"text": "アメジスト"}, {"text": "庭"}, {"text": "アメジスト"}]
        sections = [
            a_section(),
            a_section(question="アメジスト?", citations=[]),
            a_section(body="アメジスト", citations=[]),
        ]
        published(client, takeaways=points, pages=[{"sections": sections}])
        (number,) = numbers_by_gram(database, "アメ")
        with database.reading() as reader:
            query = (
                select(search_terms.c.term, search_postings.c.places)
                .join(search_postings, search_postings.c.term_id == search_terms.c.id)
                .where(search_postings.c.number == number)
            )
            places = {row["term"]: row["places"] for row in reader.rows(query)}
            kept = reader.rows(select(search_texts).where(search_texts.c.number == number))[0]
        packed = [places[word] for word in corpus.words("アメジスト")]
        for each in packed:
            stands = {part: sorted(map(layout.place_of, layout.summed([(1, 7, each)], {1: 1}, part))) for part in PARTS}
            assert stands == {"key_point": [0, 2], "section": [1, 2], "question": [1], "source": []}
        spelled = [at for at, text in enumerate(kept["folded"].split(SEPARATOR)) if "アメジスト" in text]
        assert [layout.parts_of(kept["layout"], "section", [text]) for text in spelled] == [set(), set(), {1}, {2}]
        assert [layout.parts_of(kept["layout"], "key_point", [text]) for text in spelled] == [{0}, {2}, set(), set()]
        of_sections = [layout.texts_of(kept["layout"], "section", number) for number in range(3)]
        assert [[text for text in spelled if text in texts] for texts in of_sections] == [[], spelled[2:3], spelled[3:]]
        assert layout.parts_of(kept["layout"], "section", of_sections[0]) == {0}


class TestRacing:
    def test_publishers_of_the_same_new_words_keep_each_of_them_once(
        self, client: TestClient, database: Database
    ) -> None:
        drafts = [create(client, title=f"ゾルゴヌ第{number}回", lead="ヌゴルゾとゾルゴヌ") for number in range(12)]
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda draft: publish(client, draft["id"]), drafts))
        found = client.get("/v1/search", params={"q": "ゾルゴヌ", "limit": 100}).json()
        assert {item["id"] for item in found["items"]} == {draft["id"] for draft in drafts}
        while worker.count_words(database):
            pass
        with database.reading() as reader:
            kept = reader.tuples(
                select(search_terms.c.term, search_terms.c.df).where(search_terms.c.term.contains("ゴヌ"))
            )
        assert len(kept) == len(dict(kept))
        assert {df for _, df in kept} == {12}

    def test_the_index_is_made_anew_while_words_are_counted(self, client: TestClient, database: Database) -> None:
        published(client, title="ヌヌ石の話")

        def made_anew() -> str | None:
            with database.writing() as writer:
                return reindex(writer, None, 100)

        with ThreadPoolExecutor(1) as pool:
            with database.writing() as writer:
                writer.hold(index.TERMS)  # what counting begins with
                made = pool.submit(made_anew)
                let_them_wait(database, 1)
                assert index.count(writer)
            assert made.result() is not None


class TestGathered:
    def test_what_was_made_anew_is_in_one_piece_and_found_as_before(
        self, client: TestClient, database: Database
    ) -> None:
        before = client.get("/v1/search?q=「菊新聞社」&limit=100").json()
        last: str | None = ""
        while last is not None:
            with database.writing() as writer:
                last = reindex(writer, last, 3)
        scattered = pieces(database)
        more = True
        while more:
            with database.writing() as writer:
                more = index.gather_all(writer)
        assert scattered is None or (scattered > 1 and pieces(database) == 1)
        while worker.count_words(database):
            pass
        assert client.get("/v1/search?q=「菊新聞社」&limit=100").json() == before

    def test_what_single_publications_left_is_brought_together_when_their_words_are_counted(
        self, client: TestClient, database: Database
    ) -> None:
        for number in range(6):
            published(client, title=f"ヌヌ石の話、その{number}")
        scattered = pieces(database)
        assert worker.count_words(database)
        assert scattered is None or (pieces(database) or 0) < scattered - 3
        assert client.get("/v1/search?q=「ヌヌ石の話」").json()["total"]["value"] == 6


class TestRead:
    def test_every_published_article_is_kept_once_and_its_texts_as_they_are_folded(
        self, client: TestClient, database: Database
    ) -> None:
        by_id = {article["id"]: article for article in corpus.read(client)}
        with database.reading() as reader:
            query = select(search_articles.c.article_id, search_texts.c.folded).join(
                search_texts, search_texts.c.number == search_articles.c.number
            )
            kept = {row["article_id"]: row["folded"] for row in reader.rows(query)}
        assert kept.keys() == by_id.keys()
        for id, folded in kept.items():
            said = list(corpus.texts(by_id[id]).values())
            assert sorted(folded.split(SEPARATOR)) == sorted(folding.loosen(folding.fold(each).text) for each in said)


def pieces(database: Database) -> int | None:
    """Of how many the index of grams consists; None: PostgreSQL's is one."""
    with database.reading() as reader:
        if reader.on_postgresql:
            return None
        return int(reader.execute(text("SELECT count(DISTINCT segid) FROM search_grams_idx")).scalar_one())
