"""One trace a request: an id, a line of JSON on standard output, and counters for Prometheus.

Never a query, a header, a body or a secret. Failures are logged in ``problems.py``.
"""

import asyncio
import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from functools import cache
from itertools import count as count_from
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("kiku_http_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram("kiku_http_request_seconds", "Seconds from a request's head to its last byte.", ("method", "route"))

COUNT_SECONDS = 1
"""How long a request may go uncounted; ``/metrics`` counts those of its own process before it answers."""

access_log = logging.getLogger("kiku.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_numbers = count_from(1)
_told: list[tuple[str, str, int, float]] = []
"""Requests answered and not counted yet: method, route, hundreds of the status, seconds."""


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
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.update(scope["state"].get("told", {}))
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
        """Note a request that was answered, and log it; ``template``: its route's path, None where none matched."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # By template, not by path: strangers must not be able to make new series.
        route = template or "unmatched"
        if not _told:
            asyncio.get_running_loop().call_later(COUNT_SECONDS, count)
        _told.append((method, route, status // 100, seconds))
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


def count() -> None:
    """Bring the counters up to date: many requests counted at once cost a third of one by one in between."""
    told = _told[:]
    del _told[: len(told)]  # the event loop may have told more since
    for method, route, hundreds, seconds in told:
        requests, durations = _series(method, route, hundreds)
        requests.inc()
        durations.observe(seconds)


@cache  # the library looks its series up at several times the cost of counting
def _series(method: str, route: str, hundreds: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, f"{hundreds}xx"), SECONDS.labels(method, route)


class _StandardOutput(logging.Handler):
    """Standard output as it is when the line is written: a captured or redirected one, too."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(record.getMessage() + "\n")
        sys.stdout.flush()


@cache  # with the first request, not at import: workers share what is imported (app/preloaded.py)
def _run() -> str:
    return secrets.token_hex(12)


def _request_id(scope: Scope) -> str:
    """The client's own; else which run of the server and which of its requests, a fifth of the cost of a random one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value).decode()
    return f"{_run()}{next(_numbers):08x}"
