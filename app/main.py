"""The door for servers: ``create_app`` opens the database and hangs routes, problems, trace, hot reads on one another.

What can be asked stands in ``app/api``, how HTTP is spoken in ``app/wire``; the command line is ``app/cli``.
"""

import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from importlib import metadata
from types import FrameType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from app import worker
from app.access.keys import Uses
from app.api import (
    articles,
    audit,
    batch,
    collections,
    deliveries,
    feeds,
    health,
    hot,
    keys,
    ledger,
    parts,
    preview_links,
    previews,
    published,
    published_collections,
    published_ledger,
    published_parts,
    publishing,
    revisions,
    search,
    site,
    sync,
    transfer,
    webhooks,
)
from app.database import Database
from app.delivery.stored import Stored
from app.search import tokens
from app.settings import Settings
from app.sync import changes
from app.sync.sender import Sender
from app.wire import browsers, limits, openapi, problems
from app.wire.parameters import Parameters
from app.wire.sessions import Sessions
from app.wire.trace import Trace
from app.worker import Kept

DESCRIPTION = "A headless JSON API for digest articles: stories told from several published sources."
_ROUTES = APIRouter(dependencies=[Depends(Parameters())], generate_unique_id_function=openapi.operation_id)
"""Every address of ``app/api``; what a request needs of its application, a route takes from ``request.app.state``."""
_READING = (search, published, published_parts, published_ledger, published_collections, previews, feeds, sync)
_EDITING = (articles, parts, revisions, ledger, collections, publishing, preview_links, transfer)
# Readers first: an address is held against one route after the other, which takes as long as a short answer.
for _room in (*_READING, *_EDITING, site, keys, webhooks, deliveries, audit, batch, health):
    _ROUTES.include_router(_room.router)


def create_app(settings: Settings | None = None, database: Database | None = None) -> ASGIApp:
    """The whole application, from the environment where nothing is given.

    A ``database`` that is handed in stays the caller's to close; else one is opened here and closed at shutdown.
    """
    chosen = settings or Settings()
    tokens.use(chosen.dictionary)
    opened = database or Database(chosen.database_url, replica_url=chosen.replica_url)
    api = create_api(chosen, opened, owned=database is None)
    if chosen.read_keys == "required":
        return api
    return hot.HotReads(api, Stored(opened.direct()), Trace(api, logs=chosen.access_log == "on"), api.state.rates)


def create_api(chosen: Settings, opened: Database, *, owned: bool) -> FastAPI:
    """Every address as a route, without the hot reads in front; an ``owned`` database is closed at shutdown."""
    uses = Uses()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if owned:  # what there is now stays: looking through it again and again held requests up for 50 ms
            gc.collect()
            gc.freeze()
        _hear_the_end(app)
        kept, sender = Kept(chosen.trash_days, chosen.tombstone_days), Sender(chosen.webhook_allowed_hosts)
        with worker.beside(opened, kept, sender, uses) if owned else nullcontext():
            yield
            app.state.closing = True
        if owned:
            opened.close()

    app = FastAPI(
        title="Kiku",
        version=metadata.version("kiku"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # The same for all applications of a process: making them takes FastAPI longer than most tests take.
        routes=_ROUTES.routes,
        dependencies=[Depends(Parameters())],
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = chosen
    app.state.sessions = Sessions(opened)
    app.state.rates = limits.Rates(chosen, opened.clock)
    app.state.uses = uses
    app.state.watch = sync.Watch()
    app.state.sequence = changes.number
    app.state.closing = False
    _describe(app)
    problems.install(app)
    # The last one added sees a request first.
    app.add_middleware(problems.Unexpected)
    app.add_middleware(limits.Limited, rates=app.state.rates)
    app.add_middleware(browsers.Head)
    app.add_middleware(browsers.Nosniff)
    app.add_middleware(browsers.Origins, origins=chosen.cors_origins)
    app.add_middleware(Trace, logs=chosen.access_log == "on")
    return app


def _hear_the_end(app: FastAPI) -> None:
    """Let the app know when the server is told to stop: it waits for every answer, and some have no end."""
    if threading.current_thread() is not threading.main_thread():
        return  # only there signals are heard, and there is no server

    def hear(before: Callable[[int, FrameType | None], Any]) -> Callable[[int, FrameType | None], None]:
        def ended(number: int, frame: FrameType | None) -> None:
            app.state.closing = True
            before(number, frame)

        return ended

    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, hear(before))


def _describe(app: FastAPI) -> None:
    """Hang the OpenAPI document and its reader on the app, as routes like all others."""
    app.openapi = partial(openapi.document, app)  # type: ignore[method-assign]
    app.add_api_route("/openapi.json", _read_openapi, include_in_schema=False)
    app.add_api_route("/docs", _read_docs, include_in_schema=False)


# Not within _describe: FastAPI keeps every endpoint it has met, and with it what it refers to, the whole app.
def _read_openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


def _read_docs() -> HTMLResponse:
    return get_swagger_ui_html(openapi_url="openapi.json", title="Kiku", swagger_favicon_url="data:,")
