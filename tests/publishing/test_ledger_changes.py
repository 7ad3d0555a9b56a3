"""The ledger over HTTP (sections 2, 3, 5): made, changed, merged, removed, and what of it readers see."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import worker
from app.database import Database
from app.publishing import ledger
from app.sync import jobs
from app.sync.changes import changes
from app.sync.jobs import LEASE_SECONDS
from tests.conftest import Clock, a_key
from tests.factories import a_citation, a_section, create, publish, published

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
ANY = {"If-Match": "*"}
MANAGE = "/v1/manage"

Article = dict[str, Any]


def citing(client: TestClient, *citations: dict[str, Any], **changes: Any) -> Article:
    return published(client, pages=[{"sections": [a_section(citations=list(citations))]}], **changes)


def source_of(article: Article, at: int = 0) -> dict[str, Any]:
    source: dict[str, Any] = article["pages"][0]["sections"][0]["citations"][at]["source"]
    return source


def public(client: TestClient, article: Article) -> Article:
    read: Article = client.get(f"/v1/articles/{article['id']}").json()
    return read


def patch(client: TestClient, path: str, change: dict[str, Any], if_match: str = "*") -> Any:
    return client.patch(f"{MANAGE}/{path}", content=json.dumps(change), headers=MERGE_PATCH | {"If-Match": if_match})


def merge(client: TestClient, path: str, into: str, if_match: str = "*") -> Any:
    return client.post(f"{MANAGE}/{path}/merge", json={"into": into}, headers={"If-Match": if_match})


def numbers(database: Database) -> dict[str, int]:
    with database.reading() as reader:
        return {row["article_id"]: row["number"] for row in reader.rows(select(changes))}


@pytest.fixture
def writer(app: Any, database: Database) -> Iterator[TestClient]:
    """A client whose key may change working copies and nothing that is public."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers["Authorization"] = f"Bearer {a_key(database, 'write')}"
        yield client


class TestAChangedSource:
    def test_every_published_article_that_cites_it_shows_it_at_once_everywhere(self, client: TestClient) -> None:
        card = a_citation()
        citing_it = [citing(client, card), citing(client, a_citation(), card)]
        other = citing(client, a_citation())
        untouched = client.get(f"/v1/articles/{other['id']}").content
        id = source_of(citing_it[0])["id"]
        answer = patch(client, f"sources/{id}", {"title": "直した題", "publisher": {"id": None, "name": "別の新聞"}})
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        for at, article in enumerate(citing_it):
            here = f"/v1/articles/{article['id']}"
            shown = [
                source_of(client.get(here).json(), at),
                source_of({"pages": [client.get(f"{here}/pages/1").json()]}, at),
            ]
            shown += [
                item["sources"][at] for item in client.get(f"/v1/questions?article={article['id']}").json()["items"]
            ]
            points = client.get(f"/v1/key-points?article={article['id']}&source={id}").json()["items"]
            cited = client.get(f"/v1/sources/{id}/citations?article={article['id']}").json()["items"]
            shown += [item["source"] for item in (*points, *cited)]
            assert len(shown) == 5
            assert {source["title"] for source in shown} == {"直した題"}
            assert "別の新聞" in [publisher["name"] for publisher in points[0]["article"]["publishers"]]
        assert client.get(f"/v1/articles/{other['id']}").content == untouched
        assert client.get(f"/v1/sources/{id}").json()["title"] == "直した題"

    def test_what_readers_see_is_what_publishing_again_would_show(self, client: TestClient) -> None:
        article = citing(client, a_citation())
        patch(client, f"sources/{source_of(article)['id']}", {"published_on": "2024-11", "authors": ["菊子"]})
        again = publish(client, article["id"])
        assert again["changed"] is False
        assert source_of(public(client, article))["authors"] == ["菊子"]

    def test_no_working_copy_gets_a_new_version_and_nothing_of_one_goes_public(self, client: TestClient) -> None:
        article = citing(client, a_citation())
        edited = client.get(f"{MANAGE}/articles/{article['id']}").json() | {"lead": "まだ秘密"}
        edited = client.put(f"{MANAGE}/articles/{article['id']}", json=edited, headers=ANY).json()
        draft = create(client, pages=[{"sections": [a_section(citations=[{"source": source_of(article)}])]}])
        patch(client, f"sources/{source_of(article)['id']}", {"title": "直した題"})
        now = client.get(f"{MANAGE}/articles/{article['id']}").json()
        assert (now["version"], source_of(now)["title"]) == (edited["version"], "直した題")
        assert now["has_unpublished_changes"] is True
        assert public(client, article)["lead"] == article["lead"]
        assert client.get(f"{MANAGE}/articles/{draft['id']}").json()["version"] == draft["version"]
        assert client.get(f"/v1/articles/{draft['id']}").status_code == 404

    def test_each_changed_article_gets_one_number_and_the_others_keep_theirs(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        card = a_citation()
        first, second, other = citing(client, card), citing(client, card), citing(client, a_citation())
        before = numbers(database)
        seen = client.get(f"/v1/articles/{first['id']}")
        clock.advance(hours=1)
        patch(client, f"sources/{source_of(first)['id']}", {"title": "直した題"})
        after = numbers(database)
        assert sorted(after[id] for id in (first["id"], second["id"])) == [4, 5]
        assert after[other["id"]] == before[other["id"]]
        now = client.get(f"/v1/articles/{first['id']}", headers={"If-None-Match": seen.headers["etag"]})
        assert now.status_code == 200
        assert now.json()["published_at"] == seen.json()["published_at"]
        assert now.json()["revised_at"] > seen.json()["revised_at"]

    def test_what_no_article_prints_changes_no_article(self, client: TestClient, database: Database) -> None:
        article = citing(client, a_citation())
        before, seen = numbers(database), client.get(f"/v1/articles/{article['id']}").content
        note = {"note": "要確認", "archive_urls": [{"url": "https://web.archive.org/1"}]}
        answer = patch(client, f"sources/{source_of(article)['id']}", note)
        assert answer.json()["note"] == "要確認"
        assert numbers(database) == before
        assert client.get(f"/v1/articles/{article['id']}").content == seen
        assert client.get(f"/v1/sources/{source_of(article)['id']}").json()["note"] == "要確認"


class TestAnEntryByItself:
    def test_an_answer_can_be_sent_back_whole_and_then_nothing_changes(self, client: TestClient) -> None:
        article = citing(client, a_citation())
        publisher = source_of(article)["publisher"]["id"]
        for path in (f"sources/{source_of(article)['id']}", f"publishers/{publisher}", "tags/菊"):
            read = client.get(f"{MANAGE}/{path}")
            back = client.put(f"{MANAGE}/{path}", json=read.json(), headers={"If-Match": read.headers["etag"]})
            assert (back.status_code, back.json()) == (200, read.json())
            assert back.headers["etag"] == read.headers["etag"]

    @pytest.mark.parametrize("kind", ["sources", "publishers", "tags"])
    def test_a_write_needs_the_version_it_changes(self, client: TestClient, kind: str) -> None:
        article = citing(client, a_citation())
        source = source_of(article)
        key = {"sources": source["id"], "publishers": source["publisher"]["id"], "tags": "菊"}[kind]
        at = f"{MANAGE}/{kind}/{key}"
        read = client.get(at).json()
        for method, path, body in (("PUT", at, read), ("DELETE", at, None), ("POST", f"{at}/merge", {"into": key})):
            assert client.request(method, path, json=body).status_code == 428
            stale = client.request(method, path, json=body, headers={"If-Match": '"7"'})
            assert (stale.status_code, stale.json()["code"], stale.headers["etag"]) == (412, "draft-stale", '"1"')
        assert client.get(at).json() == read

    def test_what_the_server_decides_cannot_be_sent(self, client: TestClient) -> None:
        id = source_of(citing(client, a_citation()))["id"]
        change = {"version": 9, "id": "01a20952-730d-73de-8611-1d33b4d4b762", "canonical_url": "https://x.jp"}
        answer = patch(client, f"sources/{id}", change)
        assert answer.status_code == 422
        assert {(e["pointer"], e["code"]) for e in answer.json()["errors"]} == {
            ("/version", "read-only"), ("/id", "read-only"), ("/canonical_url", "read-only"),
        }  # fmt: skip

    def test_a_source_is_found_by_any_form_of_its_url_also_after_a_merge(self, client: TestClient) -> None:
        first, second = (
            client.post(f"{MANAGE}/sources", json={"url": f"https://news.example.jp/{name}", "title": name}).json()
            for name in ("a", "b")
        )
        forms = ("http://NEWS.example.jp:80/a/?utm_source=x#top", "https://news.example.jp/a")
        for form in forms:
            found = client.get(f"{MANAGE}/sources", params={"url": form}).json()["items"]
            assert [item["id"] for item in found] == [first["id"]]
        assert merge(client, f"sources/{first['id']}", second["id"]).json()["id"] == second["id"]
        for form in forms:
            found = client.get(f"{MANAGE}/sources", params={"url": form, "count": "exact"}).json()
            assert ([item["id"] for item in found["items"]], found["count"]["value"]) == ([second["id"]], 1)

    def test_a_second_source_of_one_url_is_refused(self, client: TestClient) -> None:
        body = {"url": "https://news.example.jp/a"}
        assert client.post(f"{MANAGE}/sources", json=body).status_code == 201
        again = client.post(f"{MANAGE}/sources", json={"url": "http://news.example.jp/a/"})
        assert (again.status_code, again.json()["code"]) == (409, "source-url-taken")
        other = client.post(f"{MANAGE}/sources", json={"url": "https://news.example.jp/b"}).json()
        moved = patch(client, f"sources/{other['id']}", {"url": "https://news.example.jp/a#x"})
        assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (409, "/url")

    def test_a_publisher_is_found_by_name_alias_and_host_and_no_two_share_one(self, client: TestClient) -> None:
        body = {"name": "菊新聞", "aliases": ["ｷｸ新聞"], "hosts": ["KIKU.example.jp"], "country": "JP"}
        made = client.post(f"{MANAGE}/publishers", json=body)
        assert (made.status_code, made.json()["hosts"]) == (201, ["kiku.example.jp"])
        for name in ("菊新聞", "キク新聞"):
            found = client.get(f"{MANAGE}/publishers", params={"name": name}).json()["items"]
            assert [item["id"] for item in found] == [made.json()["id"]]
        source = client.post(f"{MANAGE}/sources", json={"url": "https://kiku.example.jp/1"}).json()
        assert source["publisher"] == {"id": made.json()["id"], "name": "菊新聞"}
        for taken, code in (
            ({"name": "ｷｸ新聞"}, "publisher-name-taken"),
            ({"name": "別", "hosts": ["kiku.example.jp"]}, "publisher-host-taken"),
        ):
            refused = client.post(f"{MANAGE}/publishers", json=taken)
            assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert client.get(f"{MANAGE}/publishers?count=exact").json()["count"]["value"] == 1
        patch(client, f"publishers/{made.json()['id']}", {"aliases": []})
        assert client.post(f"{MANAGE}/publishers", json={"name": "ｷｸ新聞"}).status_code == 201

    @pytest.mark.parametrize("host", ["https://a.jp", "a.jp/x", "a.jp:80", "", "a b", "[::1]"])
    def test_what_is_no_host_is_refused(self, client: TestClient, host: str) -> None:
        answer = client.post(f"{MANAGE}/publishers", json={"name": "菊", "hosts": [host]})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/hosts/0")


class TestWhatAReviewFound:
    def test_a_change_of_the_ledger_gives_no_external_id_back_to_the_article_it_left(self, client: TestClient) -> None:
        left = citing(client, a_citation(), external_ids={"cms": "1"})
        copy = client.get(f"{MANAGE}/articles/{left['id']}").json() | {"external_ids": {}}
        client.put(f"{MANAGE}/articles/{left['id']}", json=copy, headers=ANY)
        taken = citing(client, a_citation(), external_ids={"cms": "1"})
        assert client.get("/v1/articles/ext:cms:1").json()["id"] == taken["id"]
        patch(client, f"sources/{source_of(left)['id']}", {"title": "直した題"})
        assert source_of(public(client, left))["title"] == "直した題"
        assert client.get("/v1/articles/ext:cms:1").json()["id"] == taken["id"]

    def test_repeating_a_merge_changes_nothing(self, client: TestClient) -> None:
        old, now = (client.post(f"{MANAGE}/publishers", json={"name": name}).json()["id"] for name in ("旧", "新"))
        merge(client, f"publishers/{old}", now)
        patch(client, f"publishers/{now}", {"aliases": []})
        assert client.post(f"{MANAGE}/publishers", json={"name": "旧"}).status_code == 201
        again = merge(client, f"publishers/{old}", now)
        assert (again.status_code, again.json()["aliases"]) == (200, [])

    def test_a_merge_never_makes_what_could_not_be_sent_back(self, client: TestClient) -> None:
        made = [
            client.post(
                f"{MANAGE}/publishers", json={"name": name, "aliases": [f"{name}{at}" for at in range(60)]}
            ).json()["id"]
            for name in ("旧", "新")
        ]
        refused = merge(client, f"publishers/{made[0]}", made[1])
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "target-invalid")
        assert client.get(f"{MANAGE}/publishers/{made[0]}").json()["version"] == 1

    def test_working_copies_are_listed_by_a_merged_tag_as_by_the_other(self, client: TestClient) -> None:
        made = {create(client, tags=[tag])["id"] for tag in ("旧", "新")}
        merge(client, "tags/旧", "新")
        for tag in ("旧", "新"):
            listed = client.get(f"{MANAGE}/articles", params={"tag": tag}).json()["items"]
            assert {item["id"] for item in listed} == made

    def test_a_source_may_take_the_url_of_one_that_was_merged_into_it(self, client: TestClient) -> None:
        urls = [f"https://news.example.jp/{name}" for name in ("right", "wrong")]
        right, wrong = (client.post(f"{MANAGE}/sources", json={"url": url}).json()["id"] for url in urls)
        merge(client, f"sources/{right}", wrong)
        assert patch(client, f"sources/{wrong}", {"url": urls[0]}).json()["canonical_url"] == urls[0]
        for url in urls:
            found = client.get(f"{MANAGE}/sources", params={"url": url}).json()["items"]
            assert [item["id"] for item in found] == [wrong]

    def test_what_the_server_derives_is_held_against_what_is_sent(self, client: TestClient) -> None:
        body = {"url": "http://news.example.jp/a/", "canonical_url": "https://news.example.jp/b"}
        answer = client.post(f"{MANAGE}/sources", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/canonical_url")
        assert client.post(f"{MANAGE}/tags", json={"slug": "x", "name": ""}).status_code == 422


class TestPublishersAndTags:
    def test_a_publishers_new_name_stands_in_articles_and_cards(self, client: TestClient) -> None:
        article = citing(client, a_citation())
        publisher = source_of(article)["publisher"]
        assert patch(client, f"publishers/{publisher['id']}", {"name": "改名新聞"}).status_code == 200
        assert source_of(public(client, article))["publisher"] == {"id": publisher["id"], "name": "改名新聞"}
        card = client.get("/v1/articles").json()["items"][0]
        assert card["publishers"] == [{"id": publisher["id"], "name": "改名新聞"}]

    def test_a_tags_name_shows_in_the_list_of_tags_and_changes_no_article(
        self, client: TestClient, database: Database
    ) -> None:
        published(client, tags=["菊"])
        before = numbers(database)
        patch(client, "tags/菊", {"name": "菊の花"})
        assert client.get("/v1/tags").json()["items"] == [{"slug": "菊", "name": "菊の花"}]
        assert numbers(database) == before

    def test_a_merged_tag_is_the_other_in_articles_lists_and_what_is_sent_later(self, client: TestClient) -> None:
        both, old = published(client, tags=["秋", "菊", "花"]), published(client, tags=["菊"])
        version = client.get(f"{MANAGE}/articles/{old['id']}").json()["version"]
        assert merge(client, "tags/菊", "花").json()["slug"] == "花"
        assert public(client, both)["tags"] == ["秋", "花"]
        assert public(client, old)["tags"] == ["花"]
        assert {item["id"] for item in client.get("/v1/articles?tag=花").json()["items"]} == {both["id"], old["id"]}
        assert [item["slug"] for item in client.get("/v1/tags").json()["items"]] == ["秋", "花"]
        copy = client.get(f"{MANAGE}/articles/{old['id']}").json()
        assert (copy["tags"], copy["version"], copy["has_unpublished_changes"]) == (["花"], version, False)
        assert publish(client, old["id"])["changed"] is False
        assert {item["id"] for item in client.get(f"{MANAGE}/articles?tag=花").json()["items"]} == {
            both["id"],
            old["id"],
        }
        sent = client.put(f"{MANAGE}/articles/{old['id']}", json=copy | {"tags": ["菊"]}, headers=ANY).json()
        assert (sent["tags"], sent["version"]) == (["花"], version)
        assert create(client, tags=["菊", "秋"])["tags"] == ["花", "秋"]
        led = client.get(f"{MANAGE}/tags/菊")
        assert (led.status_code, led.headers["location"]) == (308, f"{MANAGE}/tags/%E8%8A%B1")


class TestMerges:
    def test_a_merged_source_is_the_other_for_readers_editors_and_later_writes(self, client: TestClient) -> None:
        first, second = citing(client, a_citation()), citing(client, a_citation())
        old, now = source_of(first), source_of(second)
        assert merge(client, f"sources/{old['id']}", now["id"]).json()["id"] == now["id"]
        assert source_of(public(client, first)) == source_of(public(client, second))
        for path in (f"/v1/sources/{old['id']}", f"{MANAGE}/sources/{old['id']}"):
            led = client.get(path)
            assert (led.status_code, led.headers["location"]) == (308, path.replace(old["id"], now["id"]))
        assert publish(client, first["id"])["changed"] is False
        later = create(
            client,
            pages=[
                {"sections": [a_section(citations=[{"source": {"id": old["id"]}}, {"source": {"url": old["url"]}}])]}
            ],
        )
        assert {source_of(later, at)["id"] for at in (0, 1)} == {now["id"]}
        assert {item["article"]["id"] for item in client.get(f"/v1/sources/{now['id']}/citations").json()["items"]} == {
            first["id"], second["id"],
        }  # fmt: skip

    def test_merges_of_merges_lead_straight_to_the_last(self, client: TestClient) -> None:
        articles = [citing(client, a_citation()) for _ in range(3)]
        one, two, three = (source_of(article)["id"] for article in articles)
        merge(client, f"sources/{one}", two)
        merge(client, f"sources/{two}", three)
        assert {source_of(public(client, article))["id"] for article in articles} == {three}
        assert client.get(f"/v1/sources/{one}").headers["location"] == f"/v1/sources/{three}"
        assert merge(client, f"sources/{one}", two).json()["id"] == three
        refused = merge(client, f"sources/{one}", create_source(client))
        assert (refused.status_code, refused.json()["code"]) == (409, "merged")
        assert patch(client, f"sources/{one}", {"title": "x"}).json()["code"] == "merged"

    def test_a_merged_publisher_gives_its_sources_names_and_hosts(self, client: TestClient) -> None:
        article = citing(client, a_citation(source={"url": "https://a.jp/1", "publisher": {"name": "旧新聞"}}))
        old = source_of(article)["publisher"]["id"]
        patch(client, f"publishers/{old}", {"hosts": ["old.example.jp"], "aliases": ["ふる新聞"]})
        now = client.post(f"{MANAGE}/publishers", json={"name": "新新聞"}).json()
        merged = merge(client, f"publishers/{old}", now["id"]).json()
        assert (merged["aliases"], merged["hosts"]) == (["旧新聞", "ふる新聞"], ["old.example.jp"])
        assert source_of(public(client, article))["publisher"] == {"id": now["id"], "name": "新新聞"}
        later = create(
            client,
            pages=[
                {
                    "sections": [
                        a_section(
                            citations=[a_citation(source={"url": "https://b.jp", "publisher": {"name": "ふる新聞"}})]
                        )
                    ]
                }
            ],
        )
        assert source_of(later)["publisher"]["id"] == now["id"]
        assert publish(client, article["id"])["changed"] is False

    @pytest.mark.parametrize("kind", ["sources", "publishers", "tags"])
    def test_what_it_cannot_be_merged_into_is_named(self, client: TestClient, kind: str) -> None:
        source = source_of(citing(client, a_citation()))
        key = {"sources": source["id"], "publishers": source["publisher"]["id"], "tags": "菊"}[kind]
        for into in (key, "01a20952-730d-73de-8611-1d33b4d4b762", "nothing\x00here"[:7]):
            answer = merge(client, f"{kind}/{key}", into)
            assert answer.status_code == 422
            assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/into", "target-invalid")]


def create_source(client: TestClient) -> str:
    made: dict[str, Any] = client.post(f"{MANAGE}/sources", json=a_citation()["source"]).json()
    return str(made["id"])


class TestRemoval:
    def test_what_is_used_stays(self, client: TestClient) -> None:
        draft = create(client, pages=[{"sections": [a_section()]}])
        article = citing(client, a_citation())
        copy = client.get(f"{MANAGE}/articles/{article['id']}").json() | {"pages": [], "tags": []}
        client.put(f"{MANAGE}/articles/{article['id']}", json=copy, headers=ANY)
        for each in (draft, article):  # cited by a working copy only, and by what readers see only
            answer = client.delete(f"{MANAGE}/sources/{source_of(each)['id']}", headers=ANY)
            assert (answer.status_code, answer.json()["code"]) == (409, "source-in-use")
        publisher = source_of(draft)["publisher"]["id"]
        assert client.delete(f"{MANAGE}/publishers/{publisher}", headers=ANY).json()["code"] == "publisher-in-use"
        assert client.delete(f"{MANAGE}/tags/菊", headers=ANY).json()["code"] == "tag-in-use"

    def test_what_nothing_uses_goes_with_what_was_merged_into_it(self, client: TestClient) -> None:
        one, two = create_source(client), create_source(client)
        merge(client, f"sources/{one}", two)
        assert client.delete(f"{MANAGE}/sources/{two}", headers=ANY).status_code == 204
        for id in (one, two):
            assert client.get(f"{MANAGE}/sources/{id}").status_code == 404
        publisher = client.get(f"{MANAGE}/publishers").json()["items"][0]
        assert client.delete(f"{MANAGE}/publishers/{publisher['id']}", headers=ANY).status_code == 204
        assert client.post(f"{MANAGE}/publishers", json={"name": publisher["name"]}).status_code == 201
        client.post(f"{MANAGE}/tags", json={"slug": "x"})
        assert client.delete(f"{MANAGE}/tags/x", headers=ANY).status_code == 204
        assert client.get(f"{MANAGE}/tags/x").json()["code"] == "tag-unknown"

    def test_one_that_a_merged_one_is_cited_through_stays(self, client: TestClient) -> None:
        draft = create(client, pages=[{"sections": [a_section()]}])
        now = create_source(client)
        merge(client, f"sources/{source_of(draft)['id']}", now)
        assert client.delete(f"{MANAGE}/sources/{now}", headers=ANY).json()["code"] == "source-in-use"


class TestAKeyThatMayOnlyWrite:
    def test_it_can_change_nothing_that_is_public(self, client: TestClient, writer: TestClient) -> None:
        source = source_of(citing(client, a_citation()))
        publisher, unused = source["publisher"]["id"], create_source(client)
        client.post(f"{MANAGE}/tags", json={"slug": "x"})
        before = [client.get(path).content for path in ("/v1/sources", "/v1/publishers", "/v1/tags", "/v1/articles")]
        for path, change in (
            (f"sources/{source['id']}", {"note": "x"}),
            (f"publishers/{publisher}", {"country": "JP"}),
            ("tags/菊", {"name": "x"}),
        ):
            answer = patch(writer, path, change)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
        for path, into in (
            (f"sources/{source['id']}", unused),
            (f"sources/{unused}", source["id"]),
            ("tags/菊", "x"),
            ("tags/x", "菊"),
        ):
            assert merge(writer, path, into).status_code == 403
        after = [client.get(path).content for path in ("/v1/sources", "/v1/publishers", "/v1/tags", "/v1/articles")]
        assert after == before
        assert patch(writer, f"sources/{unused}", {"title": "x"}).status_code == 200
        assert merge(writer, f"sources/{unused}", create_source(client)).status_code == 200


class TestAKeyThatMayPublish:
    def test_it_can_change_what_is_public(self, client: TestClient, app: Any, database: Database) -> None:
        source = source_of(citing(client, a_citation()))
        headers = {"Authorization": f"Bearer {a_key(database, 'publish')}"}
        with TestClient(app, headers=headers) as publisher:
            assert patch(publisher, f"sources/{source['id']}", {"title": "x"}).status_code == 200


class TestManyArticles:
    @pytest.fixture(autouse=True)
    def _few_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger, "AT_ONCE", 2)
        monkeypatch.setattr(ledger, "STEP", 2)

    def test_a_job_brings_the_change_to_them_and_tells_how_far_it_is(
        self, client: TestClient, database: Database
    ) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(5)]
        id = source_of(articles[0])["id"]
        answer = patch(client, f"sources/{id}", {"title": "直した題"})
        assert answer.status_code == 202
        job = client.get(answer.headers["location"]).json()
        assert job == answer.json()
        assert (job["kind"], job["status"], job["done"], job["total"]) == ("ledger", "queued", 2, 5)
        assert client.get(f"/v1/sources/{id}").json()["title"] == "直した題"
        assert worker.run_due(database)
        job = client.get(answer.headers["location"]).json()
        assert (job["status"], job["done"], job["total"], job["result"]) == ("done", 5, 5, {"articles": 5})
        assert {source_of(public(client, article))["title"] for article in articles} == {"直した題"}
        assert not worker.run_due(database)

    def test_a_worker_that_stops_gives_the_job_back(self, client: TestClient, database: Database) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(7)]
        at = patch(client, f"sources/{source_of(articles[0])['id']}", {"title": "直した題"}).headers["location"]
        steps = iter([False, True, True])

        class StopsAfterOneStep:
            def is_set(self) -> bool:
                return next(steps)

        assert worker.run_due(database, StopsAfterOneStep())  # type: ignore[arg-type]
        job = client.get(at).json()
        assert (job["status"], job["done"]) == ("queued", 4)
        first = numbers(database)
        assert worker.run_due(database)
        assert client.get(at).json()["done"] == 7
        done = [article["id"] for article in articles if first[article["id"]] > 7]
        assert {numbers(database)[id] for id in done} == {first[id] for id in done}
        assert {source_of(public(client, article))["title"] for article in articles} == {"直した題"}

    def test_a_job_whose_worker_died_is_taken_by_another_once_the_lease_is_over(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(5)]
        at = patch(client, f"sources/{source_of(articles[0])['id']}", {"title": "直した題"}).headers["location"]
        with database.writing() as writer:
            assert jobs.take(writer) is not None
        assert not worker.run_due(database)
        assert client.get(at).json()["status"] == "running"
        clock.advance(seconds=LEASE_SECONDS + 1)
        assert worker.run_due(database)
        assert client.get(at).json()["status"] == "done"
        assert {source_of(public(client, article))["title"] for article in articles} == {"直した題"}

    def test_who_lost_the_job_meanwhile_does_none_of_its_work(
        self, client: TestClient, database: Database, clock: Clock
    ) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(7)]
        at = patch(client, f"sources/{source_of(articles[0])['id']}", {"title": "直した題"}).headers["location"]
        with database.writing() as writer:
            lost = jobs.take(writer)
        clock.advance(seconds=LEASE_SECONDS + 1)
        with database.writing() as writer:
            assert jobs.take(writer) is not None
        before = numbers(database)
        assert lost is not None
        assert worker.carry_on(database, lost) is None
        assert numbers(database) == before
        job = client.get(at).json()
        assert (job["status"], job["done"]) == ("running", 2)

    def test_a_job_that_cannot_be_done_is_told_and_not_tried_for_ever(
        self, client: TestClient, database: Database
    ) -> None:
        with database.writing() as writer:
            job = jobs.create(writer, ledger.JOB, {"kind": "nothing"}, (0, 1))
        assert worker.run_due(database)
        told = client.get(f"{MANAGE}/jobs/{job.id}").json()
        assert (told["status"], told["errors"][0]["code"]) == ("failed", "internal-error")
        assert not worker.run_due(database)

    def test_a_merged_entry_leads_on_at_once_though_the_job_is_not_done(
        self, client: TestClient, database: Database
    ) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(5)]
        old, now = source_of(articles[0])["id"], create_source(client)
        assert merge(client, f"sources/{old}", now).status_code == 202
        assert client.get(f"/v1/sources/{now}").status_code == 200
        assert client.get(f"/v1/sources/{old}").headers["location"] == f"/v1/sources/{now}"
        worker.run_due(database)
        assert {source_of(public(client, article))["id"] for article in articles} == {now}

    def test_what_is_going_public_by_a_job_is_public_already_for_a_key_that_may_only_write(
        self, client: TestClient, writer: TestClient
    ) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(5)]
        source, now = source_of(articles[0]), create_source(client)
        merge(client, f"sources/{source['id']}", now)
        assert patch(writer, f"sources/{now}", {"title": "x"}).status_code == 403
        assert writer.delete(f"{MANAGE}/sources/{now}", headers=ANY).status_code == 409
        publisher = client.post(f"{MANAGE}/publishers", json={"name": "新新聞"}).json()["id"]
        assert patch(client, f"sources/{now}", {"publisher": {"id": publisher}}).status_code == 200
        assert patch(writer, f"publishers/{publisher}", {"name": "x"}).status_code == 403

    def test_an_article_published_in_between_is_not_touched_again(self, client: TestClient, database: Database) -> None:
        card = a_citation()
        articles = [citing(client, card) for _ in range(4)]
        patch(client, f"sources/{source_of(articles[0])['id']}", {"title": "直した題"})
        assert publish(client, articles[3]["id"])["changed"] is True
        before = numbers(database)[articles[3]["id"]]
        worker.run_due(database)
        assert numbers(database)[articles[3]["id"]] == before

    def test_a_job_nobody_knows_is_not_found(self, client: TestClient) -> None:
        answer = client.get(f"{MANAGE}/jobs/01a20952-730d-73de-8611-1d33b4d4b762")
        assert (answer.status_code, answer.json()["code"]) == (404, "job-unknown")
