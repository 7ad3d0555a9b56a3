"""The hottest reads as a plain ASGI callable in front of everything else (ADR 0007).

An article, a page, the list of the latest articles and their 304: answered to the byte as the routes in
``published.py`` answer, which also describe these addresses. Whatever is not the plain case (a suffix, a filter,
another rendition, nothing found, a database that is away) is passed on to them.
"""

import re
import time
from dataclasses import astuple
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from app.delivery import listings
from app.delivery.stored import Found, Stored
from app.errors import Busy, Malformed, TooMany
from app.wire import browsers, conditional, limits, negotiation, paging, public_lists, sessions
from app.wire.limits import Rates
from app.wire.trace import Trace

LIST = "/v1/articles"
LATEST = paging.bound_to("articles", "-published_at", *astuple(listings.Filters()))
"""What a cursor of the list without filters is bound to."""
KEPT_BYTES = 3 << 20
"""How many bytes of bodies are kept in memory."""
ANSWER_BYTES = 2_000
"""What an answer takes beside its body: its headers and the objects that hold it."""
ASKED = 250
"""Who is asked for twice among so many addresses is kept: about as many as there is room for."""
_HOT = re.compile(rf"{LIST}(?:/([^/.:\0]+)(?:/pages/([1-9][0-9]{{0,5}}))?)?")
_PAGED = re.compile(rb"(?:limit=(?P<limit>[1-9][0-9]?|100))?(?:(?:^|&)cursor=(?P<cursor>[A-Za-z0-9_-]{1,4000}))?")

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, bytes, bool]
"""Path, query, and whether the gzip copy is wanted."""


def _headers(named: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in named.items()]


_MINIMUM = sessions.MINIMUM.lower().encode()
_SHARED = _headers({"Cache-Control": conditional.CACHE_CONTROL, **browsers.SAFE, **browsers.OPEN})
_OF_DOCUMENTS = [*_SHARED, *_headers({"Vary": negotiation.VARY})]
_OF_LISTS = [*_SHARED, *_headers({"Surrogate-Key": "articles"})]


class Answer(NamedTuple):
    """A 200 as it is sent, and what of its head a 304 bears as well; the template of the route that describes it."""

    etag: str
    headers: Headers
    body_headers: Headers
    body: bytes
    template: str


class HotReads:
    """Reads stored bytes on the event loop and sends them: a thread, a route and a Response cost far more."""

    def __init__(self, app: ASGIApp, stored: Stored, trace: Trace, rates: Rates) -> None:
        self.beneath = app
        """What answers all other requests, and could answer these."""
        self._stored = stored
        self._trace = trace
        self._rates = rates
        self._kept = Kept(stored)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "http" and scope["method"] == "GET" and (hot := _HOT.fullmatch(scope["path"])):
            began = time.perf_counter()
            sent: dict[bytes, bytes] = dict(scope["headers"])
            # One that is sent several times is for the framework to join.
            plain = len(sent) == len(scope["headers"]) and _MINIMUM not in sent and self._admits(scope)
            answer = await self._find(scope, hot, sent) if plain else None
            if answer is not None:
                await self._send(scope, send, answer, sent.get(b"if-none-match"), began)
                return
        await self.beneath(scope, receive, send)
        if scope["type"] == "lifespan":
            await self._stored.close()

    def _admits(self, scope: Scope) -> bool:
        """Whether the client may ask; who may not is told so by the app."""
        try:
            if self._rates.counts_address(scope):
                self._rates.charge_address(scope)
        except TooMany:
            return False
        return True

    async def _send(self, scope: Scope, send: Send, answer: Answer, seen: bytes | None, began: float) -> None:
        told = limits.headers(scope)
        own = [(b"x-request-id", self._trace.name(scope).encode()), *(_headers(told) if told else ())]
        if seen is not None and conditional.none_match(seen.decode("latin-1"), answer.etag):
            status, headers, body = 304, [*answer.headers, *own], b""
        else:
            status, headers, body = 200, [*answer.headers, *answer.body_headers, *own], answer.body
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._trace.tell(scope, answer.template, status, len(body), time.perf_counter() - began)

    async def _find(self, scope: Scope, hot: re.Match[str], sent: dict[bytes, bytes]) -> Answer | None:
        try:
            key, number = hot.groups()
            accept, coding = sent.get(b"accept", b"*/*"), sent.get(b"accept-encoding")
            takes_json = accept == b"*/*" or negotiation.preferred(accept.decode("latin-1")) == "json"
            if key is not None and (scope["query_string"] or not takes_json):
                return None
            # By what was decided, not by what was sent: that may be anything, and long.
            compressed = key is not None and coding is not None and negotiation.gzip_taken(coding.decode("latin-1"))
            address = scope["path"], scope["query_string"], compressed
            kept = await self._kept.find(address)
            if kept is not None:
                return kept
            version = self._kept.version
            if key is None:
                answer = await self._list(scope)
            else:
                found = await self._read(key, number, compressed, sent.get(b"if-none-match"))
                answer = found and _of_document(found, number, compressed=compressed)
        except Busy:
            return None
        if answer is not None and answer.body:  # one without is a 304's
            self._kept.put(address, answer, version)
        return answer

    async def _read(self, key: str, number: str | None, compressed: bool, seen: bytes | None) -> Found | None:  # noqa: FBT001
        """What is stored there; of what the client has ``seen`` already, without its bytes."""
        page = None if number is None else int(number)
        if seen is not None:
            known = await self._stored.find(key, page, None)
            if known is None or conditional.none_match(seen.decode("latin-1"), known.etag):
                return known
        return await self._stored.find(key, page, "body_gzip" if compressed else "body")

    async def _list(self, scope: Scope) -> Answer | None:
        """A page of the latest articles, for a query that has at most a limit and a cursor."""
        plain = _PAGED.fullmatch(scope["query_string"])
        if plain is None:
            return None
        limit, cursor = int(plain["limit"] or paging.LIMIT), plain["cursor"]
        try:
            after = paging.position(cursor.decode() if cursor else None, LATEST, (str, str))
        except Malformed:
            return None
        found = await self._stored.latest(after, limit + 1)
        if found is None:
            return None
        body, linked = paging.page(scope, found.cards, LATEST, limit=limit)
        etag = public_lists.etag(scope, found.state)
        return Answer(etag, [(b"etag", etag.encode()), *_OF_LISTS], _headers(linked) + _of_body(body), body, LIST)


class Kept:
    """Answers that are right as long as nothing is committed: after that the database's version is another.

    An answer is kept under a version that was seen before it was read. To find that version again says that nothing
    was committed since, so only what is found needs to ask for it.
    """

    def __init__(self, stored: Stored) -> None:
        self.version: object | None = None
        self._stored = stored
        self._answers: dict[Address, Answer] = {}
        self._asked: set[Address] = set()
        self._bytes = 0

    async def find(self, address: Address) -> Answer | None:
        """The answer kept for ``address`` if it is still right. Raises: Busy."""
        kept = self._answers.get(address)
        if kept is None and self.version is not None:
            return None
        version = await self._stored.version()
        if version != self.version:
            self._clear()
            self.version = version
            return None
        return kept

    def put(self, address: Address, answer: Answer, version: object | None) -> None:
        """Keep an answer that was read after ``version`` was seen, if it is asked for often; begin anew when full.

        What is asked for once in a while is not worth its memory: reading into what was freed just now costs less.
        """
        if version is None or version != self.version:
            return
        if address not in self._asked:
            if len(self._asked) >= ASKED:
                self._asked.clear()
            self._asked.add(address)
            return
        if self._bytes > KEPT_BYTES:
            self._clear()
        self._bytes += len(answer.body) + len(address[0]) + len(address[1]) + ANSWER_BYTES
        self._answers[address] = answer

    def _clear(self) -> None:
        self._answers.clear()
        self._bytes = 0


def _of_document(found: Found, number: str | None, *, compressed: bool) -> Answer:
    """An article, or a page of it."""
    etag = conditional.coded(found.etag, compressed=compressed)
    headers = [(b"etag", etag.encode()), (b"surrogate-key", f"article-{found.article_id}".encode()), *_OF_DOCUMENTS]
    coded = [(b"content-encoding", b"gzip")] if compressed else []
    template = "/v1/articles/{key}" if number is None else "/v1/articles/{key}/pages/{number}"
    return Answer(etag, headers, _of_body(found.body) + coded, found.body, template)


def _of_body(body: bytes) -> Headers:
    return [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
