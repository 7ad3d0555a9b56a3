"""``make bench``: reads and writes on SQLite and PostgreSQL between runs of a bare app, in one interleaved run.

What is asked is in ``works.py``, what it may cost in ``report.py``; servers are started in ``processes.py``.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from rich.console import Console

from app.access import keys
from app.database import Database
from benchmarks import bare, processes, report, works
from benchmarks.client import Connection, expected, request
from benchmarks.processes import Server
from benchmarks.report import Batch, Figures

_SETTLE_SECONDS = 0.01
"""What a server still does once it has answered belongs to the batch."""


@dataclass
class Bench:
    """One database under test: the server over it, bare with its answers, and what was measured so far."""

    name: str
    kiku: Server
    bare: Server
    database: Server | None
    plan: works.Plan
    private_bytes: dict[str, int] = field(default_factory=dict)
    batches: dict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    bare_batches: dict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))

    def run_round(self) -> None:
        """Every work once, each read right after the same requests to bare."""
        for work in self.plan.works:
            steps = work.steps()
            if work.bare:
                self.bare_batches[work.name].append(_batch(self.bare, None, steps, self.plan.target))
            self.batches[work.name].append(_batch(self.kiku, self.database, steps, self.plan.target))

    def figures(self) -> list[Figures]:
        """What each work cost."""
        return [Figures(work.name, self.batches[work.name], self.bare_batches[work.name]) for work in self.plan.works]


def main() -> None:
    """Run the benchmark and print its tables; everything it starts ends with it."""
    parser = argparse.ArgumentParser(description="Measure Kiku beside its budgets, between runs of a bare ASGI app.")
    parser.add_argument("--articles", type=int, default=2000, help="published articles to read (default: 2000)")
    parser.add_argument("--rounds", type=int, default=12, help="rounds at most (default: 12)")
    parser.add_argument("--seconds", type=float, default=75, help="begin no round after these (default: 75)")
    parser.add_argument("--only", choices=list(report.BUDGETS), help="measure on one database")
    given = parser.parse_args()
    if given.articles < works.LEAST_ARTICLES:
        parser.error(f"a deep page needs at least {works.LEAST_ARTICLES} articles")
    if not Path("/proc/self/smaps_rollup").exists():
        parser.error("CPU time and memory of other processes are only read on Linux")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    names = [given.only] if given.only else list(report.BUDGETS)
    try:
        with ExitStack() as stack, Console(stderr=True).status("Starting") as status:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiku-bench-")))
            stores = [stack.enter_context(_store(name, folder)) for name in names]
            status.update(f"Filling {' and '.join(names)} with {given.articles:,} articles")
            _fill(stores, given.articles)
            benches = [stack.enter_context(_bench(store, given.articles)) for store in stores]
            rounds = _measure(benches, given.rounds, given.seconds, status.update)
    except KeyboardInterrupt:
        sys.exit("Interrupted; everything that was started has ended.")
    for bench in benches:
        _print(bench, given.articles, rounds)


@dataclass(frozen=True)
class Store:
    """A database for one run: its address, a folder for what belongs to it, and its server if it has one."""

    name: str
    url: str
    folder: Path
    server: Server | None


@contextmanager
def _store(name: str, below: Path) -> Iterator[Store]:
    folder = below / name
    folder.mkdir()
    if name == "sqlite":
        yield Store(name, f"sqlite:///{folder / 'kiku.db'}", folder, None)
        return
    # Beside that folder, not below it: as root PostgreSQL runs as a user that may not enter it.
    data = below.with_name(f"{below.name}-{name}")
    with processes.postgresql(folder, data) as (url, server):
        yield Store(name, url, folder, server)


def _fill(stores: Sequence[Store], articles: int) -> None:
    """Fill them side by side; nothing is measured yet."""
    with ExitStack() as stack:
        contexts = [processes.filling(store.url, articles, store.folder / "filling") for store in stores]
        exits = [process.wait() for process in [stack.enter_context(context) for context in contexts]]
        if any(exits):
            raise RuntimeError("A database could not be filled; the log is above.")


@contextmanager
def _bench(store: Store, articles: int) -> Iterator[Bench]:
    """Kiku over a filled store and bare with what Kiku answers, both ready."""
    database = Database(store.url)
    with database.writing() as writer:
        _, secret = keys.create(writer, "bench", ["admin"])
    database.close()
    with processes.kiku(store.url, store.folder / "kiku") as kiku:
        memory = {"at the start": kiku.private_bytes()}
        with Connection(kiku.port) as connection:
            plan = works.plan(connection, secret, articles)
        answers = store.folder / "answers.json"
        bare.write(answers, plan.answers)
        with processes.bare(answers, plan.target, store.folder / "bare") as floor:
            yield Bench(store.name, kiku, floor, store.server, plan, memory)


def _measure(benches: Sequence[Bench], rounds: int, seconds: float, tell: Callable[[str], object]) -> int:
    """Rounds in which the databases take turns; how many there were."""
    began, done = time.monotonic(), 0
    while done < rounds and (done == 0 or time.monotonic() - began < seconds):
        for bench in benches:
            tell(f"Round {done + 1} of at most {rounds}: {bench.name}")
            bench.run_round()
        done += 1
    for bench in benches:
        bench.private_bytes["at the end"] = bench.kiku.private_bytes()
    return done


def _batch(server: Server, database: Server | None, steps: Sequence[works.Step], target: str) -> Batch:
    """Take the steps over one connection, reading the CPU clocks around them all."""
    wall_ms = []
    with Connection(server.port) as connection:
        expected(connection.ask(request("GET", target)), 200)  # the connection is there before the clocks are read
        before, database_before = server.cpu_ns(), database.cpu_ns() if database else {}
        for step in steps:
            began = time.perf_counter_ns()
            for sent, status in step:
                expected(connection.ask(sent), status)
            wall_ms.append((time.perf_counter_ns() - began) / 1e6)
        time.sleep(_SETTLE_SECONDS)
        after, database_after = server.cpu_ns(), database.cpu_ns() if database else {}
    cpu_us = processes.spent_ns(before, after) / 1000 / len(steps)
    return Batch(cpu_us, processes.spent_ns(database_before, database_after) / 1000 / len(steps), wall_ms)


def _print(bench: Bench, articles: int, rounds: int) -> None:
    plan = bench.plan
    sys.stdout.write(
        f"\n{articles:,} articles of {plan.article_bytes:,} bytes on average, a working copy of {plan.copy_bytes:,}; "
        f"{rounds} rounds of {works.READS} reads and {works.WRITES} writes.\n"
    )
    lines = report.lines(bench.name, bench.figures(), bench.private_bytes)
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _interrupt(_: int, __: FrameType | None) -> None:
    """End in order, once: a second Ctrl-C must not cut the ending short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
