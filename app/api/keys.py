"""API keys over the API: make, list, read, rotate, revoke; on the command line it is ``kiku keys``.

A secret is in one answer and nowhere else: these routes keep no answers and refuse an ``Idempotency-Key``.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.access import keys
from app.access.keys import Grant, Key, Limits
from app.access.scopes import Scope
from app.articles.fields import Instant, Language, Slug
from app.validation import demand_told, validated
from app.wire import answers, bodies, paging
from app.wire.caller import Admin
from app.wire.conditional import IfMatch
from app.wire.idempotency import NoKey
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/keys", tags=["keys"])

_DAY_SECONDS = 86_400
_FIXED = ("id", "version", "created_at", "revoked_at")
EXAMPLES = {"編集部": {"name": "編集部", "scopes": ["write", "publish"]}}


class KeyInput(BaseModel):
    """A key as it is made or changed; without ``expires_at`` it stays until it is revoked.

    With ``languages`` or ``tags`` it sees and changes only working copies in one of these languages that bear one of
    these tags, and not what articles share. ``rate_limit``, as ``600/60s``, goes before what the instance says. What
    else an answer tells may come back as it was told.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=keys.NAME_CHARACTERS)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=6)]
    languages: Annotated[list[Language], Field(min_length=1, max_length=50)] | None = None
    tags: Annotated[list[Slug], Field(min_length=1, max_length=50)] | None = None
    rate_limit: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,4}s$")] | None = None
    expires_at: Instant | None = None
    id: str | None = None
    version: int | None = None
    created_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None

    def grant(self) -> Grant:
        """What of it is for the key's owner to say."""
        languages, tags = (None if each is None else tuple(dict.fromkeys(each)) for each in (self.languages, self.tags))
        return Grant(self.name, tuple(self.scopes), self.expires_at, Limits(languages, tags, self.rate_limit))


SentKey = Annotated[KeyInput, Depends(bodies.json_body(KeyInput))]


class RotationInput(BaseModel):
    """How long the secret before stands beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * _DAY_SECONDS)] = _DAY_SECONDS


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    expires_at: str | None
    languages: list[str] | None
    tags: list[str] | None
    rate_limit: str | None
    version: int
    created_at: str
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
    openapi_extra=bodies.openapi_body(KeyInput, examples=EXAMPLES),
)
def create_key(_: Admin, _once: NoKey, sent: SentKey, writer: Writer) -> Response:
    """Make a key with these scopes. `key` in the answer is its secret: it is shown this once and not stored."""
    demand_told(sent, {}, _FIXED)
    key_id, presented = keys.create(writer, sent.grant())
    location = {"Location": f"/v1/manage/keys/{key_id}"}
    return _new(keys.load(writer, key_id), presented, 201, location)


@router.get("/{key_id}", summary="Read a key", responses={200: {"model": KeyAnswer}})
def read_key(_: Admin, key_id: str, reader: Reader) -> Response:
    """The key, without its secret."""
    key = keys.load(reader, key_id)
    return answers.resource(_shown(key), key.version)


@router.put(
    "/{key_id}",
    summary="Replace a key",
    responses={200: {"model": KeyAnswer}},
    openapi_extra=bodies.openapi_body(KeyInput, examples=EXAMPLES),
)
def replace_key(_: Admin, key_id: str, match: IfMatch, sent: SentKey, writer: Writer) -> Response:
    """Say anew what the key is called, what it may do, until when, and how it is limited; its secret stays."""
    return _changed(writer, key_id, match, lambda _: sent)


@router.patch(
    "/{key_id}",
    summary="Change a key",
    responses={200: {"model": KeyAnswer}},
    openapi_extra=bodies.openapi_patch({"期限": {"expires_at": "2030-01-01T00:00:00Z"}}),
)
def change_key(
    _: Admin, key_id: str, match: IfMatch, patch: Annotated[bodies.Patch, Depends(bodies.patch_body)], writer: Writer
) -> Response:
    """Change what is said: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902)."""
    return _changed(writer, key_id, match, lambda key: validated(KeyInput, bodies.apply(patch, _shown(key))))


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
    _once: NoKey,
    sent: Annotated[RotationInput, Depends(bodies.json_body(RotationInput, optional=True))],
    writer: Writer,
) -> Response:
    """A new secret of the same key; the one before stands a day longer, or `overlap_seconds`, older ones no more."""
    presented = keys.rotate(writer, key_id, timedelta(seconds=sent.overlap_seconds))
    return _new(keys.load(writer, key_id), presented)


def _changed(writer: Writer, key_id: str, match: frozenset[int] | None, edit: Callable[[Key], KeyInput]) -> Response:
    def granted(key: Key) -> Grant:
        sent = edit(key)
        demand_told(sent, _shown(key), _FIXED)
        return sent.grant()

    key = keys.change(writer, key_id, match, granted)
    return answers.resource(_shown(key), key.version)


def _shown(key: Key) -> dict[str, Any]:
    told: dict[str, Any] = asdict(key)
    grant: dict[str, Any] = told.pop("grant")
    limits: dict[str, Any] = grant.pop("limits")
    return {"id": told.pop("id")} | grant | limits | told


def _new(key: Key, presented: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return answers.resource(_shown(key) | {"key": presented}, key.version, status=status, headers=headers)
