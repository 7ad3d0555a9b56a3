"""Child ids: chosen once, kept for life (section 2, Child ids)."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.factories import a_citation, a_document, a_section, create, publish, published


def put(client: TestClient, article: dict[str, Any]) -> Any:
    return client.put(f"/v1/manage/articles/{article['id']}", json=article, headers={"If-Match": "*"})


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: without_ids(item) for name, item in value.items() if name != "id"}
        kept.pop("anchor", None)
        return kept
    return [without_ids(item) for item in value] if isinstance(value, list) else value


class TestKeepingIds:
    def test_children_without_ids_take_those_of_their_stored_siblings(self, client: TestClient) -> None:
        document = a_document(pages=[{"sections": [a_section(), a_section(heading="別の話")]}, {"teaser": "次"}])
        article = create(client, document)
        again = put(client, document | {"id": article["id"]})
        assert again.status_code == 200
        assert again.json() == article

    def test_a_section_is_recognised_by_its_heading_and_a_citation_by_its_canonical_url(
        self, client: TestClient
    ) -> None:
        article = create(client, pages=[{"sections": [a_section(), a_section(heading="別の話")]}])
        first, second = article["pages"][0]["sections"]
        url = second["citations"][0]["source"]["url"]
        sent = a_document(
            pages=[
                {"sections": [{"heading": "別の話", "citations": [{"source": {"url": url + "/?utm_source=x#top"}}]}]}
            ]
        )
        answer = put(client, sent | {"id": article["id"]}).json()
        assert answer["pages"][0]["sections"][0]["id"] == second["id"]
        assert answer["pages"][0]["sections"][0]["citations"][0]["id"] == second["citations"][0]["id"]
        assert first["id"] not in str(answer)

    def test_an_id_chosen_by_the_client_is_kept(self, client: TestClient) -> None:
        chosen = [str(uuid4()) for _ in range(5)]
        citation = a_citation(id=chosen[3], key_points=[{"id": chosen[4], "text": "菊"}])
        page = {"id": chosen[1], "sections": [a_section(id=chosen[2], citations=[citation])]}
        article = create(client, {"id": chosen[0], "title": "菊", "pages": [page]})
        section = article["pages"][0]["sections"][0]
        point = section["citations"][0]["key_points"][0]
        assert [
            article["id"],
            article["pages"][0]["id"],
            section["id"],
            section["citations"][0]["id"],
            point["id"],
        ] == chosen

    def test_a_section_moved_to_another_page_keeps_its_id_when_its_page_goes(self, client: TestClient) -> None:
        article = create(client, pages=[{"sections": [a_section()]}, {"sections": [a_section(heading="二")]}])
        moved = article["pages"][1]["sections"][0]
        article["pages"] = [article["pages"][0] | {"sections": [*article["pages"][0]["sections"], moved]}]
        answer = put(client, article)
        assert answer.status_code == 200, answer.text
        assert answer.json()["pages"][0]["sections"][1] == moved

    def test_children_not_listed_are_deleted(self, client: TestClient) -> None:
        article = create(client)
        gone = article["pages"][0]["sections"][0]["id"]
        article["pages"][0]["sections"] = [a_section(heading="新しい話")]
        assert gone not in put(client, article).text


class TestTakenIds:
    def test_another_articles_child_id_is_refused(self, client: TestClient) -> None:
        other = create(client)
        article = create(client)
        article["takeaways"][0]["id"] = other["takeaways"][0]["id"]
        answer = put(client, article)
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("id-taken", "/takeaways/0/id")]
        assert client.get(f"/v1/manage/articles/{other['id']}").json() == other

    def test_an_id_that_stands_twice_is_refused(self, client: TestClient) -> None:
        twice = str(uuid4())
        answer = client.post("/v1/manage/articles", json={"title": "菊", "takeaways": [{"id": twice}, {"id": twice}]})
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("id-taken", "/takeaways/1/id")]

    @pytest.mark.parametrize("bad", ["1", "", "not-a-uuid", "{01a20952-730d-73de-8611-1d33b4d4b762}"])
    def test_an_id_that_is_no_uuid_is_refused(self, client: TestClient, bad: str) -> None:
        answer = client.post("/v1/manage/articles", json={"title": "菊", "takeaways": [{"id": bad}]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/takeaways/0/id"


class TestLargeDocuments:
    def test_an_article_with_too_many_parts_is_refused(self, client: TestClient) -> None:
        page: dict[str, Any] = {"sections": [{}] * 500}
        answer = client.post("/v1/manage/articles", json={"title": "菊", "pages": [page] * 10})
        assert answer.status_code == 422
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("too-many-parts", "")]

    def test_the_largest_one_is_stored_reversed_and_emptied(self, client: TestClient) -> None:
        pages = [{"sections": [{"heading": f"{page}-{number}"} for number in range(498)]} for page in range(10)]
        created = client.post("/v1/manage/articles", json={"title": "菊", "pages": pages})
        assert created.status_code == 201
        at = created.headers["location"]
        reversed_ = [{"sections": page["sections"][::-1]} for page in pages]
        answer = client.put(at, json={"title": "菊", "pages": reversed_}, headers={"If-Match": "*"})
        first = created.json()["pages"][0]["sections"]
        assert [s["id"] for s in answer.json()["pages"][0]["sections"]] == [s["id"] for s in first[::-1]]
        emptied = client.put(at, json={"title": "菊"}, headers={"If-Match": "*"})
        assert (emptied.status_code, emptied.json()["pages"]) == (200, [])

    def test_a_part_readers_still_see_in_another_article_is_told_at_publish(self, client: TestClient) -> None:
        first = published(client)
        section = first["pages"][0]["sections"][0]
        put(client, first | {"pages": [{"sections": [a_section(heading="別の話")]}]})
        second = create(client, pages=[{"sections": [a_section(id=section["id"])]}])
        at = f"/v1/manage/articles/{second['id']}/publish"
        refused = client.post(at, headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["code"]) == (409, "id-taken")
        publish(client, first["id"])
        assert client.post(at, headers={"If-Match": "*"}).status_code == 200
