"""The hottest reads on SQLite as a plain ASGI callable in front of everything else.

An article, a page, their 304, the first page of the list: answered to the byte as the routes in ``published.py``
answer, which also describe these addresses. Whatever is not the plain case (a suffix, a query, another rendition,
nothing found) is passed on to them.
"""

import re
import time
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.delivery.snapshot_file import Bytes, SnapshotFile
from app.wire import browsers, conditional, negotiation
from app.wire.trace import Trace

LIST = "/v1/articles"
PREFIX = f"{LIST}/"
_PLAIN = re.compile(r"(?P<key>[^/.:]+)(?:/pages/(?P<number>[1-9][0-9]{0,5}))?")
_ACCEPTED = {b"*/*", b"application/json"}
_TEMPLATES = {False: "/v1/articles/{key}", True: "/v1/articles/{key}/pages/{number}"}
_FIXED = [
    (name.lower().encode(), value.encode())
    for name, value in {
        "Cache-Control": conditional.CACHE_CONTROL,
        "Vary": negotiation.VARY,
        **browsers.SAFE,
        **browsers.OPEN,
    }.items()
]


class Answer(NamedTuple):
    """What is sent: the parts of an ASGI response, and the template of the route that describes it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    template: str


class HotReads:
    """Reads stored bytes inline on the event loop and sends them: a thread, a route and a Response cost far more."""

    def __init__(self, app: ASGIApp, file: SnapshotFile, trace: Trace) -> None:
        self._app = app
        self._file = file
        self._trace = trace

        self._first_page: tuple[object, Answer] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(LIST):
            await self._app(scope, receive, send)
        elif scope["path"] == LIST and not scope["query_string"]:
            await self._list(scope, receive, send)
        else:
            began = time.perf_counter()
            answer = self._answer(scope)
            if answer is None:
                await self._app(scope, receive, send)
            else:
                await self._send(scope, send, answer, began)

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The first page of the list: what the route answered last, as long as nothing was published since."""
        began = time.perf_counter()
        # Read before the page itself: a page newer than its state is only thrown away too early.
        state = self._file.state()
        if state is not None and self._first_page is not None and self._first_page[0] == state:
            kept = self._first_page[1]
            seen = [value for name, value in scope["headers"] if name == b"if-none-match"]
            if not seen:
                await self._send(scope, send, kept, began)
                return
        start: Message | None = None

        async def keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif start is not None and start["status"] == 200 and not message.get("more_body"):  # noqa: PLR2004
                headers = [header for header in start["headers"] if header[0] != b"x-request-id"]
                self._first_page = (state, Answer(200, headers, message["body"], LIST))
            await send(message)

        await self._app(scope, receive, send if state is None else keep)

    async def _send(self, scope: Scope, send: Send, answer: Answer, began: float) -> None:
        named = (b"x-request-id", self._trace.name(scope).encode())
        start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, named]}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})
        self._trace.tell(scope, answer.template, answer.status, len(answer.body), time.perf_counter() - began)

    def _answer(self, scope: Scope) -> Answer | None:
        plain = _PLAIN.fullmatch(scope["path"], len(PREFIX)) if scope["path"].startswith(PREFIX) else None
        sent = dict(scope["headers"])
        once = len(sent) == len(scope["headers"])
        if plain is None or scope["query_string"] or not once or sent.get(b"accept", b"*/*") not in _ACCEPTED:
            return None
        key, page = plain["key"], int(plain["number"]) if plain["number"] else None
        template = _TEMPLATES[page is not None]
        compressed = negotiation.gzip_taken(sent.get(b"accept-encoding", b"").decode("latin-1"))
        seen = sent.get(b"if-none-match")
        if seen is not None:
            known = self._file.read(key, page, None)
            if known is not None and conditional.none_match(seen.decode("latin-1"), known.etag):
                return Answer(304, _headers(known, compressed=compressed), b"", template)
        found = self._file.read(key, page, "body_gzip" if compressed else "body")
        if found is None:
            return None
        headers = _headers(found, compressed=compressed)
        headers += [(b"content-length", str(len(found.body)).encode()), (b"content-type", b"application/json")]
        if compressed:
            headers.append((b"content-encoding", b"gzip"))
        return Answer(200, headers, found.body, template)


def _headers(found: Bytes, *, compressed: bool) -> list[tuple[bytes, bytes]]:
    etag = conditional.coded(found.etag, compressed=compressed)
    return [(b"etag", etag.encode()), (b"surrogate-key", f"article-{found.article_id}".encode()), *_FIXED]
