"""What browsers are told: which pages may call (CORS), and to believe the media type of an answer.

HEAD is here as well: every GET, without its body. Sizes of bodies are limited in ``bodies.py``.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.wire import problems

MANAGE = "/v1/manage"
"""Below this path are the working copies."""
EXPOSED = ("ETag", "Link", "Retry-After", "RateLimit")
"""The headers a page of another origin may see, of those that are not seen anyway."""


class Head:
    """Answers HEAD wherever GET is answered, with the same headers, Content-Length too, and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        # A copy: the server reads the method from its own scope to know that no body will follow.
        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, without_body)
        finally:
            scope["route"] = inner.get("route")


class Origins:
    """Lets pages of every origin read, and those of ``origins`` also call the manage addresses."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._manage = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(
                "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Kiku-Min-Seq",
                "Kiku-Reason", "X-Request-Id",
            ),
            expose_headers=(*EXPOSED, "Idempotent-Replayed", "Kiku-Seq", "Location", "Surrogate-Key", "X-Request-Id"),
        )  # fmt: skip
        self._reading = CORSMiddleware(
            app,
            allow_origins=("*",),
            allow_methods=("GET", "HEAD"),
            allow_headers=("Authorization", "If-None-Match", "Kiku-Min-Seq", "X-Request-Id"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer a preflight."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        manages = scope["path"] == MANAGE or scope["path"].startswith(f"{MANAGE}/")
        rules = self._manage if manages else self._reading
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
            response = rules.preflight_response(headers)
            if response.status_code != 200:  # noqa: PLR2004 - refused: said as every failure is
                response = problems.problem(
                    400,
                    "preflight-refused",
                    "Pages of this origin may not send such a request here.",
                    request_id=problems.request_id(scope),
                    headers={"Vary": response.headers["Vary"]},
                )
            await response(scope, receive, send)
        elif manages:
            await rules(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, OPEN))


class Nosniff:
    """Tells browsers to believe Content-Type, and to keep addresses (preview tokens) out of Referer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self._app(scope, receive, _with_headers(send, SAFE) if scope["type"] == "http" else send)


# Always the same and so without Vary: Origin, which would make caches keep one copy an origin.
OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(EXPOSED)}
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def _with_headers(send: Send, added: dict[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(added)
        await send(message)

    return send_with_headers
