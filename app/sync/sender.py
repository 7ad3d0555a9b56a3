"""One message to one receiver: signed, sent to an address that was judged, answered with a status or not at all.

By sockets and ssl: what has to be ours is the connection, and of an answer its head is all that is read (ADR-0015).
"""

import base64
import hashlib
import hmac
import io
import re
import socket
import ssl
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from app.sync import addresses
from app.sync.addresses import Resolve

TOTAL_SECONDS = 15
"""How long a receiver may take, from the look-up of its name to the end of its headers."""
_HEAD_BYTES = 65_536
"""How long an answer's status line and headers may be."""
_TRIED = 4
"""Of how many addresses of a name one is tried after the other."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_IN_TARGET = "/%:@!$&'()*+,;=~?[]"  # what an address may hold beside letters and digits, and what is quoted already
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?\r?\n")


class NotHttpError(Exception):
    """What was answered is no HTTP, or too long."""


# The first that fits: the ones before OSError are some of its kinds.
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLError, "tls-failed"),
    (TimeoutError, "timeout"),
    (OSError, "connection-failed"),
    (NotHttpError, "answer-invalid"),
)
_INTERIM, _SUCCESS, _REDIRECT, _GONE = range(100, 200), range(200, 300), range(300, 400), 410


class Message(NamedTuple):
    """What is sent: the same ``id`` and ``body`` at each try."""

    id: str
    url: str
    body: bytes
    secrets: Sequence[str]
    """Each signs: one, or two while the receiver changes over."""


class Outcome(NamedTuple):
    """What came of it: the status, if there was one, and why it is a failure, None where it is none."""

    status: int | None
    error: str | None


class Sender:
    """Sends messages; ``allowed``: the hosts whose addresses need not be public."""

    def __init__(self, allowed: Sequence[str] = (), resolve: Resolve | None = None) -> None:
        self._allowed = frozenset(allowed)
        self._resolve = resolve or _look_up

    def send(self, message: Message, now: datetime) -> Outcome:
        """What came of sending it once; nothing is raised, no redirect is followed, no proxy is asked."""
        until = time.monotonic() + TOTAL_SECONDS
        parts = urlsplit(message.url)
        name, port = addresses.host(message.url), parts.port or _DEFAULT_PORTS[parts.scheme]
        try:
            found = addresses.resolved(name, port, self._allowed, self._resolve)
        except (OSError, UnicodeError):
            return Outcome(None, "name-unknown")
        if not found:
            return Outcome(None, "address-refused")
        try:
            with _connected(found, until) as plain, _secured(plain, parts.scheme, name, until) as connection:
                connection.sendall(_request(message, now))
                status = _answered(connection, until)
        except (OSError, NotHttpError) as error:
            return Outcome(None, next(code for kind, code in _FAILURES if isinstance(error, kind)))
        return Outcome(status, _judged(status))


def signature(message: Message, timestamp: int) -> str:
    """The value of ``webhook-signature``. Source: Standard Webhooks 1.0, Signature scheme."""
    signed = f"{message.id}.{timestamp}.".encode() + message.body
    keys = (base64.b64decode(secret.removeprefix("whsec_")) for secret in message.secrets)
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _judged(status: int) -> str | None:
    if status in _SUCCESS:
        return None
    if status in _REDIRECT:
        return "redirected"
    return "gone" if status == _GONE else "refused"


def _look_up(name: str, port: int) -> list[tuple[Any, ...]]:
    return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)


def _connected(found: Sequence[tuple[Any, Any]], until: float) -> socket.socket:
    """A connection to the first of the addresses that takes one, each in its share of the time. Raises: OSError."""
    tried = found[:_TRIED]
    for at, (family, address) in enumerate(tried, 1):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(until) / (len(tried) - at + 1))
            connection.connect(address)
        except OSError:
            connection.close()
            if at == len(tried):
                raise
        else:
            return connection
    raise OSError  # a resolver that answers nothing has raised before


def _secured(connection: socket.socket, scheme: str, name: str, until: float) -> socket.socket:
    """The connection itself, or TLS within it, whose certificate is the host's. Raises: OSError."""
    connection.settimeout(_left(until))
    return _trust().wrap_socket(connection, server_hostname=name) if scheme == "https" else connection


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that the system trusts, read once (0.3 MB), when the first receiver needs them."""
    return ssl.create_default_context()


def _request(message: Message, now: datetime) -> bytes:
    parts = urlsplit(message.url)
    timestamp = int(now.timestamp())
    target = quote(parts.path or "/", safe=_IN_TARGET) + (
        f"?{quote(parts.query, safe=_IN_TARGET)}" if parts.query else ""
    )
    name = addresses.host(message.url)
    host = f"[{name}]" if ":" in name else name
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {host}" if parts.port is None else f"Host: {host}:{parts.port}",
        "User-Agent: Kiku",
        "Content-Type: application/json",
        f"Content-Length: {len(message.body)}",
        f"webhook-id: {message.id}",
        f"webhook-timestamp: {timestamp}",
        f"webhook-signature: {signature(message, timestamp)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + message.body


def _answered(connection: socket.socket, until: float) -> int:
    """The status that was answered; what is said after the headers is not read. Raises: OSError; NotHttpError."""
    answer = io.BufferedReader(_Answer(connection, until))
    while (status := _head(answer)) in _INTERIM:
        pass
    return status


def _head(answer: "io.BufferedReader[_Answer]") -> int:
    """The status of the next head. Raises: OSError; NotHttpError."""
    first = _STATUS_LINE.fullmatch(_line(answer))
    if first is None:
        raise NotHttpError
    while _line(answer).strip():
        pass
    return int(first[1])


def _line(answer: "io.BufferedReader[_Answer]") -> bytes:
    """The next line, with its end. Raises: OSError, also where it breaks off; NotHttpError."""
    line = answer.readline()
    if not line.endswith(b"\n"):
        raise ConnectionError
    return line


class _Answer(io.RawIOBase):
    """What a connection says, until a moment and up to a number of bytes."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self._left_bytes = _HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left_bytes:
            raise NotHttpError
        self._connection.settimeout(_left(self._until))
        count = self._connection.recv_into(buffer, min(len(buffer), self._left_bytes))
        self._left_bytes -= count
        return count


def _left(until: float) -> float:
    """How many seconds there are left. Raises: TimeoutError where there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
