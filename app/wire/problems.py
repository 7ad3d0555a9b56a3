"""Failures as HTTP says them: one problem document (RFC 9457) for every 4xx and 5xx, and one table of statuses.

The kinds of failure are in ``app/errors.py``; nothing else in the house chooses a status.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    Gone,
    Invalid,
    KikuError,
    Malformed,
    NotAcceptable,
    NotFound,
    PreconditionRequired,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    UnsupportedMediaType,
)
from app.validation import fault_code, fault_detail
from app.wire import negotiation

MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[type[KikuError], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NotAcceptable: 406,
    Conflict: 409,
    Gone: 410,
    Stale: 412,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Invalid: 422,
    PreconditionRequired: 428,
    TooMany: 429,
    Busy: 503,
}

TARGET_BYTES = 32_768
"""The longest path and query, as sent: the longest ``url`` of a look-up fits, at twelve bytes a character."""

log = logging.getLogger("kiku.problems")

_CODES = {404: "not-found", 405: "method-not-allowed"}
_DETAILS = {404: "There is nothing at this address.", 405: "This address does not answer to this method."}


def problem(  # noqa: PLR0913 - the members of a problem document
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str | None,
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that tells one failure. Source: RFC 9457."""
    body = {
        "type": f"/problems/{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
        "errors": [_entry(fault) for fault in faults],
    }
    # A pointer may spell a key of the input: whatever it holds, the answer can be encoded.
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(content, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def answer(request: Request, error: KikuError) -> Response:
    """The problem that tells ``error``, with the headers that belong to its kind."""
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return problem(
        status,
        error.code,
        error.detail,
        request_id=request_id(request.scope),
        faults=error.faults,
        headers=_headers(request, error),
    )


def request_id(scope: Scope) -> str | None:
    """The id that ``trace`` gave the request; None where it did not pass there."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


def install(app: FastAPI) -> None:
    """Let every failure of ``app``, also those the framework makes, be answered by a problem.

    Call it before other middlewares are added: what is refused here gets their headers, too.
    """
    app.add_middleware(Targets)
    app.add_exception_handler(KikuError, _kiku_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _unexpected)


class Targets:
    """Refuses a path and query of more than ``TARGET_BYTES`` before anything looks for what they name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 414."""
        if scope["type"] == "http":
            path = scope.get("raw_path") or scope["path"].encode()
            if len(path) + len(scope["query_string"]) > TARGET_BYTES:
                detail = f"An address holds at most {TARGET_BYTES:,} bytes here."
                response = problem(414, "uri-too-long", detail, request_id=request_id(scope))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Unexpected:
    """Answers what nobody foresaw with 500 and logs it; the traceback stays in the log.

    Stands inside the middlewares that add headers, so that a 500 bears them as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await _unexpected(Request(scope), error)
            await response(scope, receive, send)


async def _kiku_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, KikuError):
        raise error
    return answer(request, error)


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = error.status_code
    phrase = HTTPStatus(status).phrase
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request)) or headers.get("Allow", "")
    return problem(
        status,
        _CODES.get(status, phrase.lower().replace(" ", "-").replace("'", "")),
        _DETAILS.get(status, f"{phrase}."),
        request_id=request_id(request.scope),
        headers=headers,
    )


async def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [_parameter_fault(detail) for detail in error.errors()]
    detail = "A parameter is not as it should be."
    return answer(request, Malformed("parameter-invalid", detail, tuple(faults)))


async def _unexpected(request: Request, error: Exception) -> Response:
    known = request_id(request.scope)
    log.error("unexpected failure, request_id=%s", known, exc_info=error)
    return problem(500, "internal-error", "Something failed here that was not foreseen.", request_id=known)


def _headers(request: Request, error: KikuError) -> dict[str, str]:
    match error:
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
        case Busy() | TooMany():
            return {"Retry-After": str(error.retry_after_seconds)}
        case Stale() if error.version is not None:
            return {"ETag": f'"{error.version}"'}
        case Invalid() if error.language is not None:
            return negotiation.said_in(error.language)
        case UnsupportedMediaType():
            # Accept in an answer: RFC 9110 15.5.16; Accept-Patch: RFC 5789 3.1; Accept-Post: LDP 7.1.
            name = {"PATCH": "Accept-Patch", "POST": "Accept-Post"}.get(request.method, "Accept")
            return {name: ", ".join(error.accepted)}
        case _:
            return {}


def _allowed(request: Request) -> Sequence[str]:
    """Every method the address answers to: the framework names those of the first matching route only."""
    path = request.scope["path"]
    routes = [context for context in iter_route_contexts(request.app.routes) if context.path_regex.match(path)]
    methods = {method for context in routes for method in context.methods or ()}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _parameter_fault(error: Mapping[str, Any]) -> Fault:
    details = ErrorDetails(type=error["type"], loc=error["loc"], msg=error["msg"], input=None)
    if "ctx" in error:
        details["ctx"] = error["ctx"]
    name = next((str(part) for part in error["loc"][1:]), "")
    code = "unknown-parameter" if error["type"] == "extra_forbidden" else fault_code(details)
    return Fault(code, fault_detail(details), parameter=name)


def _entry(fault: Fault) -> dict[str, str]:
    members = {
        "pointer": fault.pointer if fault.parameter is None else None,
        "parameter": fault.parameter,
        "code": fault.code,
        "severity": fault.severity,
        "detail": fault.detail,
    }
    return {name: text for name, text in members.items() if text is not None}
