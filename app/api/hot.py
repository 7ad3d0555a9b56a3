"""The hottest reads on SQLite (article, page, 304) as a plain ASGI callable in front of everything else.

It answers to the byte what the routes in ``published.py`` answer, which also describe these addresses; whatever
is not the plain case (a suffix, a query, another rendition, nothing found) it passes on to them.
"""

import re
import time
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from app.delivery.snapshot_file import Bytes, SnapshotFile
from app.wire import browsers, conditional, negotiation
from app.wire.trace import Trace

PREFIX = "/v1/articles/"
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(PREFIX):
            began = time.perf_counter()
            answer = self._answer(scope)
            if answer is not None:
                named = (b"x-request-id", self._trace.name(scope).encode())
                start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, named]}
                await send(start)
                await send({"type": "http.response.body", "body": answer.body})
                seconds = time.perf_counter() - began
                self._trace.tell(scope, answer.template, answer.status, len(answer.body), seconds)
                return
        await self._app(scope, receive, send)

    def _answer(self, scope: Scope) -> Answer | None:
        plain = _PLAIN.fullmatch(scope["path"], len(PREFIX))
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
