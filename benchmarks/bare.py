"""The floor that Kiku is measured against: an ASGI app that answers known requests from memory.

It runs under the same server with the same settings as ``kiku serve``; what it answers was first answered
by Kiku and is handed over in a file by ``bench.py``.
"""

import argparse
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

Headers = Sequence[tuple[bytes, bytes]]
Message = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is answered at one address: 200 with a body, or 304 to whoever has it."""

    etag: bytes
    headers: Headers
    body: bytes
    not_modified_headers: Headers


class Bare:
    """Answers each target (path and query as sent) with the bytes it was given for it."""

    def __init__(self, answers: Mapping[bytes, Answer]) -> None:
        self._answers = answers

    async def __call__(
        self,
        scope: Mapping[str, Any],
        _: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request; there is no other scope than HTTP."""
        query = scope["query_string"]
        answer = self._answers[scope["raw_path"] + (b"?" + query if query else b"")]
        status, headers, body = 200, answer.headers, answer.body
        for name, value in scope["headers"]:
            if name == b"if-none-match" and value == answer.etag:
                status, headers, body = 304, answer.not_modified_headers, b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def write(path: Path, answers: Mapping[str, Answer]) -> None:
    """Write what is to be answered, by target, for a process of this module to read."""
    stored = {
        target: {
            "etag": answer.etag.decode("latin-1"),
            "headers": _texts(answer.headers),
            "body": base64.b64encode(answer.body).decode(),
            "not_modified_headers": _texts(answer.not_modified_headers),
        }
        for target, answer in answers.items()
    }
    path.write_text(json.dumps(stored), encoding="utf-8")


def read(path: Path) -> dict[bytes, Answer]:
    """What ``write`` wrote."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {
        target.encode("latin-1"): Answer(
            answer["etag"].encode("latin-1"),
            _bytes(answer["headers"]),
            base64.b64decode(answer["body"]),
            _bytes(answer["not_modified_headers"]),
        )
        for target, answer in stored.items()
    }


def main() -> None:
    """Serve the answers of a file on loopback, as ``kiku serve`` serves its own."""
    parser = argparse.ArgumentParser(description="Answer requests from memory: the floor of a benchmark.")
    parser.add_argument("answers", type=Path)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    uvicorn.run(
        Bare(read(given.answers)),
        port=given.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
    )


def _texts(headers: Headers) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _bytes(headers: list[list[str]]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


if __name__ == "__main__":
    main()
