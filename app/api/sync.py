"""The feed for mirrors: what changed, the digest that proves a mirror right, and a bell that rings at each change.

How the feed is read is in ``app/delivery/feed.py``, how changes are numbered in ``app/sync/changes.py``.
"""

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import anyio
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.access import keys
from app.access.keys import Key
from app.access.scopes import allows
from app.articles.fields import Id, Language, Slug
from app.database import Reader as Snapshot
from app.delivery import feed
from app.delivery.feed import Filters, Item
from app.delivery.schemas import PublicArticle
from app.errors import Busy, Fault, Malformed
from app.sync import changes
from app.sync.changes import Token
from app.wire import answers, sessions
from app.wire.caller import Subscriber
from app.wire.sessions import Reader, Sessions

router = APIRouter(prefix="/v1/sync", tags=["sync"])

LOOK_SECONDS = 1
"""How often a process looks for changes and at the keys of those it rings for."""
SILENCE_SECONDS = 15
"""After how long without a change it says that it is there still."""
_RINGS = 1_000
"""How many changes it rings for at a time."""
_PLACES = 100
"""Of how many places in the feed it keeps what comes behind them, until the next change."""
_GONE: dict[int | str, dict[str, Any]] = {410: {"description": "The token is of another time: begin without one."}}


class FilterQuery(BaseModel):
    """What a mirror holds."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    tag: Slug | None = None
    publisher: Id | None = None


class SyncQuery(FilterQuery):
    """The parameters of the feed."""

    token: Annotated[str | None, Field(max_length=4_000, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many changes a page holds.")] = 100


class EventQuery(FilterQuery):
    """The parameters of the bell."""

    token: Annotated[str | None, Field(max_length=4_000, description="Ring for what comes behind it.")] = None


class Upsert(BaseModel):
    """An article as it is now; ``document`` and ``etag`` are what its own address answers."""

    type: Literal["upsert"]
    id: str
    etag: str
    document: PublicArticle


class Delete(BaseModel):
    """An article that is public no more, or that the filters let pass no more."""

    type: Literal["delete"]
    id: str
    reason: Literal["withdrawn", "left_filter"]


class ChangePage(BaseModel):
    """A page of the feed."""

    items: list[Upsert | Delete]
    next: str
    more: bool


class Digest(BaseModel):
    """What a right mirror comes to."""

    count: int
    sha256: str


@router.get("", summary="Follow what changes", responses={200: {"model": ChangePage}, **_GONE})
def read_changes(_: Subscriber, query: Annotated[SyncQuery, Query()], reader: Reader) -> Response:
    """Changes in their order, each article once, as it is now: without a token from the start.

    Take the items over, keep `next`, and ask again with it; at once while `more` is true. Filters stay the same as
    long as a token does. 410 `sync-token-expired`: begin without one, and drop what that reading does not name.
    """
    filters = _filters(reader, query)
    token = _place(reader, query.token, filters)
    found = feed.since(reader, token, filters, query.limit + 1)
    items, more = found[: query.limit], len(found) > query.limit
    following = token._replace(cursor=items[-1].number) if items else token
    tail = answers.encode({"next": following.text(), "more": more})
    body = b'{"items":[' + b",".join(map(_written, items)) + b"]," + tail[1:]
    return Response(body, 200, {"Cache-Control": "no-store"}, "application/json")


@router.get("/digest", summary="Prove a mirror", responses={200: {"model": Digest}})
def read_digest(_: Subscriber, query: Annotated[FilterQuery, Query()], reader: Reader) -> Response:
    """What a mirror that is up to date comes to: the number of its articles, and the SHA-256 of their lines.

    A line is `{id} {etag}` with a line feed, the ETag in its quotes as the feed gives it, the lines sorted by id.
    """
    count, sha256 = feed.digest(reader, _filters(reader, query))
    return answers.resource({"count": count, "sha256": sha256}, None)


@router.get(
    "/events",
    summary="Be rung at each change",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **_GONE},
)
async def ring(
    caller: Subscriber,
    request: Request,
    query: Annotated[EventQuery, Query()],
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=4_000)] = None,
) -> StreamingResponse:
    """Server-sent events, `upsert` and `delete`, without documents: who is rung reads on at `/v1/sync`.

    An event's id is a token: with it `/v1/sync` answers what came after, and a client that comes back with
    `Last-Event-ID` is rung for what it missed. Without either it begins now. It ends when the key is revoked, expires,
    may follow no more or is limited otherwise.
    """
    behind = last or query.token

    def begin(reader: Snapshot) -> tuple[Token, Filters]:
        filters = _filters(reader, query)
        place = _place(reader, behind, filters)
        return (place if behind else place._replace(cursor=place.base)), filters

    token, filters = await sessions.look_up(request, begin)
    rings = _rings(request, caller.presented, token, filters)
    return StreamingResponse(rings, 200, {"Cache-Control": "no-store"}, "text/event-stream")


class Seen(NamedTuple):
    """What one look found: the number of the latest change, and the keys of those who listened, None for what is none.

    ``read``: what was read while that is the latest, by place and filters, which most listeners share.
    """

    number: int
    keys: Mapping[str, Key | None]
    read: dict[tuple[int, int, Filters], list[Item]]


class Watch:
    """What all listeners of a process look for: once in ``LOOK_SECONDS``, by whoever comes first, for all of them."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._listening: Counter[str] = Counter()
        self._seen, self._looked_at = Seen(0, {}, {}), -math.inf

    @contextmanager
    def listening(self, presented: str) -> Iterator[None]:
        """Look, for the length of the block, whether this key stands, too."""
        self._listening[presented] += 1
        try:
            yield
        finally:
            self._listening -= Counter([presented])

    async def look(self, rooms: Sessions) -> Seen:
        """What there was within the last ``LOOK_SECONDS``. Raises: Busy, to one of the listeners."""
        async with self._turn:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                self._looked_at = time.monotonic()
                presented, now = tuple(self._listening), rooms.database.clock()

                def ask(reader: Snapshot) -> Seen:
                    return Seen(changes.number(reader), {each: keys.find(reader, each, now) for each in presented}, {})

                before, self._seen = self._seen, await rooms.look_up(ask)
                if self._seen.number == before.number:  # some have not come to read it yet
                    self._seen = self._seen._replace(read=before.read)
            return self._seen

    async def read(self, rooms: Sessions, seen: Seen, token: Token, filters: Filters) -> list[Item]:
        """Up to ``_RINGS`` changes behind the token, read once for all who stand there. Raises: Busy."""
        place = (token.cursor, max(token.cursor, token.base), filters)
        async with self._turn:
            if place not in seen.read:
                if len(seen.read) == _PLACES:  # of clients that come back from anywhere
                    seen.read.clear()
                behind = partial(feed.since, token=token, filters=filters, limit=_RINGS, bodies=False)
                seen.read[place] = await rooms.look_up(behind)
            return seen.read[place]


async def _rings(request: Request, presented: str, token: Token, filters: Filters) -> AsyncIterator[bytes]:
    rooms, watch = sessions.of(request), request.app.state.watch
    yield b": here\n\n"
    said = time.monotonic()
    with watch.listening(presented):
        while not request.app.state.closing:
            found: list[Item] = []
            with suppress(Busy):  # a database that is away is waited for
                seen = await watch.look(rooms)
                if not _may_listen(request, seen, presented):
                    return
                if seen.number > token.cursor:
                    found = await watch.read(rooms, seen, token, filters)
                    last = found[-1].number if found else token.cursor
                    token = token._replace(cursor=last if len(found) == _RINGS else max(last, seen.number))
            for item in found:
                id = token._replace(cursor=item.number).text()
                yield f"id: {id}\nevent: {_type(item)}\ndata: ".encode() + _written(item) + b"\n\n"
            if found:
                said = time.monotonic()
            elif time.monotonic() - said >= SILENCE_SECONDS:
                said = time.monotonic()
                yield b": still here\n\n"
            await anyio.sleep(LOOK_SECONDS)


def _may_listen(request: Request, seen: Seen, presented: str) -> bool:
    """Whether the key stands, still follows the feed, and is limited as it was; one not looked for yet does."""
    if presented not in seen.keys:
        return True
    key = seen.keys[presented]
    return key is not None and allows(key.grant.scopes, "sync") and key.grant.limits.view == request.state.view


def _filters(reader: Snapshot, query: FilterQuery) -> Filters:
    """What was asked for, within what the key is limited to."""
    languages, tags = (None if each is None else tuple(sorted(each)) for each in reader.view or (None, None))
    return Filters(query.language, query.tag, query.publisher, languages, tags)


def _named(filters: Filters) -> dict[str, object]:
    """The filters as a token names them: JSON has lists only."""
    asked = {name: value for name, value in asdict(filters).items() if value is not None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}


def _place(reader: Snapshot, text: str | None, filters: Filters) -> Token:
    """Where to go on. Raises: Malformed (``sync-token-invalid``, ``sync-filters``); Gone (``sync-token-expired``)."""
    named = _named(filters)
    if text is None:
        return changes.begin(reader, named)
    token = changes.resume(reader, text)
    if token.filters != named:
        detail = "This token was given with other filters; send those, or begin without a token."
        raise Malformed("sync-filters", detail, (Fault("sync-filters", detail, parameter="token"),))
    return token


def _type(item: Item) -> str:
    return "upsert" if item.reason is None else "delete"


def _written(item: Item) -> bytes:
    head: dict[str, object] = {"type": _type(item), "id": item.id}
    head |= {"etag": item.etag} if item.reason is None else {"reason": item.reason}
    written = answers.encode(head)
    return written if item.body is None else written[:-1] + b',"document":' + item.body + b"}"
