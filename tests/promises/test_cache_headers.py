"""Caching (section 4): strong ETags, 304 without a body, gzip copies, Vary, CORS, HEAD."""

import gzip
import hashlib

import pytest
from fastapi.testclient import TestClient

from tests.factories import create, published

READS = ["/v1/articles", "/v1/articles/kiku", "/v1/articles/kiku/pages/1", "/v1/articles/kiku/sections", "/v1/site",
         "/v1/articles/kiku.txt", "/v1/articles/kiku/pages/1.txt", "/v1/collections",
         "/v1/collections/kiku", "/v1/articles/kiku.md", "/v1/articles/kiku.html", "/v1/articles/kiku/pages/1.jsonld",
         "/v1/articles/kiku/bibliography", "/feeds/atom.xml", "/feeds/rss.xml?collection=kiku", "/feeds/feed.json",
         "/sitemap.xml"]  # fmt: skip


def library(client: TestClient) -> None:
    """What ``READS`` read."""
    article = published(client, slug="kiku")
    collection = {"slug": "kiku", "title": "菊の季節", "articles": [article["id"]]}
    assert client.post("/v1/manage/collections", json=collection).status_code == 201


class TestReads:
    @pytest.mark.parametrize("path", READS)
    def test_a_read_has_a_strong_etag_and_answers_304_to_it(self, client: TestClient, path: str) -> None:
        library(client)
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["etag"].startswith('"')
        assert "max-age" in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "*"
        for tag in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}', "*"):
            again = client.get(path, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b""), tag
            assert again.headers["etag"] == answer.headers["etag"]
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200

    @pytest.mark.parametrize("path", READS)
    def test_head_answers_as_get_without_a_body(self, client: TestClient, path: str) -> None:
        library(client)
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "content-type", "cache-control", "content-length"):
            assert head.headers.get(name) == got.headers.get(name), name

    @pytest.mark.parametrize("path", ["/v1/articles/kiku", "/v1/articles/kiku/pages/1"])
    def test_the_gzip_copy_is_the_same_bytes_under_its_own_etag(self, client: TestClient, path: str) -> None:
        published(client, slug="kiku")
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        packed = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert plain.headers["etag"] == f'"{hashlib.sha256(plain.content).hexdigest()}"'
        assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as raw:
            assert gzip.decompress(b"".join(raw.iter_raw())) == plain.content
        assert "Accept-Encoding" in plain.headers["vary"]
        for tag in (plain.headers["etag"], packed.headers["etag"]):
            for coding in ("identity", "gzip"):
                answer = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": coding})
                assert answer.status_code == 304

    def test_a_missing_article_is_never_stored_by_caches(self, reader: TestClient) -> None:
        answer = reader.get("/v1/articles/nothing")
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")

    def test_accept_chooses_the_rendition_and_the_suffix_beats_it(self, client: TestClient) -> None:
        published(client, slug="kiku")
        for path, accept, media_type in [
            ("/v1/articles/kiku", "text/plain", "text/plain"),
            ("/v1/articles/kiku", "text/plain;q=0.5, application/json", "application/json"),
            ("/v1/articles/kiku", "image/png, */*;q=0.1", "application/json"),
            ("/v1/articles/kiku.json", "text/plain", "application/json"),
            ("/v1/articles/kiku.txt", "application/json", "text/plain"),
        ]:
            answer = client.get(path, headers={"Accept": accept})
            assert answer.headers["content-type"].startswith(media_type), (path, accept)
        refused = client.get("/v1/articles/kiku", headers={"Accept": "image/png"})
        assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")

    def test_a_draft_shows_nowhere(self, client: TestClient) -> None:
        article = create(client, slug="kiku", external_ids={"cms": "1"})
        for key in (article["id"], "kiku", "ext:cms:1"):
            for suffix in ("", ".txt", "/pages/1", "/sections"):
                assert client.get(f"/v1/articles/{key}{suffix}").status_code == 404
        assert client.get("/v1/articles?count=exact").json() == {
            "items": [],
            "next": None,
            "count": {"value": 0, "relation": "eq"},
        }


class TestCors:
    def test_reading_is_open_to_every_origin_and_exposes_its_headers(self, reader: TestClient) -> None:
        answer = reader.get("/v1/articles", headers={"Origin": "https://front.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert {"ETag", "Link", "Retry-After", "RateLimit"} <= exposed

    def test_manage_addresses_are_closed_to_foreign_origins(self, reader: TestClient) -> None:
        answer = reader.get("/v1/manage/articles", headers={"Origin": "https://front.example"})
        assert "access-control-allow-origin" not in answer.headers
