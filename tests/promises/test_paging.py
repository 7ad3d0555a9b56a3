"""Paging while articles come and go: of what was there throughout nothing is skipped, and nothing comes twice."""

import random
import threading
from collections import Counter
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.database import Database
from tests.conftest import Clock, a_key
from tests.delivery.library import walk
from tests.factories import a_citation, a_section, create, publish
from tests.live import served

LISTS = ["articles", "articles?sort=published_at", "sections", "key-points", "questions", "sources", "publishers",
         "tags", "sources/{source}/citations", "sections?publisher={publisher}", "questions?tag=菊",
         "key-points?kind=citation"]  # fmt: skip
READ = ("articles", "sections", "key-points", "sources")
ANY = {"If-Match": "*"}
SHARED = "https://shared.example.jp/1"
"""A source that every article cites."""


class Newsroom:
    """Articles that come, go and change; it knows what readers could see from the first moment to the last."""

    def __init__(self, client: Any, seed: int) -> None:
        self._client, self._random, self._made = client, random.Random(seed), 0  # noqa: S311 - the same each time
        self._public = [self._publish() for _ in range(9)]
        self._hidden: list[str] = []
        self.staying = self._seen()
        citation = self._client.get("/v1/sections?limit=1").json()["items"][0]["citations"][0]
        self.names = {"source": citation["source"]["id"], "publisher": citation["source"]["publisher"]["id"]}

    def act(self) -> None:
        """One publication, change, withdrawal or return."""
        step = self._random.choice([self._come, self._go, self._return, *[self._change] * 5])
        step()
        seen = self._seen()
        self.staying = {name: ids & seen[name] for name, ids in self.staying.items()}

    def _publish(self) -> str:
        self._made += 1
        name = f"{self._made}"
        tags = ["菊", f"札{name}"] if self._made % 2 else ["菊"]
        draft = create(self._client, pages=[{"sections": [self._section(name) for _ in range(4)]}], tags=tags)
        publish(self._client, draft["id"])
        return str(draft["id"])

    def _section(self, name: str) -> dict[str, Any]:
        self._made += 1
        shared = {"source": {"url": SHARED, "title": "共", "publisher": {"name": "共有通信"}}}
        own = a_citation()
        own["source"]["publisher"] = {"name": f"新聞{name}"}
        return a_section(heading=f"見出し{self._made}", citations=[shared, own])

    def _come(self) -> None:
        self._public.append(self._publish())

    def _go(self) -> None:
        # Most stay: what is asserted is about them.
        if len(self._public) > 7:
            article = self._public.pop(self._random.randrange(len(self._public)))
            assert self._client.post(f"/v1/manage/articles/{article}/unpublish", headers=ANY).status_code == 200
            self._hidden.append(article)

    def _return(self) -> None:
        if self._hidden:
            article = self._hidden.pop()
            self._edit(article)
            self._public.append(article)

    def _change(self) -> None:
        self._edit(self._random.choice(self._public))

    def _edit(self, article: str) -> None:
        """Sections and takeaways in another order, one more, sometimes one less; then published anew."""
        at = f"/v1/manage/articles/{article}"
        document = self._client.get(at).json()
        sections = document["pages"][0]["sections"]
        self._random.shuffle(sections)
        self._random.shuffle(document["takeaways"])
        if self._random.random() < 0.3 and len(sections) > 2:
            sections.pop()
        sections.insert(self._random.randrange(len(sections)), self._section("新"))
        assert self._client.put(at, json=document, headers=ANY).status_code == 200
        publish(self._client, article)

    def _seen(self) -> dict[str, set[str]]:
        """Every id that readers can see now, by the list it stands in."""
        articles = [self._client.get(f"/v1/articles/{id}").json() for id in self._public]
        sections = [s for article in articles for page in article["pages"] for s in page["sections"]]
        citations = [citation for section in sections for citation in section["citations"]]
        said = [point for citation in citations for point in citation["key_points"]]
        sources = [citation["source"] for citation in citations]
        shared = [citation for citation in citations if citation["source"]["url"] == SHARED]
        return {
            "articles": ids(articles),
            "sections": ids(sections),
            "questions": ids(sections),
            "key-points": ids([*said, *(point for article in articles for point in article["takeaways"])]),
            "key-points?kind=citation": ids(said),
            "sources": ids(sources),
            "publishers": ids([source["publisher"] for source in sources]),
            "tags": {tag for article in articles for tag in article["tags"]},
            "sources/{source}/citations": ids(shared),
        }


def ids(things: list[dict[str, Any]]) -> set[str]:
    return {thing["id"] for thing in things}


def shown(items: list[dict[str, Any]]) -> list[str]:
    return [item.get("id") or item.get("section_id") or item["slug"] for item in items]


def staying(newsroom: Newsroom, path: str) -> set[str]:
    return newsroom.staying.get(path) or newsroom.staying[path.partition("?")[0]]


class TestBetweenPages:
    @pytest.mark.parametrize("seed", range(3))
    def test_of_every_list_what_stays_is_shown_once(self, client: TestClient, clock: Clock, seed: int) -> None:
        newsroom = Newsroom(client, seed)
        items: dict[str, list[str]] = {path: [] for path in LISTS}
        reading: dict[str, str | None] = dict.fromkeys(LISTS)
        while reading:
            for path, cursor in list(reading.items()):
                address = f"/v1/{path.format(**newsroom.names)}"
                asked = httpx2.URL(address).params.set("limit", 5)
                page = client.get(address, params=asked if cursor is None else asked.set("cursor", cursor)).json()
                items[path] += shown(page["items"])
                reading[path] = page["next"]
                if page["next"] is None:
                    del reading[path]
            clock.advance(seconds=seed % 2)
            newsroom.act()
        for path in LISTS:
            assert [id for id, times in Counter(items[path]).items() if times > 1] == [], path
            assert staying(newsroom, path), path
            assert staying(newsroom, path) - set(items[path]) == set(), path

    @pytest.mark.parametrize("path", ["sections", "questions", "key-points"])
    def test_an_article_that_is_turned_round_between_any_two_pages_is_shown_once(
        self, client: TestClient, path: str
    ) -> None:
        made = create(client, pages=[{"sections": [a_section(heading=str(number)) for number in range(6)]}])
        publish(client, made["id"])
        before = shown(walk(client, f"/v1/{path}"))
        assert shown(walk(client, f"/v1/{path}", lambda: self.turn(client, made["id"]), limit=1)) == before

    def test_an_articles_own_sections_are_in_reading_order_and_an_old_cursor_of_theirs_is_refused(
        self, client: TestClient
    ) -> None:
        made = create(client, pages=[{"sections": [a_section(heading=str(number)) for number in range(6)]}])
        publish(client, made["id"])
        path = f"/v1/articles/{made['id']}/sections"
        page = client.get(path, params={"limit": 2}).json()
        self.turn(client, made["id"])
        assert [section["heading"] for section in walk(client, path, limit=2)] == list("543210")
        refused = client.get(path, params={"limit": 2, "cursor": page["next"]})
        assert (refused.status_code, refused.json()["code"]) == (400, "cursor-invalid")

    def turn(self, client: TestClient, article_id: str) -> None:
        """Publish the article with its sections and takeaways in the opposite order."""
        at = f"/v1/manage/articles/{article_id}"
        document = client.get(at).json()
        document["pages"][0]["sections"].reverse()
        document["takeaways"].reverse()
        client.put(at, json=document, headers=ANY)
        publish(client, article_id)

    def test_a_cursor_whose_article_is_gone_for_good_leads_on(self, client: TestClient) -> None:
        made = [create(client, pages=[{"sections": [a_section(), a_section()]}])["id"] for _ in range(2)]
        for id in made:
            publish(client, id)
        page = client.get("/v1/sections?limit=1").json()
        gone = page["items"][0]["article"]["id"]
        for purge in ("", "?purge=true"):
            assert client.delete(f"/v1/manage/articles/{gone}{purge}", headers=ANY).status_code == 204
        rest = client.get("/v1/sections", params={"cursor": page["next"]}).json()["items"]
        assert [section["article"]["id"] for section in rest] == [id for id in made if id != gone] * 2


class TestDuringPages:
    def test_whoever_reads_while_others_publish_sees_what_stays_once(
        self, database_url: str, database: Database
    ) -> None:
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        with (
            served(database_url, workers=1) as address,
            httpx2.Client(base_url=address, headers=headers, timeout=60) as http,
        ):
            newsroom = Newsroom(http, seed=1)
            finished = threading.Event()
            failures: list[BaseException] = []

            def edit() -> None:
                try:
                    for _ in range(15):
                        newsroom.act()
                except BaseException as error:  # noqa: BLE001 - told by the test, not lost in the thread
                    failures.append(error)
                finally:
                    finished.set()

            editor = threading.Thread(target=edit)
            editor.start()
            walks: list[tuple[str, list[str]]] = []
            while not finished.is_set():
                walks += [(path, shown(walk(http, f"/v1/{path}", limit=3))) for path in READ]  # type: ignore[arg-type]
            editor.join()
        assert failures == []
        for path, items in walks:
            assert len(items) == len(set(items)), path
            assert staying(newsroom, path) <= set(items), path
