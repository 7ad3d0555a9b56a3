"""API keys over the API: make, list, read, rotate, revoke; on the command line it is ``kiku keys``.

A secret is in one answer and nowhere else: these routes keep no answers for an ``Idempotency-Key``.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.access import keys
from app.access.keys import Key, Limits
from app.access.scopes import Scope
from app.articles.fields import Instant, Language, Slug
from app.wire import answers, bodies, paging
from app.wire.caller import Admin
from app.wire.conditional import IfMatch
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/keys", tags=["keys"])

RATE = r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,4}s$"
_DAY_SECONDS = 86_400


class KeyInput(BaseModel):
    """A key to be made; without ``expires_at`` it stays until it is revoked.

    With ``languages`` or ``tags`` it sees and changes only working copies in one of these languages that bear one of
    these tags, and not what articles share. ``rate_limit``, as ``600/60s``, goes before what the instance says.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=keys.NAME_CHARACTERS)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=6)]
    languages: Annotated[list[Language], Field(min_length=1, max_length=50)] | None = None
    tags: Annotated[list[Slug], Field(min_length=1, max_length=50)] | None = None
    rate_limit: Annotated[str, Field(pattern=RATE)] | None = None
    expires_at: Instant | None = None


class RotationInput(BaseModel):
    """How long the secret before stands beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * _DAY_SECONDS)] = _DAY_SECONDS


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    languages: list[str] | None
    tags: list[str] | None
    rate_limit: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class NewKey(KeyAnswer):
    """A key with its secret, which is never to be had again: ``Authorization: Bearer <key>``."""

    key: str


class KeyList(BaseModel):
    """A page of keys."""

    items: list[KeyAnswer]
    next: str | None


@router.get("", summary="List keys", responses={200: {"model": KeyList}})
def list_keys(_: Admin, request: Request, query: Annotated[paging.PageQuery, Query()], reader: Reader) -> Response:
    """All keys, also the expired and revoked ones, the latest made first; never a secret."""
    bound = paging.bound_to("keys")
    after = paging.position(query.cursor, bound, (str, str))
    found = keys.latest(reader, (after[0], after[1]) if after else None, query.limit + 1)
    items = [((key.created_at, key.id), answers.encode(_shown(key))) for key in found]
    body, headers = paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")


@router.post(
    "",
    status_code=201,
    summary="Make a key",
    responses={201: {"model": NewKey}},
    openapi_extra=bodies.openapi_body(
        KeyInput, examples={"編集部": {"name": "編集部", "scopes": ["write", "publish"]}}
    ),
)
def create_key(_: Admin, sent: Annotated[KeyInput, Depends(bodies.json_body(KeyInput))], writer: Writer) -> Response:
    """Make a key with these scopes. `key` in the answer is its secret: it is shown this once and not stored."""
    expires_at = None if sent.expires_at is None else datetime.fromisoformat(sent.expires_at)
    languages, tags = (None if each is None else tuple(dict.fromkeys(each)) for each in (sent.languages, sent.tags))
    limits = Limits(languages, tags, sent.rate_limit)
    key_id, presented = keys.create(writer, sent.name, sent.scopes, expires_at, limits)
    location = {"Location": f"/v1/manage/keys/{key_id}"}
    return _new(keys.load(writer, key_id), presented, 201, location)


@router.get("/{key_id}", summary="Read a key", responses={200: {"model": KeyAnswer}})
def read_key(_: Admin, key_id: str, reader: Reader) -> Response:
    """The key, without its secret."""
    key = keys.load(reader, key_id)
    return answers.resource(_shown(key), key.version)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key")
def revoke_key(_: Admin, key_id: str, match: IfMatch, writer: Writer) -> Response:
    """Let the key stand no longer, from now on; repeating it changes nothing."""
    keys.revoke(writer, key_id, match)
    return Response(status_code=204)


@router.post(
    "/{key_id}/rotate",
    summary="Rotate a key",
    responses={200: {"model": NewKey}},
    openapi_extra=bodies.openapi_body(RotationInput, examples={"一時間": {"overlap_seconds": 3_600}}, required=False),
)
def rotate_key(
    _: Admin,
    key_id: str,
    sent: Annotated[RotationInput, Depends(bodies.json_body(RotationInput, optional=True))],
    writer: Writer,
) -> Response:
    """A new secret of the same key; the one before stands a day longer, or `overlap_seconds`, older ones no more."""
    presented = keys.rotate(writer, key_id, timedelta(seconds=sent.overlap_seconds))
    return _new(keys.load(writer, key_id), presented)


def _shown(key: Key) -> dict[str, Any]:
    told = asdict(key)
    limits: dict[str, Any] = told.pop("limits")
    return told | limits


def _new(key: Key, presented: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return answers.resource(_shown(key) | {"key": presented}, key.version, status=status, headers=headers)
