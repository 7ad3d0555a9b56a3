"""What an article goes through: every step and what it may not do, and what is due, done exactly once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import worker
from app.database import Database, Writer
from app.publishing import lifecycle
from app.sync.changes import changes
from app.text import instant
from tests.conftest import Clock, a_key
from tests.factories import create, publish, published

ANY = {"If-Match": "*"}
AT = "2026-01-02T04:00:00.000Z"
LATER = "2026-01-02T05:00:00.000Z"
STEPS = ("publish", "unpublish", "archive", "restore", "submit", "reject")
ALLOWED = {
    "draft": {"publish", "archive", "restore", "submit", "reject"},
    "published": {"publish", "unpublish", "archive", "submit", "reject"},
    "unpublished": {"publish", "unpublish", "archive", "restore", "submit", "reject"},
    "archived": {"archive", "restore"},
    "trashed": {"restore"},
}


def at(article: dict[str, Any], step: str = "") -> str:
    return f"/v1/manage/articles/{article['id']}" + (f"/{step}" if step else "")


def step(client: TestClient, article: dict[str, Any], name: str) -> httpx2.Response:
    return client.post(at(article, name), headers=ANY)


def state(client: TestClient, article: dict[str, Any]) -> dict[str, Any]:
    """The facts of an article's life."""
    answer = client.get(at(article)).json()
    return {name: answer[name] for name in ("status", "in_review", "schedule", "version")}


def public(client: TestClient, article: dict[str, Any]) -> bool:
    return client.get(f"/v1/articles/{article['id']}").status_code == 200


def schedule(client: TestClient, article: dict[str, Any], **instants: str) -> httpx2.Response:
    return client.put(at(article, "schedule"), json=instants, headers=ANY)


def in_status(client: TestClient, status: str) -> dict[str, Any]:
    article = create(client)
    if status in {"published", "unpublished"}:
        publish(client, article["id"])
    if status == "unpublished":
        step(client, article, "unpublish")
    if status == "archived":
        step(client, article, "archive")
    if status == "trashed":
        client.delete(at(article), headers=ANY)
    assert state(client, article)["status"] == status
    return article


def feed(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as reader:
        return reader.tuples(select(changes.c.number, changes.c.article_id, changes.c.live).order_by(changes.c.number))


def work(database: Database) -> int:
    """Do all that is due; how many looks found something to do."""
    return sum(1 for _ in iter(lambda: worker.run_schedule(database), False))


class TestSteps:
    @pytest.mark.parametrize("status", ALLOWED)
    def test_a_step_is_allowed_or_refused_and_then_changes_nothing(self, client: TestClient, status: str) -> None:
        for name in STEPS:
            article = in_status(client, status)
            before = state(client, article)
            answer = step(client, article, name)
            assert answer.status_code == (200 if name in ALLOWED[status] else 409), (name, answer.text)
            if answer.status_code == 409:
                assert answer.json()["code"] == "transition"
                assert state(client, article) == before

    @pytest.mark.parametrize("name", ["archive", "restore", "submit", "reject", "unpublish"])
    def test_repeating_a_step_changes_nothing(self, client: TestClient, database: Database, name: str) -> None:
        article = in_status(client, "unpublished")
        step(client, article, name)
        once, told = state(client, article), feed(database)
        assert step(client, article, name).status_code == 200
        assert (state(client, article), feed(database)) == (once, told)

    def test_no_step_raises_the_version(self, client: TestClient) -> None:
        article = create(client)
        for name in ("submit", "publish", "unpublish", "archive", "restore"):
            assert step(client, article, name).json()["version"] == 1

    @pytest.mark.parametrize("name", ["archive", "trash"])
    def test_what_is_put_away_is_gone_for_readers_at_once_and_leaves_a_tombstone(
        self, client: TestClient, database: Database, name: str
    ) -> None:
        article = published(client)
        answer = client.delete(at(article), headers=ANY) if name == "trash" else step(client, article, name)
        assert answer.status_code in {200, 204}
        assert not public(client, article)
        assert [tuple(row)[1:] for row in feed(database)] == [(article["id"], False)]

    def test_what_is_restored_is_unpublished_or_a_draft_where_it_never_was_public(self, client: TestClient) -> None:
        for put_away in ("archive", "trash"):
            for was, becomes in (("draft", "draft"), ("published", "unpublished")):
                article = in_status(client, was)
                if put_away == "trash":
                    client.delete(at(article), headers=ANY)
                else:
                    step(client, article, "archive")
                assert step(client, article, "restore").json()["status"] == becomes
                assert not public(client, article)

    def test_a_review_ends_by_rejection_publication_and_when_the_article_is_put_away(self, client: TestClient) -> None:
        for ending in ("reject", "publish", "archive"):
            article = create(client)
            assert step(client, article, "submit").json()["in_review"] is True
            step(client, article, ending)
            assert state(client, article)["in_review"] is False

    def test_a_stale_version_is_refused(self, client: TestClient) -> None:
        article = create(client)
        for name in ("archive", "restore", "submit", "reject"):
            assert client.post(at(article, name), headers={"If-Match": '"7"'}).status_code == 412
        for name in ("archive", "restore"):
            assert client.post(at(article, name)).status_code == 428
        assert client.put(at(article, "schedule"), json={"publish_at": AT}).status_code == 428
        assert client.delete(at(article, "schedule")).status_code == 428

    def test_who_may_not_publish_may_not_take_from_the_readers(self, client: TestClient, database: Database) -> None:
        draft, article = create(client), published(client)
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write')}"
        assert step(client, article, "archive").status_code == 403
        assert schedule(client, article, unpublish_at=AT).status_code == 403
        assert step(client, draft, "archive").status_code == 200


class TestSchedule:
    def test_it_is_set_read_changed_and_cancelled(self, client: TestClient) -> None:
        article = create(client)
        answer = schedule(client, article, publish_at="2026-01-02T13:00:00+09:00", unpublish_at=LATER)
        assert answer.json()["schedule"] == {"publish_at": AT, "unpublish_at": LATER}
        schedule(client, article, publish_at=LATER)
        assert state(client, article)["schedule"] == {"publish_at": LATER, "unpublish_at": None}
        assert client.delete(at(article, "schedule"), headers=ANY).status_code == 204
        assert state(client, article)["schedule"] is None
        assert client.delete(at(article, "schedule"), headers=ANY).status_code == 204

    def test_withdrawing_what_is_withdrawn_leaves_its_plan_alone(self, client: TestClient) -> None:
        article = in_status(client, "unpublished")
        schedule(client, article, publish_at=AT, unpublish_at=LATER)
        assert step(client, article, "unpublish").json()["changed"] is False
        assert state(client, article)["schedule"] == {"publish_at": AT, "unpublish_at": LATER}

    def test_what_cannot_be_planned_is_refused_by_name(self, client: TestClient) -> None:
        article = create(client)
        assert schedule(client, article).json()["errors"][0]["code"] == "schedule-empty"
        turned = schedule(client, article, publish_at=LATER, unpublish_at=AT)
        assert (turned.status_code, turned.json()["errors"][0]["pointer"]) == (422, "/unpublish_at")
        assert schedule(client, article, unpublish_at=AT).json()["code"] == "transition"
        assert schedule(client, create(client, pages=[]), publish_at=AT).json()["code"] == "checks-failed"
        assert schedule(client, in_status(client, "archived"), publish_at=AT).status_code == 409
        assert state(client, article)["schedule"] is None

    def test_nothing_happens_before_its_instant_and_everything_at_it(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article = create(client)
        schedule(client, article, publish_at=AT, unpublish_at=LATER)
        assert work(database) == 0
        clock.advance(hours=1)
        assert (work(database), public(client, article)) == (1, True)
        assert state(client, article)["schedule"] == {"publish_at": None, "unpublish_at": LATER}
        clock.advance(hours=1)
        assert (work(database), public(client, article)) == (1, False)
        assert state(client, article) == {"status": "unpublished", "in_review": False, "schedule": None, "version": 1}

    def test_the_working_copy_of_that_moment_is_published(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article = published(client)
        schedule(client, article, publish_at=AT)
        client.patch(
            at(article), json={"lead": "後から"}, headers=ANY | {"Content-Type": "application/merge-patch+json"}
        )
        clock.advance(hours=1)
        work(database)
        assert client.get(f"/v1/articles/{article['id']}").json()["lead"] == "後から"

    def test_what_was_missed_is_made_up_for_in_its_order(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article = create(client)
        schedule(client, article, publish_at=AT, unpublish_at=LATER)
        clock.advance(days=3)
        work(database)
        assert state(client, article)["status"] == "unpublished"
        assert state(client, article)["schedule"] is None

    def test_it_happens_once_though_the_clock_is_set_back(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article = create(client)
        schedule(client, article, publish_at=AT)
        clock.advance(hours=1)
        work(database)
        told = feed(database)
        clock.advance(hours=-2)
        assert work(database) == 0
        clock.advance(hours=3)
        assert (work(database), feed(database)) == (0, told)

    def test_several_workers_do_each_thing_once(self, client: TestClient, database: Database, clock: Clock) -> None:
        articles = [create(client) for _ in range(12)]
        for article in articles:
            schedule(client, article, publish_at=AT)
        clock.advance(hours=1)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: _until_done(database), range(4)))
        assert all(public(client, article) for article in articles)
        assert [row[0] for row in feed(database)] == list(range(1, 13))

    def test_one_that_was_spoiled_is_not_published_and_keeps_nobody_up(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        spoiled, good = create(client), create(client)
        for article in (spoiled, good):
            schedule(client, article, publish_at=AT)
        client.put(at(spoiled), json=spoiled | {"title": ""}, headers=ANY)
        clock.advance(hours=1)
        work(database)
        assert (public(client, spoiled), public(client, good)) == (False, True)
        assert state(client, spoiled)["schedule"] is None

    def test_one_that_fails_as_nobody_foresaw_keeps_nobody_waiting(
        self, client: TestClient, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, good = create(client), create(client)
        for article in (broken, good):
            schedule(client, article, publish_at=AT)
        clock.advance(hours=1)
        carry_out = lifecycle.carry_out

        def fail(writer: Writer, article_id: str) -> None:
            if article_id == broken["id"]:
                raise ValueError
            carry_out(writer, article_id)

        monkeypatch.setattr(lifecycle, "carry_out", fail)
        work(database)
        assert (public(client, broken), public(client, good)) == (False, True)
        assert state(client, broken)["schedule"] is None

    def test_a_plan_that_was_made_anew_is_not_given_up(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article = create(client)
        clock.advance(hours=1)
        schedule(client, article, publish_at=LATER)
        with database.writing() as writer:
            lifecycle.give_up(writer, article["id"], "checks-failed")
        assert state(client, article)["schedule"] == {"publish_at": LATER, "unpublish_at": None}

    @pytest.mark.parametrize("ending", ["archive", "trash"])
    def test_what_is_put_away_is_planned_no_more(
        self, client: TestClient, database: Database, clock: Clock, ending: str
    ) -> None:
        article = create(client)
        schedule(client, article, publish_at=AT)
        if ending == "trash":
            client.delete(at(article), headers=ANY)
        else:
            step(client, article, "archive")
        clock.advance(hours=1)
        assert (work(database), public(client, article)) == (0, False)


class TestTrash:
    def test_it_is_purged_after_its_days_and_not_before(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        article, kept = in_status(client, "trashed"), create(client)
        clock.advance(days=29)
        assert worker.purge_trashed(database, 30) is False
        clock.advance(days=1)
        assert worker.purge_trashed(database, 30) is True
        assert client.get(at(article)).status_code == 404
        assert client.get(at(kept)).status_code == 200
        assert worker.purge_trashed(database, 30) is False

    def test_what_was_restored_in_time_stays(self, client: TestClient, database: Database, clock: Clock) -> None:
        article = in_status(client, "trashed")
        step(client, article, "restore")
        clock.advance(days=31)
        assert worker.purge_trashed(database, 30) is False
        assert client.get(at(article)).status_code == 200


def _until_done(database: Database) -> None:
    for _ in range(100):
        if not worker._attempt(lambda: worker.run_schedule(database)):
            with database.reading() as reader:
                if not lifecycle.due(reader, instant(database.clock())):
                    return
