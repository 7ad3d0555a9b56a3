"""One trace a request: an id, a line of JSON on standard output, and counters for Prometheus.

Never a query, a header, a body or a secret. Failures are logged in ``problems.py``.
"""

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("kiku_http_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram("kiku_http_request_seconds", "Seconds from a request's head to its last byte.", ("method", "route"))

access_log = logging.getLogger("kiku.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Trace:
    """Gives every request an id, answers it as ``X-Request-Id``, and tells afterwards what happened.

    A client's own ``X-Request-Id`` is kept where it is 1 to 64 letters, digits and ``._-``.
    """

    def __init__(self, app: ASGIApp, *, logs: bool) -> None:
        self._app = app
        self._logs = logs
        if logs and not access_log.handlers:
            access_log.addHandler(_StandardOutput())
            access_log.setLevel(logging.INFO)
            access_log.propagate = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = self.name(scope)
        status = 500
        sent_bytes = 0

        async def watch(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif message["type"] == "http.response.body":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            template: str | None = getattr(scope.get("route"), "path_format", None)
            self.tell(scope, template, status, sent_bytes, time.perf_counter() - began)

    @staticmethod
    def name(scope: Scope) -> str:
        """Give the request its id."""
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        return request_id

    def tell(self, scope: Scope, template: str | None, status: int, sent_bytes: int, seconds: float) -> None:
        """Count a request that was answered, and log it; ``template``: its route's path, None where none matched."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # By template, not by path: strangers must not be able to make new series.
        route = template or "unmatched"
        REQUESTS.labels(method, route, f"{status // 100}xx").inc()
        SECONDS.labels(method, route).observe(seconds)
        if self._logs:
            line: dict[str, Any] = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "method": scope["method"],
                "route": template or scope["path"],
                "status": status,
                "duration_ms": round(seconds * 1000, 2),
                "bytes": sent_bytes,
                "request_id": scope["state"]["request_id"],
                "key_id": scope["state"].get("key_id"),
            }
            access_log.info(json.dumps(line))


class _StandardOutput(logging.Handler):
    """Standard output as it is when the line is written: a captured or redirected one, too."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(record.getMessage() + "\n")
        sys.stdout.flush()


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else uuid4().hex
