"""Every part by its own address: the same door, the same result as PUT and PATCH of the whole (section 4)."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import a_citation, a_section, create
from tests.strategies import citations, documents, key_points, pages, sections

MERGE = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
ANY = {"If-Match": "*"}


def whole(client: TestClient, article: dict[str, Any]) -> Any:
    return client.get(f"/v1/manage/articles/{article['id']}").json()


def timeless(article: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in article.items() if name not in {"version", "updated_at"}}


@pytest.fixture
def article(client: TestClient) -> dict[str, Any]:
    return create(client, pages=[{"sections": [a_section(), a_section(heading="二")]}, {"sections": [a_section()]}])


class TestReading:
    def test_a_part_tells_its_article_its_parent_and_its_position(
        self, client: TestClient, article: dict[str, Any]
    ) -> None:
        page = article["pages"][0]
        section = page["sections"][1]
        citation = section["citations"][0]
        point, takeaway = citation["key_points"][0], article["takeaways"][1]
        about = {"id": article["id"], "version": 1}
        for path, part, parent, position in [
            ("pages", page, article, 0),
            ("sections", section, page, 1),
            ("citations", citation, section, 0),
            ("key-points", point, citation, 0),
            ("key-points", takeaway, article, 1),
        ]:
            answer = client.get(f"/v1/manage/{path}/{part['id']}")
            assert answer.json() == part | {"article": about, "parent_id": parent["id"], "position": position}
            assert answer.headers["etag"] == '"1"'
            assert answer.headers["cache-control"] == "no-store"

    def test_a_part_of_another_kind_is_not_there(self, client: TestClient, article: dict[str, Any]) -> None:
        answer = client.get(f"/v1/manage/sections/{article['pages'][0]['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "part-unknown")


class TestAdding:
    def test_a_part_is_added_at_the_end_of_its_list(self, client: TestClient, article: dict[str, Any]) -> None:
        page = article["pages"][0]
        section = page["sections"][0]
        citation = section["citations"][0]
        for path, body in [
            (f"articles/{article['slug']}/pages", {"teaser": "次"}),
            (f"articles/{article['id']}/takeaways", {"text": "点"}),
            (f"pages/{page['id']}/sections", a_section(heading="三")),
            (f"sections/{section['id']}/citations", a_citation()),
            (f"citations/{citation['id']}/key-points", {"text": "点"}),
        ]:
            answer = client.post(f"/v1/manage/{path}", json=body)
            assert answer.status_code == 201, answer.text
            added = answer.json()
            assert client.get(answer.headers["location"]).json() == added
            assert added["position"] >= 1
        stored = whole(client, article)
        assert stored["version"] == 6
        assert [page["number"] for page in stored["pages"]] == [1, 2, 3]

    def test_if_match_is_honoured_where_it_is_sent(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/manage/articles/{article['id']}/takeaways"
        stale = client.post(at, json={"text": "点"}, headers={"If-Match": '"9"'})
        assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
        assert client.post(at, json={"text": "点"}, headers={"If-Match": '"1"'}).status_code == 201

    def test_a_fault_points_into_what_was_sent(self, client: TestClient, article: dict[str, Any]) -> None:
        at = f"/v1/manage/pages/{article['pages'][1]['id']}/sections"
        body = a_section(citations=[a_citation(), {"source": {"id": article["id"]}}])
        answer = client.post(at, json=body)
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/citations/1/source/id"]
        taken = client.post(at, json=a_section(id=article["pages"][0]["id"]))
        assert [(e["code"], e["pointer"]) for e in taken.json()["errors"]] == [("id-taken", "/id")]
        assert whole(client, article) == article


class TestChanging:
    def test_a_patch_changes_the_part_and_keeps_its_ids(self, client: TestClient, article: dict[str, Any]) -> None:
        section = article["pages"][0]["sections"][0]
        at = f"/v1/manage/sections/{section['id']}"
        answer = client.patch(at, content='{"heading": "新しい題"}', headers=MERGE)
        assert answer.status_code == 200, answer.text
        assert (answer.headers["etag"], answer.json()["heading"]) == ('"2"', "新しい題")
        article["pages"][0]["sections"][0]["heading"] = "新しい題"
        assert timeless(whole(client, article)) == timeless(article)

    @pytest.mark.parametrize("body", ['{"position": 3}', '{"parent_id": "x"}', '{"id": "x"}', '{"article": null}'])
    def test_where_a_part_stands_changes_only_by_a_move(
        self, client: TestClient, article: dict[str, Any], body: str
    ) -> None:
        at = f"/v1/manage/sections/{article['pages'][0]['sections'][0]['id']}"
        answer = client.patch(at, content=body, headers=MERGE)
        assert answer.status_code == (200 if "null" in body else 422)
        assert whole(client, article) == article

    def test_removing_a_part_removes_what_is_in_it(self, client: TestClient, article: dict[str, Any]) -> None:
        page = article["pages"][1]
        assert client.delete(f"/v1/manage/pages/{page['id']}", headers=ANY).status_code == 204
        assert client.get(f"/v1/manage/sections/{page['sections'][0]['id']}").status_code == 404
        assert len(whole(client, article)["pages"]) == 1

    @pytest.mark.parametrize("method", ["PATCH", "DELETE", "move"])
    def test_a_write_without_if_match_is_refused(
        self, client: TestClient, article: dict[str, Any], method: str
    ) -> None:
        at = f"/v1/manage/pages/{article['pages'][0]['id']}"
        answers = {
            "PATCH": lambda: client.patch(at, content="{}", headers={"Content-Type": MERGE["Content-Type"]}),
            "DELETE": lambda: client.delete(at),
            "move": lambda: client.post(f"{at}/move", json={"into": article["id"]}),
        }
        assert answers[method]().status_code == 428


class TestMoving:
    def test_a_part_goes_before_after_and_into(self, client: TestClient, article: dict[str, Any]) -> None:
        first, second = article["pages"][0]["sections"]
        other = article["pages"][1]

        def order() -> list[list[str]]:
            return [[section["id"] for section in page["sections"]] for page in whole(client, article)["pages"]]

        def move(target: dict[str, str]) -> Any:
            return client.post(f"/v1/manage/sections/{second['id']}/move", json=target, headers=ANY)

        there = other["sections"][0]["id"]
        assert move({"before": first["id"]}).json()["position"] == 0
        assert order() == [[second["id"], first["id"]], [there]]
        assert move({"into": other["id"]}).json()["parent_id"] == other["id"]
        assert order() == [[first["id"]], [there, second["id"]]]
        assert move({"after": first["id"]}).status_code == 200
        assert order() == [[first["id"], second["id"]], [there]]

    def test_a_key_point_becomes_a_takeaway_and_back(self, client: TestClient, article: dict[str, Any]) -> None:
        citation = article["pages"][0]["sections"][0]["citations"][0]
        point = citation["key_points"][0]
        at = f"/v1/manage/key-points/{point['id']}/move"
        assert client.post(at, json={"into": article["id"]}, headers=ANY).json()["position"] == 2
        assert client.post(at, json={"into": citation["id"]}, headers=ANY).status_code == 200
        assert timeless(whole(client, article)) == timeless(article)

    def test_a_target_that_is_none_is_refused(self, client: TestClient, article: dict[str, Any]) -> None:
        other = create(client)
        section = article["pages"][0]["sections"][0]
        for target in (
            {},
            {"before": section["id"]},
            {"after": article["pages"][0]["id"]},
            {"into": section["id"]},
            {"into": other["pages"][0]["id"]},
            {"before": article["pages"][0]["sections"][1]["id"], "into": article["pages"][1]["id"]},
        ):
            answer = client.post(f"/v1/manage/sections/{section['id']}/move", json=target, headers=ANY)
            assert answer.status_code == 422, target
            assert answer.json()["errors"][0]["code"] == "target-invalid"
        assert whole(client, article) == article


def _fresh(value: Any) -> Any:
    """What was drawn without what an earlier example may have taken: slug and ids."""
    if isinstance(value, dict):
        return {name: _fresh(item) for name, item in value.items() if name not in {"id", "slug"}}
    return [_fresh(item) for item in value] if isinstance(value, list) else value


PARTS = {"pages": pages, "sections": sections, "citations": citations, "key-points": key_points}


def _listed(article: dict[str, Any]) -> dict[str, list[tuple[list[Any], int]]]:
    """Every part of the article by the segment of its address: the list it is in and its index there."""
    found: dict[str, list[tuple[list[Any], int]]] = {segment: [] for segment in PARTS}
    found["key-points"] += [(article["takeaways"], at) for at in range(len(article["takeaways"]))]
    for page_at, page in enumerate(article["pages"]):
        found["pages"].append((article["pages"], page_at))
        for section_at, section in enumerate(page["sections"]):
            found["sections"].append((page["sections"], section_at))
            for citation_at, citation in enumerate(section["citations"]):
                found["citations"].append((section["citations"], citation_at))
                points = citation["key_points"]
                found["key-points"] += [(points, at) for at in range(len(points))]
    return found


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=documents, data=st.data())
def test_a_part_call_and_a_put_of_the_whole_do_the_same(
    client: TestClient, document: dict[str, Any], data: st.DataObject
) -> None:
    created = client.post("/v1/manage/articles", json=_fresh(document))
    article, at = created.json(), created.headers["location"]
    edited = client.get(at).json()
    listed = {segment: places for segment, places in _listed(edited).items() if places}
    if not listed:
        return
    segment = data.draw(st.sampled_from(sorted(listed)))
    siblings, position = data.draw(st.sampled_from(listed[segment]))
    part = siblings[position]
    address = f"/v1/manage/{segment}/{part['id']}"
    action = data.draw(st.sampled_from(["remove", "first", "change"]))
    if action == "remove":
        done = client.delete(address, headers=ANY)
        siblings.pop(position)
    elif action == "first":
        if position == 0:
            return
        done = client.post(f"{address}/move", json={"before": siblings[0]["id"]}, headers=ANY)
        siblings.insert(0, siblings.pop(position))
    else:
        field = {"pages": "teaser", "sections": "heading", "citations": "display_title", "key-points": "text"}[segment]
        done = client.patch(address, json={field: "変えました"}, headers=MERGE)
        part[field] = "変えました"
    assert done.status_code in {200, 204}, done.text
    by_part = client.get(at).json()
    assert client.put(at, json=timeless(article), headers=ANY).status_code == 200
    for number, page in enumerate(edited["pages"], 1):
        page["number"] = number
    by_put = client.put(at, json=timeless(edited), headers=ANY)
    assert by_put.status_code == 200, by_put.text
    assert timeless(by_put.json()) == timeless(by_part)
