"""The application with a few routes of its own: what the wire promises, it promises to every route."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import pytest
import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from app.access.keys import keys
from app.database import Database
from app.main import create_api
from app.settings import Settings
from app.wire import bodies, caller, conditional, paging, sessions


class Tag(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=5)]
    kind: Literal["a", "b"] = "a"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    size: int = 0
    tags: list[Tag] = []
    labels: dict[Literal["x", "a/b"], str] = {}


class ItemQuery(paging.ListQuery):
    kind: str | None = None
    tag: Annotated[list[str], Field(default_factory=list)]


Body = Annotated[Item, Depends(bodies.json_body(Item))]


async def _raw(request: Request) -> bodies.RawBody:
    return await (await bodies.stream(request, 100, ("text/plain",))).whole()


Raw = Annotated[bodies.RawBody, Depends(_raw)]
PatchBody = Annotated[bodies.Patch, Depends(bodies.patch_body)]


def hang_routes(app: FastAPI) -> None:
    @app.post("/things", status_code=201, openapi_extra=bodies.openapi_body(Item))
    def create_thing(item: Body, writer: sessions.Writer) -> dict[str, object]:
        writer.execute(keys.insert(), {"id": item.id, "name": "thing", "scopes": [], "created_at": writer.stamp})
        return {"id": item.id, "caller": writer.caller, "request_id": writer.request_id}

    @app.get("/things")
    def list_things(_: Annotated[ItemQuery, Query()], reader: sessions.Reader) -> list[str]:
        return [row["id"] for row in reader.rows(select(keys.c.id).where(keys.c.name == "thing"))]

    @app.put("/things/{id}")
    def replace_thing(id: int, match: conditional.IfMatch) -> dict[str, object]:
        return {"id": id, "match": None if match is None else sorted(match)}

    @app.patch("/things/{id}", openapi_extra=bodies.openapi_patch())
    def change_thing(id: str, patch: PatchBody) -> dict[str, object]:
        return bodies.apply(patch, {"id": id, "tags": [{"name": "n"}], "size": 3})

    @app.post("/raw", openapi_extra=bodies.openapi_raw({"text/plain": "text"}))
    def take_raw(raw: Raw) -> dict[str, object]:
        return {"bytes": len(raw.content), "media_type": raw.media_type, "charset": raw.charset}

    @app.post("/edits")
    def edit(editor: caller.Editor, writer: sessions.Writer) -> dict[str, object]:
        return {"caller": writer.caller, "same": editor.id == writer.caller}

    @app.get("/public")
    def read_public(reader: caller.PublicReader) -> dict[str, object]:
        return {"caller": reader and reader.id}

    @app.get("/broken")
    def break_down() -> Response:
        message = "a secret"
        raise RuntimeError(message)


@pytest.fixture
def app(database_url: str, database: Database) -> FastAPI:
    app = create_api(Settings(database_url=database_url, access_log="off"), database, owned=False)
    hang_routes(app)
    return app


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def served(app: FastAPI) -> Iterator[str]:
    """The address of the application behind a real server."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def wait_for(done: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
