"""Bundles over HTTP: sent out as a stream, brought in at once or by a job, in whole or in part, once a key."""

import json
from multiprocessing import active_children
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import worker
from app.api.transfer import ARTICLE, AT_ONCE_LINES
from app.database import Database
from app.formats import bundle
from app.sync import jobs, uploads
from app.sync.jobs import LEASE_SECONDS
from app.sync.uploads import PIECE_BYTES
from tests.conftest import Clock, Side, a_key
from tests.factories import a_document, create, published
from tests.promises.test_error_shape import assert_problem
from tests.publishing.bundles import dumped, furnish

IMPORTS, EXPORTS = "/v1/manage/imports", "/v1/manage/exports"
NDJSON = {"Content-Type": bundle.MEDIA_TYPE}
MARKDOWN = {"Content-Type": "text/markdown; charset=utf-8"}
HEADER = b'{"kind":"header","format":1}\n'
REPORT: dict[str, Any] = {"pages": 1, "lines": [], "unmatched": [], "warnings": []}


def article(**changes: Any) -> bytes:
    return json.dumps({"kind": "article", "document": a_document(**changes)}, ensure_ascii=False).encode() + b"\n"


def large(times: int = 3) -> bytes:
    """A bundle of more than 1 MiB."""
    line = article(external_ids={"cms": "0"}, conclusion="菊。" * 20_000)
    many = [line.replace(b'"cms": "0"', b'"cms": "%d"' % at) for at in range(times * PIECE_BYTES // len(line) + 1)]
    return HEADER + b"".join(many)


def bring(client: TestClient, content: bytes, **sent: Any) -> Any:
    headers = NDJSON | sent.pop("headers", {})
    return client.post(IMPORTS, content=content, headers=headers, params=sent)


def worked(client: TestClient, database: Database, answer: Any) -> Any:
    """The job that was answered, when the worker has done it."""
    assert answer.status_code == 202, answer.text
    while worker.run_due(database):
        pass
    return client.get(answer.headers["location"]).json()


class TestExport:
    def test_it_is_the_bundle_of_all_there_is(self, client: TestClient, database: Database, clock: Clock) -> None:
        furnish(client, clock)
        answer = client.get(EXPORTS)
        assert (answer.status_code, answer.headers["content-type"]) == (200, bundle.MEDIA_TYPE)
        assert answer.content == dumped(database)
        assert client.get(EXPORTS, params={"revisions": "true"}).content == dumped(database, revisions=True)

    def test_it_has_no_keys_and_no_tokens(self, client: TestClient) -> None:
        token = client.post(f"/v1/manage/articles/{create(client)['id']}/preview-links").json()["token"]
        lines = [json.loads(line) for line in client.get(EXPORTS).content.splitlines()]
        assert {line["kind"] for line in lines} == {"header", "publisher", "source", "tag", "article"}
        assert token not in client.get(EXPORTS).text

    def test_a_limited_key_gets_none_and_brings_none_in(self, client: TestClient, reader: TestClient) -> None:
        limits = {"name": "part", "scopes": ["write"], "languages": ["ja"]}
        key = client.post("/v1/manage/keys", json=limits).json()["key"]
        limited = {"Authorization": f"Bearer {key}"}
        assert_problem(reader.get(EXPORTS, headers=limited), 403, "key-limited")
        assert_problem(bring(reader, HEADER, headers=limited), 403, "key-limited")


class TestAtOnce:
    def test_the_report_tells_what_became_of_the_lines(self, client: TestClient) -> None:
        answer = bring(client, HEADER + article(slug="kiku") + b"\n" + article(slug="kiku") + article(title=1))
        assert answer.status_code == 200
        assert answer.json() | {"errors": None} == {
            "lines": 5, "created": 1, "updated": 0, "unchanged": 0, "failed": 2, "errors": None,
        }  # fmt: skip
        told = [(error["line"], error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert told == [(4, "/document/slug", "slug-taken"), (5, "/document/title", "string-type")]

    def test_atomic_stores_all_or_nothing(self, client: TestClient) -> None:
        answer = bring(client, HEADER + article() + article(title=1), atomic="true")
        assert_problem(answer, 422, "import-failed")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/3/document/title"]
        assert client.get("/v1/manage/articles").json()["items"] == []
        assert bring(client, HEADER + article() + article(), atomic="true").json()["created"] == 2

    def test_what_was_undone_is_not_told_as_done(self, client: TestClient) -> None:
        refused = HEADER + article() + article(title=1)
        headers = {"Idempotency-Key": "undone"}
        answer = bring(client, refused, atomic="true", publish="true", headers=headers)
        assert_problem(answer, 422, "import-failed")
        assert {"kiku-seq", "surrogate-key"}.isdisjoint(answer.headers)

    def test_a_dry_run_tells_the_same_and_stores_nothing(self, client: TestClient) -> None:
        content = HEADER + article(slug="kiku") + article(slug="kiku")
        tried = bring(client, content, dry_run="true", publish="true").json()
        assert client.get("/v1/manage/articles").json()["items"] == []
        assert bring(client, content, publish="true").json() == tried
        assert client.get("/v1/articles/kiku").status_code == 200

    def test_without_a_header_line_it_is_refused(self, client: TestClient) -> None:
        assert_problem(bring(client, article()), 422, "bundle-header")
        assert_problem(bring(client, b'{"kind":"header","format":2}'), 422, "bundle-header")

    def test_it_goes_into_no_page(self, client: TestClient) -> None:
        answer = bring(client, HEADER, into=create(client)["id"], page=2)
        assert_problem(answer, 400, "parameter-invalid")


class TestMarkdown:
    def test_a_published_article_goes_out_is_edited_and_comes_back(self, client: TestClient) -> None:
        article = published(client)
        file = client.get(f"/v1/articles/{article['id']}.md").text
        answer = client.post(IMPORTS, content=file.encode(), headers=MARKDOWN)
        assert (answer.status_code, answer.json()["items"][0]["created"]) == (200, False)
        assert client.get(f"/v1/manage/articles/{article['id']}").json()["version"] == 1
        edited = file.replace(article["lead"], "書き直した前文。")
        answer = client.post(IMPORTS, content=edited.encode(), headers=MARKDOWN, params={"publish": "true"})
        assert answer.json()["items"][0]["article_id"] == article["id"]
        assert client.get(f"/v1/articles/{article['id']}").json()["lead"] == "書き直した前文。"

    def test_a_new_one_is_a_draft(self, client: TestClient) -> None:
        answer = client.post(IMPORTS, content=ARTICLE.encode(), headers=MARKDOWN)
        assert (answer.status_code, answer.json()["items"][0]["slug"]) == (201, "kiku-matsuri")
        assert client.get(answer.headers["location"]).json()["status"] == "draft"

    def test_what_is_wrong_is_told_and_nothing_stored(self, client: TestClient) -> None:
        create(client, slug="kiku-matsuri")
        assert_problem(client.post(IMPORTS, content=ARTICLE.encode(), headers=MARKDOWN), 409, "slug-taken")
        assert_problem(client.post(IMPORTS, content=b"nothing", headers=MARKDOWN), 422, "not-a-markdown-article")
        assert len(client.get("/v1/manage/articles").json()["items"]) == 1


class TestScopes:
    def test_a_writer_brings_plain_articles_and_nothing_else(
        self, both: tuple[Side, Side], reader: TestClient, database: Database
    ) -> None:
        source = both[0]
        create(source.client)
        writer = {"Authorization": f"Bearer {a_key(database, 'write')}"}
        report = bring(reader, dumped(source.database) + article(), headers=writer).json()
        assert (report["created"], report["failed"]) == (1, 4)
        assert {error["code"] for error in report["errors"]} == {"scope-missing"}
        assert_problem(bring(reader, HEADER + article(), publish="true", headers=writer), 403, "scope-missing")

    def test_only_an_admin_says_which_page_an_article_came_from(self, reader: TestClient, database: Database) -> None:
        writer = {"Authorization": f"Bearer {a_key(database, 'write')}"}
        came = [{"lines_sha256": "0" * 64, "report": REPORT, "created_at": "2026-01-02T03:04:05.678Z"}]
        line = json.dumps({"kind": "article", "document": a_document(), "page_imports": came}).encode()
        report = bring(reader, HEADER + line, headers=writer).json()
        assert [error["code"] for error in report["errors"]] == ["scope-missing"]


class TestByAJob:
    def test_a_large_one_is_brought_in_behind_its_request(self, client: TestClient, database: Database) -> None:
        content = large() + article(title=1)
        answer = bring(client, content)
        job = answer.json()
        lines = content.count(b"\n")
        assert (job["status"], job["done"], job["kind"]) == ("queued", 0, "import")
        assert client.get("/v1/manage/articles").json()["items"] == []
        job = worked(client, database, answer)
        assert (job["status"], job["done"], job["total"]) == ("done", lines, lines)
        assert job["result"] == {
            "lines": lines, "created": lines - 2, "updated": 0, "unchanged": 0, "failed": 1,
        }  # fmt: skip
        assert [(error["line"], error["pointer"]) for error in job["errors"]] == [(lines, "/document/title")]
        assert client.get("/v1/manage/articles", params={"count": "exact"}).json()["count"]["value"] == lines - 2
        with database.reading() as reader:
            assert list(uploads.read(reader, job["id"], 0)) == []

    def test_nothing_is_lost_whatever_the_pieces_it_comes_in(self, client: TestClient, database: Database) -> None:
        content = large()
        for size in (65_536, 262_144, PIECE_BYTES, 100_000):  # those that divide a piece end where one does
            pieces = (content[at : at + size] for at in range(0, len(content), size))
            answer = client.post(IMPORTS, content=pieces, headers=NDJSON)
            with database.reading() as reader:
                kept = b"".join(uploads.read(reader, answer.json()["id"], 0))
            assert kept == content
            assert answer.json()["total"] == content.count(b"\n")

    def test_many_short_lines_are_brought_in_behind_it_too(self, client: TestClient, database: Database) -> None:
        content = HEADER + b"\n" * AT_ONCE_LINES
        assert worked(client, database, bring(client, content))["status"] == "done"
        assert_problem(bring(client, content, atomic="true"), 413, "too-large")

    def test_who_lost_the_job_meanwhile_brings_nothing_in_twice(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        def stored() -> int:
            counted = client.get("/v1/manage/articles", params={"count": "exact"}).json()
            return int(counted["count"]["value"])

        answer = bring(client, HEADER + article() * 5 + b"\n" * AT_ONCE_LINES)
        with database.writing() as writer:
            lost = jobs.take(writer)
        clock.advance(seconds=LEASE_SECONDS + 1)
        with database.writing() as writer:
            taken = jobs.take(writer)
        assert lost is not None
        assert taken is not None
        other = worker.carry_on(database, taken)
        assert stored() == 5
        assert worker.carry_on(database, lost) is None
        assert stored() == 5
        assert other is not None
        assert client.get(answer.headers["location"]).json()["done"] == bundle.TOGETHER
        with database.writing() as writer:
            jobs.give_back(writer, other)
        assert worked(client, database, answer)["result"]["created"] == 5

    def test_who_sent_it_made_what_came_of_it(self, client: TestClient, database: Database) -> None:
        worked(client, database, bring(client, large(2), headers={"Kiku-Reason": "CMS"}))
        item = client.get("/v1/manage/articles").json()["items"][0]
        revision = client.get(f"/v1/manage/articles/{item['id']}/revisions").json()["items"][0]
        assert revision["created_by"] == client.headers["authorization"].split("_")[1]
        assert revision["reason"] == "CMS"

    def test_the_same_key_is_the_same_job(self, client: TestClient, database: Database) -> None:
        key, content = {"Idempotency-Key": "once"}, large(2)
        first = bring(client, content, headers=key)
        again = bring(client, content, headers=key)
        assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
        assert again.headers["idempotent-replayed"] == "true"
        assert worked(client, database, first)["result"]["created"] > 0
        assert_problem(bring(client, content + article(), headers=key), 422, "idempotency-key-reused")

    def test_of_a_body_that_becomes_no_job_nothing_is_kept(self, client: TestClient, database: Database) -> None:
        key, content = {"Idempotency-Key": "once"}, large(2)
        first = bring(client, content, headers=key).json()["id"]
        bring(client, content, headers=key)
        bring(client, content + article(), headers=key)
        assert_problem(bring(client, content, headers={"Idempotency-Key": "菊".encode()}), 400, "parameter-invalid")
        with database.reading() as reader:
            assert {row["job_id"] for row in reader.rows(select(uploads.uploads))} == {first}

    def test_what_is_to_hold_as_a_whole_is_not_taken(self, client: TestClient) -> None:
        for wanted in ({"atomic": "true"}, {"dry_run": "true"}):
            assert_problem(bring(client, large(2), **wanted), 413, "too-large")

    def test_a_body_that_broke_off_is_forgotten_after_a_day(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        with database.writing() as writer:
            uploads.put(writer, "nobody", 0, b"x")
        waiting = bring(client, large(2))
        clock.advance(hours=25)
        assert worker.purge_uploads(database)
        assert not worker.purge_uploads(database)
        assert worked(client, database, waiting)["status"] == "done"

    def test_a_line_that_never_ends_fails_the_job(self, client: TestClient, database: Database) -> None:
        job = worked(client, database, bring(client, HEADER + b" " * (bundle.LINE_BYTES + 2 * PIECE_BYTES)))
        assert (job["status"], job["errors"][0]["code"]) == ("failed", "line-too-long")

    def test_what_stands_before_such_a_line_is_brought_in_and_told(
        self, client: TestClient, database: Database
    ) -> None:
        endless = b" " * (bundle.LINE_BYTES + 2 * PIECE_BYTES)
        job = worked(client, database, bring(client, HEADER + b"[]\n" + article() + endless))
        assert (job["status"], job["errors"][0]["code"]) == ("failed", "line-too-long")
        assert (job["result"]["created"], job["result"]["failed"]) == (1, 1)
        assert job["result"]["errors"][0]["line"] == 2
        assert len(client.get("/v1/manage/articles").json()["items"]) == 1

    def test_a_job_that_lasts_lets_other_work_go_between(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = bring(client, large())
        monkeypatch.setattr(worker, "JOB_SECONDS", 0)
        done = []
        assert worker.run_due(
            database, meanwhile=lambda: done.append(client.get(answer.headers["location"]).json()["done"])
        )
        assert len(done) > 1
        assert done == sorted(done)

    def test_the_texts_of_a_long_one_are_read_in_a_process_beside_which_ends_with_it(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker, "JOB_SECONDS", 0)
        answer = bring(client, large(2), publish="true")
        beside: set[int | None] = set()
        worker.run_due(database, meanwhile=lambda: beside.update(each.pid for each in active_children()))
        assert client.get(answer.headers["location"]).json()["status"] == "done"
        assert len(beside) == 1
        assert active_children() == []

    def test_a_worker_that_stops_ends_that_process_and_gives_the_job_back(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker, "JOB_SECONDS", 0)
        answer = bring(client, large(2), publish="true")
        stop = Event()
        assert worker.run_due(database, stop, stop.set)
        assert active_children() == []
        job = client.get(answer.headers["location"]).json()
        assert (job["status"], job["done"] > 0) == ("queued", True)
