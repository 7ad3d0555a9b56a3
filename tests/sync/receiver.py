"""The far end of a webhook: a real HTTP server on loopback that keeps what it is sent and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fastapi.testclient import TestClient

from app import worker
from app.database import Database
from app.sync import deliveries
from app.sync.couriers import Couriers
from app.sync.sender import Sender
from app.text import instant

AT = "/v1/manage/webhooks"
HOST = "127.0.0.1"
SENDER = Sender([HOST])


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    number: int
    """Which of those with the same id, from 1."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """``answer`` says with which status a call is answered, and perhaps with a Location."""

    url: str
    answer: Callable[[Call], int] = lambda _: 204
    location: str | None = None
    calls: list[Call] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    """The ids of what was answered with a 2xx."""

    def told(self) -> list[tuple[str, str]]:
        """Types and slugs, as they came."""
        return [(call.said["type"], call.said["data"]["slug"]) for call in self.calls]


@contextmanager
def receiving(answer: Callable[[Call], int] = lambda _: 204) -> Iterator[Receiver]:
    """A receiver for the length of the block."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                number = 1 + sum(call.id == headers["webhook-id"] for call in receiver.calls)
                call = Call(self.path, headers, body, number)
                receiver.calls.append(call)
            status = receiver.answer(call)
            with lock:
                if 200 <= status < 300:
                    receiver.accepted.append(call.id)
            self.send_response(status)
            if receiver.location is not None:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # who was killed hangs up
                super().handle()

    server = ThreadingHTTPServer((HOST, 0), Handler)
    receiver = Receiver(f"http://{HOST}:{server.server_port}/hook", answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


def subscribe(client: TestClient, url: str, **said: Any) -> dict[str, Any]:
    """A new webhook as its creation answered."""
    answer = client.post(AT, json={"url": url} | said)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def deliver(database: Database, sender: Sender = SENDER) -> None:
    """Do what the worker does until nothing is due."""
    while worker.tell(database):
        pass
    couriers = Couriers(database, sender, threading.Event())
    while True:
        with database.reading() as reader:
            if not deliveries.due(reader, instant(database.clock())):
                return
        couriers.send()
        for thread in threading.enumerate():
            if thread.name == "kiku-courier":
                thread.join(30)


def log(client: TestClient, webhook: dict[str, Any], **filters: Any) -> list[dict[str, Any]]:
    """The deliveries, the first made first."""
    answer = client.get(f"{AT}/{webhook['id']}/deliveries", params={"limit": 100} | filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][::-1]  # type: ignore[no-any-return]
