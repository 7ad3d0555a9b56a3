"""The application as tests ask it: at every read what short ways answer is held against what FastAPI solves.

Those are the hot reads, and the routes of ``app/wire/reads.py``.
"""

import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.hot import HotReads

_SOLVED = (b"kiku-min-seq", b"0")
"""Whoever sends this says nothing, but goes the long way."""


class Compared:
    """The application; whatever it answers readers is held against what FastAPI does, header by header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # The same routes: FastAPI makes those of an application when it is first asked, in more time than a test takes.
        self.beneath: Any = app.beneath if isinstance(app, HotReads) else app
        self.differences: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and scope["path"].startswith("/v1/")
        if not reads or scope["path"].startswith("/v1/manage"):
            await self._app(scope, receive, send)
            return
        answers: list[list[Message]] = [[], []]
        asked = [{**scope, "headers": [*scope["headers"], *more], "state": {}} for more in ([_SOLVED], [])]
        for app, question, answer in zip((self.beneath, self._app), asked, answers, strict=True):

            async def keep(message: Message, answer: list[Message] = answer) -> None:
                answer.append(message)

            await app(question, receive, keep)
        if _told(answers[0]) != _told(answers[1]):
            self.differences.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        for message in answers[1]:
            await send(message)


def _told(messages: list[Message]) -> tuple[int, set[tuple[bytes, bytes]], bytes]:
    """What an answer says whoever gave it: without the request's id, of which a problem's body speaks too."""
    start, *parts = messages
    headers = {(name, value) for name, value in start["headers"] if name != b"x-request-id"}
    body = b"".join(part.get("body", b"") for part in parts)
    return start["status"], headers, re.sub(rb'"request_id":"[^"]*"', b"", body)
