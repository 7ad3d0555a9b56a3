"""Answers that editors get: a resource as JSON with its version as ETag, never stored by caches.

Cacheable reads are answered in ``conditional.py``, failures in ``problems.py``, lists in ``paging.py``.
"""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from app.wire.conditional import etag


def encode(value: object) -> bytes:
    """JSON as every answer writes it: UTF-8, compact."""
    return to_json(value)


def resource(
    value: object, version: int | None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """``value`` as JSON; ``version`` becomes the ETag that ``If-Match`` wants back."""
    tag = {} if version is None else {"ETag": etag(version)}
    return Response(encode(value), status, {"Cache-Control": "no-store", **tag, **(headers or {})}, "application/json")
