"""``Idempotency-Key``: a POST that is sent again is answered as the first time, and does nothing again.

What is kept, and for how long, is decided in ``app/access/idempotency.py``.
"""

import hashlib
import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.access import idempotency
from app.access.idempotency import Answer, Attempt
from app.errors import BatchFailed, Fault, Forbidden, KikuError, Malformed, Stale, TooLarge
from app.wire import problems, sessions

HEADER = "Idempotency-Key"
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Makes sending the request again safe: for 24 hours it is answered as the first time, with "
    "`Idempotent-Replayed: true`. A new one for each request, a UUID for example.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
}
"""The header as OpenAPI tells it."""

_FORM = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_ANSWERS = (Forbidden, Stale, TooLarge, BatchFailed)
"""Refusals that are of the key, the precondition or the moment: with another of these it is another request."""
_REQUEST, _OWN_REQUEST = "kiku_request", "request"
_SERVER_ERRORS = 500
# Of the connection or of this try, not of the answer.
_NOT_KEPT = {"content-length", "x-request-id"}


def refuse_key(request: Request) -> None:
    """Go on only without an ``Idempotency-Key``: what answers a secret keeps no answers to tell again.

    Raises: Malformed (``parameter-invalid``).
    """
    if HEADER in request.headers:
        detail = "The answer holds a secret and is not kept: without this header, and look at what there is first."
        raise _malformed(detail)


NoKey = Annotated[None, Depends(refuse_key)]
"""For POSTs whose answers hold a secret."""


class IdempotentRoute(APIRoute):
    """A route whose POSTs may be sent again with the same ``Idempotency-Key``."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        posts = "POST" in (options.get("methods") or ()) and "writer" in inspect.signature(endpoint).parameters
        super().__init__(path, _once(endpoint) if posts else endpoint, **options)


def _once(endpoint: Callable[..., Response]) -> Callable[..., Response]:
    """The endpoint, asked only where its request was not answered before."""
    own = inspect.signature(endpoint)
    asks = _OWN_REQUEST in own.parameters  # FastAPI hands the request to one parameter only

    @wraps(endpoint)
    def answered(**values: Any) -> Response:
        request, writer = values[_OWN_REQUEST] if asks else values.pop(_REQUEST), values["writer"]
        attempt = _attempt(request)
        if attempt is None:
            return endpoint(**values)
        known = idempotency.claim(writer, attempt)
        if known is not None:
            return Response(known.body, known.status, known.headers | {"Idempotent-Replayed": "true"})
        told: dict[str, str] = {}
        sequence, touched = writer.sequence, set(writer.touched)
        try:
            with writer.savepoint():
                response = endpoint(**values)
            told = sessions.told(writer)
        except _NOT_ANSWERS:
            raise
        except KikuError as error:
            response = problems.answer(request, error)
            writer.sequence, writer.touched = sequence, touched  # what was undone touched nothing
            if response.status_code >= _SERVER_ERRORS:
                raise
        headers = {name: value for name, value in response.headers.items() if name not in _NOT_KEPT} | told
        idempotency.record(writer, attempt, Answer(response.status_code, headers, bytes(response.body)))
        return response

    # FastAPI reads from the signature what an endpoint wants.
    asked = inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    answered.__signature__ = own.replace(parameters=[*own.parameters.values(), *([] if asks else [asked])])  # type: ignore[attr-defined]
    return answered


def _attempt(request: Request) -> Attempt | None:
    """The try that a request is; None where it has no key. Raises: Malformed (``parameter-invalid``)."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _FORM.fullmatch(given[0]):
        raise _malformed("It is one value of 1 to 255 visible ASCII characters.")
    body: str = getattr(request.state, "body_sha256", "")
    sent = hashlib.sha256(request.scope["query_string"] + b"\n" + body.encode()).hexdigest()
    # A digest: an address may be longer than what a database's index holds.
    path = hashlib.sha256(request.scope["path"].encode()).hexdigest()
    return Attempt(request.state.key_id, request.method, path, given[0], sent)


def _malformed(detail: str) -> Malformed:
    fault = Fault("idempotency-key", detail, parameter=HEADER)
    return Malformed("parameter-invalid", "A header is not as it should be.", (fault,))
