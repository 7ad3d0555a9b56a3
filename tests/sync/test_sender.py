"""One message to one receiver: never to an address that was not judged, never for longer than some seconds."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from app.database import system_clock
from app.sync import addresses, sender
from app.sync.sender import Message, Outcome, Sender
from tests.sync.receiver import HOST, receiving
from tests.sync.test_addresses import WRITTEN

NAME = "hooks.example.jp"
"""Nobody is asked for it: the tests resolve it."""
ASKED_FOR = (
    "127.1", "0x7f000001", "2130706433", "①②⑦.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "169.254.169.254",
)  # fmt: skip
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def message(url: str) -> Message:
    return Message(
        "01a20952-0000-7000-8000-000000000000", url, b'{"type":"webhook.test"}', ["whsec_a2lrdWtpa3VraWt1a2lrdQ=="]
    )


def sent(url: str, *allowed: str, resolve: Any = None) -> Outcome:
    return Sender(allowed, resolve).send(message(url), system_clock())


def resolving(*found: str, port: int) -> Callable[[str, int], list[tuple[Any, ...]]]:
    """What the far end's name server says."""
    return lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


@contextmanager
def listening(serve: Callable[[socket.socket], None] | None = None) -> Iterator[tuple[int, list[Any]]]:
    """A port on loopback, and who has connected to it; ``serve`` is what it does with a connection."""
    came: list[Any] = []
    with socket.create_server((HOST, 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, address = server.accept()
                    came.append(address)
                    with connection, suppress(OSError):
                        if serve is not None:
                            serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def saying(*parts: bytes, endless: bytes = b"") -> Callable[[socket.socket], None]:
    """Answers so, and ``endless`` without end."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in parts:
            connection.sendall(part)
        while endless:
            connection.sendall(endless)

    return serve


class TestAddresses:
    @pytest.mark.parametrize("host", WRITTEN)
    def test_no_spelling_of_one_that_is_not_public_is_connected_to(self, host: str) -> None:
        with listening() as (port, came):
            assert sent(f"http://{host}:{port}/").error in {"address-refused", "name-unknown"}
            assert came == []

    @pytest.mark.parametrize("host", ASKED_FOR)
    def test_it_is_said_that_they_are_refused(self, host: str) -> None:
        with listening() as (port, came):
            assert sent(f"http://{host}:{port}/") == Outcome(None, "address-refused")
            assert came == []

    def test_a_name_that_means_something_else_by_now_is_refused(self) -> None:
        with listening() as (port, came):
            before = addresses.resolved(NAME, port, (), resolving("1.1.1.1", port=port))
            assert before == [(socket.AF_INET, ("1.1.1.1", port))]
            assert sent(f"http://{NAME}:{port}/", resolve=resolving(HOST, port=port)).error == "address-refused"
            assert came == []

    def test_a_name_that_means_one_address_among_others_that_is_refused_is_refused(self) -> None:
        with listening() as (port, came):
            resolve = resolving("1.1.1.1", HOST, port=port)
            assert sent(f"http://{NAME}:{port}/", resolve=resolve).error == "address-refused"
            assert came == []

    def test_a_name_is_asked_for_once_and_what_was_judged_is_connected_to(self) -> None:
        asked = []
        with listening(saying(OK)) as (port, came):

            def resolve(name: str, at: int) -> list[tuple[Any, ...]]:
                asked.append((name, at))
                return resolving(HOST, port=port)(name, at)

            assert sent(f"http://{NAME}/", NAME, resolve=resolve) == Outcome(200, None)
            assert (asked, len(came)) == ([(NAME, 80)], 1)

    def test_the_next_address_is_tried_where_one_takes_no_connection(self) -> None:
        with listening(saying(OK)) as (port, came):
            assert sent(f"http://{NAME}:{port}/", NAME, resolve=resolving("127.0.0.2", HOST, port=port)).status == 200
            assert len(came) == 1

    def test_a_redirect_into_the_network_is_not_followed(self) -> None:
        with listening() as (port, came), receiving(lambda _: 302) as receiver:
            receiver.location = f"http://{HOST}:{port}/"
            assert sent(receiver.url, HOST) == Outcome(302, "redirected")
            assert came == []

    def test_no_proxy_of_the_environment_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with listening() as (port, came), receiving() as receiver:
            for name in ("http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://{HOST}:{port}")
                monkeypatch.setenv(name.upper(), f"http://{HOST}:{port}")
            assert sent(receiver.url, HOST) == Outcome(204, None)
            assert came == []


class TestOutcomes:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(200, None), (204, None), (299, None), (301, "redirected"), (400, "refused"), (410, "gone"), (503, "refused")],
    )
    def test_only_a_2xx_is_none(self, status: int, error: str | None) -> None:
        with receiving(lambda _: status) as receiver:
            assert sent(receiver.url, HOST) == Outcome(status, error)

    @pytest.mark.parametrize(
        ("serve", "outcome"),
        [
            (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), Outcome(None, "answer-invalid")),
            (saying(), Outcome(None, "connection-failed")),
            (saying(b"HTTP/1.1 2"), Outcome(None, "connection-failed")),
            (saying(b"HTTP/1.1 200 OK\r\nX-Mo"), Outcome(None, "connection-failed")),
            (saying(b"HTTP/1.1 200 OK\r\nX-More: x\r\n"), Outcome(None, "connection-failed")),
            (saying(b"HTTP/1.1 2000 OK\r\n\r\n"), Outcome(None, "answer-invalid")),
            (saying(b"HTTP/1.1 200 OK\r\n", endless=b"X: " + b"x" * 1_000 + b"\r\n"), Outcome(None, "answer-invalid")),
            (saying(endless=b"x" * 1_000), Outcome(None, "answer-invalid")),
            (saying(b"HTTP/1.1 200 OK\r\n\r\n", endless=b"more" * 1_000), Outcome(200, None)),
            (saying(CHUNKED, b"-5\r\n"), Outcome(200, None)),
            (saying(b"HTTP/1.1 100 Continue\r\n\r\n", OK), Outcome(200, None)),
            (saying(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK), Outcome(200, None)),
            (saying(b"HTTP/1.0 204\n\n"), Outcome(204, None)),
        ],
    )
    def test_whatever_is_said_ends(self, serve: Callable[[socket.socket], None], outcome: Outcome) -> None:
        with listening(serve) as (port, _):
            assert sent(f"http://{HOST}:{port}/", HOST) == outcome

    @pytest.mark.parametrize("said", [OK.removesuffix(b"ok"), CHUNKED, b"HTTP/1.1 200 OK\r\n\r\ndata:"])
    def test_a_body_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
        monkeypatch.setattr(sender, "TOTAL_SECONDS", 60)
        over, left = threading.Event(), []

        def linger(connection: socket.socket) -> None:
            connection.recv(65_536)
            connection.sendall(said)
            left.append(over.wait(30))

        with listening(linger) as (port, _):
            assert sent(f"http://{HOST}:{port}/", HOST) == Outcome(200, None)
            over.set()
        assert left == [True]

    @pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Slow: "])
    def test_who_takes_its_time_is_left(self, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
        monkeypatch.setattr(sender, "TOTAL_SECONDS", 0.5)
        over = threading.Event()

        def drip(connection: socket.socket) -> None:
            connection.sendall(said)
            while not over.wait(0.05):
                connection.sendall(b"x" if said else b"")

        with listening(drip) as (port, _):
            assert sent(f"http://{HOST}:{port}/", HOST) == Outcome(None, "timeout")
            over.set()

    def test_a_name_that_is_looked_up_for_too_long_is_not_connected_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sender, "TOTAL_SECONDS", 0)
        with listening(saying(OK)) as (port, came):
            assert sent(f"http://{HOST}:{port}/", HOST) == Outcome(None, "timeout")
            assert came == []

    def test_nobody_there(self) -> None:
        def nobody(*_: object) -> list[tuple[Any, ...]]:
            raise socket.gaierror

        assert sent(f"http://{NAME}/", resolve=nobody) == Outcome(None, "name-unknown")
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
        assert sent(f"http://{HOST}:{port}/", HOST) == Outcome(None, "connection-failed")


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
        """One that the system trusts, for the length of a test."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        sender._trust.cache_clear()
        yield authority
        sender._trust.cache_clear()

    @pytest.fixture
    def asked(self) -> list[str]:
        """The names that were asked for in TLS."""
        return []

    @contextmanager
    def secured(self, certificate: trustme.LeafCert, asked: list[str]) -> Iterator[Callable[[], Outcome]]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        context.sni_callback = lambda _, name, __: asked.append(str(name))

        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as inside:
                saying(OK)(inside)

        with listening(serve) as (port, _):
            yield lambda: sent(f"https://{NAME}/", NAME, resolve=resolving(HOST, port=port))

    def test_the_certificate_is_the_hosts_though_its_address_is_connected_to(
        self, authority: trustme.CA, asked: list[str]
    ) -> None:
        with self.secured(authority.issue_cert(NAME), asked) as send:
            assert send() == Outcome(200, None)
        assert asked == [NAME]

    def test_that_of_another_host_or_of_an_unknown_authority_is_refused(
        self, authority: trustme.CA, asked: list[str]
    ) -> None:
        for certificate in (authority.issue_cert("other.example.jp"), trustme.CA().issue_cert(NAME)):
            with self.secured(certificate, asked) as send:
                assert send() == Outcome(None, "tls-failed")

    @pytest.mark.usefixtures("authority")
    def test_who_speaks_no_tls_is_refused(self) -> None:
        with listening(saying(OK)) as (port, _):
            assert sent(f"https://{HOST}:{port}/", HOST) == Outcome(None, "tls-failed")
