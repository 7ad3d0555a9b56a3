"""Sections, key points and questions of all articles: every filter against brute force, pages, single addresses."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.delivery import schemas
from tests.conftest import Clock
from tests.delivery.library import TAGS, Item, Library, combinations, fits, walk
from tests.factories import a_section, create, publish, published

PARTS = ("sections", "key-points", "questions")


@pytest.fixture
def library(client: TestClient, clock: Clock) -> Library:
    return Library(client, clock)


def cites(citations: list[Item], wanted: dict[str, Any]) -> bool:
    """Whether a citation is of the source wanted, and one of the publisher wanted."""
    sources = [citation["source"] for citation in citations]
    return ("source" not in wanted or any(source["id"] == wanted["source"] for source in sources)) and (
        "publisher" not in wanted or any(source["publisher"]["id"] == wanted["publisher"] for source in sources)
    )


def choices(library: Library) -> dict[str, Any]:
    times = {article["published_at"] for article in library.articles}
    sources = [citation["source"] for citation, *_ in library.citations()]
    return {
        "article": {article["id"] for article in library.articles},
        "tag": {*TAGS, "無い"},
        "language": {"ja", "en", "fr"},
        "source": {source["id"] for source in sources},
        "publisher": {source["publisher"]["id"] for source in sources},
        "published_after": times,
        "published_before": times,
    }


def fitting(article: Item, wanted: dict[str, Any]) -> bool:
    return fits(article, wanted) and wanted.get("language", article["language"]) == article["language"]


def sections(library: Library, wanted: dict[str, Any]) -> list[Item]:
    return [
        section | {"page": page["number"], "article": library.cards[article["id"]]}
        for section, page, article in library.sections()
        if fitting(article, wanted) and cites(section["citations"], wanted)
    ]


def questions(library: Library, wanted: dict[str, Any]) -> list[Item]:
    return [
        {
            **{name: section[name] for name in ("question", "answer", "anchor")},
            "section_id": section["id"],
            "page": page["number"],
            "article": library.cards[article["id"]],
            "sources": [citation["source"] for citation in section["citations"]],
        }
        for section, page, article in library.sections()
        if section["question"] and fitting(article, wanted) and cites(section["citations"], wanted)
    ]


def key_points(library: Library, wanted: dict[str, Any]) -> list[Item]:
    return [
        point
        for article in library.articles
        for point, citation in points_of(library, article)
        if fitting(article, wanted)
        and wanted.get("kind", point["kind"]) == point["kind"]
        and cites([citation] if citation else [], wanted)
    ]


def points_of(library: Library, article: Item) -> Iterator[tuple[Item, Item | None]]:
    card = library.cards[article["id"]]
    nowhere = dict.fromkeys(("page", "section_id", "citation_id", "source"))
    for point in article["takeaways"]:
        yield point | nowhere | {"kind": "takeaway", "article": card}, None
    for citation, section, page, owner in library.citations():
        if owner is article:
            here = {"page": page["number"], "section_id": section["id"], "citation_id": citation["id"]}
            for point in citation["key_points"]:
                yield point | here | {"kind": "citation", "source": citation["source"], "article": card}, citation


EXPECTED = {"sections": sections, "key-points": key_points, "questions": questions}


class TestFilters:
    @pytest.mark.parametrize("name", PARTS)
    def test_every_list_holds_what_brute_force_finds_in_its_order(
        self, client: TestClient, library: Library, name: str
    ) -> None:
        known = choices(library) | ({"kind": {"takeaway", "citation"}} if name == "key-points" else {})
        found = 0
        for wanted in combinations(known, times=60):
            expected = EXPECTED[name](library, wanted)
            assert walk(client, f"/v1/{name}", limit=3, **wanted) == expected, wanted
            counted = client.get(f"/v1/{name}", params=wanted | {"limit": 1, "count": "exact"}).json()["count"]
            assert counted == {"value": len(expected), "relation": "eq"}, wanted
            found += bool(expected) and len(wanted) > 1
        assert found > 5, "combined filters were tried only where they hold nothing"

    @pytest.mark.parametrize("name", PARTS)
    @pytest.mark.parametrize(
        "query", ["article=slug", "tag=a.b", "source=1", "published_after=x", "kind=x", "limit=0", "sort=id",
                  "cursor=x", "fields=nothing", "count=all"],
    )  # fmt: skip
    def test_what_a_list_cannot_mean_is_refused(self, client: TestClient, name: str, query: str) -> None:
        published(client)
        answer = client.get(f"/v1/{name}?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]

    def test_a_cursor_belongs_to_its_list_and_filters(self, client: TestClient) -> None:
        published(client)
        published(client)
        cursor = client.get("/v1/sections?limit=1").json()["next"]
        assert client.get(f"/v1/sections?cursor={cursor}&limit=5").status_code == 200
        for path in (f"/v1/questions?cursor={cursor}", f"/v1/sections?language=ja&cursor={cursor}"):
            assert client.get(path).json()["code"] == "cursor-invalid"

    def test_fields_project_each_item(self, client: TestClient) -> None:
        published(client, slug="kiku")
        answer = client.get("/v1/questions?fields=question,article.slug,sources.publisher.name").json()
        assert answer["items"] == [
            {"question": "菊はいつ咲く?", "sources": [{"publisher": {"name": "菊新聞"}}], "article": {"slug": "kiku"}}
        ]


class TestPaging:
    @pytest.mark.parametrize("name", PARTS)
    def test_what_stays_is_shown_once_while_articles_come_and_go(
        self, client: TestClient, clock: Clock, name: str
    ) -> None:
        staying = []
        for number in range(9):
            staying.append(published(client, pages=[{"sections": [a_section(), a_section()]}])["id"])
            clock.advance(seconds=number % 2)
        going = [staying.pop(at) for at in (7, 5, 2)]

        def between() -> None:
            clock.advance(seconds=1)
            published(client)
            if going:
                client.post(f"/v1/manage/articles/{going.pop()}/unpublish", headers={"If-Match": "*"})

        items = walk(client, f"/v1/{name}", between, limit=3)
        seen = [item.get("id", item.get("section_id")) for item in items if item["article"]["id"] in staying]
        each = {"sections": 2, "questions": 2, "key-points": 4}[name]
        assert len(seen) == len(set(seen)) == each * len(staying)


class TestSingle:
    def test_a_section_and_a_key_point_answer_as_in_their_lists(self, client: TestClient, library: Library) -> None:
        for name in ("sections", "key-points"):
            for item in walk(client, f"/v1/{name}"):
                answer = client.get(f"/v1/{name}/{item['id'].upper()}")
                assert answer.json() == item
                assert answer.headers["surrogate-key"] == f"article-{item['article']['id']}"
                again = client.get(f"/v1/{name}/{item['id']}", headers={"If-None-Match": answer.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")
        assert library.articles

    @pytest.mark.parametrize("id", ["x", "00000000-0000-7000-8000-000000000000", "%00", "é", "%ff"])
    def test_what_is_not_there_is_not_found(self, client: TestClient, id: str) -> None:
        for name in ("sections", "key-points"):
            assert client.get(f"/v1/{name}/{id}").status_code == 404


class TestHidden:
    def test_nothing_of_what_is_not_public_shows(self, client: TestClient, library: Library) -> None:
        for article in library.hidden():
            parts = [section for page in article["pages"] for section in page["sections"]]
            points = [p for section in parts for citation in section["citations"] for p in citation["key_points"]]
            points += article.get("takeaways", [])
            assert all(client.get(f"/v1/sections/{part['id']}").status_code == 404 for part in parts)
            assert all(client.get(f"/v1/key-points/{point['id']}").status_code == 404 for point in points)
            source = parts[0]["citations"][0]["source"]
            filters = {"source": source["id"], "publisher": source["publisher"]["id"], "tag": article["tags"][0]}
            filters |= {"article": article["id"]} if article["id"] else {}
            for name in PARTS:
                for wanted, value in filters.items():
                    answer = client.get(f"/v1/{name}", params={wanted: value, "count": "exact"}).json()
                    assert answer == {"items": [], "next": None, "count": {"value": 0, "relation": "eq"}}, wanted

    @pytest.mark.parametrize("name", PARTS)
    def test_the_etag_moves_with_what_is_public_and_only_then(self, client: TestClient, name: str) -> None:
        article = published(client)
        first = client.get(f"/v1/{name}")
        seen = {"If-None-Match": first.headers["etag"]}
        client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers={"If-Match": "*"})
        draft = create(client)
        again = client.get(f"/v1/{name}", headers=seen)
        assert (again.status_code, again.content) == (304, b"")
        publish(client, draft["id"])
        second = client.get(f"/v1/{name}", headers=seen)
        assert second.status_code == 200
        client.post(f"/v1/manage/articles/{draft['id']}/unpublish", headers={"If-Match": "*"})
        third = client.get(f"/v1/{name}", headers={"If-None-Match": second.headers["etag"]})
        assert (third.status_code, third.json()) == (200, client.get(f"/v1/{name}").json())
        assert third.json() == first.json()


class TestDescribed:
    def test_the_answers_have_exactly_the_members_that_are_described(self, client: TestClient) -> None:
        published(client)
        described: list[tuple[str, type[BaseModel]]] = [
            ("sections", schemas.SectionList),
            ("key-points", schemas.KeyPointList),
            ("questions", schemas.QuestionList),
        ]
        for name, model in described:
            answer = client.get(f"/v1/{name}?count=capped").json()
            assert model.model_validate(answer).model_dump(exclude_unset=True) == answer
