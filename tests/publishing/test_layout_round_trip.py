"""What the layout carries survives: document → publish → .txt → import into an empty instance → the same document."""

from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete

from app import schema
from app.articles.document import ArticleDocument
from app.database import Database
from app.formats.digest_page import publisher_name
from tests.formats.documents import documents
from tests.publishing.test_transfer import import_page, without_ids

KEPT = {"audit", "feed", "instance", "keys", "key_secrets", "site"}


def emptied(database: Database) -> None:
    """Take everything but keys, site and what cannot be taken out of the database."""
    with database.writing() as writer:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in KEPT:
                writer.execute(delete(table))


def with_publishers(document: ArticleDocument) -> dict[str, Any]:
    """The document, its publishers named as an importer names them who knows none before."""
    sent = document.model_dump()
    known: list[str] = []
    for page in sent["pages"]:
        for section in page["sections"]:
            for citation in section["citations"]:
                printed, source = citation["publisher_text"], citation["source"]
                if printed:
                    name, guessed = publisher_name(printed, source["title"], known)
                    source["publisher"] = {"name": name}
                    known += [name] if guessed else []
    return sent


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=documents())
def test_a_published_text_imports_as_the_document_it_was_written_from(
    client: TestClient, database: Database, document: ArticleDocument
) -> None:
    emptied(database)
    # A question may stand without its answer in the layout; the check would refuse to publish it.
    client.put("/v1/manage/site", json={"checks": {"answer-missing": "off"}}, headers={"If-Match": "*"})
    created = client.post("/v1/manage/articles", json=with_publishers(document))
    assert created.status_code == 201, created.text
    at = created.headers["location"]
    assert client.post(f"{at}/publish", headers={"If-Match": "*"}).status_code == 200
    written = client.get(f"/v1/articles/{created.json()['id']}.txt").text
    emptied(database)
    imported = import_page(client, written)
    assert imported.status_code == 201, imported.text
    assert imported.json()["items"][0]["unmatched"] == []
    again = client.get(imported.headers["location"]).json()
    assert without_ids(again) == without_ids(created.json())
