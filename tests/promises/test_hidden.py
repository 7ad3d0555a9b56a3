"""Nothing that readers do not see shows (section 3), not even in the work that a 404 costs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.database import Database
from app.main import create_api
from app.settings import Settings
from tests.factories import a_citation, a_section, create, published

UNKNOWN = "01a20952-730d-73de-8611-1d33b4d4b762"
ANY = {"If-Match": "*"}


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that readers' requests send meanwhile."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(database._readers, "before_cursor_execute", note)
    yield sent
    event.remove(database._readers, "before_cursor_execute", note)


@pytest.fixture
def routes(database: Database) -> Iterator[TestClient]:
    """The routes alone: every read goes through the engine that is watched."""
    api = create_api(Settings(access_log="off"), database, owned=False)
    with TestClient(api, follow_redirects=False) as client:
        yield client


def hidden(client: TestClient) -> list[dict[str, Any]]:
    """A draft, a withdrawn, a trashed article, and one whose source was merged into another that nobody cites."""
    pages = [{"sections": [a_section(citations=[a_citation()])]}]
    draft, withdrawn, trashed, merged = (make(client, pages=pages) for make in (create, published, published, create))
    client.post(f"/v1/manage/articles/{withdrawn['id']}/unpublish", headers=ANY)
    client.delete(f"/v1/manage/articles/{trashed['id']}", headers=ANY)
    for kind, other in (("sources", {"url": "https://other.example.jp"}), ("publishers", {"name": "別の新聞"})):
        into = client.post(f"/v1/manage/{kind}", json=other).json()["id"]
        source = merged["pages"][0]["sections"][0]["citations"][0]["source"]
        old = source["id"] if kind == "sources" else source["publisher"]["id"]
        answer = client.post(f"/v1/manage/{kind}/{old}/merge", json={"into": into}, headers=ANY)
        assert answer.status_code == 200
    return [draft, withdrawn, trashed, merged]


def addresses(article: dict[str, Any]) -> dict[str, str]:
    """Where a hidden article and its parts would stand, each beside an address of the same form where nothing is."""
    section = article["pages"][0]["sections"][0]
    citation = section["citations"][0]
    source = citation["source"]
    return {
        f"/v1/articles/{article['id']}": f"/v1/articles/{UNKNOWN}",
        f"/v1/articles/{article['slug']}": "/v1/articles/nothing",
        f"/v1/articles/{article['slug']}.txt": "/v1/articles/nothing.txt",
        f"/v1/articles/{article['slug']}.md": "/v1/articles/nothing.md",
        f"/v1/articles/{article['slug']}/bibliography": "/v1/articles/nothing/bibliography",
        f"/v1/articles/{article['slug']}/pages/1": "/v1/articles/nothing/pages/1",
        f"/v1/articles/{article['id']}/sections": f"/v1/articles/{UNKNOWN}/sections",
        f"/v1/sections/{section['id']}": f"/v1/sections/{UNKNOWN}",
        f"/v1/key-points/{citation['key_points'][0]['id']}": f"/v1/key-points/{UNKNOWN}",
        f"/v1/sources/{source['id']}": f"/v1/sources/{UNKNOWN}",
        f"/v1/sources/{source['id']}/citations": f"/v1/sources/{UNKNOWN}/citations",
        f"/v1/sources/lookup?url={source['url']}": "/v1/sources/lookup?url=https://nothing.example.jp",
        f"/v1/publishers/{source['publisher']['id']}": f"/v1/publishers/{UNKNOWN}",
    }


def test_a_404_says_and_costs_the_same_whether_something_is_hidden_there_or_not(
    client: TestClient, routes: TestClient, database: Database
) -> None:
    for article in hidden(client):
        for here, nowhere in addresses(article).items():
            told = []
            for address in (here, nowhere):
                with statements(database) as sent:
                    answer = routes.get(address)
                assert answer.status_code == 404, address
                told.append((sent, re.sub(rb'"request_id":"\w+"', b"", answer.content)))
            assert told[0] == told[1], here
