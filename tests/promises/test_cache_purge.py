"""Caches that keep everything until they are told what to drop (docs/api.md, Caches): never a stale byte."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import worker
from app.database import Database
from app.main import create_app
from app.publishing import ledger
from app.settings import Settings
from app.sync.changes import changes
from tests.conftest import Clock, a_key
from tests.factories import a_section, publish, published
from tests.promises.cache import Cache, Drawn

ROUNDS = 3
"""How often each of the things is done that are done here."""
TRIES = 5
"""How often something is tried that is refused, or has nothing to do."""
FILLED = 15
"""How many addresses readers ask for between two steps."""
ANY = {"If-Match": "*"}
MERGE = ANY | {"Content-Type": "application/merge-patch+json"}
AT = "/v1/manage"
SLUGS = ("ichi", "ni", "san", "shi", "go")
TAGS = ("秋", "花", "町", "祭", "朝", "夜")
URLS = tuple(f"https://news.example.jp/{name}" for name in "abcdefgh")
PUBLISHERS = ("菊新聞", "北浜日報", "港タイムズ", "KCNA", "町の声")
WORDS = ("千輪咲き", "水族館", "灯台", "温泉", "牧場")
FIXED = {
    "number": ("1", "2"), "{number}": ("1", "2"), "language": ("ja", "en"), "count": ("exact", "capped"),
    "limit": ("1", "2", "20"), "sort": ("published_at", "-revised_at"), "in": ("articles", "sections", "sources"),
    "kind": ("takeaway", "citation"), "facets": ("tag", "publisher,language,year"), "type": ("article-newspaper",),
    "fields": ("id", "slug"), "tag": TAGS, "url": URLS, "q": (*WORDS, "菊", "千輪咲", "灯台 温泉", "ききき"),
    "published_after": ("2026-01-02T03:04:30Z",), "published_before": ("2026-01-02T03:05:30Z",),
}  # fmt: skip


class Told:
    """What is told of a change, as a purger hears it: the keys of the feed's changes, and those of a write's answer."""

    def __init__(self, database: Database) -> None:
        self._database, self._number, self._keys = database, 0, set[str]()
        self.take()

    def hear(self, answer: httpx2.Response) -> None:
        """An answer to a write, and the changes it made: one write changes an article once."""
        self._keys |= set(answer.headers.get("surrogate-key", "").split())
        self.look()

    def look(self) -> None:
        """The changes since the last look."""
        with self._database.reading() as reader:
            new = reader.rows(select(changes).where(changes.c.number > self._number))
        self._number = max((row["number"] for row in new), default=self._number)
        self._keys |= {key for row in new for key in row["surrogate_keys"]}

    def take(self) -> set[str]:
        """What was told since this was asked last."""
        self.look()
        keys, self._keys = self._keys, set()
        return keys


class Newsroom:
    """Editors, the ledger's keepers and the worker, each doing something at random."""

    def __init__(self, client: TestClient, database: Database, clock: Clock, random: Random) -> None:
        self._client, self._database, self._clock, self._random = client, database, clock, random
        self.told, self.drawn = Told(database), Drawn(client, random)
        self.ids: list[str] = []
        self.done: Counter[str] = Counter()
        for name, values in FIXED.items():
            self.drawn.learn(name, *values)
        for _ in range(5):
            self.publish_a_new_one()
        self.make_a_collection()
        self.acts: list[Callable[[], object]] = [
            self.publish_a_new_one, self.publish_a_change, self.publish_a_change, self.move_a_slug, self.move_a_slug,
            self.save_only, self.move_an_external_id, self.withdraw, self.bring_back, self.purge, self.plan,
            self.change_a_source, self.change_a_publisher, self.change_a_tag, self.work,
            self.merge_sources, self.merge_publishers, self.merge_tags,
            self.make_a_collection, self.change_a_collection, self.remove_a_collection, self.merge_collections,
            self.change_the_site, self.count_words, self.count_words, self.batch, self.try_only,
        ]  # fmt: skip

    def days(self) -> Iterator[str]:
        """Do everything there is to do in some order, again and again; what was done."""
        for _ in range(ROUNDS):
            for act in self._random.sample(self.acts, len(self.acts)):
                self._clock.advance(seconds=1)
                before = self.done.total()
                for _ in range(TRIES):
                    act()
                    if self.done.total() > before:
                        break
                yield act.__name__

    # ---------------------------------------------------------------------------------------------- articles

    def publish_a_new_one(self) -> None:
        slug = self._random.choice([None, *SLUGS])
        made = self._write("POST", "articles", self._document() | ({} if slug is None else {"slug": slug}))
        if made.is_success:
            self.ids.append(made.json()["id"])
            self._publish(self.ids[-1])

    def publish_a_change(self) -> None:
        self._save(lambda was: self._document() | {"slug": was["slug"], "external_ids": was["external_ids"]})

    def move_a_slug(self) -> None:
        self._save(lambda was: was | {"title": self._title(), "slug": self._random.choice(SLUGS)})

    def move_an_external_id(self) -> None:
        holder = next((id for id in self.ids if self._read(id).get("external_ids")), None)
        if holder is not None:  # the other then takes what its snapshot still says
            self._write("PUT", f"articles/{holder}", self._read(holder) | {"external_ids": {}}, ANY)
        self._save(lambda was: was | {"external_ids": {"cms": "1"}})

    def save_only(self) -> None:
        id = self._any_article()
        self._write("PUT", f"articles/{id}", self._document() | {"slug": self._random.choice(SLUGS)}, ANY)

    def withdraw(self) -> None:
        id = self._any_article()
        how = self._random.choice(["unpublish", "archive", "trash"])
        if how == "trash":
            self._write("DELETE", f"articles/{id}", None, ANY)
        else:
            self._write("POST", f"articles/{id}/{how}", None, ANY)

    def bring_back(self) -> None:
        for id in self.ids:
            if self._read(id).get("status") in {"archived", "trashed", "unpublished"}:
                self._write("POST", f"articles/{id}/restore", None, ANY)
                self._publish(id)

    def purge(self) -> None:
        id = self._any_article()
        self._write("DELETE", f"articles/{id}", None, ANY)
        self._write("DELETE", f"articles/{id}?purge=true", None, ANY)

    def plan(self) -> None:
        due = {"publish_at": "2026-01-01T00:00:00Z"}
        self._write("PUT", f"articles/{self._any_article()}/schedule", due, ANY)
        worker.run_schedule(self._database)
        self.told.look()

    # ---------------------------------------------------------------------------------------------- the ledger

    def change_a_source(self) -> None:
        named = {"id": None, "name": self._random.choice(PUBLISHERS)}
        change = self._random.choice([{"title": self._title()}, {"note": self._title()}, {"publisher": named}])
        self._write("PATCH", f"sources/{self._any_of('sources')}", change, MERGE)

    def change_a_publisher(self) -> None:
        change = self._random.choice([{"name": self._title()}, {"aliases": [self._title()]}, {"country": "JP"}])
        self._write("PATCH", f"publishers/{self._any_of('publishers')}", change, MERGE)

    def change_a_tag(self) -> None:
        self._write("PATCH", f"tags/{self._random.choice(TAGS)}", {"name": self._title()}, MERGE)

    def merge_sources(self) -> None:
        self._merge("sources", *self._random.sample(list(self.drawn.known["sources"]), 2))

    def merge_publishers(self) -> None:
        self._merge("publishers", *self._random.sample(list(self.drawn.known["publishers"]), 2))

    def merge_tags(self) -> None:
        self._merge("tags", *self._random.sample(TAGS, 2))

    def work(self) -> None:
        worker.run_due(self._database)
        self.told.look()

    def count_words(self) -> None:
        while worker.count_words(self._database):
            pass

    # ------------------------------------------------------------------------------------- collections, the site

    def make_a_collection(self) -> None:
        held = self._random.sample(self.ids, min(len(self.ids), 2))
        made = self._write("POST", "collections", {"title": self._title(), "articles": held})
        self._learn_collection(made)

    def change_a_collection(self) -> None:
        at = f"collections/{self._any_of('collections')}"
        held, slug = self._random.sample(self.ids, 2), self._random.choice(SLUGS)
        change = self._random.choice([{"title": self._title()}, {"slug": slug}, {"articles": held}])
        self._learn_collection(self._write("PATCH", at, change, MERGE))
        self._write("POST", f"{at}/articles", {"id": self._any_article()})

    def remove_a_collection(self) -> None:
        self._write("DELETE", f"collections/{self._any_of('collections')}", None, ANY)

    def merge_collections(self) -> None:
        into = {"into": self._any_of("collections")}
        self._write("POST", f"collections/{self._any_of('collections')}/merge", into, ANY)

    def change_the_site(self) -> None:
        now = self._client.get(f"{AT}/site").json()
        change = self._random.choice([{"name": self._title()}, {"labels": now["labels"] | {"masthead": self._title()}}])
        self._write("PUT", "site", now | change, ANY)

    def batch(self) -> None:
        standing = [id for id in self.ids if self._read(id).get("status") in {"published", "unpublished"}]
        made = {"title": self._title(), "articles": standing[:1]}
        operations: list[dict[str, Any]] = [
            {"method": "PATCH", "path": f"{AT}/tags/{self._random.choice(TAGS)}", "body": {"name": self._title()}},
            {"method": "POST", "path": f"{AT}/collections", "body": made},
            {"method": "POST", "path": f"{AT}/articles/{self._random.choice(standing)}/publish"},
        ]
        self._write("POST", "batch", {"operations": [each | {"headers": ANY} for each in operations]})

    def try_only(self) -> None:
        self._write("POST", f"articles/{self._any_article()}/unpublish?dry_run=true", None, ANY)
        self._write("PUT", "site?dry_run=true", {"name": self._title()}, ANY)

    # ------------------------------------------------------------------------------------------------ how

    def _write(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        answer = self._client.request(method, f"{AT}/{path}", json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        self.told.hear(answer)
        self.done[f"{method} {path.partition('/')[0]}"] += answer.is_success
        return answer

    def _merge(self, kind: str, one: str, other: str) -> None:
        self._write("POST", f"{kind}/{one}/merge", {"into": other}, ANY)

    def _save(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        id = self._any_article()
        was = self._read(id)
        if "slug" in was:
            self._write("PUT", f"articles/{id}", change(was), ANY)
            self._publish(id)

    def _publish(self, id: str) -> None:
        answer = self._write("POST", f"articles/{id}/publish", None, ANY)
        if not answer.is_success:
            return
        public = self._client.get(f"/v1/articles/{id}").json()
        external = [f"ext:{system}:{each}" for system, each in public["external_ids"].items()]
        self.drawn.learn("articles", id, public["slug"], *external)
        self.drawn.learn("article", id)
        self.drawn.learn("ids", id)
        for section in (section for page in public["pages"] for section in page["sections"]):
            self.drawn.learn("sections", section["id"])
            for citation in section["citations"]:
                self.drawn.learn("sources", citation["source"]["id"])
                self.drawn.learn("source", citation["source"]["id"])
                self.drawn.learn("key-points", *(point["id"] for point in citation["key_points"]))
                publisher = citation["source"]["publisher"]["id"]
                self.drawn.learn("publishers", publisher)
                self.drawn.learn("publisher", publisher)

    def _learn_collection(self, made: httpx2.Response) -> None:
        if made.is_success and made.content:
            for name in ("collections", "collection"):
                self.drawn.learn(name, made.json()["id"], made.json()["slug"])

    def _read(self, id: str) -> dict[str, Any]:
        read: dict[str, Any] = self._client.get(f"{AT}/articles/{id}").json()
        return read

    def _any_article(self) -> str:
        return self._random.choice(self.ids)

    def _any_of(self, kind: str) -> str:
        return self._random.choice(list(self.drawn.known[kind]))

    def _document(self) -> dict[str, Any]:
        sections = [a_section(body=self._title(), citations=[self._citation()]) for _ in range(2)]
        document: dict[str, Any] = {"title": self._title(), "takeaways": [{"text": self._title()}]}
        document["pages"] = [{"sections": sections[:1]}, {"teaser": "次へ", "sections": sections[1:]}]
        document["tags"] = self._random.sample(TAGS, 2)
        return document | {"language": self._random.choice(["ja", "en"])}

    def _citation(self) -> dict[str, Any]:
        source = {"url": self._random.choice(URLS), "publisher": {"name": self._random.choice(PUBLISHERS)}}
        return {"source": source | {"title": self._title()}, "key_points": [{"text": self._title()}]}

    def _title(self) -> str:
        return f"菊の{self._random.choice(WORDS)}{self._random.choice(WORDS)}"


@pytest.fixture
def editor(database_url: str, database: Database) -> Iterator[TestClient]:
    """A client whose key may do everything; the routes beneath the hot reads are not asked as well: that takes long."""
    app = create_app(Settings(database_url=database_url, access_log="off"), database)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
        yield client


@pytest.mark.long
class TestPurging:
    def test_a_cache_that_drops_only_what_it_is_told_to_never_serves_a_stale_byte(
        self, editor: TestClient, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ledger, "AT_ONCE", 2)  # the others by a job, in more than one step
        monkeypatch.setattr(ledger, "STEP", 2)
        random = Random(1)  # noqa: S311 - the same each time
        newsroom, cache = Newsroom(editor, database, clock, random), Cache(editor)
        newsroom.count_words()
        for route in newsroom.drawn.routes:
            asked = (newsroom.drawn.draw(route) for _ in range(1_000))
            assert any(cache.keeps(each) for each in asked), f"no cache keeps anything of {route}"
        newsroom.told.take()
        for did in newsroom.days():
            cache.drop(newsroom.told.take())
            assert cache.stale() == [], did
            for _ in range(FILLED):
                cache.keeps(newsroom.drawn.draw())
        assert all(newsroom.done.values()), newsroom.done


class TestTold:
    def test_a_write_whose_effect_is_no_change_of_an_article_answers_the_keys_it_touches(
        self, client: TestClient
    ) -> None:
        article = published(client)
        source = article["pages"][0]["sections"][0]["citations"][0]["source"]

        def told(method: str, path: str, body: Any) -> str | None:
            headers = MERGE if method == "PATCH" else ANY
            answer = client.request(method, f"{AT}/{path}", json=body, headers=headers)
            assert answer.is_success
            keys: str | None = answer.headers.get("surrogate-key")
            return keys

        collection = {"slug": "kiku", "title": "菊", "articles": [article["id"]]}
        assert told("POST", "collections", collection) == "collections"
        for path in ("collections", "collections/kiku", "articles?collection=kiku", "articles?collection=ume"):
            assert client.get(f"/v1/{path}").headers["surrogate-key"] == "articles collections"
        assert told("PATCH", "collections/kiku", {"title": "秋の菊"}) == "collections"
        assert told("PATCH", "collections/kiku", {"title": "秋の菊"}) is None
        assert told("DELETE", "collections/kiku", None) == "collections"
        assert told("PUT", "site?dry_run=true", {"name": "菊ダイジェスト"}) is None
        assert told("PUT", "site", {"name": "菊ダイジェスト"}) == "site"
        assert told("PATCH", f"sources/{source['id']}", {"note": "注"}) == "sources"
        assert told("PATCH", f"publishers/{source['publisher']['id']}", {"country": "JP"}) == "publishers"
        assert told("PATCH", "tags/菊", {"name": "きく"}) == "tags"
        batch = [{"method": "PATCH", "path": f"{AT}/tags/菊", "headers": ANY, "body": {"name": "キク"}}]
        assert told("POST", "batch", {"operations": batch}) == "tags"
        assert told("POST", f"articles/{article['id']}/unpublish", None) is None
        assert told("PATCH", "tags/菊", {"name": "菊"}) is None  # no reader sees it

    def test_who_takes_an_external_id_over_touches_the_article_it_led_to(
        self, client: TestClient, database: Database
    ) -> None:
        before = published(client, external_ids={"cms": "1", "blog": "1"})
        assert client.get("/v1/articles/ext:cms:1").json()["id"] == before["id"]
        client.put(f"{AT}/articles/{before['id']}", json=before | {"external_ids": {}}, headers=ANY)
        told = Told(database)
        now = published(client, external_ids={"cms": "1", "blog": "1"})
        assert client.get("/v1/articles/ext:cms:1").json()["id"] == now["id"]
        assert told.take() == {f"article-{now['id']}", f"article-{before['id']}", "articles"}

    def test_where_an_old_slug_leads_is_not_changed_by_what_is_only_saved(
        self, client: TestClient, clock: Clock
    ) -> None:
        had = []
        for slug in ("two", "three"):
            had.append(published(client, slug="one"))
            clock.advance(seconds=1)
            client.put(f"{AT}/articles/{had[-1]['id']}", json=had[-1] | {"slug": slug}, headers=ANY)
            publish(client, had[-1]["id"])
        led = client.get("/v1/articles/one").headers["location"]
        assert led == "/v1/articles/three"
        for article, slug in zip(had, ("two", "three"), strict=True):
            taken = client.patch(f"{AT}/articles/{article['id']}", json={"slug": "one"}, headers=MERGE)
            assert taken.json()["slug"] == "one"
            assert client.get("/v1/articles/one").headers["location"] == led
            client.patch(f"{AT}/articles/{article['id']}", json={"slug": slug}, headers=MERGE)
        answer = client.get("/v1/articles/one")
        assert (answer.status_code, answer.headers["location"]) == (308, led)
        assert answer.headers["surrogate-key"] == "articles"

    @pytest.mark.parametrize(
        "path", ["search?q=菊", "search/suggest?q=菊", "articles/kiku/related", "questions?q=菊", "sources?q=菊"]
    )
    def test_what_was_found_may_be_kept_once_the_words_of_what_is_published_are_counted(
        self, client: TestClient, database: Database, path: str
    ) -> None:
        published(client, slug="kiku")
        before = client.get(f"/v1/{path}")
        assert (before.status_code, before.headers["cache-control"]) == (200, "no-store")
        assert worker.count_words(database)
        after = client.get(f"/v1/{path}")
        assert after.headers["etag"] != before.headers["etag"] or path.startswith("sources")
        assert "max-age" in after.headers["cache-control"]
        assert "articles" in after.headers["surrogate-key"].split()
