"""Filters, facets and parts of articles: each query with each filter against brute force."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from app import worker
from app.database import Database
from app.delivery.part_lists import Filters
from app.search import facets as counting
from app.search import hits, index, part_hits, passing
from app.search.answers import Asked, Parts
from app.search.index import search_articles, search_texts
from app.text import fold
from tests.delivery.library import combinations, fits, walk
from tests.factories import a_section, published
from tests.search import corpus
from tests.search.corpus import Item

ASKED = ["第", "菊新聞社", "ゾルバン", "号"]
"""One word each: all that it stands in is found."""
LISTS = {"questions": "questions", "key-points": "key_points", "sources": "sources"}


def citations(article: Item) -> Iterator[tuple[Item, Item, Item]]:
    """Each citation with its section and page."""
    for page in article["pages"]:
        for section in page["sections"]:
            for citation in section["citations"]:
                yield citation, section, page


def cites(sources: list[Item], wanted: Item) -> bool:
    return ("source" not in wanted or wanted["source"] in [source["id"] for source in sources]) and (
        "publisher" not in wanted or wanted["publisher"] in [source["publisher"]["id"] for source in sources]
    )


def about(article: Item, wanted: Item) -> bool:
    """Whether the filters that are about the article hold of it."""
    return fits(article, wanted) and wanted.get("language", article["language"]) == article["language"]


def choices(articles: list[Item]) -> dict[str, Any]:
    sources = [citation["source"] for article in articles for citation, *_ in citations(article)]
    times = sorted(article["published_at"] for article in articles)[5::12]
    return {
        "article": {article["id"] for article in articles[:2]},
        "tag": {*corpus.TAGS, "無い"},
        "language": set(corpus.LANGUAGES),
        "source": {source["id"] for source in sources[:3]},
        "publisher": {source["publisher"]["id"] for source in sources[:9]},
        "published_after": set(times),
        "published_before": set(times),
    }


def found(client: TestClient, asked: str, **wanted: Any) -> list[Item]:
    return walk(client, "/v1/search", q=asked, **({"limit": 100} | wanted))


def facets(client: TestClient, asked: str, **wanted: Any) -> Item:
    names = "tag,publisher,language,year"
    answer = client.get("/v1/search", params={"q": asked, "facets": names, "limit": 1, **wanted})
    assert answer.status_code == 200, answer.text
    counted: Item = answer.json()["facets"]
    return counted


def counted(articles: list[Item]) -> Item:
    """Of how many of these each tag, publisher, language and year is."""
    names: dict[str, str] = {}
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("tag", "publisher", "language", "year")}
    for article in articles:
        publishers = {
            each["source"]["publisher"]["id"]: each["source"]["publisher"]["name"] for each, *_ in citations(article)
        }
        names |= publishers
        counts["tag"].update(article["tags"])
        counts["publisher"].update(publishers.keys())
        counts["language"].update([article["language"]])
        counts["year"].update([article["published_at"][:4]])

    def value(facet: str, value: str, count: int) -> Item:
        named = {"name": names[value]} if facet == "publisher" else {}
        return {"value": value, **named, "count": count}

    return {
        facet: [value(facet, each, count) for each, count in sorted(of.items(), key=lambda item: (-item[1], item[0]))]
        for facet, of in counts.items()
    }


class TestArticles:
    def test_of_a_query_with_filters_those_are_found_that_pass_them_in_the_same_order(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        by_id = {article["id"]: article for article in articles}
        whole = {asked: [item["id"] for item in found(client, asked)] for asked in ASKED}
        some = 0
        for at, wanted in enumerate(combinations(choices(articles), times=15)):
            asked = ASKED[at % len(ASKED)]
            expected = [
                id
                for id in whole[asked]
                if about(by_id[id], wanted) and cites([each["source"] for each, *_ in citations(by_id[id])], wanted)
            ]
            answer = client.get("/v1/search", params={"q": asked, "limit": 100, **wanted}).json()
            assert [item["id"] for item in answer["items"]] == expected, (asked, wanted)
            assert answer["total"] == {"value": len(expected), "relation": "eq"}, (asked, wanted)
            some += 0 < len(expected) < len(whole[asked])
        assert some > 10

    @pytest.mark.parametrize("at_once", [1_000, 3])
    def test_facets_count_what_is_found(
        self, client: TestClient, articles: list[Item], monkeypatch: pytest.MonkeyPatch, at_once: int
    ) -> None:
        monkeypatch.setattr(counting, "_TOGETHER", at_once * 2)
        monkeypatch.setattr(counting, "_READ_AT_ONCE", at_once)
        by_id = {article["id"]: article for article in articles}
        for asked in ("号", "菊新聞社", "温室", "「ゾルバンティア」", "無いものは無い"):
            for wanted in ({}, {"tag": "菊"}, {"language": "ja", "published_after": "2024-01-01T00:00:00Z"}):
                ids = [item["id"] for item in found(client, asked, **wanted)]
                assert facets(client, asked, **wanted) == counted([by_id[id] for id in ids]), (asked, wanted)

    def test_only_the_facets_that_are_asked_for_are_counted(self, client: TestClient) -> None:
        answer = client.get("/v1/search?q=号&facets=year,tag").json()
        assert answer["facets"].keys() == {"year", "tag"}
        assert client.get("/v1/search?q=号").json()["facets"] is None


def demanded(database: Database, wanted: dict[str, Any], found: int) -> passing.Passes:
    filters = Filters(**wanted)
    with database.reading() as reader:
        return passing.demanded(reader, filters, index.look_up(reader, list(passing.terms(filters))), found)


class TestPassing:
    def test_the_same_articles_pass_whether_they_are_named_or_looked_at(
        self, database: Database, articles: list[Item]
    ) -> None:
        some = 0
        for wanted in combinations(choices(articles), times=15):
            expected = {
                article["id"]
                for article in articles
                if about(article, wanted) and cites([each["source"] for each, *_ in citations(article)], wanted)
            }
            for found in (0, 10_000):
                passes = demanded(database, wanted, found)
                with database.reading() as reader:
                    statement = passes.of(select(search_texts.c.number))
                    numbers = {number for (number,) in reader.tuples(statement, passes.parameters)}
                    ids = dict(reader.tuples(select(search_articles.c.number, search_articles.c.article_id)))
                    assert {ids[number] for number in numbers} == expected, (found, wanted)
            some += 0 < len(expected) < len(articles)
        assert some > 10

    def test_the_fewest_are_named_where_more_may_be_found_and_all_others_looked_at(
        self, database: Database, articles: list[Item]
    ) -> None:
        by_count = sorted(corpus.TAGS, key=lambda tag: tagged(articles, tag))
        rare, frequent = ({"tag": tag} for tag in (by_count[0], by_count[-1]))
        fewer, many = tagged(articles, by_count[0]), tagged(articles, by_count[-1])
        assert 0 < fewer < many
        both = rare | {"language": "ja"}  # in more articles than have the tag
        named, looked_at = (demanded(database, rare, found).demands for found in (fewer, fewer - 1))
        assert named != looked_at
        assert demanded(database, frequent, many).demands == named
        assert demanded(database, frequent, many - 1).demands == looked_at
        assert demanded(database, both, fewer).demands[0] == named[0]
        assert demanded(database, both, 10_000).demands == demanded(database, both, fewer).demands
        fewest = {"language": "en"}
        assert demanded(database, frequent | fewest, many).demands[0] == demanded(database, fewest, many).demands[0]

    def test_as_many_may_be_looked_at_as_one_word_or_all_of_several_find(
        self, client: TestClient, database: Database, articles: list[Item]
    ) -> None:
        fewer = tagged(articles, "国際")
        for title, times in (("翡翠", 2), ("瑪瑙", fewer - 1)):
            for _ in range(times):
                published(client, title=title, tags=[])
        while worker.count_words(database):
            pass
        named, looked_at = (demanded(database, {"tag": "国際"}, found).demands for found in (fewer, fewer - 1))
        for text, demands in (("翡翠", looked_at), ("瑪瑙", looked_at), ("翡翠 瑪瑙", named), ("無い物は無い", named)):
            with database.reading() as reader:
                asked = Asked.read(reader, text, Filters(tag="国際"), None, 20)
            assert asked.allowed.demands == demands, text

    def test_those_from_one_on_are_that_one_and_the_later(self, database: Database) -> None:
        later, numbers = passing.EVERY.from_on(5), select(search_texts.c.number)
        with database.reading() as reader:
            found = {number for (number,) in reader.tuples(later.of(numbers), later.parameters)}
            every = {number for (number,) in reader.tuples(numbers)}
        assert found == {number for number in every if number >= 5} > {5}

    def test_what_all_articles_have_is_asked_of_none_unless_too_many_are_not_counted(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for card in client.get("/v1/articles?limit=100").json()["items"]:
            if card["language"] != "ja":
                client.post(f"/v1/manage/articles/{card['id']}/unpublish", headers={"If-Match": "*"})
        wanted = {"language": "ja"}
        with monkeypatch.context() as patch:
            patch.setattr(index, "_ADDED_UP", 0)
            assert demanded(database, wanted, 0) != passing.EVERY
        assert demanded(database, wanted, 0) == passing.EVERY
        while worker.count_words(database):
            pass
        assert demanded(database, wanted, 0) == passing.EVERY
        assert found(client, "号", language="ja") == found(client, "号") != []
        published(client, title="第9号", language="ko")
        assert demanded(database, wanted, 0) != passing.EVERY
        assert "第9号" not in [item["article"]["title"] for item in found(client, "号", language="ja")]


def tagged(articles: list[Item], tag: str) -> int:
    return sum(tag in article["tags"] for article in articles)


class TestParts:
    def test_of_a_query_with_filters_those_are_found_that_pass_them(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        for within in ("sections", "key_points", "sources"):
            every = PARTS[within](articles)
            whole = {
                asked: {item["id"] for item in found(client, asked, **{"in": within})} for asked in ("報", "温", "Ö")
            }
            assert all(ids <= {id for id, *_ in every} for ids in whole.values())
            some = 0
            for at, wanted in enumerate(combinations(choices(articles), times=6)):
                asked = list(whole)[at % len(whole)]
                passing = {id for id, article, sources, _ in every if about(article, wanted) and cites(sources, wanted)}
                answer = client.get("/v1/search", params={"q": asked, "in": within, "limit": 100, **wanted}).json()
                assert {item["id"] for item in answer["items"]} == whole[asked] & passing, (asked, wanted)
                assert len({item["id"] for item in answer["items"]}) == len(answer["items"]) == answer["total"]["value"]
                some += 0 < len(answer["items"]) < len(whole[asked])
            assert some > 3

    def test_whatever_stands_in_a_part_finds_it_and_the_place_shown_is_in_it(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        for within in ("sections", "key_points", "sources"):
            every = PARTS[within](articles)
            by_id = {article["id"]: article for article in articles}
            for asked in ("温室", "ゾルバン", "1万2", "국화", "菊新聞社", "💡", "第3報"):
                items = found(client, asked, **{"in": within})
                holding = {id for id, _, _, texts in every if any(fold(asked) in fold(text) for text in texts)}
                assert holding <= {item["id"] for item in items}, asked
                for item in items:
                    said = [corpus.at(by_id[item["article"]["id"]], part["pointer"]) for part in item["parts"]]
                    own = [text for id, _, _, texts in every if id == item["id"] for text in texts]
                    assert item["type"] == within.removesuffix("s")
                    assert set(said) <= set(own), (asked, item)
                    assert item["page"] is not None or within == "key_points"

    @pytest.mark.usefixtures("articles")
    def test_of_a_word_the_newest_parts_are_found_however_few_are_read_at_a_time_or_shown_on_a_page(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for within, asked in (("sections", "温室"), ("key_points", "温室"), ("sources", "報")):
            some = []
            for together, (deepest, ranked) in product((500, 1), ((1_000, 100), (4, 2))):
                monkeypatch.setattr(part_hits, "_TOGETHER", together)
                monkeypatch.setattr(hits, "DEEPEST", deepest)
                monkeypatch.setattr(hits, "RANKED", ranked)
                some.append(client.get("/v1/search", params={"q": asked, "in": within, "limit": 100}).json())
            assert some[:2] == some[2:]
            assert len(some[0]["items"]) > 4, (within, asked)
            assert some[1]["total"] == {"value": 4, "relation": "gte"}
            assert found(client, asked, **{"in": within, "limit": 1}) == some[1]["items"][:4]

    def test_a_phrase_of_many_articles_finds_each_part_that_holds_it_the_newest_first(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hits, "CANDIDATES", 3)
        monkeypatch.setattr(hits, "RANKED", 2)
        monkeypatch.setattr(part_hits, "_TEXTS_TOGETHER", 2)
        pages = [{"sections": [a_section(heading="グラモンテ号の話", question=None)]}]
        takeaways = [{"text": "グラモンテ号が出た"}]
        first, *newer = [published(client, pages=pages, takeaways=takeaways)["id"] for _ in range(7)]
        question = {"sections": [a_section(heading="庭", question="グラモンテ号はどこへ行く?")]}
        published(client, pages=[question])
        for _ in range(5):
            published(client, introduction="グラモンテ号、グラモンテ号が出た。" * 3)
        for asked in ("「グラモンテ号」", "ラモンテ号"):
            items = found(client, asked, **{"in": "sections", "limit": 3})
            assert [item["article"]["id"] for item in items][1:] == [*newer[::-1], first], asked
            answer = client.get("/v1/questions", params={"q": asked, "count": "exact"}).json()
            assert [item["question"] for item in answer["items"]] == ["グラモンテ号はどこへ行く?"], asked
            assert answer["count"] == {"value": 1, "relation": "eq"}, asked
            points = client.get("/v1/key-points", params={"q": asked, "count": "exact", "limit": 1}).json()
            assert points["count"] == {"value": 7, "relation": "eq"}, asked

    def test_of_a_frequent_word_the_newest_part_with_its_letters_alone_is_on_the_first_page_however_long(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for heading in (*["バスの話"] * 8, "バスケットの日"):
            published(client, pages=[{"sections": [a_section(heading=heading)]}])
        limits = {"DEEPEST": 4, "RANKED": 2, "CANDIDATES": 3}
        for name, most in limits.items():
            monkeypatch.setattr(hits, name, most)
        monkeypatch.setattr(part_hits, "_TOGETHER", 1)
        asked = {"q": "バス", "in": "sections"}
        pages = [client.get("/v1/search", params={**asked, "limit": limit}).json() for limit in (1, 100)]
        shown = [page["items"][0]["parts"][0]["excerpt"] for page in pages]
        assert shown == ["<mark>バス</mark>ケットの日"] * 2

    def test_the_texts_of_an_article_are_read_once_to_find_rank_and_show_its_parts(self, database: Database) -> None:
        statements: list[str] = []
        with database.reading() as reader:
            event.listen(
                reader.connection,
                "before_cursor_execute",
                lambda *given: statements.append(given[2].partition("FROM")[0]),
            )
            parts = Parts(reader, Asked.read(reader, "菊新聞社", Filters(), None, 6), "section")
            shown = [item for _, item in parts.items(5)]
        assert [bool(item) for item in shown] == [True] * 5 + [False]
        assert len([columns for columns in statements if "search_texts.folded" in columns]) == 1

    def test_facets_count_the_articles_in_which_the_parts_are_found(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        for within, asked in (("sections", "温"), ("key_points", "菊"), ("sources", "報")):
            some = 0
            for wanted in combinations({"publisher": choices(articles)["publisher"], "tag": {"菊"}}, times=0):
                items = found(client, asked, **{"in": within}, **wanted)
                ids = {item["id"] for item in items}
                holding = [
                    article["id"]
                    for id, article, sources, _ in PARTS[within](articles)
                    if id in ids and about(article, wanted) and cites(sources, wanted)
                ]
                expected = counted([article for article in articles if article["id"] in holding])
                assert facets(client, asked, **{"in": within}, **wanted) == expected, (within, wanted)
                some += bool(items)
            assert some > 1, within

    def test_a_part_that_the_filter_leaves_out_is_in_no_facet(self, client: TestClient) -> None:
        def cite(name: str) -> list[Item]:
            source = {"url": f"https://{name}.example.jp", "title": "題", "publisher": {"name": name}}
            return [{"source": source}]

        sections = [a_section(heading="ヌヌ石", citations=cite("kou")), a_section(heading="庭", citations=cite("otsu"))]
        made = published(client, pages=[{"sections": sections}])
        other = made["pages"][0]["sections"][1]["citations"][0]["source"]["publisher"]["id"]
        answer = client.get(
            "/v1/search", params={"q": "ヌヌ石", "in": "sections", "publisher": other, "facets": "publisher"}
        ).json()
        assert (answer["items"], answer["facets"]) == ([], {"publisher": []})


def _sections(articles: list[Item]) -> list[tuple[str, Item, list[Item], list[str]]]:
    return [
        (section["id"], article, [each["source"] for each in section["citations"]], list(corpus.section_texts(section)))
        for article in articles
        for page in article["pages"]
        for section in page["sections"]
    ]


def _key_points(articles: list[Item]) -> list[tuple[str, Item, list[Item], list[str]]]:
    taken: list[tuple[str, Item, list[Item], list[str]]] = [
        (point["id"], article, [], [point["text"]]) for article in articles for point in article["takeaways"]
    ]
    return taken + [
        (point["id"], article, [citation["source"]], [point["text"]])
        for article in articles
        for citation, *_ in citations(article)
        for point in citation["key_points"]
    ]


def _sources(articles: list[Item]) -> list[tuple[str, Item, list[Item], list[str]]]:
    return [
        (source["id"], article, [source], [source["title"], source["publisher"]["name"]])
        for article in articles
        for source in (citation["source"] for citation, *_ in citations(article))
    ]


PARTS: dict[str, Callable[[list[Item]], list[tuple[str, Item, list[Item], list[str]]]]] = {
    "sections": _sections,
    "key_points": _key_points,
    "sources": _sources,
}


class TestLists:
    def test_with_a_query_a_list_holds_those_of_its_items_that_it_finds_page_by_page_and_counted(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        for name in LISTS:
            whole = walk(client, f"/v1/{name}", limit=100)
            known = {key: values for key, values in choices(articles).items() if name != "sources" or key != "source"}
            known |= {"key-points": {"kind": {"takeaway", "citation"}}, "sources": {"type": {"report"}}}.get(name, {})
            asked = "温" if name != "sources" else "報"
            base = {id_of(item) for item in walk(client, f"/v1/{name}", limit=100, q=asked)}
            some = 0
            for wanted in combinations(known, times=6):
                passing = walk(client, f"/v1/{name}", limit=100, **wanted)
                items = walk(client, f"/v1/{name}", limit=9, q=asked, **wanted)
                expected = {id_of(item) for item in passing} & base
                assert sorted(map(id_of, items)) == sorted(expected), wanted
                assert all(item in whole for item in items)
                counted = client.get(f"/v1/{name}", params={"q": asked, "count": "exact", "limit": 1, **wanted}).json()[
                    "count"
                ]
                assert counted == {"value": len(items), "relation": "eq"}, wanted
                some += 0 < len(items) < len(whole)
            assert some > 3

    def test_a_question_is_found_by_itself_and_its_answer_and_by_nothing_else(self, client: TestClient) -> None:
        section = a_section(heading="甲乙石", question="ヌヌ石とは?", answer="ボボ石の粉", body="丙丁石")
        published(client, pages=[{"sections": [section]}])
        for asked, found in (("ヌヌ石", 1), ("ボボ石", 1), ("甲乙石", 0), ("丙丁石", 0)):
            assert len(client.get("/v1/questions", params={"q": asked}).json()["items"]) == found, asked

    def test_a_cursor_belongs_to_its_query(self, client: TestClient) -> None:
        for name in LISTS:
            asked = "温" if name != "sources" else "報"
            cursor = client.get(f"/v1/{name}", params={"q": asked, "limit": 1}).json()["next"]
            assert client.get(f"/v1/{name}", params={"q": asked, "cursor": cursor}).status_code == 200
            for other in ({"q": "菊"}, {}, {"q": asked, "tag": "菊"}):
                answer = client.get(f"/v1/{name}", params=other | {"cursor": cursor})
                assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid"), other


def id_of(item: Item) -> str:
    id: str = item.get("id") or item["section_id"]
    return id
