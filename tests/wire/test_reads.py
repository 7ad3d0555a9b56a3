"""Readers' routes in one trip: what is plain is answered without FastAPI's dependencies, and as they would."""

from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.types import ASGIApp

from app.api import search
from app.database import Database
from app.main import create_api
from app.settings import Settings
from app.wire.reads import Read

LONG = {"Kiku-Min-Seq": "0"}
"""Sent with a request, this says nothing, and leaves the request to FastAPI."""
ODD = (
    "q=a&q=b",
    "q=",
    "q",
    "q=a&limit=5&limit=6",
    "q=a&limit=0",
    "q=a&limit=",
    "q=a&limit=%EF%BC%95",
    "q=a&unknown=1",
    "q=a&%00=1",
    "q=%00",
    "q=%FF",
    "q=%E6%9D%A1+%E7%B4%84",
    "q=a;limit=3",
    "q=a&&limit=3",
    "q=a&in=articles",
    "q=a&within=articles",
    "q=a&fields=id,%20title",
    "&".join(f"q{at}=1" for at in range(1_100)),
    "q=%ED%A0%80",
    f"q={'a' * 257}&unknown=1",
    f"q={'a' * 257}&limit=0",
    "limit=0",
)


async def _alone(path: str, query: str, app: ASGIApp, headers: Mapping[str, str] | None = None) -> int:
    """The status of what a route of ``search`` answers without anything that FastAPI brings a route to work with."""
    route = next(each for each in search.router.routes if isinstance(each, Read) and each.path == path)
    sent = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": sent, "app": app}
    return (await route.get_route_handler()(Request(scope))).status_code


class TestPlain:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("path", "query"), [("/v1/search", "q=a&in=sections"), ("/v1/search/suggest", "q=a&limit=3")]
    )
    async def test_it_needs_nothing_of_fastapi(self, database: Database, path: str, query: str) -> None:
        app = create_api(Settings(), database, owned=False)
        assert await _alone(path, query, app) == 200

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("query", "headers"), [("q=a&q=b", {}), ("q=a&unknown=1", {}), ("q=%00", {}), ("q=a", LONG)]
    )
    async def test_what_is_not_is_left_to_it(self, database: Database, query: str, headers: dict[str, str]) -> None:
        app = create_api(Settings(), database, owned=False)
        with pytest.raises(AssertionError, match="astack"):
            await _alone("/v1/search", query, app, headers)

    @pytest.mark.anyio
    async def test_where_reading_needs_a_key_nothing_is(self, database: Database) -> None:
        app = create_api(Settings(read_keys="required"), database, owned=False)
        with pytest.raises(AssertionError, match="astack"):
            await _alone("/v1/search", "q=a", app)


@pytest.mark.parametrize("query", ODD)
def test_odd_queries_are_answered_as_by_fastapi(reader: TestClient, query: str) -> None:
    short, long = (reader.get(f"/v1/search?{query}", headers=headers) for headers in ({}, LONG))
    assert short.status_code == long.status_code
    assert [short.json().get(name) for name in ("code", "errors", "items")] == [
        long.json().get(name) for name in ("code", "errors", "items")
    ]
