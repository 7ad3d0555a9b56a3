"""Checks over HTTP: in the client's language, by the site's rules, overridden with a reason."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.articles import site
from app.articles.document import Site
from app.database import Database
from tests.conftest import SHARED
from tests.factories import a_document, a_section, create, publish

ANY = {"If-Match": "*"}
JA = {"Accept-Language": "ja"}
WHY = "速報のため、答えはあとで書きます。"


def unanswered(client: TestClient) -> str:
    """The address of a draft that fails one check."""
    article = create(client, pages=[{"sections": [a_section(answer=None)]}])
    return f"/v1/manage/articles/{article['id']}"


def rule(client: TestClient, **checks: str) -> Any:
    rules = {code.replace("_", "-"): severity for code, severity in checks.items()}
    return client.put("/v1/manage/site", json={"checks": rules}, headers=ANY)


def codes(problems: list[dict[str, str]]) -> dict[str, str]:
    return {problem["code"]: problem["severity"] for problem in problems}


class TestLanguages:
    @pytest.mark.parametrize(("accepted", "language"), [(None, "en"), ("ja-JP,ja;q=0.9,en;q=0.8", "ja")])
    def test_findings_are_told_in_the_one_liked_best(
        self, client: TestClient, accepted: str | None, language: str
    ) -> None:
        at = unanswered(client)
        answer = client.get(f"{at}/checks", headers={} if accepted is None else {"Accept-Language": accepted})
        (said,) = [one["detail"] for one in answer.json()["problems"] if one["code"] == "answer-missing"]
        assert (answer.headers["content-language"], said.isascii()) == (language, language == "en")
        assert "Accept-Language" in answer.headers["vary"]

    def test_wherever_they_are_told(self, client: TestClient) -> None:
        at = unanswered(client)
        plan = {"publish_at": "2030-01-01T00:00:00Z"}
        for answer in (
            client.post(f"{at}/publish", headers=ANY | JA),
            client.put(f"{at}/schedule", json=plan, headers=ANY | JA),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "checks-failed")
            assert answer.headers["content-language"] == "ja"
            said = [answer.json()["detail"], *(one["detail"] for one in answer.json()["errors"])]
            assert said == ["この記事は公開前のチェックを通っていません。", "セクションの問いに答えがありません。"]
        rule(client, answer_missing="warning")
        answer = client.post(f"{at}/publish", headers=ANY | JA)
        assert answer.headers["content-language"] == "ja"
        assert "セクションの問いに答えがありません。" in [one["detail"] for one in answer.json()["warnings"]]

    def test_an_import_that_fails_them_says_so_in_it_too(self, client: TestClient) -> None:
        page = "菊\n\n会場\n\n千輪咲き\n\n✅ 咲いた。\n\nさらに読む ⇒菊新聞出典/画像元: https://news.example.jp/1\n\n本文です。"
        rule(client, takeaways_count="error")
        at = "/v1/manage/imports"
        sent = {"content": page.encode(), "params": {"publish": "true"}}
        answer = client.post(at, headers=JA | {"Content-Type": "text/plain"}, **sent)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["content-language"]) == (422, "ja")
        rule(client, takeaways_count="warning")
        assert client.post(at, headers={"Content-Type": "text/plain"}, **sent).status_code == 201  # type: ignore[arg-type]


class TestSiteRules:
    def test_a_check_is_raised_lowered_or_silenced(self, client: TestClient) -> None:
        at = unanswered(client)
        assert codes(client.get(f"{at}/checks").json()["problems"]) == {
            "date-missing": "warning",
            "answer-missing": "error",
        }
        rule(client, date_missing="error", answer_missing="warning")
        raised = client.get(f"{at}/checks").json()
        assert codes(raised["problems"]) == {"date-missing": "error", "answer-missing": "warning"}
        assert raised["publishable"] is False
        rule(client, date_missing="off", answer_missing="off")
        assert client.get(f"{at}/checks").json() == {"publishable": True, "problems": []}

    def test_a_rule_for_a_check_nobody_knows_is_refused_with_its_name(self, client: TestClient) -> None:
        answer = rule(client, date_mising="off", title_long="off")
        assert (answer.status_code, answer.json()["code"]) == (422, "validation")
        assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
            ("check-unknown", "/checks/date-mising")
        ]
        assert client.get("/v1/manage/site").json()["checks"] == {}

    def test_one_that_is_stored_from_before_stays_and_can_be_sent_back(
        self, client: TestClient, database: Database
    ) -> None:
        with database.writing() as writer:
            site.save(writer, Site(checks={"of-old": "off"}), None)
        stored = client.get("/v1/manage/site").json()
        assert stored["checks"] == {"of-old": "off"}
        changed = client.put("/v1/manage/site", json=stored | {"name": "菊"}, headers=ANY)
        assert (changed.status_code, changed.json()["checks"]) == (200, {"of-old": "off"})
        assert client.get(f"{unanswered(client)}/checks").status_code == 200


class TestOverriding:
    def test_a_reason_publishes_in_spite_of_errors_and_is_kept(self, client: TestClient) -> None:
        at = unanswered(client)
        answer = client.post(f"{at}/publish", json={"override_reason": WHY}, headers=ANY)
        assert answer.status_code == 200
        assert codes(answer.json()["warnings"])["answer-missing"] == "error"
        assert client.get(f"/v1/articles/{answer.json()['id']}").status_code == 200
        done = client.get("/v1/manage/audit", params={"object_id": answer.json()["id"]}).json()["items"]
        kept = ["action", "object_kind", "version_before", "version_after", "reason"]
        assert [[entry[name] for name in kept] for entry in done[:2]] == [
            ["article.published", "article", None, 1, WHY],
            ["article.checks-overridden", "article", 1, 1, WHY],
        ]

    def test_it_is_not_recorded_where_nothing_was_overridden_or_published(self, client: TestClient) -> None:
        at = unanswered(client)
        body = {"override_reason": WHY}
        headers = ANY | {"Idempotency-Key": "once"}
        client.post(f"{at}/publish", params={"dry_run": "true"}, json=body, headers=ANY)
        first = client.post(f"{at}/publish", json=body, headers=headers)
        again = client.post(f"{at}/publish", json=body, headers=headers)
        assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
        assert client.post(f"{at}/publish", json=body, headers=ANY).json()["changed"] is False
        sound = create(client)
        client.post(f"/v1/manage/articles/{sound['id']}/publish", json=body, headers=ANY)
        overridden = client.get("/v1/manage/audit", params={"action": "article.checks-overridden"}).json()["items"]
        assert [entry["object_id"] for entry in overridden] == [first.json()["id"]]

    @pytest.mark.parametrize("reason", ["", " \u3000\n", "菊" * 501, "a\u0000", "\u202e菊", 1])
    def test_one_that_says_nothing_or_what_no_text_may_is_refused(self, client: TestClient, reason: object) -> None:
        at = unanswered(client)
        answer = client.post(f"{at}/publish", json={"override_reason": reason}, headers=ANY)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/override_reason"

    def test_no_reason_is_needed_and_a_plan_takes_none(self, client: TestClient) -> None:
        at = unanswered(client)
        for body in ({}, {"override_reason": None}):
            answer = client.post(f"{at}/publish", json=body, headers=ANY)
            assert (answer.status_code, answer.json()["code"]) == (422, "checks-failed")
        plan = {"publish_at": "2030-01-01T00:00:00Z", "override_reason": WHY}
        refused = client.put(f"{at}/schedule", json=plan, headers=ANY)
        assert [one["code"] for one in refused.json()["errors"]] == ["unknown-field"]


class TestGuessedPublishers:
    def test_the_warning_stands_until_the_ledger_knows_more_than_the_name(self, client: TestClient) -> None:
        source = {"url": "https://news.example.jp/1", "published_on": "2024", "publisher": {"name": "菊新聞"}}
        card = {"source": source, "publisher_text": "菊新聞 園芸ニュース", "key_points": [{"text": "咲いた。"}]}
        article = create(client, a_document(pages=[{"sections": [a_section(citations=[card])]}]))
        at = f"/v1/manage/articles/{article['id']}/checks"
        assert [(one["code"], one["pointer"]) for one in client.get(at).json()["problems"]] == [
            ("publisher-guessed", "/pages/0/sections/0/citations/0/publisher_text")
        ]
        assert codes(publish(client, article["id"])["warnings"]) == {"publisher-guessed": "warning"}
        id = article["pages"][0]["sections"][0]["citations"][0]["source"]["publisher"]["id"]
        patch = {"hosts": ["news.example.jp"]}
        merge = ANY | {"Content-Type": "application/merge-patch+json"}
        assert client.patch(f"/v1/manage/publishers/{id}", json=patch, headers=merge).status_code == 200
        assert client.get(at).json()["problems"] == []

    @pytest.mark.parametrize("path", sorted((SHARED / "seed").glob("*.txt")), ids=lambda path: path.stem)
    def test_an_imported_page_is_told_of_them(self, client: TestClient, path: Any) -> None:
        sent = client.post(
            "/v1/manage/imports",
            params={"publish": "true"},
            content=path.read_bytes(),
            headers={"Content-Type": "text/plain"},
        )
        (item,) = sent.json()["items"]
        found = client.get(f"/v1/manage/articles/{item['article_id']}/checks").json()
        guessed = [one["pointer"] for one in found["problems"] if one["code"] == "publisher-guessed"]
        assert guessed == [one["pointer"] for one in item["warnings"]]
        assert found["publishable"] is True
        assert len(found["problems"]) == len(guessed) + 3
