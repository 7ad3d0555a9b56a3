"""One server over one database, asked in rounds, and bare after the same requests in the same rounds.

What is asked is in ``works.py``; what the figures are held to, in ``report.py`` and ``factors.py``.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import bare, processes, works
from benchmarks.client import Connection, expected, request
from benchmarks.processes import Private, Server
from benchmarks.report import Batch, Figures
from benchmarks.stores import Store

_SETTLE_SECONDS = 0.01
"""What a server still does once it has answered belongs to the batch."""


@dataclass
class Bench:
    """One database under test: the server over it, bare with its answers, and what was measured so far."""

    name: str
    folder: Path
    kiku: Server
    bare: Server
    database: Server | None
    plan: works.Plan
    private_bytes: dict[str, Private] = field(default_factory=dict)
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


@contextmanager
def bench(store: Store, planned: Callable[[Connection], works.Plan]) -> Iterator[Bench]:
    """Kiku over a filled store and bare with what Kiku answers to a plan, both ready."""
    with processes.kiku(store.url, store.folder / "kiku") as kiku:
        memory = {"at the start": kiku.private_bytes()}
        with Connection(kiku.port) as connection:
            plan = planned(connection)
        answers = store.folder / "answers.json"
        bare.write(answers, plan.answers)
        with processes.bare(answers, plan.target, store.folder / "bare") as floor:
            yield Bench(store.name, store.folder, kiku, floor, store.server, plan, memory)


def measure(benches: Sequence[Bench], rounds: int, seconds: float, tell: Callable[[str], object]) -> int:
    """Rounds in which the databases take turns, none begun after so many seconds; how many there were."""
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
