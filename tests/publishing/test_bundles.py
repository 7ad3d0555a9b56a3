"""What is sent out and brought in elsewhere is the same there, to the byte, on whatever database, and once."""

import json
import random
import sqlite3
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.articles import collections, identity, revisions, tags
from app.articles.fields import new_id
from app.database import Database
from app.errors import Invalid, Malformed
from app.publishing import inspection
from app.publishing.checks import AS_USUAL
from app.publishing.incoming import Import, Permit, Report
from tests.conftest import Side
from tests.factories import a_citation, a_document, a_section, create, publish, published
from tests.publishing.bundles import ANY, dumped, furnish, loaded, made
from tests.strategies import documents

BESIDE = ["/v1/articles/hajime", "/v1/articles/ext:old:a.b"]


def read(client: TestClient, beside: list[str]) -> dict[str, tuple[str, bytes]]:
    """Everything published at its own address, pages and redirects too: ETag or Location, and bytes."""
    cards = client.get("/v1/articles", params={"limit": 100}).json()["items"]
    paths = [f"/v1/articles/{card['id']}" for card in cards]
    paths += [f"/v1/articles/{card['id']}/pages/{at}" for card in cards for at in (1, 2)[: card["page_count"]]]
    paths += [f"/v1/articles/{card['slug']}" for card in cards] + beside
    answers = {path: client.get(path) for path in paths}
    named = {path: each.headers.get("etag") or each.headers["location"] for path, each in answers.items()}
    return {path: (named[path], each.content) for path, each in answers.items() if each.status_code in {200, 308}}


class TestRoundTrip:
    @pytest.mark.parametrize(("revisions", "back"), [(False, False), (True, True)])
    def test_what_is_brought_into_another_database_is_sent_out_the_same(
        self, both: tuple[Side, Side], revisions: bool, back: bool
    ) -> None:
        here, there = both if not back else both[::-1]
        furnish(here.client, here.clock)
        bundle = dumped(here.database, revisions=revisions)
        there.clock.advance(days=3)
        report = loaded(there.database, bundle, together=7)
        assert report.errors == []
        assert dumped(there.database, revisions=revisions).splitlines() == bundle.splitlines()
        assert len(read(here.client, BESIDE)) > 20
        assert read(there.client, BESIDE) == read(here.client, BESIDE)
        again = loaded(there.database, bundle)
        assert (again.errors, again.created, again.updated) == ([], 0, 0)
        assert dumped(there.database, revisions=revisions) == bundle


def line(kind: str, **members: Any) -> bytes:
    return json.dumps({"kind": kind, **members}, ensure_ascii=False).encode() + b"\n"


HEADER = line("header", format=1)
CROWDED = [{"sections": [{"heading": "花", "body": "花"}] * 500}] * (identity.PARTS // 500)
"""Pages with more parts than an article may have."""
SPOKEN = (("before", "短"), ("long", "長" * 20_000), ("after", "短"))


def bundle_of(*lines: bytes) -> bytes:
    return HEADER + b"".join(lines)


def told(report: Report) -> list[tuple[int, str, str]]:
    return [(each.line, each.pointer, each.code) for each in report.errors]


class TestIntoWhatHoldsSomething:
    def test_a_known_id_is_saved_as_by_a_put_and_what_is_equal_changes_nothing(
        self, client: TestClient, database: Database
    ) -> None:
        draft = create(client, slug="kiku")
        same = line("article", document=draft)
        assert loaded(database, bundle_of(same)).unchanged == 1
        other = draft | {"lead": "別", "version": 7, "created_at": "2020-01-01T00:00:00Z"}
        assert loaded(database, bundle_of(line("article", document=other))).updated == 1
        now = client.get(f"/v1/manage/articles/{draft['id']}").json()
        assert (now["lead"], now["version"], now["created_at"]) == ("別", 2, draft["created_at"])
        assert len(client.get(f"/v1/manage/articles/{draft['id']}/revisions").json()["items"]) == 2

    def test_an_external_id_finds_its_article_whatever_its_id_was_elsewhere(
        self, client: TestClient, database: Database
    ) -> None:
        draft = create(client, external_ids={"cms": "1"}, pages=[])
        elsewhere = a_document(id=new_id(), external_ids={"cms": "1"}, title="新しい題", pages=[])
        report = loaded(database, bundle_of(line("article", document=elsewhere)))
        assert (report.updated, report.errors) == (1, [])
        assert client.get("/v1/manage/articles/ext:cms:1").json()["title"] == "新しい題"
        assert client.get(f"/v1/manage/articles/{draft['id']}").json()["title"] == "新しい題"

    def test_sources_and_publishers_that_have_other_ids_here_are_found_by_address_and_name(
        self, both: tuple[Side, Side]
    ) -> None:
        here, there = both
        article = published(here.client)
        cited = article["pages"][0]["sections"][0]["citations"][0]["source"]
        made_here = create(
            there.client, pages=[{"sections": [a_section(citations=[{"source": {"url": cited["url"]}}])]}]
        )
        report = loaded(there.database, dumped(here.database))
        assert told(report) == []
        known = made_here["pages"][0]["sections"][0]["citations"][0]["source"]
        seen = there.client.get(f"/v1/articles/{article['id']}").json()
        assert seen["pages"][0]["sections"][0]["citations"][0]["source"] == known
        assert loaded(there.database, dumped(here.database)).updated == 0

    def test_what_readers_see_of_a_known_article_is_published_anew_where_it_differs(
        self, both: tuple[Side, Side]
    ) -> None:
        here, there = both
        article = published(here.client)
        loaded(there.database, dumped(here.database))
        edited = {**here.client.get(f"/v1/manage/articles/{article['id']}").json(), "lead": "改訂"}
        here.client.put(f"/v1/manage/articles/{article['id']}", json=edited, headers=ANY)
        assert loaded(there.database, dumped(here.database)).updated == 1
        assert there.client.get(f"/v1/articles/{article['id']}").json()["lead"] == article["lead"]
        publish(here.client, article["id"])
        there.clock.advance(hours=1)
        token = there.client.get("/v1/sync").json()["next"]
        assert loaded(there.database, dumped(here.database)).updated == 1
        seen = there.client.get(f"/v1/articles/{article['id']}").json()
        assert (seen["lead"], seen["revised_at"]) == ("改訂", "2026-01-02T04:04:05.678Z")
        assert [item["id"] for item in there.client.get("/v1/sync", params={"token": token}).json()["items"]] == [
            article["id"]
        ]

    def test_what_changed_since_is_brought_after(self, both: tuple[Side, Side]) -> None:
        here, there = both
        citations = [
            a_citation(source={"url": f"https://a.example.jp/{at}", "publisher": {"name": at}}) for at in "一二三"
        ]
        article = published(here.client, pages=[{"sections": [a_section(citations=citations)]}], tags=["菊", "梅"])
        made(here.client, "PUT", "/site", {"name": "菊"})
        kept = [made(here.client, "POST", "/collections", {"title": at, "articles": []})["id"] for at in "松竹"]
        assert loaded(there.database, dumped(here.database)).errors == []
        ledger = [each["source"] for each in article["pages"][0]["sections"][0]["citations"]]
        first, second, _ = (source["id"] for source in ledger)
        one, other, _ = (source["publisher"]["id"] for source in ledger)
        made(here.client, "PATCH", f"/sources/{first}", {"title": "直した題"})
        made(here.client, "POST", f"/sources/{second}/merge", {"into": first})
        made(here.client, "PATCH", f"/publishers/{one}", {"country": "JP"})
        made(here.client, "PATCH", "/tags/菊", {"name": "きく"})
        made(here.client, "POST", "/tags/梅/merge", {"into": "菊"})
        made(here.client, "PUT", "/site", {"name": "菊と梅"})
        made(here.client, "PATCH", f"/collections/{kept[0]}", {"articles": [article["id"]]})
        made(here.client, "POST", f"/collections/{kept[1]}/merge", {"into": kept[0]})
        assert loaded(there.database, dumped(here.database)).errors == []
        assert dumped(there.database).splitlines() == dumped(here.database).splitlines()
        assert read(there.client, []) == read(here.client, [])
        made(here.client, "POST", f"/publishers/{other}/merge", {"into": one})
        assert loaded(there.database, dumped(here.database)).errors == []
        assert dumped(there.database).splitlines() == dumped(here.database).splitlines()
        merged = there.client.get(f"/v1/publishers/{other}", follow_redirects=False)
        assert (merged.status_code, merged.headers["location"]) == (308, f"/v1/publishers/{one}")

    def test_what_was_merged_into_what_is_merged_here_leads_to_where_that_leads(
        self, client: TestClient, database: Database
    ) -> None:
        for slug in ("b", "c"):
            made(client, "POST", "/tags", {"slug": slug, "name": slug})
        one, two = (made(client, "POST", "/collections", {"slug": s, "title": s})["id"] for s in ("one", "two"))
        made(client, "POST", "/tags/b/merge", {"into": "c"})
        made(client, "POST", f"/collections/{one}/merge", {"into": two})
        tag = line("tag", slug="a", name="a", merged_into="b")
        collection = line("collection", id=new_id(), slug="zero", title="zero", merged_into=one)
        lost = line("collection", id=new_id(), slug="lost", title="lost", merged_into=new_id())
        report = loaded(database, bundle_of(tag, collection, lost))
        assert told(report) == [(4, "/merged_into", "target-invalid")]
        with database.reading() as reader:
            assert tags.followed(reader, ["a"]) == ["c"]
            assert collections.load(reader, "zero").merged_into == two

    def test_what_was_merged_into_what_is_here_under_another_id_leads_to_that(self, both: tuple[Side, Side]) -> None:
        here, there = both
        kept, other, third = (f"https://a.example.jp/{at}" for at in range(3))
        cards = [a_citation(source={"url": at, "publisher": {"name": at}}) for at in (kept, other)]
        article = published(here.client, pages=[{"sections": [a_section(citations=cards)]}])
        sources, publishers = (
            [made(here.client, "GET", f"/{kind}?limit=100&{query}{at}")["items"][0]["id"] for at in (kept, other)]
            for kind, query in (("sources", "url="), ("publishers", "name="))
        )
        for kind, (into, gone) in (("sources", sources), ("publishers", publishers)):
            made(here.client, "POST", f"/{kind}/{gone}/merge", {"into": into})
        known = made(there.client, "POST", "/sources", {"url": kept, "publisher": {"name": kept}})
        bundle = dumped(here.database)
        assert told(loaded(there.database, bundle)) == []
        again = loaded(there.database, bundle)
        assert (again.errors, again.created, again.updated) == ([], 0, 0)
        for kind, ids, now in (
            ("sources", sources, known["id"]),
            ("publishers", publishers, known["publisher"]["id"]),
        ):
            for id in ids:
                assert there.client.get(f"/v1/{kind}/{id}").headers["location"] == f"/v1/{kind}/{now}"
        seen = there.client.get(f"/v1/articles/{article['id']}").json()["pages"][0]["sections"][0]["citations"]
        assert {each["source"]["id"] for each in seen} == {known["id"]}
        with there.database.reading() as reader:
            assert list(inspection.rows(reader, there.clock())) == []
        made(there.client, "PATCH", f"/sources/{known['id']}", {"url": third})
        assert told(loaded(here.database, dumped(there.database))) == []

    def test_conflicts_are_told_by_line_and_pointer_and_nothing_of_such_a_line_is_stored(
        self, client: TestClient, database: Database
    ) -> None:
        taken = create(client, slug="kiku")
        part = taken["pages"][0]["sections"][0]["id"]
        bad = [
            line("article", document=a_document(slug="kiku", tags=["未知"])),
            line("article", document=a_document(pages=[{"sections": [a_section(id=part)]}])),
            line("article", document={"title": 1, "lead": "", "nobody": 1}),
            b"{\n",
            line("chrysanthemum"),
            b"[]\n",
            line("collection", title="花", articles=[new_id()]),
            line("article", document=a_document(), public={"published_at": "2024-01-01T00:00:00Z", "revised_at": "x"}),
            line("article", document=a_document(pages=CROWDED)),
        ]
        report = loaded(database, bundle_of(*bad, line("article", document=a_document(slug="ume"))))
        assert told(report) == [
            (2, "/document/slug", "slug-taken"),
            (3, "/document/pages/0/sections/0/id", "id-taken"),
            (4, "/document/title", "string-type"),
            (4, "/document/nobody", "unknown-field"),
            (5, "", "json-invalid"),
            (6, "", "line-unknown"),
            (7, "", "line-unknown"),
            (8, "/articles/0", "article-unknown"),
            (9, "/public/revised_at", "instant-invalid"),
            (10, "/document", "too-many-parts"),
        ]
        assert (report.failed, report.created) == (9, 1)
        slugs = {item["slug"] for item in client.get("/v1/manage/articles").json()["items"]}
        assert slugs == {"kiku", "ume"}
        assert "未知" not in {tag["slug"] for tag in client.get("/v1/manage/tags").json()["items"]}

    def test_what_readers_saw_elsewhere_has_no_more_parts_than_an_article_may_have(
        self, both: tuple[Side, Side]
    ) -> None:
        here, there = both
        published(here.client)
        lines = map(json.loads, dumped(here.database).splitlines())
        (sent,) = (members for members in lines if members["kind"] == "article")
        sent["public"]["document"] = sent["document"] | {"pages": CROWDED}
        report = loaded(there.database, bundle_of(line(**sent)))
        assert told(report) == [(2, "/public/document", "too-many-parts")]
        assert there.client.get("/v1/manage/articles").json()["items"] == []

    def test_the_articles_of_a_transaction_are_numbered_together_and_last(
        self, client: TestClient, database: Database
    ) -> None:
        documents = [line("article", document=a_document()) for _ in range(4)]
        with database.writing() as writer:
            work = Import(Permit(admin=False, publish=AS_USUAL))
            work.bring(writer, [HEADER, *documents])
            assert writer.sequence == 4
        assert work.report.created == 4
        assert len(client.get("/v1/sync").json()["items"]) == 4

    def test_one_that_fails_its_checks_is_not_stored_where_it_is_to_be_published(
        self, client: TestClient, database: Database
    ) -> None:
        with database.writing() as writer:
            work = Import(Permit(admin=False, publish=AS_USUAL))
            work.bring(writer, [HEADER, line("article", document=a_document(pages=[]))])
        assert told(work.report) == [(2, "/document/pages", "first-page-empty")]
        assert client.get("/v1/manage/articles").json()["items"] == []


class TestRevisions:
    def test_an_article_that_comes_without_its_revisions_has_that_of_its_version(self, both: tuple[Side, Side]) -> None:
        here, there = both
        article = published(here.client)
        _, *rest = dumped(here.database).splitlines(keepends=True)
        assert told(loaded(there.database, line("header", format=1, revisions=True) + b"".join(rest))) == []
        with there.database.reading() as reader:
            assert list(inspection.rows(reader, there.clock())) == []
            kept = revisions.load(reader, article["id"], article["version"])
        assert kept["document"]["lead"] == article["lead"]

    def test_who_was_interrupted_before_the_earlier_ones_came_sends_them_again(self, both: tuple[Side, Side]) -> None:
        here, there = both
        article = create(here.client)
        headers = ANY | {"Kiku-Reason": "CMS"}
        for lead in ("二", "三"):
            here.client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": lead}, headers=headers)
        cited = article["pages"][0]["sections"][0]["citations"][0]["source"]["id"]
        made(here.client, "PATCH", f"/sources/{cited}", {"title": "後で直した題"})  # unlike what the revision says
        bundle = dumped(here.database, revisions=True)
        whole = bundle.splitlines(keepends=True)
        until = next(at for at, each in enumerate(whole) if each.startswith(b'{"kind":"article"')) + 1
        assert told(loaded(there.database, b"".join(whole[:until]))) == []
        with there.database.reading() as reader:
            assert list(inspection.rows(reader, there.clock())) == []
        assert told(loaded(there.database, bundle)) == []
        assert dumped(there.database, revisions=True) == bundle

    def test_what_is_said_of_the_last_save_is_of_an_article_that_was_elsewhere(self, database: Database) -> None:
        saved = {"created_at": "2024-01-01T00:00:00Z"}
        report = loaded(database, bundle_of(line("article", document=a_document(), saved=saved)))
        assert told(report) == [(2, "", "saved-unlike-life")]


class TestPageImports:
    def test_a_report_that_is_none_is_refused_where_it_is_wrong(self, database: Database) -> None:
        right = {"pages": 1, "lines": [{"number": 1, "pointer": "/title"}], "unmatched": [], "warnings": []}
        wrong = [{}, {**right, "article_id": "x"}, {**right, "lines": [{"number": 0, "pointer": "/title"}]}]
        lines = [
            line(
                "article",
                document=a_document(),
                page_imports=[{"lines_sha256": f"{at:064}", "report": each, "created_at": "2024-01-01T00:00:00Z"}],
            )
            for at, each in enumerate([right, *wrong])
        ]
        at = "/page_imports/0/report"
        assert told(loaded(database, bundle_of(*lines))) == [
            *((3, f"{at}/{name}", "required") for name in right),
            (4, f"{at}/article_id", "unknown-field"),
            (5, f"{at}/lines/0/number", "greater-than-equal"),
        ]


class TestValues:
    def test_the_longest_values_there_are_are_taken_on_both_databases(self, both: tuple[Side, Side]) -> None:
        drawn = random.Random(0)  # noqa: S311 - no secret; what repeats itself a database would compress

        def letters(count: int) -> str:
            return "".join(chr(drawn.randrange(0x20000, 0x2A6D0)) for _ in range(count))

        publisher = {"name": letters(500), "aliases": [letters(500)], "hosts": [f"{'a.' * 120}example.jp"]}
        source = {"url": f"https://a.example.jp/{letters(2_027)}", "title": letters(20_000), "publisher": publisher}
        cited = a_citation(source=source | {"publisher": {"name": letters(500)}})
        document = a_document(
            slug=letters(120), translation_key=letters(200), title=letters(2_000), tags=[letters(120)],
            external_ids={"s" * 32: "e" * 200}, pages=[{"sections": [a_section(citations=[cited])]}],
        )  # fmt: skip
        line_up = [
            line("publisher", **publisher),
            line("tag", slug=letters(120), name=letters(500), version=2**30 - 1),
            line("collection", slug=letters(120), title=letters(2_000), articles=[]),
            line("article", document=document),
        ]
        for side in both:
            with side.database.writing() as writer:
                work = Import(Permit(admin=True, publish=AS_USUAL))
                work.bring(writer, [HEADER, *line_up])
            assert told(work.report) == []

    def test_what_a_column_or_an_index_cannot_hold_is_refused_alike(self, both: tuple[Side, Side]) -> None:
        unfolded = "\ufdfa" * 500  # NFKC makes eighteen characters of each
        cited = a_citation(source={"url": "https://a.example.jp/1", "publisher": {"name": unfolded}})
        bad = [
            line("publisher", name="菊新聞", version=2**31),
            line("source", url="https://a.example.jp", version=2**70),
            line("tag", slug="kiku", version=0),
            line("collection", slug="kiku", title="菊", articles=[], version=-1),
            line("publisher", name=unfolded, aliases=[unfolded]),
            line("article", document=a_document(pages=[{"sections": [a_section(citations=[cited])]}])),
        ]
        at = "/document/pages/0/sections/0/citations/0/source/publisher/name"
        for side in both:
            assert told(loaded(side.database, bundle_of(*bad))) == [
                (2, "/version", "less-than"),
                (3, "/version", "less-than"),
                (4, "/version", "greater-than-equal"),
                (5, "/version", "greater-than-equal"),
                (6, "/name", "name-too-long"),
                (6, "/aliases/0", "name-too-long"),
                (7, at, "name-too-long"),
            ]

    def test_what_a_database_refuses_all_the_same_is_its_lines_fault_and_the_others_go_on(
        self, client: TestClient, database: Database
    ) -> None:
        lines = [line("collection", slug=slug, title="菊", description=said, articles=[]) for slug, said in SPOKEN]
        with database.writing() as writer:
            if writer.on_postgresql:
                writer.execute(text("ALTER TABLE collections ALTER COLUMN description TYPE varchar(100)"))
            file: Any = writer.connection.connection.driver_connection
            before = None if writer.on_postgresql else file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 30_000)
            work = Import(Permit(admin=True))
            work.bring(writer, [HEADER, *lines])
            if before is not None:
                file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
        assert told(work.report) == [(3, "", "value-refused")]
        slugs = [each["slug"] for each in client.get("/v1/manage/collections").json()["items"]]
        assert sorted(slugs) == ["after", "before"]


class TestTheFormat:
    @pytest.mark.parametrize(
        "first", [b"", b"\n", b"{}\n", b'{"kind":"article"}\n', b'{"kind":"header","format":2}\n', b"\xef\xbb\xbf{}\n"]
    )
    def test_what_does_not_begin_with_a_header_is_refused_whole(self, database: Database, first: bytes) -> None:
        with pytest.raises((Malformed, Invalid)):
            loaded(database, first + line("tag", slug="kiku"))
        assert b'"tag"' not in dumped(database)


class TestAnything:
    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(drawn=st.lists(st.tuples(documents, documents, st.booleans()), min_size=1, max_size=4))
    def test_whatever_was_written_published_and_written_on_is_the_same_elsewhere(
        self, both: tuple[Side, Side], drawn: list[tuple[Any, Any, bool]]
    ) -> None:
        here, there = both  # which keep what the examples before left: that is known there, and stays
        for first, then, publishes in drawn:
            made = here.client.post("/v1/manage/articles", json=first)
            if made.status_code != 201:
                continue  # another one has its slug, or an id
            at = f"/v1/manage/articles/{made.json()['id']}"
            if publishes:
                reason = {"override_reason": "試し"}
                answer = here.client.post(f"{at}/publish", json=reason, headers=ANY)
                assert answer.status_code == 200 or answer.json()["code"] == "id-taken"  # readers see it elsewhere
            here.client.put(at, json=then, headers=ANY)
        bundle = dumped(here.database, revisions=True)
        assert loaded(there.database, bundle).errors == []
        assert dumped(there.database, revisions=True).splitlines() == bundle.splitlines()
        assert there.client.get("/v1/sync/digest").content == here.client.get("/v1/sync/digest").content
