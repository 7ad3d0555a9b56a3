"""Renditions over HTTP: chosen by suffix or Accept, cached by snapshot and site, the same at every address."""

import json
from itertools import product
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.formats import markdown_reading
from tests.factories import a_section, create, publish, published

ANY = {"If-Match": "*"}
TYPES = {
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jsonld": "application/ld+json",
}
FORMATS = {
    "csl": "application/vnd.citationstyles.csl+json",
    "bibtex": "application/x-bibtex; charset=utf-8",
    "ris": "application/x-research-info-systems; charset=utf-8",
}
PAGES: list[Any] = [{"sections": [a_section()]}, {"sections": [a_section()], "teaser": "次は"}]


@pytest.fixture
def article(client: TestClient) -> dict[str, Any]:
    return published(client, slug="菊", external_ids={"cms": "1"}, pages=PAGES)


class TestChoice:
    def test_suffix_and_accept_lead_to_the_same(self, client: TestClient, article: dict[str, Any]) -> None:
        keys = (article["id"], "菊", "ext:cms:1")
        for (rendition, media_type), path in product(TYPES.items(), ("", "/pages/1", "/pages/2")):
            answers = [client.get(f"/v1/articles/{key}{path}.{rendition}") for key in keys]
            accept = {"Accept": f"{media_type}, application/json;q=0.9"}
            answers.append(client.get(f"/v1/articles/菊{path}", headers=accept))
            for answer in answers:
                assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
                assert answer.headers["vary"] == "Accept, Accept-Encoding"
                assert answer.headers["surrogate-key"] == f"article-{article['id']} site"
                assert (answer.content, answer.headers["etag"]) == (answers[0].content, answers[0].headers["etag"])

    def test_a_browser_gets_html_and_a_client_that_takes_anything_json(
        self, client: TestClient, article: dict[str, Any]
    ) -> None:
        browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
        at = f"/v1/articles/{article['id']}"
        assert client.get(at, headers={"Accept": browser}).headers["content-type"] == TYPES["html"]
        for accept in ("*/*", "application/*", "application/json"):
            assert client.get(at, headers={"Accept": accept}).headers["content-type"] == "application/json"

    def test_accept_may_stand_in_several_lines(self, client: TestClient, article: dict[str, Any]) -> None:
        lines = [("Accept", "application/json;q=0.5"), ("Accept", "text/markdown")]
        for at in (f"/v1/articles/{article['id']}", "/v1/articles/菊/pages/1"):
            assert client.get(at, headers=lines).headers["content-type"] == TYPES["md"]
        bibliography = [("Accept", "application/json;q=0.5"), ("Accept", FORMATS["ris"].partition(";")[0])]
        answer = client.get(f"/v1/articles/{article['id']}/bibliography", headers=bibliography)
        assert answer.headers["content-type"] == FORMATS["ris"]

    def test_an_old_slug_leads_to_the_same_of_the_new_one(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/manage/articles/{article['id']}"
        client.put(at, json=article | {"slug": "kiku"}, headers=ANY)
        client.post(f"{at}/publish", headers=ANY)
        suffixes = (".md", ".html", ".jsonld", "/pages/1.md", "/pages/2.html", "/bibliography?format=ris")
        for suffix in suffixes:
            moved = client.get(f"/v1/articles/菊{suffix}")
            assert (moved.status_code, moved.headers["location"]) == (308, f"/v1/articles/kiku{suffix}")
            assert client.get(moved.headers["location"]).status_code == 200

    def test_what_is_not_public_is_not_there(self, client: TestClient, article: dict[str, Any]) -> None:
        draft = create(client, slug="draft")
        for suffix in (".md", ".html", ".jsonld", "/pages/1.md", "/bibliography"):
            for key in (draft["id"], "draft", "nothing"):
                missing = client.get(f"/v1/articles/{key}{suffix}")
                assert (missing.status_code, missing.json()["code"]) == (404, "article-unknown")
        missing = client.get(f"/v1/articles/{article['id']}/pages/3.html")
        assert (missing.status_code, missing.json()["code"]) == (404, "page-unknown")


class TestCaching:
    def test_a_copy_is_good_until_the_snapshot_or_the_site_changes(
        self, client: TestClient, article: dict[str, Any]
    ) -> None:
        paths = [*(f".{name}" for name in TYPES), "/pages/1.html", "/bibliography"]
        at, seen = f"/v1/articles/{article['id']}", set()
        steps: list[Any] = [
            lambda: client.put("/v1/manage/site", json={"name": "菊"}, headers=ANY),
            lambda: client.put(f"/v1/manage/articles/{article['id']}", json=article | {"lead": "別"}, headers=ANY),
            lambda: client.post(f"/v1/manage/articles/{article['id']}/publish", headers=ANY),
        ]
        for changes in (True, True, False, True):
            for path in paths:
                answer = client.get(at + path)
                assert (answer.headers["etag"] not in seen) is changes
                seen.add(answer.headers["etag"])
                again = client.get(at + path, headers={"If-None-Match": answer.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")
                for name in ("etag", "cache-control", "vary", "surrogate-key"):
                    assert again.headers[name] == answer.headers[name]
            if steps:
                assert steps.pop(0)().status_code == 200

    def test_no_two_renditions_share_a_tag(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/articles/{article['id']}"
        paths = [f"{at}{page}.{name}" for page in ("", "/pages/1", "/pages/2") for name in ("json", *TYPES)]
        paths += [f"{at}/bibliography?format={format}" for format in FORMATS]
        tags = [client.get(path).headers["etag"] for path in paths]
        assert len(tags) == len(set(tags))


class TestMarkdown:
    def test_what_is_published_is_read_back_from_its_file(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/articles/{article['id']}"
        public = client.get(at).json()
        document = markdown_reading.read(client.get(f"{at}.md").text).model_dump()
        assert document == {name: value for name, value in public.items() if name not in {"published_at", "revised_at"}}

    def test_put_back_as_it_was_read_it_changes_nothing(self, client: TestClient, article: dict[str, Any]) -> None:
        document = markdown_reading.read(client.get(f"/v1/articles/{article['id']}.md").text)
        at = f"/v1/manage/articles/{article['id']}"
        before = client.get(at)
        after = client.put(at, json=document.model_dump(), headers=ANY)
        assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


class TestBibliography:
    def test_the_format_is_chosen_by_parameter_or_accept(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/articles/{article['id']}/bibliography"
        for format, media_type in FORMATS.items():
            chosen = client.get(at, params={"format": format}, headers={"Accept": "image/png"})
            accepted = client.get(at, headers={"Accept": media_type.partition(";")[0]})
            for answer in (chosen, accepted):
                assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
                assert answer.headers["surrogate-key"] == f"article-{article['id']} site"
            assert chosen.content == accepted.content
        for accept in ("*/*", "application/json", ""):
            assert client.get(at, headers={"Accept": accept}).headers["content-type"] == FORMATS["csl"]
        refused = client.get(at, headers={"Accept": "image/png"})
        assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")
        for query in ("format=pdf", "format=csl&format=ris", "style=apa"):
            assert client.get(f"{at}?{query}").status_code == 400

    def test_it_lists_what_readers_see_now(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/articles/{article['id']}/bibliography"
        sources = [section["citations"][0]["source"] for page in article["pages"] for section in page["sections"]]
        assert [item["id"] for item in client.get(at).json()] == [f"source-{source['id']}" for source in sources]
        client.patch(
            f"/v1/manage/sources/{sources[0]['id']}",
            content=json.dumps({"title": "改題", "published_on": "2024-11"}),
            headers={**ANY, "Content-Type": "application/merge-patch+json"},
        )
        first = client.get(at).json()[0]
        assert (first["title"], first["issued"]) == ("改題", {"date-parts": [[2024, 11]]})

    def test_an_article_that_cites_nothing_has_an_empty_one(self, client: TestClient) -> None:
        draft = create(client, pages=[{"sections": [a_section(citations=[])]}])
        publish(client, draft["id"])
        at = f"/v1/articles/{draft['id']}/bibliography"
        assert [client.get(at, params={"format": format}).text for format in FORMATS] == ["[]", "", ""]
