"""A batch is all or nothing: each operation is answered as if sent by itself, and the first refusal undoes all."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.articles.fields import new_id
from app.database import Database
from app.wire.bodies import JSON_PATCH
from tests.conftest import a_key
from tests.factories import a_document, create, published
from tests.live import served
from tests.promises.test_dry_run import everything

ANY = {"If-Match": "*"}
AT = "/v1/manage/batch"
ARTICLES = "/v1/manage/articles"


def an(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    operation: dict[str, Any] = {"method": method, "path": path}
    if headers:
        operation["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return operation if body is None else operation | {"body": body}


def run(client: TestClient, *operations: dict[str, Any], **headers: str) -> Response:
    return client.post(AT, json={"operations": list(operations)}, headers=headers)


class TestAllHold:
    def test_each_is_answered_as_by_itself_and_sees_what_those_before_did(self, client: TestClient) -> None:
        id = new_id()
        at = f"{ARTICLES}/{id}"
        answer = run(
            client,
            an("POST", ARTICLES, a_document(id=id)),
            an("PATCH", at, {"lead": "別"}, If_Match='"1"'),
            an("PATCH", at, [{"op": "replace", "path": "/title", "value": "改題"}], If_Match='"2"'),
            an("POST", f"{at}/publish", If_Match='"3"'),
            an("POST", "/v1/manage/publishers", {"name": "北浜日報"}),
            an("DELETE", at, If_Match="*"),
        )
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [result["status"] for result in results] == [201, 200, 200, 200, 201, 204]
        assert results[0]["headers"] == {"ETag": '"1"', "Location": at}
        assert (results[2]["body"]["lead"], results[2]["body"]["title"]) == ("別", "改題")
        assert results[5] == {"status": 204, "headers": {}, "body": None}
        assert client.get(at).json()["status"] == "trashed"
        assert client.get("/v1/manage/publishers", params={"name": "北浜日報"}).json()["items"]

    def test_readers_see_what_was_published_in_it(self, client: TestClient) -> None:
        drafts = [create(client) for _ in range(3)]
        steps = [an("POST", f"{ARTICLES}/{draft['id']}/publish", If_Match="*") for draft in drafts]
        answer = run(client, *steps)
        assert answer.status_code == 200
        assert {card["id"] for card in client.get("/v1/articles").json()["items"]} == {d["id"] for d in drafts}
        etags = [result["body"]["etag"] for result in answer.json()["results"]]
        plain = {"Accept-Encoding": "identity"}
        assert etags == [client.get(f"/v1/articles/{draft['id']}", headers=plain).headers["etag"] for draft in drafts]

    def test_a_hundred_are_taken_and_no_more(self, client: TestClient) -> None:
        operations = [an("POST", "/v1/manage/tags", {"slug": f"t{n}"}) for n in range(101)]
        assert run(client, *operations).json()["errors"][0]["pointer"] == "/operations"
        assert len(run(client, *operations[:100]).json()["results"]) == 100

    def test_a_digest_page_is_sent_as_a_text(self, client: TestClient) -> None:
        page = client.get(f"/v1/articles/{published(client)['id']}.txt").text.replace("菊の話", "花の話")
        answer = run(client, an("POST", "/v1/manage/imports", page, Content_Type="text/plain; charset=utf-8"))
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"][0]["body"]["items"][0]["created"]

    def test_why_is_said_once_or_for_each(self, client: TestClient) -> None:
        answer = run(
            client,
            an("POST", ARTICLES, a_document()),
            an("POST", ARTICLES, a_document(), Kiku_Reason="校正"),
            **{"Kiku-Reason": "%E7%A7%BB%E8%A1%8C"},
        )
        ids = [result["body"]["id"] for result in answer.json()["results"]]
        assert [
            client.get(f"{ARTICLES}/{id}/revisions").json()["items"][0]["reason"] for id in ids
        ] == ["移行", "校正"]  # fmt: skip


class TestNoneHolds:
    @pytest.mark.parametrize(
        ("refused", "code", "pointer"),
        [
            (an("POST", ARTICLES, {"title": 1}), "validation", "/operations/1/body/title"),
            (an("PUT", f"{ARTICLES}/ext:cms:1/", {}), "not-found", None),
            (an("PUT", "/v1/manage/site", {"name": "菊"}, If_Match='"9"'), "draft-stale", None),
            (an("PUT", "/v1/manage/site", {"name": "菊"}), "precondition-required", None),
            (an("PUT", "/v1/manage/site", {}, If_Match="x"), "parameter-invalid", "/operations/1/headers/If-Match"),
            (an("POST", f"{ARTICLES}?nobody=1", {}), "parameter-invalid", "/operations/1/path"),
            (an("POST", "/v1/manage/site", {}), "method-not-allowed", None),
            (an("PATCH", f"{ARTICLES}/菊", {"lead": ""}, If_Match="*"), "article-unknown", None),
            (an("POST", ARTICLES, "菊", Content_Type="text/plain"), "unsupported-media-type", None),
        ],
    )  # fmt: skip
    def test_the_first_that_is_refused_undoes_all_and_is_named(
        self, client: TestClient, database: Database, refused: dict[str, Any], code: str, pointer: str | None
    ) -> None:
        before = everything(database)
        answer = run(client, an("POST", ARTICLES, a_document()), refused, an("POST", ARTICLES, a_document()))
        assert (answer.status_code, answer.json()["code"]) == (422, "batch-failed")
        errors = answer.json()["errors"]
        assert (errors[0]["pointer"], errors[0]["code"]) == ("/operations/1", code)
        assert pointer in [None, *[error["pointer"] for error in errors[1:]]]
        assert everything(database) == before

    def test_a_check_that_fails_is_told_where_it_stands(self, client: TestClient) -> None:
        draft = create(client, pages=[])
        errors = run(client, an("POST", f"{ARTICLES}/{draft['id']}/publish", If_Match="*")).json()["errors"]
        assert {"code": "first-page-empty", "severity": "error"}.items() <= errors[1].items()
        assert errors[1]["pointer"] == "/operations/0/body/pages"

    def test_what_the_key_may_not_do_it_may_not_do_here(self, client: TestClient, database: Database) -> None:
        draft = create(client)
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write')}"
        at = f"{ARTICLES}/{draft['id']}"
        answer = run(client, an("PATCH", at, {"lead": "別"}, If_Match="*"), an("POST", f"{at}/publish", If_Match="*"))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "scope-missing")
        assert client.get(at).json()["version"] == 1

    @pytest.mark.parametrize(
        ("operation", "code", "pointer"),
        [
            (an("POST", AT, {"operations": []}), "operation-alone", "/operations/0/path"),
            (an("POST", "/v1/manage/%6beys"), "operation-alone", "/operations/0/path"),
            (an("POST", f"{ARTICLES}?dry_run", {}), "operation-dry-run", "/operations/0/path"),
            (an("POST", ARTICLES, {}, Host="x"), "header-refused", "/operations/0/headers/Host"),
            (an("POST", ARTICLES, {}, Authorization="x"), "header-refused", "/operations/0/headers/Authorization"),
            (an("POST", "/v1/articles"), "string-pattern-mismatch", "/operations/0/path"),
            (an("GET", ARTICLES), "literal-error", "/operations/0/method"),
        ],
    )  # fmt: skip
    def test_what_cannot_stand_in_a_batch_is_refused_before_anything_is_done(
        self, client: TestClient, operation: dict[str, Any], code: str, pointer: str
    ) -> None:
        answer = run(client, operation)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation")
        assert (answer.json()["errors"][0]["code"], answer.json()["errors"][0]["pointer"]) == (code, pointer)

    def test_a_body_of_null_is_not_no_body(self, client: TestClient) -> None:
        article = create(client)
        restore = {"method": "POST", "path": f"{ARTICLES}/{article['id']}/revisions/1/restore", "headers": dict(ANY)}
        assert run(client, restore | {"body": None}).json()["errors"][0]["code"] == "validation"
        assert run(client, restore).status_code == 200

    def test_a_header_that_is_given_twice_is_refused(self, client: TestClient) -> None:
        operation = an("POST", ARTICLES, {}) | {"headers": {"If-Match": "*", "if-match": '"9"'}}
        answer = run(client, operation)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "header-refused")

    def test_one_that_answers_or_takes_too_much_is_undone(self, client: TestClient, database: Database) -> None:
        article = create(client, introduction="菊" * 60_000)
        before = everything(database)
        patch = an("PATCH", f"{ARTICLES}/{article['id']}", {"lead": "別"}, If_Match="*")
        answer = run(client, *[patch] * 100, **{"Idempotency-Key": "once"})
        assert (answer.status_code, answer.json()["code"]) == (413, "batch-too-large")
        assert everything(database) == before

    def test_a_failed_one_can_be_sent_again_with_its_key(self, client: TestClient) -> None:
        article = create(client)
        at = f"{ARTICLES}/{article['id']}"
        late = an("PATCH", at, {"lead": "三"}, If_Match='"2"')
        assert run(client, late, **{"Idempotency-Key": "once"}).json()["errors"][0]["code"] == "draft-stale"
        client.put(at, json=article | {"lead": "二"}, headers=ANY)
        assert run(client, late, **{"Idempotency-Key": "once"}).status_code == 200

    def test_a_key_that_changes_nothing_sends_none(self, client: TestClient, database: Database) -> None:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'read:drafts')}"
        assert run(client, an("POST", ARTICLES, {})).status_code == 403


class TestBesideOthers:
    def test_batches_in_any_order_and_publications_beside_them_all_get_through(
        self, database_url: str, database: Database
    ) -> None:
        key = {"Authorization": f"Bearer {a_key(database, 'admin')}"}
        with served(database_url) as address, httpx2.Client(base_url=address, headers=key, timeout=60) as client:
            articles = [published(client) for _ in range(4)]  # type: ignore[arg-type]
            sources = [each["pages"][0]["sections"][0]["citations"][0]["source"]["id"] for each in articles]

            def batch(at: int) -> Response:
                here, there = articles[at % 4]["id"], articles[(at + 1) % 4]["id"]
                return client.post(
                    AT,
                    json={
                        "operations": [
                            an("PATCH", f"{ARTICLES}/{here}", {"lead": f"{at}"}, If_Match="*"),
                            an("POST", f"{ARTICLES}/{here}/publish", If_Match="*"),
                            an("PATCH", f"/v1/manage/sources/{sources[at % 4]}", {"title": f"題{at}"}, If_Match="*"),
                            an("PATCH", f"{ARTICLES}/{there}", {"conclusion": f"{at}"}, If_Match="*"),
                        ]
                    },
                )

            def alone(at: int) -> Response:
                return client.post(f"{ARTICLES}/{articles[at % 4]['id']}/publish", headers=ANY)

            with ThreadPoolExecutor(8) as pool:
                answers = [*pool.map(lambda at: (batch if at % 2 else alone)(at), range(16))]
            assert [answer.status_code for answer in answers] == [200] * 16


class TestAsAWrite:
    def test_tried_dry_it_answers_and_stores_nothing(self, client: TestClient, database: Database) -> None:
        before = everything(database)
        dry = client.post(AT, json={"operations": [an("POST", ARTICLES, a_document())]}, params={"dry_run": "true"})
        assert dry.json()["results"][0]["status"] == 201
        assert everything(database) == before

    def test_sent_again_with_its_key_it_is_answered_as_the_first_time(self, client: TestClient) -> None:
        operation = an("POST", ARTICLES, a_document())
        first, second = (run(client, operation, **{"Idempotency-Key": "once"}) for _ in range(2))
        assert second.headers["idempotent-replayed"] == "true"
        assert (first.status_code, first.json()) == (200, second.json())
        assert len(client.get(ARTICLES).json()["items"]) == 1

    def test_a_dry_one_answers_the_token_of_before_for_each(self, client: TestClient) -> None:
        before = client.post(f"{ARTICLES}/{published(client)['id']}/publish", headers=ANY).json()["sync"]
        steps = [an("POST", f"{ARTICLES}/{create(client)['id']}/publish", If_Match="*") for _ in range(3)]
        dry = client.post(AT, json={"operations": steps}, params={"dry_run": "true"}).json()["results"]
        assert [result["body"]["sync"] for result in dry] == [before] * 3

    def test_a_page_is_imported_into_an_article_that_it_made(self, client: TestClient) -> None:
        id, page = new_id(), client.get(f"/v1/articles/{published(client)['id']}.txt").text
        into = an("POST", f"/v1/manage/imports?into={id}&page=2", page, Content_Type="text/plain; charset=utf-8")
        answer = run(client, an("POST", ARTICLES, a_document(id=id)), into)
        assert answer.status_code == 200, answer.text
        assert client.get(f"{ARTICLES}/{id}").json()["pages"][1]["sections"]

    def test_its_entries_in_the_audit_bear_one_request_id(self, client: TestClient) -> None:
        article = create(client)
        patch = an("PATCH", f"{ARTICLES}/{article['id']}", [], If_Match="*", Content_Type=JSON_PATCH)
        run(
            client,
            patch,
            an("POST", ARTICLES, a_document()),
            an("POST", ARTICLES, a_document()),
            **{"X-Request-Id": "b"},
        )
        found = client.get("/v1/manage/audit", params={"request_id": "b"}).json()["items"]
        assert [entry["action"] for entry in found] == ["article.created"] * 2
