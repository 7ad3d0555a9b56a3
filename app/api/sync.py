"""The feed for mirrors: what changed, the digest that proves a mirror right, and a bell that rings at each change.

How the feed is read is in ``app/delivery/feed.py``, how changes are numbered in ``app/sync/changes.py``.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.articles.fields import Id, Language, Slug
from app.database import Reader as Snapshot
from app.delivery import feed
from app.delivery.feed import Filters, Item
from app.delivery.schemas import PublicArticle
from app.errors import Fault, Malformed
from app.sync import changes
from app.sync.changes import Token
from app.wire import answers, sessions
from app.wire.caller import Subscriber
from app.wire.sessions import Reader

router = APIRouter(prefix="/v1/sync", tags=["sync"])

LOOK_SECONDS = 1
"""How often the bell looks for changes."""
SILENCE_SECONDS = 15
"""After how long without a change it says that it is there still."""
_RINGS = 1_000
"""How many changes it rings for at a time."""
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
    _: Subscriber,
    request: Request,
    query: Annotated[EventQuery, Query()],
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=4_000)] = None,
) -> StreamingResponse:
    """Server-sent events, `upsert` and `delete`, without documents: who is rung reads on at `/v1/sync`.

    An event's id is a token: with it `/v1/sync` answers what came after, and a client that comes back with
    `Last-Event-ID` is rung for what it missed. Without either it begins now.
    """
    behind = last or query.token

    def begin(reader: Snapshot) -> tuple[Token, Filters]:
        filters = _filters(reader, query)
        place = _place(reader, behind, filters)
        return (place if behind else place._replace(cursor=place.base)), filters

    token, filters = await sessions.look_up(request, begin)
    return StreamingResponse(_rings(request, token, filters), 200, {"Cache-Control": "no-store"}, "text/event-stream")


async def _rings(request: Request, token: Token, filters: Filters) -> AsyncIterator[bytes]:
    rooms = sessions.of(request)
    yield b": here\n\n"
    said = time.monotonic()
    while not request.app.state.closing:
        found = await rooms.look_up(partial(feed.since, token=token, filters=filters, limit=_RINGS, bodies=False))
        for item in found:
            token = token._replace(cursor=item.number)
            yield f"id: {token.text()}\nevent: {_type(item)}\ndata: ".encode() + _written(item) + b"\n\n"
        if found:
            said = time.monotonic()
        elif time.monotonic() - said >= SILENCE_SECONDS:
            said = time.monotonic()
            yield b": still here\n\n"
        await anyio.sleep(LOOK_SECONDS)


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
