"""Request bodies, read and judged before any transaction is opened (ADR 0006): strict JSON, patches, raw bytes.

What a body may contain is said by the models (``app/articles/document.py``); answers are no concern of this file.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import jsonpatch
from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.errors import Conflict, Fault, Invalid, Malformed, TooLarge, UnsupportedMediaType
from app.validation import check_depth, parse_json, validated

JSON_BYTES = 1_048_576
"""The largest JSON body."""
IMPORT_BYTES = 64 * 1_048_576
"""The largest body of an import."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
_INLINE_BYTES = 65_536  # larger bodies are parsed in a thread: a megabyte would hold up the loop for 30 ms
_PATCH_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})
_PATCH_FAILURES = (
    jsonpatch.JsonPatchException,
    jsonpatch.JsonPointerException,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


@dataclass(frozen=True)
class Patch:
    """Changes to a JSON document: a merge patch (an object) or a JSON patch (a list of operations)."""

    media_type: str
    value: dict[str, object] | list[object]


@dataclass(frozen=True)
class RawBody:
    """The bytes of a body as they came; ``charset`` as the client named it, lower case, None where it did not."""

    content: bytes
    media_type: str
    charset: str | None


@dataclass(frozen=True)
class Streamed:
    """A body that comes piece by piece; ``charset`` as in ``RawBody``."""

    chunks: AsyncIterator[bytes]
    media_type: str
    charset: str | None

    async def whole(self) -> RawBody:
        """All of it at once."""
        return RawBody(b"".join([chunk async for chunk in self.chunks]), self.media_type, self.charset)


def json_body(model: type[M], *, optional: bool = False) -> Callable[[Request], Awaitable[M]]:
    """A dependency that reads the body as JSON and gives a ``model``; OpenAPI learns of it by ``openapi_body``.

    ``optional``: no body at all stands for an empty object. It raises UnsupportedMediaType, TooLarge, and what
    ``parse_json`` and ``validated`` raise.
    """

    async def read_body(request: Request) -> M:
        headers = request.headers
        if optional and "content-type" not in headers and headers.get("content-length", "0") == "0":
            return validated(model, {})
        _media_type(request, (JSON,))
        content = await _read(request, JSON_BYTES)
        if optional and not content:  # many clients name the type of every body, also of none
            return validated(model, {})
        return await _aside(content, lambda: validated(model, parse_json(content)))

    return read_body


async def patch_body(request: Request) -> Patch:
    """A dependency that reads a merge patch (RFC 7396) or a JSON patch (RFC 6902); ``apply`` carries it out.

    Raises: UnsupportedMediaType, TooLarge, Invalid (``validation``), and what ``parse_json`` raises.
    """
    media_type, _ = _media_type(request, (MERGE_PATCH, JSON_PATCH))
    content = await _read(request, JSON_BYTES)
    value = await _aside(content, lambda: parse_json(content))
    if media_type == MERGE_PATCH and isinstance(value, dict):
        return Patch(media_type, value)
    if media_type == JSON_PATCH and isinstance(value, list):
        return Patch(media_type, value)
    expected = "A merge patch is an object." if media_type == MERGE_PATCH else "A JSON patch is an array of operations."
    raise _invalid([Fault("patch-invalid", expected, pointer="")])


async def stream(request: Request, limit: int, media_types: tuple[str, ...]) -> Streamed:
    """The body, unread and undecoded, for up to ``limit`` bytes of one of ``media_types``.

    An empty body is for the reader of the format to judge. Raises: UnsupportedMediaType, TooLarge; whoever reads on:
    TooLarge, Malformed.
    """
    media_type, parameters = _media_type(request, media_types)
    _demand_size(request, limit)
    return Streamed(_chunks(request, limit), media_type, parameters.get("charset"))


def apply(patch: Patch, document: Mapping[str, object]) -> dict[str, object]:
    """``document`` after ``patch``; ``document`` itself stays as it is.

    Raises: Conflict (``patch-test-failed``, ``patch-path``); Invalid (``validation``) for operations that
    are none; TooLarge where the operations copy more than a body may hold; Malformed where it got too deep.
    Source: RFC 7396 2; RFC 6902 4, 5.
    """
    if patch.media_type == MERGE_PATCH:
        patched = _merge(document, patch.value)
    else:
        # Copied by value: two places of the result must not be one object.
        patched = json.loads(json.dumps(document))
        copied_characters = 0
        for index, operation in enumerate(patch.value):
            copied_characters += _copy_size(operation, patched)
            if copied_characters > JSON_BYTES:  # thirty copies of a document into itself fill any memory
                raise TooLarge("too-large", "The patch copies more than a body may hold.")
            patched = _operate(operation, index, patched)
    check_depth(patched)
    if not isinstance(patched, dict):
        raise _invalid([Fault("patch-invalid", "The patch leaves no object.", pointer="")])
    return patched


def openapi_body(
    model: type[BaseModel],
    media_type: str = JSON,
    examples: Mapping[str, object] | None = None,
    *,
    required: bool = True,
) -> dict[str, Any]:
    """What a route passes as ``openapi_extra=``, so that OpenAPI tells the body its dependency reads.

    ``examples`` by name, each a value of the body. The schema's parts become components in ``openapi.py``.
    """
    content: dict[str, Any] = {"schema": model.model_json_schema(ref_template="#/components/schemas/{model}")}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": required, "content": {media_type: content}}}


def openapi_patch(examples: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The same as ``openapi_body`` for ``patch_body``; the examples are merge patches."""
    # Each with the members it needs; others are ignored (RFC 6902 4).
    place = {"type": "string", "format": "json-pointer"}
    kinds: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
        (("add", "replace", "test"), {"value": {}}),
        (("move", "copy"), {"from": place}),
        (("remove",), {}),
    )
    operation = {
        "oneOf": [
            {
                "type": "object",
                "required": ["op", "path", *beside],
                "properties": {"op": {"enum": list(names)}, "path": place, **beside},
            }
            for names, beside in kinds
        ]
    }
    merge: dict[str, Any] = {"schema": {"type": "object"}}
    if examples:
        merge["examples"] = {name: {"value": value} for name, value in examples.items()}
    content = {MERGE_PATCH: merge, JSON_PATCH: {"schema": {"type": "array", "items": operation}}}
    return {"requestBody": {"required": True, "content": content}}


def openapi_raw(examples: Mapping[str, str]) -> dict[str, Any]:
    """The same as ``openapi_body`` for ``stream``: one example text for each media type."""
    content = {
        media_type: {"schema": {"type": "string"}, "examples": {"example": {"value": text}}}
        for media_type, text in examples.items()
    }
    return {"requestBody": {"required": True, "content": content}}


def _media_type(request: Request, accepted: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The body's media type and its parameters, names and values in lower case."""
    media_type, *rest = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
    if media_type not in accepted:
        raise UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.", accepted)
    if media_type.endswith("json") and parameters.get("charset", "utf-8") not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is UTF-8 and nothing else.", accepted)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("The body must not be compressed.", accepted)
    return media_type, parameters


async def _read(request: Request, limit: int) -> bytes:
    _demand_size(request, limit)
    return b"".join([chunk async for chunk in _chunks(request, limit)])


async def _chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    size, content = 0, hashlib.sha256()
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            content.update(chunk)
            yield chunk
    except ClientDisconnect:
        raise Malformed("json-invalid", "The body ended before it was complete.") from None
    request.state.body_sha256 = content.hexdigest()  # whether the same is sent again is asked later


def _demand_size(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > len(str(limit)) or int(declared) > limit):
        raise _too_large(limit)


async def _aside(content: bytes, work: Callable[[], T]) -> T:
    return work() if len(content) <= _INLINE_BYTES else await run_in_threadpool(work)


def _merge(target: object, patch: object) -> object:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


def _operate(operation: object, index: int, document: object) -> object:
    if not isinstance(operation, dict) or str(operation.get("op")) not in _PATCH_OPERATIONS:
        detail = "An operation is an object whose op is add, remove, replace, move, copy or test."
        raise _invalid([Fault("patch-invalid", detail, pointer=f"/{index}")])
    try:
        return jsonpatch.JsonPatch([operation]).apply(document, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise Conflict("patch-test-failed", f"The test of operation {index} failed; nothing was changed.") from None
    except jsonpatch.InvalidJsonPatch:
        detail = "A member that this operation needs is missing or not as it should be."
        raise _invalid([Fault("patch-invalid", detail, pointer=f"/{index}")]) from None
    except _PATCH_FAILURES:
        raise Conflict("patch-path", f"What operation {index} names is not there; nothing was changed.") from None


def _copy_size(operation: object, document: object) -> int:
    if not isinstance(operation, dict) or operation.get("op") != "copy":
        return 0
    try:
        return len(json.dumps(jsonpatch.JsonPointer(operation["from"]).resolve(document)))
    except _PATCH_FAILURES:
        return 0  # the operation itself will tell


def _invalid(faults: list[Fault]) -> Invalid:
    return Invalid("validation", "The body is not as it should be.", tuple(faults))


def _too_large(limit: int) -> TooLarge:
    return TooLarge("too-large", f"A body here holds at most {limit:,} bytes.")
