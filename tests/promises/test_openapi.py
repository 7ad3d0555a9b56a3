"""OpenAPI (section 4): what it says of the answers is what comes."""

from typing import Any

from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api.transfer import ImportAnswer
from app.articles.document import Site, WorkingCopy
from app.articles.listing import SummaryList
from app.delivery.schemas import CardList, PublicArticle, PublicPage, SectionList
from tests.factories import published
from tests.publishing.test_transfer import EXAMPLE, import_page


class TestAnswers:
    def test_every_answer_has_exactly_the_members_that_are_described(self, client: TestClient) -> None:
        article = published(
            client, hero_image={"alt": "菊"}, bylines=[{"name": "編集部"}], corrections=[{"text": "訂正"}]
        )
        answers: list[tuple[str, type[BaseModel]]] = [
            ("/v1/site", Site),
            ("/v1/articles?count=exact", CardList),
            (f"/v1/articles/{article['id']}", PublicArticle),
            (f"/v1/articles/{article['id']}/pages/1", PublicPage),
            (f"/v1/articles/{article['id']}/sections", SectionList),
            ("/v1/manage/articles", SummaryList),
            (f"/v1/manage/articles/{article['id']}", WorkingCopy),
        ]
        for path, model in answers:
            answer = client.get(path).json()
            assert model.model_validate(answer).model_dump(exclude_unset=True) == answer, path
        imported = import_page(client, EXAMPLE.read_bytes()).json()
        assert ImportAnswer.model_validate(imported).model_dump() == imported


class TestOperations:
    def test_each_says_what_it_is_called_what_it_does_and_how_it_fails(self, client: TestClient) -> None:
        document = client.get("/openapi.json").json()
        operations: list[dict[str, Any]] = [o for path in document["paths"].values() for o in path.values()]
        names = [operation["operationId"] for operation in operations]
        assert len(names) == len(set(names))
        for operation in operations:
            assert operation["summary"], operation["operationId"]
            assert operation["description"], operation["operationId"]
            named = {parameter["name"] for parameter in operation.get("parameters", []) if "example" in parameter}
            told = [parameter for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
            assert {parameter["name"] for parameter in told} <= named
            failures = {status for status in operation["responses"] if status[0] in "45"}
            assert {"400", "503"} <= failures
            for status in failures:
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
            if "requestBody" in operation:
                for content in operation["requestBody"]["content"].values():
                    assert "examples" in content or "schema" in content

    def test_a_body_is_described_with_a_japanese_example(self, client: TestClient) -> None:
        document = client.get("/openapi.json").json()
        body = document["paths"]["/v1/manage/articles"]["post"]["requestBody"]["content"]["application/json"]
        (example,) = body["examples"].values()
        created = client.post("/v1/manage/articles", json=example["value"])
        assert created.status_code == 201
        assert "菊" in created.json()["title"]
