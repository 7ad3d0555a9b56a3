"""The least HTTP client there is: one keep-alive connection, requests as ready bytes.

It is the same for every server measured, and its CPU time is no server's; what is asked is in ``works.py``.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Reply:
    """One answer as it came; header names in lower case."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Every header in its order."""
        lines = (line.partition(b": ") for line in self.head.split(b"\r\n")[1:])
        return [(name.lower(), value) for name, _, value in lines]

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def header(self, name: bytes) -> bytes:
        """The value of a header that must be there."""
        return dict(self.headers)[name]


def request(method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A request as it goes over the wire; ``target`` is the path and query, percent-encoded."""
    typed = {"Content-Type": "application/json", "Content-Length": str(len(body))} if body else {}
    sent = {"Host": "127.0.0.1", "Accept": "*/*"} | typed | dict(headers or {})
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def encode(value: object) -> bytes:
    """A JSON body, as compact as Kiku's own."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Connection:
    """One connection to a port, on loopback unless told otherwise, for the length of a ``with`` block."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> Reply:
        """Send one request and take its whole answer.

        Raises: OSError when the server is not there or closes the connection.
        """
        self._socket.sendall(request)
        received = self._receive()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head, body = received[:end], received[end + 4 :]
        at = head.lower().find(b"content-length:")
        missing = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0]) - len(body)
        parts = [body]
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return Reply(int(head[9:12]), head, b"".join(parts))

    def json(self, target: str) -> Any:
        """The JSON at an address that anybody may read."""
        return expected(self.ask(request("GET", target)), 200).json()

    def _receive(self) -> bytes:
        received = self._socket.recv(_CHUNK_BYTES)
        if not received:
            raise ConnectionError("The server closed the connection.")
        return received


def expected(reply: Reply, status: int) -> Reply:
    """The reply, if it has this status.

    Raises: RuntimeError with the answer otherwise: a benchmark of errors says nothing.
    """
    if reply.status != status:
        raise RuntimeError(f"{status} was expected, not {reply.status}: {reply.body[:500].decode(errors='replace')}")
    return reply
