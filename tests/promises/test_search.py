"""Search over HTTP: the shape of its answers, true at every moment, whatever is asked, on both databases alike."""

from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app import cli, worker
from app.database import Database
from app.delivery import schemas
from app.delivery.part_lists import Filters
from app.publishing import publish as publishing
from app.wire import paging
from tests.conftest import Clock, Side
from tests.delivery.library import walk
from tests.factories import a_section, create, publish, published
from tests.promises.test_error_shape import assert_problem
from tests.search import corpus

ANY = {"If-Match": "*"}
Run = Callable[..., int]
SEARCHES = ("search", "search/suggest", "questions", "key-points", "sources")
"""Every address that takes a query."""
HOSTILE = [
    "NEAR(", "NEAR(a b, 3)", "title:菊", "*", "菊*", "a AND", "a AND b OR NOT c", "<->", "a <-> b", ":*", "'菊':*",
    "'", "''", "%", "_", "\\", "\\'", '"', '""', '"""', "「", "」", "「」", "「「菊」」", "{a b} : c", "^菊", "-菊",
    "菊'; DROP TABLE search_terms; --", "(((", "a & | !b", "null", "0", "-1", "NaN", "\t\r\n", "\u3000", "½",
    "💡", "👩‍🌾👨‍👩‍👧‍👦", "🇯🇵🇯", "\u2067שלום\u2069", "مرحبا", "\u200f", "\ufeff", "\u00ad", "\u200d\u200d",
    "\u0301", "\u3099か", "ﾞ", "菊\u0301" * 100, "\U0010ffff", "\ufffe", "\x7f", "\x85",
    "菊" * 256, "a" * 256, "あ い" * 85, "１" * 256, "ﷺ" * 256,
]  # fmt: skip
asked = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=4).map("".join)


def search(client: TestClient, asked: str, **wanted: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": asked, **wanted})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(client: TestClient, asked: str, **wanted: Any) -> list[str]:
    return [item["id"] for item in search(client, asked, **{"limit": 100, **wanted})["items"]]


def change(client: TestClient, article_id: str, **fields: Any) -> None:
    document = client.get(f"/v1/manage/articles/{article_id}").json() | fields
    assert client.put(f"/v1/manage/articles/{article_id}", json=document, headers=ANY).status_code == 200


def count(database: Database) -> None:
    while worker.count_words(database):
        pass


def everywhere(client: TestClient, word: str, related_to: str) -> dict[str, Any]:
    """What every public address that searches says about a word."""
    told: dict[str, Any] = {
        within: search(client, word, **{"in": within, "facets": "tag,publisher,language,year"})
        for within in ("articles", "sections", "key_points", "sources")
    }
    told["phrase"] = search(client, f"「{word}」")
    told["suggest"] = client.get("/v1/search/suggest", params={"q": word}).json()
    for name in SEARCHES[2:]:
        told[name] = client.get(f"/v1/{name}", params={"q": word, "count": "exact"}).json()
    told["related"] = client.get(f"/v1/articles/{related_to}/related?limit=20").json()
    return told


@pytest.fixture
def kiku(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line over the database of the test; says the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIKU_DATABASE_URL", database_url)

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as left:
            cli.main(list(arguments))
        return int(left.value.code or 0)

    return run


class TestShape:
    def test_an_answer_is_what_the_contract_says_key_for_key(self, client: TestClient) -> None:
        section = a_section(heading="ヌヌ石の庭", anchor="niwa")
        made = published(client, title="ボボ岩", pages=[{"sections": [section]}])
        (card,) = client.get("/v1/articles").json()["items"]
        part = {
            "pointer": "/pages/0/sections/0/heading",
            "excerpt": "<mark>ヌヌ石</mark>の庭",
            "highlights": [[0, 3]],
        }
        item = {"type": "article", "id": made["id"], "article": card, "page": 1, "anchor": "niwa", "parts": [part]}
        total = {"value": 1, "relation": "eq"}
        expected = {"items": [item], "total": total, "facets": None, "did_you_mean": None, "next": None}
        assert search(client, "ヌヌ石") == expected
        assert list(search(client, "ヌヌ石")) == list(expected)
        assert list(search(client, "ヌヌ石")["items"][0]) == list(item)
        sections = {"type": "section", "id": made["pages"][0]["sections"][0]["id"]}
        assert search(client, "ヌヌ石", **{"in": "sections"})["items"] == [item | sections]
        (item,) = search(client, "ボボ岩")["items"]
        assert (item["page"], item["anchor"]) == (None, None)

    def test_answers_have_exactly_the_members_that_are_described(self, client: TestClient, database: Database) -> None:
        made = [published(client, title=f"ヌヌ石の条約{number}") for number in range(3)]
        count(database)
        told = client.get("/v1/search?q=ヌヌ石&facets=tag,publisher,language,year&limit=2")
        read = schemas.FoundList.model_validate_json(told.text)
        assert read.model_dump(mode="json", exclude_unset=True) == told.json()
        suggested = client.get("/v1/search/suggest?q=条").json()
        assert suggested == {"items": [{"text": "条約", "reading": "ジョウヤク"}]}
        related = client.get(f"/v1/articles/{made[0]['id']}/related").json()
        assert related["items"]
        assert schemas.RelatedList.model_validate(related).model_dump(exclude_unset=True) == related

    def test_fields_project_each_item(self, client: TestClient) -> None:
        made = published(client, title="ヌヌ石")
        told = search(client, "ヌヌ石", fields="id,parts.pointer,article.title")
        assert told["items"] == [{"id": made["id"], "article": {"title": "ヌヌ石"}, "parts": [{"pointer": "/title"}]}]
        assert told["total"]["value"] == 1


class TestCaching:
    def test_the_etag_moves_with_what_is_public_and_with_the_counts_and_only_then(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client, title="ヌヌ石")
        for path in ("search?q=ヌヌ石&in=sections", "search/suggest?q=石", "questions?q=菊", "key-points?q=菊",
                     f"articles/{article['id']}/related"):  # fmt: skip
            first = client.get(f"/v1/{path}")
            seen = {"If-None-Match": first.headers["etag"]}
            create(client, title="ヌヌ石の下書き")
            change(client, article["id"], lead=f"別 {path}")
            again = client.get(f"/v1/{path}", headers=seen)
            assert (again.status_code, again.content) == (304, b""), path
            published(client, title="ヌヌ石の続き")
            second = client.get(f"/v1/{path}", headers=seen)
            assert second.status_code == 200, path
            count(database)
            third = client.get(f"/v1/{path}", headers={"If-None-Match": second.headers["etag"]})
            assert third.status_code == 200, path
            assert client.get(f"/v1/{path}", headers={"If-None-Match": third.headers["etag"]}).status_code == 304


class TestCursors:
    def test_one_belongs_to_its_query_and_what_it_is_asked_of(self, client: TestClient) -> None:
        for number in range(3):
            published(client, title=f"ヌヌ石{number}")
        cursor = search(client, "ヌヌ石", limit=1)["next"]
        assert len(search(client, "ヌヌ石", limit=5, cursor=cursor, facets="tag")["items"]) == 2
        for other in ({"q": "ヌヌ"}, {"in": "sections"}, {"tag": "菊"}, {"language": "ja"},
                      {"published_after": "2020-01-01T00:00:00Z"}):  # fmt: skip
            answer = client.get("/v1/search", params={"q": "ヌヌ石", "cursor": cursor} | other)
            assert_problem(answer, 400, "cursor-invalid")

    def test_one_that_somebody_made_breaks_nothing(self, client: TestClient) -> None:
        published(client, title="ヌヌ石")
        bound = paging.bound_to("search", "ヌヌ石", "articles", *astuple(Filters()))
        answers = {}
        for worth in ("", "x", "-1", ",,,", "1e9", "²", "9223372036854775807", "9" * 30, "9" * 2_000):
            for position in ((2**31 - 1, 2**31 - 1, 2**31 - 1, worth), (0, 0, 0, worth)):
                asked = {"q": "ヌヌ石", "cursor": paging.cursor(position, bound)}
                answers[position] = client.get("/v1/search", params=asked).status_code
        assert {position: status for position, status in answers.items() if status not in {200, 400}} == {}


class TestAtOnce:
    def test_an_article_is_found_in_the_answer_right_after_it_is_published_and_not_after_it_is_withdrawn(
        self, client: TestClient, database: Database
    ) -> None:
        other = published(client, title="庭")
        count(database)
        before = everywhere(client, "ヌヌ石", other["id"])
        for leave in ("unpublish", "trash"):
            point = [{"text": "ヌヌ石"}]
            made = published(
                client, title="ヌヌ石", takeaways=point, pages=[{"sections": [a_section(question="ヌヌ石?")]}]
            )
            assert ids(client, "ヌヌ石") == ids(client, "「ヌヌ石」") == [made["id"]]
            for name in ("questions", "key-points"):
                assert len(client.get(f"/v1/{name}?q=ヌヌ石").json()["items"]) == 1
            at = f"/v1/manage/articles/{made['id']}"
            if leave == "trash":
                client.delete(at, headers=ANY)
            else:
                client.post(f"{at}/unpublish", headers=ANY)
            assert everywhere(client, "ヌヌ石", other["id"]) == before
            count(database)
            assert everywhere(client, "ヌヌ石", other["id"]) == before

    def test_publishing_again_leaves_no_word_of_before(self, client: TestClient, database: Database) -> None:
        made = published(client, title="ヌヌ石", tags=["石"])
        change(client, made["id"], title="ボボ石", tags=["岩"])
        publish(client, made["id"])
        for _ in range(2):
            assert (ids(client, "ヌヌ石"), ids(client, "ヌヌ"), ids(client, "ボボ石")) == ([], [], [made["id"]])
            assert search(client, "ボボ石", facets="tag")["facets"] == {"tag": [{"value": "岩", "count": 1}]}
            count(database)

    def test_a_publisher_is_found_by_its_new_name_and_no_more_by_the_old(self, client: TestClient) -> None:
        source = {"url": "https://a.example.jp", "title": "題", "publisher": {"name": "ヌヌ通信"}}
        made = published(client, pages=[{"sections": [a_section(citations=[{"source": source}])]}])
        publisher = made["pages"][0]["sections"][0]["citations"][0]["source"]["publisher"]["id"]
        assert ids(client, "ヌヌ通信") == [made["id"]]
        answer = client.patch(
            f"/v1/manage/publishers/{publisher}",
            content='{"name": "ボボ新報", "aliases": []}',
            headers=ANY | {"Content-Type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200
        assert (ids(client, "ヌヌ通信"), ids(client, "ボボ新報")) == ([], [made["id"]])
        assert len(client.get("/v1/sources?q=ボボ新報").json()["items"]) == 1
        assert client.get("/v1/sources?q=ヌヌ通信").json()["items"] == []
        assert search(client, "ボボ新報", facets="publisher")["facets"]["publisher"][0]["name"] == "ボボ新報"


class TestHidden:
    def test_no_word_of_a_draft_or_of_an_unpublished_change_shows_anywhere(
        self, client: TestClient, reader: TestClient, database: Database
    ) -> None:
        public = published(client, title="庭の話")
        published(client, title="庭の花")
        count(database)
        before = everywhere(reader, "ヌヌ石条約", public["id"])
        near = everywhere(reader, "ヌヌ石条役", public["id"])
        source = {"url": "https://hidden.example.jp", "title": "ヌヌ石条約", "publisher": {"name": "ヌヌ石条約"}}
        citation = {"source": source, "key_points": [{"text": "ヌヌ石条約"}]}
        section = a_section(heading="ヌヌ石条約", question="ヌヌ石条約?", citations=[citation])
        secret: dict[str, Any] = {"title": "ヌヌ石条約", "tags": ["ヌヌ石条約"], "takeaways": [{"text": "ヌヌ石条約"}]}
        create(client, **secret, pages=[{"sections": [section]}])
        section["citations"][0] = {"source": source | {"url": "https://hidden.example.jp/2"}}
        change(client, public["id"], **secret, pages=[{"sections": [section]}])
        for _ in range(2):
            assert everywhere(reader, "ヌヌ石条約", public["id"]) == before
            assert everywhere(reader, "ヌヌ石条役", public["id"]) == near
            count(database)


class TestRebuilt:
    QUERIES = ("菊", "温室", "ゾルバン", "菊 温室 金賞", "「菊新聞社」", "Café", "12")

    def answers(self, client: TestClient) -> list[Any]:
        articles = client.get("/v1/articles?limit=100").json()["items"]
        found = [search(client, asked, facets="tag,year", limit=50) for asked in self.QUERIES]
        found += [search(client, asked, **{"in": "key_points"}) for asked in self.QUERIES]
        return found + [client.get(f"/v1/articles/{card['id']}/related").json() for card in articles[:5]]

    def test_an_index_that_is_made_anew_answers_as_before(
        self, client: TestClient, database: Database, clock: Clock, kiku: Run
    ) -> None:
        corpus.fill(client, clock, articles=8)
        count(database)
        before = self.answers(client)
        last: str | None = None
        with database.writing() as writer:
            while (last := publishing.reindex(writer, last, 5)) is not None:
                pass
        assert self.answers(client) == before
        assert kiku("rebuild") == 0
        assert self.answers(client) == before

    def test_a_server_that_reads_otherwise_than_the_index_was_made_does_not_start_until_it_is_made_anew(
        self, client: TestClient, database: Database, kiku: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = published(client, title="ヌヌ石")
        with database.writing() as writer:
            writer.execute(text("UPDATE search_state SET version = 'older'"))
        for command in ("serve", "work"):
            assert kiku(command) == 2
            told = capsys.readouterr()
            assert (told.out, told.err.count("\n")) == ("", 1)
            assert "kiku rebuild" in told.err
        assert kiku("rebuild") == 0
        with database.reading() as reader:
            assert reader.execute(text("SELECT version FROM search_state")).scalar_one() != "older"
        assert ids(client, "ヌヌ石") == [made["id"]]


class TestWhateverIsAsked:
    def test_nothing_that_means_something_to_a_database_means_anything_here(self, client: TestClient) -> None:
        made = published(client, title="菊 a b", lead="title")
        for at, asked in enumerate(HOSTILE):
            for name in ("search", SEARCHES[1:][at % 4]):
                answer = client.get(f"/v1/{name}", params={"q": asked})
                assert answer.status_code in {200, 422}, (name, asked, answer.text)
        assert ids(client, "菊") == [made["id"]]
        for asked in ("%", "_", "*", ":*", "''", "\\"):
            assert ids(client, asked) == [], asked

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked=asked, name=st.sampled_from(SEARCHES), within=st.sampled_from(["articles", "sections", "sources"]))
    def test_any_text_is_answered_or_refused_as_one(
        self, client: TestClient, asked: str, name: str, within: str
    ) -> None:
        beside = {"in": within, "facets": "tag,year"} if name == "search" else {}
        answer = client.get(f"/v1/{name}", params={"q": asked, **beside})
        assert answer.status_code in ({200, 422} if asked and "\0" not in asked else {400}), answer.text

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(title=asked)
    def test_any_text_that_can_be_published_can_be_found(self, client: TestClient, title: str) -> None:
        answer = client.post(
            "/v1/manage/articles", json={"title": f"菊 {title}", "pages": [{"sections": [a_section()]}]}
        )
        if answer.status_code == 201:
            publish(client, answer.json()["id"])
            assert answer.json()["id"] in {item["id"] for item in walk(client, "/v1/search", q="菊", limit=100)}

    def test_what_is_too_long_or_stands_in_no_text_is_refused(self, client: TestClient) -> None:
        for name in SEARCHES:
            refused = {"菊" * 257: "query-too-long", "e" + "\u0301" * 5_000: "query-too-long"}
            refused |= dict.fromkeys(("e" + "\u0301" * 200, "\x01", "\u202e"), "text-refused")
            for asked, code in refused.items():
                assert_problem(client.get(f"/v1/{name}", params={"q": asked}), 422, code)
            assert client.get(f"/v1/{name}", params={"q": "e" + "\u0301" * 10_000}).status_code == 414

    def test_what_an_address_cannot_mean_is_refused(self, client: TestClient) -> None:
        for query, parameter in {
            "": "q", "q=": "q", "q=%00": "q", "q=a&q=b": "q", "q=a&in=pages": "in", "q=a&facets=": "facets",
            "q=a&facets=tag,x": "facets", "q=a&limit=0": "limit", "q=a&limit=101": "limit", "q=a&cursor=x": "cursor",
            "q=a&tag=a.b": "tag", "q=a&publisher=x": "publisher", "q=a&published_after=x": "published_after",
            "q=a&sort=x": "sort", "q=a&count=exact": "count", "q=a&fields=-": "fields",
        }.items():  # fmt: skip
            answer = client.get(f"/v1/search?{query}")
            assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, parameter), query
        for query in ("q=%ff", "q=%ed%a0%80"):
            refused = client.get(f"/v1/search?{query}")
            assert (refused.status_code, refused.json()["detail"]) == (400, "The query is not percent-encoded UTF-8.")
        (empty,) = client.get("/v1/search?q=").json()["errors"]
        assert (empty["code"], empty["detail"]) == ("string-too-short", "String should have at least 1 character")


class TestBothDatabases:
    QUERIES = (
        *corpus.WORDS[::3],
        "菊 温室 金賞",
        "ゾルバン の 第",
        "が",
        "「遊覧船」",
        '"Örtlich Blatt"',
        "kiku 国화 c",
    )

    @pytest.fixture
    def clients(self, both: tuple[Side, Side]) -> list[TestClient]:
        for side in both:
            corpus.fill(side.client, side.clock, identified=True)
            count(side.database)
        return [side.client for side in both]

    def test_the_same_articles_are_found_in_the_same_order_and_shown_alike(self, clients: list[TestClient]) -> None:
        def told(client: TestClient, path: str, **wanted: Any) -> Any:
            """The answer without the ids that each ledger gave."""
            answer = client.get(f"/v1/{path}", params=wanted)
            assert answer.status_code == 200, answer.text
            items = answer.json()["items"]
            shown = [(item.get("id"), item.get("parts"), item.get("reasons", item.get("text"))) for item in items]
            facets = answer.json().get("facets") or {}
            counts = {
                name: sorted((each.get("name", each["value"]), each["count"]) for each in of)
                for name, of in facets.items()
            }
            return shown, answer.json().get("total"), answer.json().get("did_you_mean"), counts

        for asked in self.QUERIES:
            for within in ("articles", "sections", "key_points"):
                wanted = {"q": asked, "in": within, "limit": 50, "facets": "tag,publisher,language,year"}
                sqlite, postgresql = (told(client, "search", **wanted) for client in clients)
                assert sqlite == postgresql, (asked, within)
            typed = asked[:1]
            sqlite, postgresql = (told(client, "search/suggest", q=typed, limit=20) for client in clients)
            assert sqlite == postgresql, typed
        for asked in ("千輪裂き", "zyzzyvo", "Kikvno"):
            assert told(clients[0], "search", q=asked) == told(clients[1], "search", q=asked)
