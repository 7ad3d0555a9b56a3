"""Bundles for tests: sent out of a database, brought into one, and an instance that holds something of everything."""

from collections.abc import Iterable
from typing import Any

from fastapi.testclient import TestClient

from app.database import Database
from app.formats import bundle
from app.formats.bundle import TOGETHER
from app.publishing import outgoing
from app.publishing.incoming import Import, Permit, Report
from app.wire.bodies import MERGE_PATCH
from tests.conftest import Clock
from tests.delivery.library import Library
from tests.factories import a_citation, a_document, a_section, create, publish, published

ANY = {"If-Match": "*"}
MANAGE = "/v1/manage"


def dumped(database: Database, *, revisions: bool = False) -> bytes:
    """All there is, as a bundle."""
    with database.reading() as reader:
        return b"".join(outgoing.lines(reader, with_revisions=revisions))


def loaded(database: Database, content: bytes, together: int = TOGETHER) -> Report:
    """What became of a bundle that was brought in by somebody who may do everything."""
    work = Import(Permit(admin=True))
    lines = list(bundle.split([content]))
    for at in range(0, len(lines), together):
        with database.writing() as writer:
            work.bring(writer, lines[at : at + together])
    return work.report


def made(client: TestClient, method: str, path: str, body: Any = None) -> Any:
    """What a write that succeeds answers."""
    headers = ANY | ({"Content-Type": MERGE_PATCH} if method == "PATCH" else {})
    answer = client.request(method, f"{MANAGE}{path}", json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def furnish(client: TestClient, clock: Clock) -> None:
    """Fill an empty instance with articles in every state, ledgers with merged entries, collections, old slugs."""
    Library(client, clock)
    made(client, "PUT", "/site", {"name": "菊ダイジェスト", "menu": [{"label": "表紙", "href": "/"}]})
    names = {each["name"]: each["id"] for each in made(client, "GET", "/publishers?limit=100")["items"]}
    made(client, "POST", f"/publishers/{names['Örtlich']}/merge", {"into": names["菊新聞"]})
    first, second, *_ = made(client, "GET", "/sources?limit=100")["items"]
    made(
        client,
        "PATCH",
        f"/sources/{first['id']}",
        {"note": "控え", "archive_urls": [{"url": "https://a.example.jp/1"}]},
    )
    made(client, "POST", f"/sources/{second['id']}/merge", {"into": first["id"]})
    made(client, "PATCH", f"/sources/{first['id']}", {"url": second["url"]})
    made(client, "POST", "/tags/news/merge", {"into": "国際"})
    moved = published(client, slug="hajime", external_ids={"cms": "7", "old": "a.b"}, translation_key="t")
    for slug in ("tsugi", "owari"):
        clock.advance(hours=1)
        made(client, "PATCH", f"/articles/{moved['id']}", {"slug": slug})
        publish(client, moved["id"])
    made(client, "PATCH", f"/articles/{moved['id']}", {"slug": "shita", "external_ids": {"old": None}})
    create(client, slug="hajime", corrections=[{"text": "訂正"}], seo={"title": "題", "noindex": True})
    _furnish_lives(client, moved["id"])


def _furnish_lives(client: TestClient, moved: str) -> None:
    archived, planned, withdrawn = published(client), create(client), published(client)
    made(client, "POST", f"/articles/{archived['id']}/archive")
    made(client, "POST", f"/articles/{planned['id']}/submit")
    made(client, "PUT", f"/articles/{planned['id']}/schedule", {"publish_at": "2030-01-01T00:00:00Z"})
    made(client, "POST", f"/articles/{withdrawn['id']}/unpublish")
    speaker = {"name": "菊池", "image": {"url": "https://images.example.jp/1.png", "alt": "菊池"}}
    said = a_section(
        commentary={"text": "ほら\n\n*ね*", "speaker": speaker}, citations=[a_citation(labels={"read_more": "➡"})]
    )
    printed = published(client, pages=[{"sections": [said]}], labels={"masthead": " 菊 "}, bylines=[{"name": "編集部"}])
    kiku = made(client, "POST", "/collections", {"title": "菊", "articles": [printed["id"], moved, planned["id"]]})
    ume = made(client, "POST", "/collections", {"title": "梅", "articles": [moved, archived["id"]]})
    made(client, "POST", f"/collections/{ume['id']}/merge", {"into": kiku["id"]})
    document = client.get(f"{MANAGE}/articles/{printed['id']}").json() | {"lead": "書き直し"}
    made(client, "PUT", f"/articles/{printed['id']}", document)
    assert a_document()["title"] != document["title"]


def numbered(content: bytes) -> Iterable[tuple[int, bytes]]:
    """The lines of a bundle with their numbers."""
    return enumerate(content.splitlines(keepends=True), 1)
