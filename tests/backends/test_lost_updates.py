"""Two server processes, many clients, both databases: no update is lost, no slug is given twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from app.database import Database
from tests.conftest import a_key
from tests.factories import a_document
from tests.live import served
from tests.publishing.test_transfer import EXAMPLE

EDITORS = 8
ROUNDS = 12


@pytest.fixture
def live(database_url: str, database: Database) -> Iterator[httpx2.Client]:
    key = a_key(database, "admin")
    with (
        served(database_url, workers=2) as address,
        httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client,
    ):
        yield client


def test_eight_editors_of_one_article_lose_nothing(live: httpx2.Client) -> None:
    article = live.post("/v1/manage/articles", json=a_document()).json()
    at = f"/v1/manage/articles/{article['id']}"

    def edit(editor: int) -> tuple[list[str], list[int]]:
        kept, others = [], []
        for number in range(ROUNDS):
            mine = f"編集者{editor}の{number}番"
            read = live.get(at)
            sent = read.json()
            sent["takeaways"].append({"text": mine})
            answer = live.put(at, json=sent, headers={"If-Match": read.headers["etag"]})
            if answer.status_code == 200:
                kept.append(mine)
            else:
                others.append(answer.status_code)
        return kept, others

    with ThreadPoolExecutor(EDITORS) as pool:
        results = list(pool.map(edit, range(EDITORS)))
    saved = {text for kept, _ in results for text in kept}
    refused = {status for _, others in results for status in others}
    final = live.get(at).json()
    stored = {takeaway["text"] for takeaway in final["takeaways"]}
    assert saved <= stored
    assert refused <= {412}
    assert len(saved) >= ROUNDS
    assert final["version"] == 1 + len(saved)


def test_twenty_creates_with_one_slug_make_one_article(live: httpx2.Client) -> None:
    def create(_: int) -> int:
        status: int = live.post("/v1/manage/articles", json=a_document(slug="kiku")).status_code
        return status

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(create, range(20)))
    assert statuses == [201] + [409] * 19
    assert len(live.get("/v1/manage/articles").json()["items"]) == 1


def test_a_new_source_cited_by_many_at_once_stands_once_in_the_ledger(live: httpx2.Client) -> None:
    sources = [
        {"url": f"https://example.jp/{number}", "title": "題", "publisher": {"name": f"新聞{number}"}}
        for number in range(3)
    ]

    def create(turn: int) -> list[Any]:
        citations = [{"source": source} for source in (sources if turn % 2 else sources[::-1])]
        document = {"title": "菊", "pages": [{"sections": [{"heading": "一", "citations": citations}]}]}
        answer = live.post("/v1/manage/articles", json=document)
        assert answer.status_code == 201, answer.text
        cited = answer.json()["pages"][0]["sections"][0]["citations"]
        return sorted((c["source"]["url"], c["source"]["id"], c["source"]["publisher"]["id"]) for c in cited)

    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(create, range(24)))
    assert all(result == results[0] for result in results)


def test_one_page_imported_by_many_at_once_becomes_one_article(live: httpx2.Client) -> None:
    page = EXAMPLE.read_bytes()

    def bring(_: int) -> tuple[int, str]:
        answer = live.post("/v1/manage/imports?publish=true", content=page, headers={"Content-Type": "text/plain"})
        return answer.status_code, answer.json()["items"][0]["article_id"]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(bring, range(6)))
    assert sorted(status for status, _ in results) == [200] * 5 + [201]
    assert len({article_id for _, article_id in results}) == 1


def test_one_external_id_put_by_many_at_once_is_created_once(live: httpx2.Client) -> None:
    def put(number: int) -> int:
        answer = live.put("/v1/manage/articles/ext:cms:1", json=a_document(title=f"題{number}"))
        return int(answer.status_code)

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(put, range(12)))
    assert statuses == [200] * 11 + [201]


def test_new_publishers_named_in_any_order_at_once_stand_in_nobodys_way(live: httpx2.Client) -> None:
    def create(turn: int) -> int:
        names = [f"新聞{number}" for number in range(12)]
        sources = [
            {"url": f"https://example.jp/{turn}/{at}", "publisher": {"name": name}}
            for at, name in enumerate(names if turn % 2 else names[::-1])
        ]
        section = {"heading": "一", "citations": [{"source": source} for source in sources]}
        answer = live.post("/v1/manage/articles", json={"title": "菊", "pages": [{"sections": [section]}]})
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(32))) == {201}
