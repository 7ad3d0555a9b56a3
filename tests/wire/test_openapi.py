"""The OpenAPI document tells bodies, failures and keys as they are."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_api
from app.settings import Settings
from tests.wire.conftest import hang_routes

Document = dict[str, Any]


@pytest.fixture
def document(http: TestClient) -> Document:
    whole: Document = http.get("/openapi.json").json()
    return whole


class TestDocument:
    def test_it_is_openapi_3_1_with_names_for_all_operations(self, document: Document) -> None:
        operations = [operation for path in document["paths"].values() for operation in path.values()]
        names = [operation["operationId"] for operation in operations]
        assert document["openapi"].startswith("3.1")
        assert len(set(names)) == len(names)
        assert all(operation["summary"] for operation in operations)

    def test_every_reference_leads_somewhere(self, document: Document) -> None:
        text = json.dumps(document)
        named = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
        assert named <= set(document["components"]["schemas"])

    def test_failures_are_problems_and_never_fastapis_own(self, document: Document) -> None:
        assert "HTTPValidationError" not in json.dumps(document)
        responses = document["paths"]["/things"]["post"]["responses"]
        assert {"201", "400", "409", "413", "414", "415", "422", "429", "500", "503"} == set(responses)
        assert responses["422"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }

    def test_a_body_is_a_component(self, document: Document) -> None:
        body = document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]
        assert body["schema"] == {"$ref": "#/components/schemas/Item"}
        assert document["components"]["schemas"]["Item"]["properties"]["tags"]["items"] == {
            "$ref": "#/components/schemas/Tag"
        }

    def test_a_precondition_and_a_key_are_told(self, document: Document) -> None:
        replace = document["paths"]["/things/{id}"]["put"]
        assert "If-Match" in [parameter["name"] for parameter in replace["parameters"]]
        assert {"404", "412", "428"} <= set(replace["responses"])
        (header,) = (parameter for parameter in replace["parameters"] if parameter["name"] == "If-Match")
        assert header["required"]
        assert document["paths"]["/edits"]["post"]["security"] == [{"key": ["write"]}]
        assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"

    @pytest.mark.parametrize(
        ("read_keys", "needed"), [("open", [{}, {"key": ["read"]}]), ("required", [{"key": ["read"]}])]
    )
    def test_reading_needs_a_key_where_the_operator_says_so(
        self, database: Database, read_keys: str, needed: list[Any]
    ) -> None:
        app = create_api(Settings(read_keys=read_keys), database, owned=False)  # type: ignore[arg-type]
        hang_routes(app)
        document = app.openapi()
        public = document["paths"]["/public"]["get"]
        assert public["security"] == needed
        assert ("401" in public["responses"]) is (read_keys == "required")
        assert list(document["components"]["securitySchemes"]) == ["key"]

    def test_each_operation_of_a_json_patch_needs_its_own_members(self, document: Document) -> None:
        body = document["paths"]["/things/{id}"]["patch"]["requestBody"]["content"]["application/json-patch+json"]
        kinds = {
            name: set(kind["required"])
            for kind in body["schema"]["items"]["oneOf"]
            for name in kind["properties"]["op"]["enum"]
        }
        assert kinds == {
            **{name: {"op", "path", "value"} for name in ("add", "replace", "test")},
            **{name: {"op", "path", "from"} for name in ("move", "copy")},
            "remove": {"op", "path"},
        }

    def test_a_mapping_with_a_pattern_has_no_other_keys(self, document: Document) -> None:
        checks = document["components"]["schemas"]["Site"]["properties"]["checks"]
        assert list(checks["patternProperties"]) == ["^[a-z0-9-]{1,64}$"]
        assert checks["additionalProperties"] is False

    def test_what_describes_no_body_is_not_said_to_be_json(self, document: Document) -> None:
        assert "content" not in document["paths"]["/metrics"]["get"]["responses"]["200"]


class TestDocs:
    def test_the_reader_of_the_document_is_there(self, http: TestClient) -> None:
        assert "openapi.json" in http.get("/docs").text
