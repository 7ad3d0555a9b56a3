"""Where Kiku and the model are asked the same: what came of it is compared at each step, and then all there is.

What editors do is in ``test_life_of_articles.py``.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx2
from fastapi.testclient import TestClient
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import delete, func, select

from app.articles.publishers import publishers
from app.articles.sources import sources
from app.articles.tables import articles, revisions
from app.articles.tags import tags
from app.database import Database
from app.search import index
from app.sync.changes import changes
from app.text import instant
from tests.conftest import Clock
from tests.promises.model import Change, Json, Kiku, places
from tests.promises.model_ledger import Entry, Match, Refused
from tests.promises.written import MARK

MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"


class Asked(NamedTuple):
    """A request: its method and address, its body if it has one, and of which media type."""

    method: str
    address: str
    body: Any = None
    media_type: str = "application/json"


class Desk(RuleBasedStateMachine):
    """A life begins with nothing stored; ``touched`` are the articles of the step that was just done."""

    def __init__(self, client: TestClient, database: Database, clock: Clock) -> None:
        super().__init__()
        self.client, self.database, self.clock = client, database, clock
        self.model = Kiku()
        self.numbers: dict[str, int] = {}
        self.touched: set[str] = set()
        self.chosen = 0
        clock.now = Clock().now
        empty(database)

    # -------------------------------------------------------------------------------------------- how it is asked

    def create(self, document: Json) -> str | None:
        """The id of a new article, None where it was refused."""
        answer = self.client.post("/v1/manage/articles", json=document)
        id = str(answer.json()["id"]) if answer.is_success else None
        self._both(answer, lambda seen: self.model.create(document, seen), id)
        return id

    def edit(self, id: str, match: str, asked: Asked, change: Change) -> None:
        """Change a working copy: ``change`` does to the document what ``asked`` asks for."""
        version = self.version(id, match)
        self.save(id, match, asked, lambda seen: self.model.edit(id, version, change, seen))

    def save(self, id: str, match: str, asked: Asked, take: Callable[[Json | None], None]) -> None:
        """The same, where the model has a way of its own to do it."""
        self._both(self._ask(asked, self.version(id, match)), take, id)

    def step(self, id: str, match: str, asked: Asked, take: Callable[[str, Match], None]) -> None:
        """Let an article go through something: ``take`` is the model's."""
        version = self.version(id, match)
        answer = self._ask(asked, version)
        self._both(answer, lambda _: take(id, version), id)

    def change_entry(self, entry: Entry, match: str, asked: Asked, change: Callable[[Match, Json], object]) -> None:
        """Change the ledger: ``change`` gets the version and the answer, of which it takes what Kiku chose."""
        version = None if match == "any" else entry.version + (match == "stale")
        answer = self._ask(asked, version)
        said = answer.json() if answer.content else {}
        self._both(answer, lambda _: self.model.change_ledger(lambda: change(version, said)))

    def version(self, id: str, match: str) -> Match:
        """The version an editor says: the current one, another, or none."""
        article = self.model.articles.get(id)
        return None if match == "any" or article is None else article.version + (match == "stale")

    def identified(self, document: Json) -> Json:
        """The document with ids that its client has chosen."""
        document = copy.deepcopy(document)
        for part in (document, *(place.part for place in places(document))):
            self.chosen += 1
            part["id"] = f"00000000-0000-4000-8000-{self.chosen:012}"
        return document

    def _ask(self, asked: Asked, version: Match) -> httpx2.Response:
        headers = {"If-Match": "*" if version is None else f'"{version}"'}
        if asked.body is not None:
            headers["Content-Type"] = asked.media_type
        return self.client.request(asked.method, asked.address, json=asked.body, headers=headers)

    def _both(self, answer: httpx2.Response, take: Callable[[Json | None], object], id: str | None = None) -> None:
        """Do to the model what was done to Kiku: both do it, or both refuse it for the same reason.

        ``take`` gets the working copy as it is now, for what Kiku chose; None where Kiku refused.
        """
        self.model.now = instant(self.clock.now)
        seen = None
        if id is not None:
            self.touched.add(id)
            seen = self.client.get(f"/v1/manage/articles/{id}").json() if answer.is_success else None
        refused = None
        try:
            take(seen)
        except Refused as refusal:
            refused = (refusal.status, refusal.code)
        code = None if answer.is_success else (answer.status_code, answer.json()["code"])
        assert code == refused, answer.text

    # ------------------------------------------------------------------------------------------- what is the case

    @invariant()
    def working_copies_are_as_the_model_says(self) -> None:
        for id, article in self.model.articles.items():
            answer = self.client.get(f"/v1/manage/articles/{id}")
            assert answer.json() == self.model.resource(article)
            assert answer.headers["ETag"] == f'"{article.version}"'
        for id in self.touched & self.model.articles.keys():
            article = self.model.articles[id]
            latest = self.client.get(f"/v1/manage/articles/{id}/revisions/{article.version}").json()
            assert latest["document"] == article.revisions[-1]
        with self.database.reading() as reader:
            columns = (revisions.c.article_id, func.count(), func.max(revisions.c.number))
            found = reader.tuples(select(*columns).group_by(revisions.c.article_id))
        assert set(found) == {(id, article.version, article.version) for id, article in self.model.articles.items()}

    @invariant()
    def readers_get_what_is_public(self) -> None:
        public = self.model.listed()
        for id in self.model.feed.keys() | self.model.articles.keys():
            answer = self.client.get(f"/v1/articles/{id}")
            assert (answer.json() if answer.status_code != 404 else None) == self.model.read(id)
        assert self._items("/v1/articles") == [card(article) for article in public]
        borne = sorted({tag for article in public for tag in article["tags"]})
        assert self._items("/v1/tags") == [{"slug": tag, "name": tag} for tag in borne]
        cited = [citation["source"] for article in public for citation in citations(article)]
        assert {source["id"] for source in self._items("/v1/sources")} == {source["id"] for source in cited}

    @invariant()
    def an_address_once_public_leads_on(self) -> None:
        for slug in sorted({slug for article in self.model.articles.values() for slug in article.once_public}):
            status, slugs = self.model.leads(slug)
            answer = self.client.get(f"/v1/articles/{slug}")
            assert answer.status_code == status
            location = unquote(answer.headers.get("Location", ""))
            assert (answer.json()["slug"] if status == 200 else location.rpartition("/")[2]) in slugs

    @invariant()
    def the_feed_has_one_entry_for_each_that_was_ever_public(self) -> None:
        with self.database.reading() as reader:
            rows = reader.tuples(select(changes.c.article_id, changes.c.number, changes.c.live))
        assert {id: live for id, _, live in rows} == self.model.feed
        numbers = {id: number for id, number, _ in rows}
        assert len(set(numbers.values())) == len(numbers)
        assert {id for id in numbers if numbers[id] != self.numbers.get(id)} == self.model.moved
        assert all(numbers[id] > max(self.numbers.values(), default=0) for id in self.model.moved)
        self.numbers, self.model.moved = numbers, set()

    @invariant()
    def search_finds_what_is_public_and_nothing_else(self) -> None:
        public = self.model.listed()
        self._finds(f"「{MARK}」", {article["id"] for article in public})
        for id in self.touched & self.model.articles.keys():
            word = self.model.articles[id].document["title"].removeprefix(MARK)
            if word:
                self._finds(word, {article["id"] for article in public if word in article["title"]})
        self.touched = set()

    @invariant()
    def the_ledger_is_as_the_model_says(self) -> None:
        ledger = self.model.ledger
        found = {source["id"]: source for source in self._items("/v1/manage/sources")}
        living = {id: entry for id, entry in ledger.sources.items() if entry.merged_into is None}
        assert {id: source["version"] for id, source in found.items()} == {id: e.version for id, e in living.items()}
        for id, source in found.items():
            assert source | ledger.cited(id) == source
        assert [
            (each["id"], each["name"], each["aliases"], each["version"])
            for each in self._items("/v1/manage/publishers")
        ] == [
            (each.id, each.name, each.aliases, each.version)
            for each in sorted(ledger.publishers.values(), key=lambda each: (each.name, each.id))
            if each.merged_into is None
        ]

    def _items(self, address: str) -> list[Json]:
        items: list[Json] = self.client.get(address, params={"limit": 100}).json()["items"]
        return items

    def _finds(self, query: str, expected: set[str]) -> None:
        found = self.client.get("/v1/search", params={"q": query}).json()
        assert {item["id"] for item in found["items"]} == expected
        assert found["total"] == {"value": len(expected), "relation": "eq"}


def empty(database: Database) -> None:
    """Remove what another life has left: the articles with all that is theirs, the ledger, the feed's entries.

    A fresh database and application for each life would take longer than most of it.
    """
    with database.writing() as writer:
        for row in writer.rows(select(index.search_articles.c.article_id)):
            index.drop(writer, row["article_id"])
        for table in (articles, changes, sources, publishers, tags):
            writer.execute(delete(table))


def citations(article: Json) -> list[Json]:
    """Every citation of an article, in reading order."""
    return [place.part for place in places(article) if place.name == "citations"]


def card(article: Json) -> Json:
    """What a list shows of a public article."""
    kept = ("id", "slug", "language", "title", "lead", "hero_image", "tags", "published_at", "revised_at")
    publishers = [citation["source"]["publisher"] for citation in citations(article)]
    announced = [page for page in article["pages"] if page["teaser"] and not page["sections"]]
    return {name: article[name] for name in kept} | {
        "publishers": list({publisher["id"]: publisher for publisher in publishers if publisher}.values()),
        "page_count": len(article["pages"]) - len(announced),
    }
