"""Digest pages over the API: every line accounted for, written back, refused with reasons, known again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.transfer import PAGE
from app.articles.fields import NAME_CHARACTERS
from tests.conftest import SHARED
from tests.factories import publish

EXAMPLE = Path(__file__).parents[2] / "examples" / "digest-page.txt"
PAGES = [path for path in (EXAMPLE, SHARED / "seed" / "digest-page.txt") if path.exists()]
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\ufeff", "").splitlines() if line.strip()]


def import_page(client: TestClient, text: str | bytes, query: str = "", **headers: str) -> Any:
    return client.post(f"/v1/manage/imports{query}", content=text, headers=TEXT | headers)


def at(pointer: str, document: Any) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
class TestAPage:
    def test_every_line_has_a_field_and_page_one_is_written_back_line_by_line(
        self, client: TestClient, path: Path
    ) -> None:
        page = path.read_text("utf-8")
        answer = import_page(client, page, "?publish=true")
        assert answer.status_code == 201, answer.text
        item = answer.json()["items"][0]
        numbered = {number for number, line in enumerate(page.splitlines(), 1) if line.strip()}
        assert {line["number"] for line in item["lines"]} == numbered
        assert (item["unmatched"], item["created"], item["pages"]) == ([], True, 1)
        written = client.get(f"/v1/articles/{item['slug']}/pages/1.txt").text
        assert lines(written) == lines(page)
        assert lines(client.get(f"/v1/articles/{item['article_id']}.txt").text) == lines(page)

    def test_the_field_at_each_pointer_holds_its_line(self, client: TestClient, path: Path) -> None:
        page = path.read_text("utf-8")
        item = import_page(client, page).json()["items"][0]
        document = client.get(f"/v1/manage/articles/{item['article_id']}").json()
        site = client.get("/v1/site").json()
        printed = dict(enumerate(page.splitlines(), 1))
        for line in item["lines"]:
            pointer, text = line["pointer"], printed[line["number"]].strip()
            if pointer.startswith("/labels/"):
                name = pointer.removeprefix("/labels/")
                assert document["labels"].get(name, site["labels"][name]).strip() == text
            elif pointer.endswith("published_on"):
                assert at(pointer, document).replace("-", "") in "".join(filter(str.isdigit, text))
            else:
                held = at(pointer, document)
                assert held
                assert any(part in text or text in part for part in texts(held)), pointer

    def test_the_next_page_is_announced_by_the_last_line(self, client: TestClient, path: Path) -> None:
        page = path.read_text("utf-8")
        slug = import_page(client, page, "?publish=true").json()["items"][0]["slug"]
        read = client.get(f"/v1/articles/{slug}/pages/1").json()
        assert (read["next"]["teaser"], read["next"]["href"]) == (lines(page)[-1], None)
        assert client.get(f"/v1/articles/{slug}/pages/2").status_code == 404

    def test_the_same_lines_again_answer_the_same_article_and_keep_its_edits(
        self, client: TestClient, path: Path
    ) -> None:
        page = path.read_text("utf-8")
        first = import_page(client, page).json()["items"][0]
        at_article = f"/v1/manage/articles/{first['article_id']}"
        edited = client.get(at_article).json() | {"lead": "編集部が書き直した前文。"}
        client.put(at_article, json=edited, headers={"If-Match": "*"})
        dressed = "\ufeff" + "\r\n\r\n\u3000".join(page.splitlines()) + " \r\n"
        again = import_page(client, dressed, "?publish=true")
        item = again.json()["items"][0]
        assert (again.status_code, item["created"], item["article_id"]) == (200, False, first["article_id"])
        assert item["lines"] == first["lines"]
        assert client.get(at_article).json()["lead"] == "編集部が書き直した前文。"

    def test_the_text_of_the_published_article_imports_as_the_same_document(
        self, client: TestClient, path: Path
    ) -> None:
        item = import_page(client, path.read_text("utf-8"), "?publish=true").json()["items"][0]
        before = client.get(f"/v1/manage/articles/{item['article_id']}").json()
        written = client.get(f"/v1/articles/{item['slug']}.txt").text
        known = import_page(client, written).json()["items"][0]
        assert known["article_id"] == before["id"]
        headers = {"If-Match": "*"}
        client.delete(f"/v1/manage/articles/{before['id']}", headers=headers)
        client.delete(f"/v1/manage/articles/{before['id']}?purge=true", headers=headers)
        again = import_page(client, written).json()["items"][0]
        after = client.get(f"/v1/manage/articles/{again['article_id']}").json()
        assert without_ids(after) == without_ids(before)


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        own = {"id", "anchor", "status", "has_unpublished_changes", "published_at", "updated_at", "created_at"}
        return {name: without_ids(item) for name, item in value.items() if name not in own}
    return [without_ids(item) for item in value] if isinstance(value, list) else value


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "headers", "status", "code"),
        [
            (b"", {}, 422, "not-a-digest-page"),
            (b" \r\n\xe3\x80\x80\n", {}, 422, "not-a-digest-page"),
            ("これは普通の文章です。".encode(), {}, 422, "not-a-digest-page"),
            (bytes(range(256)), {}, 400, "encoding-invalid"),
            (b"\x00\x01\x02", {}, 422, None),
            ("菊の話".encode("shift_jis"), {}, 400, "encoding-invalid"),
            ("菊".encode(), {"Content-Type": "text/plain; charset=klingon"}, 400, "encoding-invalid"),
            (b"a" * 10_000_000, {}, 422, "not-a-digest-page"),
            (b"{}", {"Content-Type": "application/octet-stream"}, 415, "unsupported-media-type"),
        ],
    )
    def test_what_is_no_digest_page_is_refused_and_nothing_is_stored(
        self, client: TestClient, body: bytes, headers: dict[str, str], status: int, code: str | None
    ) -> None:
        answer = import_page(client, body, "?publish=true", **headers)
        assert answer.status_code == status, answer.text[:500]
        assert code in {None, answer.json()["code"]}
        assert client.get("/v1/manage/articles").json()["items"] == []

    def test_a_page_that_fails_the_checks_is_not_stored_when_it_should_be_published(self, client: TestClient) -> None:
        page = "題\n前文です。\n見出し\n問い?\n記事\n✅ 点\nさらに読む ⇒菊新聞出典/画像元: https://example.jp/1\n本文です。"
        site = {"name": "菊", "checks": {"answer-missing": "error"}}
        client.put("/v1/manage/site", json=site, headers={"If-Match": "*"})
        answer = import_page(client, page, "?publish=true")
        assert (answer.status_code, answer.json()["code"]) == (422, "checks-failed")
        assert client.get("/v1/manage/articles").json()["items"] == []
        assert import_page(client, page).status_code == 201

    def test_a_long_line_is_named_with_its_field(self, client: TestClient) -> None:
        page = EXAMPLE.read_text("utf-8").splitlines()
        page[2] = "菊" * 3000
        answer = import_page(client, "\n".join(page))
        assert answer.status_code == 422
        assert any(error["pointer"] == "/title" for error in answer.json()["errors"])


class TestFurtherPages:
    def test_an_announced_page_is_filled_from_the_text_of_its_own(self, client: TestClient) -> None:
        item = import_page(client, EXAMPLE.read_text("utf-8"), "?publish=true").json()["items"][0]
        text = (
            "家で育てる菊\n最初の一鉢は?\n小菊\nでは、鉢を選びましょう。\n小菊の育て方\n小菊の育て方\n"
            "✅ 日当たりのよい場所に置く。\nさらに読む ⇒園芸通信出典/画像元: https://garden.example.jp/small\n"
            "小菊は丈夫です。\n水は朝に与えます。\n楽しみですね。"
        )
        answer = import_page(client, text, f"?into={item['article_id']}&page=2")
        assert answer.status_code == 200, answer.text
        filled = answer.json()["items"][0]
        assert filled["unmatched"] == []
        assert filled["lines"][0]["pointer"] == "/pages/1/sections/0/heading"
        publish(client, item["article_id"])
        page = client.get(f"/v1/articles/{item['slug']}/pages/2")
        assert page.json()["sections"][0]["question"] == "最初の一鉢は?"
        assert client.get(f"/v1/articles/{item['slug']}/pages/1").json()["next"]["href"].endswith("/pages/2")
        again = import_page(client, text, f"?into={item['article_id']}&page=2")
        assert (again.status_code, again.json()["items"][0]["created"]) == (200, False)
        other = import_page(client, text.replace("小菊", "大菊"), f"?into={item['article_id']}&page=2")
        assert (other.status_code, other.json()["code"]) == (409, "page-filled")
        assert import_page(client, text, f"?into={item['article_id']}&page=9").status_code == 404
        assert import_page(client, text, f"?into={item['article_id']}").status_code == 400

    def test_what_belongs_to_the_head_of_an_article_is_told_as_unmatched(self, client: TestClient) -> None:
        item = import_page(client, EXAMPLE.read_text("utf-8")).json()["items"][0]
        page = "菊の話\n前文です。\n菊の話\n要点\n💡 一つ目です。\n💡 二つ目です。\n小菊の園\n小菊の報\n✅ 点です。\n"
        page += "さらに読む ⇒園芸社出典/画像元: https://garden.example.jp/x\n本文です。"
        answer = import_page(client, page, f"?into={item['article_id']}&page=2&publish=true")
        assert answer.status_code == 200, answer.text
        told = answer.json()["items"][0]
        assert {"number": 5, "text": "💡 一つ目です。"} in told["unmatched"]
        assert all(line["pointer"].startswith("/pages/1/") for line in told["lines"])
        assert client.get(f"/v1/articles/{item['slug']}/pages/2").status_code == 200


class TestKnownPages:
    def test_one_that_nobody_touched_is_published_when_asked_for(self, client: TestClient) -> None:
        page = EXAMPLE.read_text("utf-8")
        item = import_page(client, page).json()["items"][0]
        assert client.get(f"/v1/articles/{item['slug']}").status_code == 404
        again = import_page(client, page, "?publish=true")
        assert (again.status_code, again.json()["items"][0]["created"]) == (200, False)
        assert client.get(f"/v1/articles/{item['slug']}").status_code == 200

    def test_a_page_of_too_many_lines_is_refused(self, client: TestClient) -> None:
        answer = import_page(client, "https://example.jp/\n" * 30_000)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too-many-lines")


class TestPublishers:
    @pytest.mark.parametrize("printed", ["菊" * 600, "㈱" * 400])
    def test_of_a_text_that_is_too_long_for_a_name_the_beginning_is_one(self, client: TestClient, printed: str) -> None:
        page = PAGE.replace("菊新聞", printed)
        assert page != PAGE
        item = import_page(client, page).json()["items"][0]
        assert [warning["code"] for warning in item["warnings"]] == ["publisher-guessed"]
        (publisher,) = client.get("/v1/manage/publishers").json()["items"]
        assert len(publisher["name"]) == NAME_CHARACTERS
