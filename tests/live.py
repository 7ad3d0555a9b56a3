"""A real ``kiku serve`` on loopback, in its own processes, for tests that need more than one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx2

START_SECONDS = 60


@contextmanager
def served(
    database_url: str, *, workers: int = 2, log: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The base address of a server over ``database_url``; it is ended with the block.

    Its standard error goes to the file ``log``, where one is given; ``settings``: what else its environment says.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"KIKU_DATABASE_URL": database_url, "KIKU_ACCESS_LOG": "off"} | dict(settings or {})
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    options = ["--port", str(port), "--workers", str(workers)]
    with log.open("wb") if log else nullcontext() as errors:
        process = subprocess.Popen([*command, *options], env=environment, stdout=subprocess.DEVNULL, stderr=errors)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "kiku serve ended before it was ready"
        try:
            if httpx2.get(f"{address}/health/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    message = "kiku serve was not ready in time"
    raise AssertionError(message)
