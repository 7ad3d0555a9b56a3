"""A request answered inside another one, in that one's transaction, as if it were sent by itself.

Which requests may be is decided in ``app/api/batch.py``; that a route gets this transaction, in ``sessions.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, unquote

import anyio.from_thread
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import Message, Scope

from app.database import Writer
from app.errors import Busy
from app.wire import sessions

_KEPT = {"http_version", "scheme", "server", "client", "root_path", "app", "type", "asgi"}
"""What the inner request has of the outer one beside its key and its id."""
_INHERITED = ("Accept-Language", "Kiku-Reason")
"""Headers of the outer request that hold for the inner one, unless it has its own."""


@dataclass(frozen=True)
class Sent:
    """A request; ``path`` with its query, ``body`` as it would be sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """Its answer; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(request: Request, writer: Writer, sent: Sent) -> Answered:
    """What the application that answers ``request`` answers to ``sent``, for the same key, in ``writer``'s transaction.

    Called in the thread of a route. Raises: Busy, and whatever the inner route did not foresee.
    """
    # What nobody foresaw goes through, for the outer request to answer.
    handlers = {kind: each for kind, each in request.app.exception_handlers.items() if kind is not Exception}
    app = ExceptionMiddleware(AsyncExitStackMiddleware(request.app.router), handlers=handlers)
    head: Message = {}
    body: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            body.append(message.get("body", b""))

    anyio.from_thread.run(app, sessions.sharing(_scope(request, sent), writer), receive, send)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in head["headers"]}
    if head["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        raise Busy("The database is busy or away.", int(headers["retry-after"]))
    return Answered(head["status"], headers, b"".join(body))


def _scope(request: Request, sent: Sent) -> Scope:
    path, _, query = sent.path.partition("?")
    # Headers come as Latin-1, whatever they hold.
    inherited = {name: request.headers[name].encode("latin-1") for name in _INHERITED if name in request.headers}
    own = {name: value.encode() for name, value in sent.headers.items()}
    key = {"Authorization": request.headers["authorization"].encode("latin-1")}
    size = {"Content-Length": str(len(sent.body)).encode()}
    headers = [(name.lower().encode(), value) for name, value in (inherited | own | key | size).items()]
    return {name: value for name, value in request.scope.items() if name in _KEPT} | {
        "method": sent.method,
        "path": unquote(path),
        "raw_path": quote(path, safe="/%:").encode(),
        "query_string": quote(query, safe="=&%+,:/?-._~").encode(),
        "headers": headers,
        "state": {"request_id": request.state.request_id},
    }
