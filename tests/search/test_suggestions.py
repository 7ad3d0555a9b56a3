"""Words that are suggested while somebody types, and what was perhaps meant where nothing is found."""

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from app import worker
from app.database import Database
from app.search.index import search_terms
from tests.factories import a_document, create, published

ANY = {"If-Match": "*"}


def suggested(client: TestClient, typed: str, **wanted: Any) -> list[str]:
    answer = client.get("/v1/search/suggest", params={"q": typed, **wanted})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert all(item.keys() == {"text", "reading"} for item in items)
    return [item["text"] for item in items]


def meant(client: TestClient, asked: str, **wanted: Any) -> str | None:
    answer = client.get("/v1/search", params={"q": asked, **wanted}).json()
    told: str | None = answer["did_you_mean"]
    assert told is None or answer["total"]["value"] == 0
    return told


class TestSuggest:
    def test_a_word_is_suggested_by_its_kanji_and_by_its_reading_in_either_kana(self, client: TestClient) -> None:
        published(client, title="条約の話")
        for typed in ("条", "条約", "じょう", "ジョウ", "ｼﾞｮｳ", "じょうやく", " じょう "):
            answer = client.get("/v1/search/suggest", params={"q": typed}).json()
            assert {"text": "条約", "reading": "ジョウヤク"} in answer["items"], typed

    def test_what_is_typed_is_spelled_as_words_are_kept(self, client: TestClient) -> None:
        published(client, title="ヴァイオリンと斉藤の話")
        for typed in ("ヴァイ", "ゔぁい", "バイ", "ばい"):
            assert "バイオリン" in suggested(client, typed), typed
        assert [suggested(client, typed) for typed in ("斉", "斎", "齋")] == [["斎藤"]] * 3

    def test_those_of_the_most_articles_come_first_and_no_more_than_are_wanted(
        self, client: TestClient, database: Database
    ) -> None:
        for title in ("条約", "条件", "条件と条約", "条約の本", "条約の庭"):
            published(client, title=title)
        while worker.count_words(database):
            pass
        assert suggested(client, "条") == ["条約", "条件"]
        assert suggested(client, "条", limit=1) == ["条約"]

    def test_only_nouns_are(self, client: TestClient) -> None:
        published(client, title="条約を冗談で上手に上る")
        assert "上る" not in suggested(client, "のぼ") + suggested(client, "上")

    def test_nothing_by_which_articles_are_filtered_is(self, client: TestClient, database: Database) -> None:
        published(client, title="庭", tags=["条約", "ワニ", "news-7"], language="ja")
        with database.reading() as reader:
            rows = reader.rows(select(search_terms).where(search_terms.c.term.contains(":")))
        assert {row["term"][1:] for row in rows} >= {"tag:条約", "tag:ワニ", "tag:news-7", "language:ja"}
        assert {row["reading"] for row in rows} == {None}

    def test_what_begins_otherwise_is_not(self, client: TestClient) -> None:
        published(client, title="条約の話")
        for typed in ("約", "ヤク", "zz", "。", "%", "_", "条_", "\u200b"):
            assert "条約" not in suggested(client, typed), typed

    def test_a_word_of_which_nothing_is_public_is_never_suggested(self, client: TestClient, database: Database) -> None:
        create(client, title="条約の下書き")
        made = published(client, title="花壇")
        client.put(f"/v1/manage/articles/{made['id']}", json=a_document(title="条件"), headers=ANY)
        withdrawn = published(client, title="条文の話")
        assert suggested(client, "条") == ["条文"]
        client.post(f"/v1/manage/articles/{withdrawn['id']}/unpublish", headers=ANY)
        assert suggested(client, "条") == []
        while worker.count_words(database):
            pass
        assert suggested(client, "じょう") == []

    def test_what_cannot_be_meant_is_refused(self, client: TestClient) -> None:
        for query in ("q=", "q=a&limit=0", "q=a&limit=21", "limit=3", "q=a&x=1"):
            assert client.get(f"/v1/search/suggest?{query}").status_code == 400, query


class TestMeant:
    def test_a_word_that_is_near_is_told_where_nothing_is_found(self, client: TestClient) -> None:
        for asked, word in (("クリサンテマム", "クリサンセマム"), ("chrysantemum", "chrysanthemum")):
            published(client, title=f"{word}の話")
            for written in (asked, f"「{asked}」", f"、{asked}。"):
                assert meant(client, written) == word

    def test_nothing_is_told_where_something_is_found_or_nothing_is_near(self, client: TestClient) -> None:
        published(client, title="chrysanthemum chrysantemum")
        assert meant(client, "chrysantemum") is None
        assert meant(client, "qqqqqqqqqq") is None
        assert meant(client, "。") is None

    def test_what_is_told_finds_something(self, client: TestClient) -> None:
        published(client, title="chrysanthemum zyzzyva")
        told = meant(client, "chrysantemun zyzzywa")
        assert told == "chrysanthemum zyzzyva"
        assert client.get("/v1/search", params={"q": told}).json()["items"][0]["article"]["title"] == told

    def test_nothing_is_told_that_stands_only_where_nobody_looked(self, client: TestClient) -> None:
        published(client, title="floribunda")
        assert meant(client, "floribumda") == "floribunda"
        elsewhere: tuple[dict[str, str], ...] = ({"in": "sources"}, {"tag": "nothing-has-it"}, {"language": "en"})
        for wanted in elsewhere:
            assert meant(client, "floribumda", **wanted) is None

    def test_a_word_that_is_no_longer_public_is_neither_told_nor_known(
        self, client: TestClient, database: Database
    ) -> None:
        published(client, title="chrysanthemum")
        made = published(client, title="chrysanthemun")
        while worker.count_words(database):
            pass
        client.post(f"/v1/manage/articles/{made['id']}/unpublish", headers=ANY)
        assert meant(client, "chrysanthemur") == "chrysanthemum"
        assert meant(client, "chrysanthemun") == "chrysanthemum"
