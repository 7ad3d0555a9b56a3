"""Many writes in one transaction: each operation is answered as if it were sent by itself, and all hold, or none.

How a request is answered inside another one is in ``app/wire/nested.py``.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from app.errors import BatchFailed, Fault, Invalid, TooLarge
from app.publishing.publish import PUBLIC
from app.validation import pointer
from app.wire import answers, bodies, limits, nested
from app.wire.caller import AnyEditor
from app.wire.idempotency import IdempotentRoute
from app.wire.nested import Answered, Sent
from app.wire.sessions import Writer

router = APIRouter(prefix="/v1/manage/batch", tags=["batch"], route_class=IdempotentRoute)

OPERATIONS = 100
"""How many operations a batch has at most."""
HEADERS = (
    "Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Kiku-Reason",
)  # fmt: skip
"""The headers an operation may have; whose it is, is said by the batch's own."""

_CANONICAL = {name.lower(): name for name in HEADERS}
_SHOWN = ("ETag", "Location", "Content-Language", "Idempotent-Replayed")
_CLIENT_ERRORS = 400
_SECONDS = 3
"""How long a batch may work: other writers give up after five seconds of waiting."""
_ANSWER_BYTES = 8 * 1_048_576
"""How much its operations may answer together."""
_ALONE = ("/v1/manage/batch", "/v1/manage/keys", "/v1/manage/webhooks")
"""What cannot stand in a batch: another one, and keys and webhooks, whose secrets no kept answer may hold."""


class Operation(BaseModel):
    """One request: as it would be sent by itself, without `Authorization`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(pattern=r"^/v1/manage/", max_length=8_000)]
    headers: Annotated[dict[str, str], Field(max_length=len(HEADERS))] = {}
    body: JsonValue = None


class Batch(BaseModel):
    """Operations, carried out in this order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    operations: Annotated[list[Operation], Field(min_length=1, max_length=OPERATIONS)]


class Result(BaseModel):
    """What one operation was answered; ``body`` is null where there is none."""

    status: int
    headers: dict[str, str]
    body: Any


class Results(BaseModel):
    """What the operations were answered, in their order."""

    results: list[Result]


EXAMPLE: dict[str, Any] = {
    "operations": [
        {
            "method": "POST",
            "path": "/v1/manage/articles",
            "body": {"id": "01a20952-730d-73de-8611-1d33b4d4b762", "title": "菊まつりの歩き方"},
        },
        {
            "method": "PATCH",
            "path": "/v1/manage/articles/01a20952-730d-73de-8611-1d33b4d4b762",
            "headers": {"If-Match": '"1"'},
            "body": {"lead": "見どころを三つの記事からまとめました。"},
        },
    ]
}


async def _read_batch(
    request: Request, _: AnyEditor, sent: Annotated[Batch, Depends(bodies.json_body(Batch))]
) -> Batch:
    """The batch, counted and judged before the Writer is opened."""
    _demand_batchable(sent.operations)
    limits.charge_batch(request, len(sent.operations))
    return sent


@router.post(
    "",
    summary="Do many things at once",
    responses={200: {"model": Results}},
    openapi_extra=bodies.openapi_body(Batch, examples={"作って直す": EXAMPLE}),
)
def run_batch(_: AnyEditor, request: Request, sent: Annotated[Batch, Depends(_read_batch)], writer: Writer) -> Response:
    """Carry out up to 100 writes on `/v1/manage/…` in one transaction: all of them, or none.

    Each sees what those before it did; a client that names what it makes (an article's `id`) can go on with it. A
    body without `Content-Type` is JSON, in a PATCH a merge patch (an object) or a JSON patch (an array). The first
    one that is refused undoes all: 422 `batch-failed`, with pointers like `/operations/3/body/title`. What takes more
    than three seconds, or answers more than 8 MiB, is undone as well: 413 `batch-too-large`.
    """
    # Before all else and alone: what its operations hold by and by, others would hold in another order.
    writer.hold(PUBLIC)
    until = time.monotonic() + _SECONDS
    results, answered_bytes = [], 0
    for at, operation in enumerate(sent.operations):
        answered = nested.answer(request, writer, _request(operation))
        if answered.status >= _CLIENT_ERRORS:
            raise BatchFailed("batch-failed", "An operation was refused; nothing was stored.", _faults(at, answered))
        answered_bytes += len(answered.body)
        if time.monotonic() > until or answered_bytes > _ANSWER_BYTES:
            raise TooLarge("batch-too-large", "The batch takes too long or answers too much; nothing was stored.")
        results.append(_result(answered))
    return Response(
        b'{"results":[' + b",".join(results) + b"]}", 200, {"Cache-Control": "no-store"}, "application/json"
    )


def _demand_batchable(operations: list[Operation]) -> None:
    """Raises: Invalid (``validation``) naming all that cannot stand in a batch."""
    faults = []
    for at, operation in enumerate(operations):
        path, _, query = operation.path.partition("?")
        where = pointer(("operations", at, "path"))
        if unquote(path).startswith(_ALONE):
            faults.append(Fault("operation-alone", "This can only be done by itself.", pointer=where))
        if "dry_run" in parse_qs(query, keep_blank_values=True):
            detail = "A batch is tried as a whole: `batch?dry_run=true`."
            faults.append(Fault("operation-dry-run", detail, pointer=where))
        given = Counter(name.lower() for name in operation.headers)
        detail = f"An operation has only the headers {', '.join(HEADERS)}, each once, in whatever case."
        faults += [
            Fault("header-refused", detail, pointer=pointer(("operations", at, "headers", name)))
            for name in operation.headers
            if name.lower() not in _CANONICAL or given[name.lower()] > 1
        ]
    if faults:
        raise Invalid("validation", "The body is not as it should be.", tuple(faults))


def _request(operation: Operation) -> Sent:
    headers = {_CANONICAL[name.lower()]: value for name, value in operation.headers.items()}
    if "body" not in operation.model_fields_set:
        return Sent(operation.method, operation.path, headers, b"")
    if "Content-Type" not in headers:
        patch = bodies.JSON_PATCH if isinstance(operation.body, list) else bodies.MERGE_PATCH
        headers["Content-Type"] = patch if operation.method == "PATCH" else bodies.JSON
    if isinstance(operation.body, str) and "json" not in headers["Content-Type"]:  # a digest page
        return Sent(operation.method, operation.path, headers, operation.body.encode())
    return Sent(operation.method, operation.path, headers, answers.encode(operation.body))


def _result(answered: Answered) -> bytes:
    shown = {name: answered.headers[name.lower()] for name in _SHOWN if name.lower() in answered.headers}
    head = answers.encode({"status": answered.status, "headers": shown})
    return head[:-1] + b',"body":' + (answered.body or b"null") + b"}"


def _faults(at: int, answered: Answered) -> tuple[Fault, ...]:
    """Why the operation was refused: its problem, and each of its errors where that stands in the batch."""
    problem = json.loads(answered.body)
    errors = [
        Fault(error["code"], error["detail"], pointer=_place(at, error), severity=error.get("severity"))
        for error in problem["errors"]
    ]
    return (Fault(problem["code"], problem["detail"], pointer=pointer(("operations", at))), *errors)


def _place(at: int, error: Mapping[str, str]) -> str:
    if "pointer" in error:
        return pointer(("operations", at, "body")) + error["pointer"]
    header = _CANONICAL.get(error["parameter"].lower())
    return pointer(("operations", at, "path") if header is None else ("operations", at, "headers", header))
