"""Conditional requests: which version a write expects, and whether a reader has the bytes already.

The compare itself is in the UPDATE of the room that owns the rows; editors' answers are in ``answers.py``.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Header, Request
from starlette.responses import Response

from app.errors import Fault, Malformed, PreconditionRequired

CACHE_CONTROL = "public, max-age=0, must-revalidate"
"""What readers' caches are told: keep it, and ask each time whether it is still right."""

NO_STORE = "no-store"
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it already."}}
"""How OpenAPI describes what a read answers to who has its bytes."""

# RFC 9110 8.8.3; header values are decoded as Latin-1, hence obs-text up to \xff. Empty list items: 5.6.1.
_TAGS = re.compile(r'[ \t]*(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)')
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_IF_MATCH = 'The version this write changes, as its ETag: `"3"`. `*` means whatever version is there.'
_IF_NONE_MATCH = "`*`: only create, never replace."


@dataclass(frozen=True)
class Precondition:
    """What a write expects where a precondition is not required.

    ``if_match``: the versions it may change; None means any, if ``given``, or that nothing was said.
    """

    if_match: frozenset[int] | None
    given: bool
    only_create: bool


def etag(version: int) -> str:
    """The ETag of a working copy's version."""
    return f'"{version}"'


def digest(content: bytes) -> str:
    """The ETag of bytes that readers get."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


def none_match(if_none_match: str | None, etag: str) -> bool:
    """Whether the header's value says that the client has ``etag`` already; a broken value says nothing.

    The tag of the gzip copy (``-gzip`` inside the quotes) is as good as that of the identity bytes.
    Source: RFC 9110 13.1.2, weak comparison.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = _entity_tags(if_none_match) or []
    mine = etag.removeprefix("W/").strip('"').removesuffix("-gzip")
    return any(opaque.removesuffix("-gzip") == mine for _, opaque in tags)


def answer(  # noqa: PLR0913 - what a cacheable answer consists of
    request: Request,
    body: bytes,
    etag: str | None = None,
    *,
    media_type: str = "application/json",
    cache_control: str = CACHE_CONTROL,
    vary: str | None = None,
    surrogate_keys: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A cacheable read: 200 with ``body``, or 304 where the client has it; the ETag of the bytes by default."""
    tag = digest(body) if etag is None else etag
    if none_match(_header(request, "if-none-match"), tag):
        return not_modified(tag, cache_control=cache_control, vary=vary, surrogate_keys=surrogate_keys)
    shown = _caching(tag, cache_control, vary, surrogate_keys) | dict(headers or {})
    return Response(body, 200, shown, media_type)


def lazy(  # noqa: PLR0913 - what a cacheable answer consists of
    request: Request,
    etag: str | None,
    build: Callable[[], tuple[bytes, Mapping[str, str]]],
    *,
    media_type: str = "application/json",
    cache_control: str = CACHE_CONTROL,
    vary: str | None = None,
    surrogate_keys: str | None = None,
) -> Response:
    """The same as ``answer`` for a body and headers that are only built where the client lacks ``etag``.

    Without an ``etag`` the body must be built to know its own.
    """
    if etag is not None and none_match(_header(request, "if-none-match"), etag):
        return not_modified(etag, cache_control=cache_control, vary=vary, surrogate_keys=surrogate_keys)
    body, headers = build()
    return answer(
        request,
        body,
        etag,
        media_type=media_type,
        cache_control=cache_control,
        vary=vary,
        surrogate_keys=surrogate_keys,
        headers=headers,
    )


def not_modified(
    etag: str, *, cache_control: str = CACHE_CONTROL, vary: str | None = None, surrogate_keys: str | None = None
) -> Response:
    """304 with the headers a 200 would have had for caches. Source: RFC 9110 15.4.5."""
    return Response(status_code=304, headers=_caching(etag, cache_control, vary, surrogate_keys))


def until(*, settled: bool) -> str:
    """``Cache-Control`` of an answer that may be kept once it is settled: before, no change tells that it is over."""
    return CACHE_CONTROL if settled else NO_STORE


def coded(etag: str, *, compressed: bool) -> str:
    """The ETag of the copy that is sent: the gzip copy bears its own (DESIGN, section 4, Caching)."""
    return f'{etag[:-1]}-gzip"' if compressed else etag


def moved(request: Request, before: str, now: str, *, surrogate_keys: str) -> Response:
    """308 from below ``before`` (a path as it was sent) to the same below ``now``, with the same query."""
    followed = request.scope["path"].removeprefix(before)
    query = request.scope["query_string"].decode("latin-1")
    location = quote(now + followed) + (f"?{query}" if query else "")
    told = {"Location": location, "Cache-Control": CACHE_CONTROL, "Surrogate-Key": surrogate_keys}
    return Response(status_code=308, headers=told)


async def _required(
    request: Request, _: Annotated[str | None, Header(alias="If-Match", description=_IF_MATCH)] = None
) -> frozenset[int] | None:
    value = _header(request, "if-match")
    if value is None:
        raise PreconditionRequired("precondition-required", "This write needs If-Match with the version it changes.")
    return _versions(value)


async def _optional(
    request: Request,
    _: Annotated[str | None, Header(alias="If-Match", description=_IF_MATCH)] = None,
    __: Annotated[str | None, Header(alias="If-None-Match", description=_IF_NONE_MATCH)] = None,
) -> Precondition:
    match, none = _header(request, "if-match"), _header(request, "if-none-match")
    if none is not None and none.strip() != "*":
        raise _broken("If-None-Match", "A write understands If-None-Match only as *.")
    return Precondition(
        if_match=None if match is None else _versions(match), given=match is not None, only_create=none is not None
    )


IfMatch = Annotated[frozenset[int] | None, Depends(_required)]
"""The versions that ``If-Match`` names; None for ``*``; empty where no tag can be a version of ours."""
OptionalMatch = Annotated[Precondition, Depends(_optional)]
"""For writes that also create: ``If-Match`` and ``If-None-Match: *``, where they were sent."""


def _versions(value: str) -> frozenset[int] | None:
    if value.strip() == "*":
        return None
    tags = _entity_tags(value)
    if not tags:
        raise _broken("If-Match", 'If-Match is a list of entity tags like "3", or *.')
    # Strong comparison (RFC 9110 13.1.1): a weak tag matches nothing, and neither does one Kiku never gave.
    return frozenset(int(opaque) for weak, opaque in tags if not weak and _VERSION.fullmatch(opaque))


def _entity_tags(value: str) -> list[tuple[bool, str]] | None:
    """The entity tags of a list, each with whether it is weak; None where the list is broken."""
    tags, position = [], 0
    while position < len(value):
        found = _TAGS.match(value, position)
        if found is None:
            return None
        if found["opaque"] is not None:
            tags.append((found["weak"] is not None, found["opaque"]))
        position = found.end()
    return tags


def _header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None


def _caching(etag: str, cache_control: str, vary: str | None, surrogate_keys: str | None) -> dict[str, str]:
    headers = {"ETag": etag, "Cache-Control": cache_control, "Vary": vary, "Surrogate-Key": surrogate_keys}
    return {name: value for name, value in headers.items() if value is not None}


def _broken(name: str, detail: str) -> Malformed:
    return Malformed("parameter-invalid", detail, (Fault("entity-tags", detail, parameter=name),))
