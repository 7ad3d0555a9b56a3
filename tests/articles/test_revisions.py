"""Revisions: every save kept, any two compared, all or parts of one brought back."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.articles import comparison
from app.articles.document import ArticleDocument
from app.wire.bodies import MERGE_PATCH
from tests.factories import a_citation, a_document, a_section, create
from tests.promises.addresses import NOBODY

ANY = {"If-Match": "*"}
words = st.text("菊秋a \n", max_size=40)


def at(article: dict[str, Any], rest: str = "") -> str:
    return f"/v1/manage/articles/{article['id']}{rest}"


def patch(client: TestClient, path: str, reason: str | None = None, **changes: Any) -> dict[str, Any]:
    why = {} if reason is None else {b"Kiku-Reason": reason.encode()}
    headers = {b"If-Match": b"*", b"Content-Type": MERGE_PATCH.encode(), **why}
    answer = client.patch(path, json=changes, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def diff(client: TestClient, article: dict[str, Any], number: int, **to: int) -> list[dict[str, Any]]:
    answer = client.get(at(article, f"/revisions/{number}/diff"), params=to)
    assert answer.status_code == 200, answer.text
    return answer.json()["changes"]  # type: ignore[no-any-return]


def restore(client: TestClient, article: dict[str, Any], number: int, *parts: str) -> dict[str, Any]:
    sent = {"json": {"parts": list(parts)}} if parts else {}
    answer = client.post(at(article, f"/revisions/{number}/restore"), headers=ANY, **sent)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def said(article: dict[str, Any]) -> dict[str, Any]:
    """The document alone."""
    return {name: value for name, value in article.items() if name in ArticleDocument.model_fields}


def two_sections() -> dict[str, Any]:
    pages = [{"sections": [a_section(heading="一"), a_section(heading="二")]}, {"sections": [a_section(heading="三")]}]
    return a_document(pages=pages)


class TestList:
    def test_each_save_is_a_revision_the_latest_first_with_its_reason(self, client: TestClient) -> None:
        article = create(client)
        patch(client, at(article), reason="誤字を直した", lead="二")
        patch(client, at(article), reason="%E7%AB%A0", lead="三")
        patch(client, at(article), lead="四")
        items = client.get(at(article, "/revisions")).json()["items"]
        assert [(item["number"], item["reason"]) for item in items] == [
            (4, None),
            (3, "章"),
            (2, "誤字を直した"),
            (1, None),
        ]
        assert all(item["created_at"] and item["created_by"] for item in items)

    def test_it_is_read_page_by_page(self, client: TestClient) -> None:
        article = create(client)
        for number in range(4):
            patch(client, at(article), lead=f"{number}")
        first = client.get(at(article, "/revisions"), params={"limit": 3, "count": "exact"}).json()
        rest = client.get(at(article, "/revisions"), params={"limit": 3, "cursor": first["next"]}).json()
        assert [item["number"] for item in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
        assert (first["count"]["value"], rest["next"]) == (5, None)

    def test_one_is_read_as_it_was_saved(self, client: TestClient) -> None:
        article = create(client)
        patch(client, at(article), lead="別", tags=[])
        assert client.get(at(article, "/revisions/1")).json()["document"] == said(article)

    def test_what_is_not_there_is_told(self, client: TestClient) -> None:
        article = create(client)
        for path in ("/revisions/2", "/revisions/2/diff", "/revisions/1/diff?to=2"):
            answer = client.get(at(article, path))
            assert (answer.status_code, answer.json()["code"]) == (404, "revision-unknown")
        assert client.post(at(article, "/revisions/2/restore"), headers=ANY).status_code == 404
        assert client.post(at(article, "/revisions/1/restore")).status_code == 428

    @pytest.mark.parametrize("reason", ["x" * 501, "a\u202eb", "%ff"])
    def test_a_reason_that_cannot_be_kept_is_refused_by_name(self, client: TestClient, reason: str) -> None:
        answer = client.post("/v1/manage/articles", json=a_document(), headers={b"Kiku-Reason": reason.encode()})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "Kiku-Reason")


class TestDiff:
    def test_nothing_differs_from_itself(self, client: TestClient) -> None:
        assert diff(client, create(client), 1, to=1) == []

    def test_a_text_tells_what_stayed_went_and_came(self, client: TestClient) -> None:
        article = create(client, lead="秋の菊まつりを歩く")
        patch(client, at(article), lead="春の桜まつりを歩く")
        (change,) = diff(client, article, 1)
        assert (change["code"], change["pointer"], change["before"]) == ("article.changed", "/lead", article["lead"])
        assert [(part["op"], part["text"]) for part in change["text"]] == [
            ("delete", "秋"),
            ("insert", "春"),
            ("equal", "の"),
            ("delete", "菊"),
            ("insert", "桜"),
            ("equal", "まつりを歩く"),
        ]

    def test_parts_come_go_move_and_change_by_their_ids(self, client: TestClient) -> None:
        article = create(client, two_sections())
        first, second = article["pages"][0]["sections"]
        third = article["pages"][1]["sections"][0]
        point = third["citations"][0]["key_points"][0]
        client.post(f"/v1/manage/sections/{second['id']}/move", json={"before": first["id"]}, headers=ANY)
        client.delete(f"/v1/manage/key-points/{article['takeaways'][0]['id']}", headers=ANY)
        patch(client, f"/v1/manage/key-points/{point['id']}", text="言い直した。")
        client.post(f"/v1/manage/sections/{third['id']}/citations", json=a_citation(), headers=ANY)
        changes = diff(client, article, 1)
        told = sorted((change["code"], change["pointer"]) for change in changes)
        moved = [change for change in changes if change["code"] == "section.moved"]
        assert len(moved) == 1
        assert {moved[0]["before"], moved[0]["after"]} == {"/pages/0/sections/0", "/pages/0/sections/1"}
        assert [each for each in told if each[0] != "section.moved"] == [
            ("citation.added", "/pages/1/sections/0/citations/1"),
            ("key_point.changed", "/pages/1/sections/0/citations/0/key_points/0/text"),
            ("takeaway.removed", "/takeaways/0"),
        ]

    def test_a_part_that_went_is_told_once_with_all_that_was_in_it(self, client: TestClient) -> None:
        article = create(client, two_sections())
        section = article["pages"][0]["sections"][1]
        client.delete(f"/v1/manage/sections/{section['id']}", headers=ANY)
        assert [(c["code"], c["id"], c["before"]) for c in diff(client, article, 1)] == [
            ("section.removed", section["id"], section)
        ]
        assert [c["code"] for c in diff(client, article, 2, to=1)] == ["section.added"]

    def test_a_section_that_went_to_another_page_has_moved(self, client: TestClient) -> None:
        article = create(client, two_sections())
        section, page = article["pages"][0]["sections"][0], article["pages"][1]
        client.post(f"/v1/manage/sections/{section['id']}/move", json={"into": page["id"]}, headers=ANY)
        assert [(c["code"], c["before"], c["after"]) for c in diff(client, article, 1)] == [
            ("section.moved", "/pages/0/sections/0", "/pages/1/sections/1")
        ]

    @settings(max_examples=200)
    @given(before=words, after=words)
    def test_the_stretches_of_a_text_put_both_together_again(self, before: str, after: str) -> None:
        told = comparison._Texts().changes(before, after)
        assert "".join(part.text for part in told if part.op != "insert") == before
        assert "".join(part.text for part in told if part.op != "delete") == after

    def test_long_texts_are_compared_in_no_time_to_speak_of(self) -> None:
        before, after = "あい\n" * 60_000, "いあう\n" * 50_000
        texts = comparison._Texts()
        told = texts.changes(before, after)
        assert "".join(part.text for part in told if part.op != "insert") == before
        assert texts._left == comparison._WHOLE_COST  # it was not tried

    def test_an_edit_in_two_places_of_a_long_text_is_told_character_by_character(self) -> None:
        sentences = [f"第{number}回の菊まつりの話です。" for number in range(200)]
        before = "".join(sentences)
        sentences[3], sentences[190] = "第3回の桜まつりの話です。", "第190回の菊まつりの噂です。"
        told = comparison._Texts().changes(before, "".join(sentences))
        assert [(part.op, part.text) for part in told if part.op != "equal"] == [
            ("delete", "菊"),
            ("insert", "桜"),
            ("delete", "話"),
            ("insert", "噂"),
        ]


class TestRestore:
    def test_the_whole_is_saved_as_it_was_and_nothing_of_the_past_is_lost(self, client: TestClient) -> None:
        article = create(client, two_sections())
        section = article["pages"][0]["sections"][0]
        client.delete(f"/v1/manage/sections/{section['id']}", headers=ANY)
        patch(client, at(article), lead="別", tags=["夏"])
        back = restore(client, article, 1)
        assert (said(back), back["version"]) == (said(article), 4)
        assert len(client.get(at(article, "/revisions")).json()["items"]) == 4

    def test_restoring_what_is_there_changes_nothing(self, client: TestClient) -> None:
        article = create(client)
        assert restore(client, article, 1)["version"] == 1

    def test_a_part_comes_back_and_newer_work_elsewhere_stays(self, client: TestClient) -> None:
        article = create(client, two_sections())
        first, second = article["pages"][0]["sections"]
        patch(client, f"/v1/manage/sections/{first['id']}", body="書き直した。")
        patch(client, f"/v1/manage/sections/{second['id']}", body="こちらも。")
        patch(client, at(article), lead="新しい")
        back = restore(client, article, 1, f"/sections/{first['id']}")
        assert [each["body"] for each in back["pages"][0]["sections"]] == [first["body"], "こちらも。"]
        assert back["lead"] == "新しい"

    def test_a_part_that_is_gone_comes_back_where_it_stood(self, client: TestClient) -> None:
        article = create(client, two_sections())
        second = article["pages"][0]["sections"][1]
        client.delete(f"/v1/manage/sections/{second['id']}", headers=ANY)
        client.post(f"/v1/manage/pages/{article['pages'][0]['id']}/sections", json=a_section(heading="四"), headers=ANY)
        back = restore(client, article, 1, f"/sections/{second['id']}")
        assert [each["heading"] for each in back["pages"][0]["sections"]] == ["一", "二", "四"]
        assert back["pages"][0]["sections"][1] == second

    def test_what_was_moved_out_of_a_part_stays_where_it_is(self, client: TestClient) -> None:
        article = create(client, two_sections())
        first, second = article["pages"][0]["sections"]
        citation = first["citations"][0]
        client.post(f"/v1/manage/citations/{citation['id']}/move", json={"into": second["id"]}, headers=ANY)
        back = restore(client, article, 1, f"/sections/{first['id']}")
        assert [len(each["citations"]) for each in back["pages"][0]["sections"]] == [0, 2]

    @pytest.mark.parametrize("turned", [False, True])
    def test_what_was_moved_from_one_restored_part_to_another_goes_home(self, client: TestClient, turned: bool) -> None:
        article = create(client, two_sections())
        sections = article["pages"][0]["sections"]
        citation = sections[0]["citations"][0]
        client.post(f"/v1/manage/citations/{citation['id']}/move", json={"into": sections[1]["id"]}, headers=ANY)
        parts = [f"/sections/{section['id']}" for section in sections]
        back = restore(client, article, 1, *(reversed(parts) if turned else parts))
        assert back["pages"] == article["pages"]

    def test_what_was_moved_into_a_part_stays_in_it(self, client: TestClient) -> None:
        article = create(client, two_sections())
        first, second = article["pages"][0]["sections"]
        point = first["citations"][0]["key_points"][0]
        there = second["citations"][0]["id"]
        client.post(f"/v1/manage/key-points/{point['id']}/move", json={"into": there}, headers=ANY)
        back = restore(client, article, 1, f"/sections/{second['id']}")
        kept = back["pages"][0]["sections"][1]["citations"][0]["key_points"]
        assert [each["id"] for each in kept] == [second["citations"][0]["key_points"][0]["id"], point["id"]]

    def test_a_part_and_what_stands_in_it_come_back_in_any_order(self, client: TestClient) -> None:
        article = create(client, two_sections())
        second = article["pages"][0]["sections"][1]
        client.delete(f"/v1/manage/sections/{second['id']}", headers=ANY)
        parts = [f"/citations/{second['citations'][0]['id']}", f"/sections/{second['id']}"]
        assert restore(client, article, 1, *parts)["pages"] == article["pages"]

    def test_a_field_of_the_article_comes_back_alone(self, client: TestClient) -> None:
        article = create(client)
        patch(client, at(article), lead="別", introduction="別")
        back = restore(client, article, 1, "/lead")
        assert (back["lead"], back["introduction"]) == (article["lead"], "別")

    def test_every_part_that_cannot_be_restored_is_named_and_nothing_is_stored(self, client: TestClient) -> None:
        article = create(client, two_sections())
        page = article["pages"][1]
        section = page["sections"][0]
        client.delete(f"/v1/manage/pages/{page['id']}", headers=ANY)
        parts = ["/lead", f"/sections/{NOBODY}", f"/sections/{section['id']}", "/slug", "/nothing"]
        answer = client.post(at(article, "/revisions/1/restore"), json={"parts": parts}, headers=ANY)
        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
            ("/parts/1", "part-unknown"),
            ("/parts/2", "parent-gone"),
            ("/parts/3", "part-unknown"),
            ("/parts/4", "part-unknown"),
        ]
        assert client.get(at(article)).json()["version"] == 2

    def test_a_source_that_left_the_ledger_comes_back_with_its_citation(self, client: TestClient) -> None:
        article = create(client)
        section = article["pages"][0]["sections"][0]
        source = section["citations"][0]["source"]
        client.delete(f"/v1/manage/citations/{section['citations'][0]['id']}", headers=ANY)
        assert client.delete(f"/v1/manage/sources/{source['id']}", headers=ANY).status_code == 204
        back = restore(client, article, 1)["pages"][0]["sections"][0]["citations"][0]["source"]
        assert (back["url"], back["title"], back["publisher"]) == (source["url"], source["title"], source["publisher"])
