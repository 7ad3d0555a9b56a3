"""A download is what its parts are, and whoever stops reading one keeps nobody else from theirs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from app.wire import downloads, sessions
from app.wire.downloads import PIECE_BYTES, Download
from tests.wire.conftest import wait_for

PARTS = (b"a" * 10, b"b" * (3 * PIECE_BYTES), b"", b"c")


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    @app.get("/parts")
    def read_parts(_: sessions.Exporter) -> Download:
        return Download(PARTS, {}, "text/plain")

    @app.get("/endless")
    def read_without_end(_: sessions.Exporter) -> Download:
        return Download(repeat(b"x" * PIECE_BYTES), {}, "text/plain")

    return app


@contextmanager
def stopped(address: str) -> Iterator[socket.socket]:
    """A connection over which a download without end has begun, of which nothing is read."""
    with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * PIECE_BYTES)
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: kiku\r\n\r\n")
        assert connection.recv(1)
        yield connection


class TestDownloads:
    def test_it_is_its_parts_in_pieces_of_one_size(self, served: str) -> None:
        assert httpx2.get(f"{served}/parts").content == b"".join(PARTS)
        assert [len(piece) for piece in downloads._pieces(PARTS)] == [PIECE_BYTES] * 3 + [11]

    def test_who_stops_reading_keeps_nobody_else_from_theirs(
        self, served: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(downloads, "PATIENCE_SECONDS", 1)
        monkeypatch.setattr(sessions, "WAIT_SECONDS", 0.1)
        with stopped(served) as connection:
            wait_for(lambda: httpx2.get(f"{served}/parts", timeout=20).status_code == 200)
            connection.settimeout(20)
            last = b""
            while piece := connection.recv(PIECE_BYTES):
                last = piece
            assert last
            assert not last.endswith(b"0\r\n\r\n")
