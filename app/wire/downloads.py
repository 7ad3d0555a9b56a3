"""Answers that last as long as a client likes to read, and end where it reads no more.

What is sent stands in the rooms of the routes; that one export is answered at a time, in ``sessions.py``.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Send

PIECE_BYTES = 65_536
"""How much is sent at a time: whoever takes less than that within ``PATIENCE_SECONDS`` reads no more."""
PATIENCE_SECONDS = 30
"""How long a client may take nothing: what it is sent holds a slot and one moment of the database."""

log = logging.getLogger("kiku.downloads")


class Download(StreamingResponse):
    """A body of some parts, sent in pieces of one size; where none is taken it breaks off, for the client to see."""

    def __init__(self, parts: Iterable[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(_pieces(parts), 200, headers, media_type)

    async def stream_response(self, send: Send) -> None:
        """Send the head, and the pieces as they are taken."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.body_iterator:
            with anyio.move_on_after(PATIENCE_SECONDS) as waiting:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if waiting.cancelled_caught:
                log.warning("a download was broken off: for %d s the client took nothing", PATIENCE_SECONDS)
                return  # without an end, which the server makes a connection that is cut
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)
