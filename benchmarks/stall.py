"""What reading an article costs while others search without pause, beside what it costs alone.

The others are ``crowd.py``; what each search costs by itself is measured in ``rounds.py``.
"""

import time
from dataclasses import dataclass
from statistics import quantiles

from benchmarks import crowd, processes
from benchmarks.client import Connection, expected, request
from benchmarks.rounds import Bench

LIMIT = 3
"""How many times as long the slowest of a hundred reads may take."""
_TURNS = 3
_READS = 500
"""How many reads a turn, with searches and without."""
_PAUSE_SECONDS = 0.001
_SETTLE_SECONDS = 1


@dataclass(frozen=True)
class Stall:
    """The time that 99 of 100 reads keep to, alone and beside searches, in milliseconds."""

    idle_ms: float
    busy_ms: float

    def __str__(self) -> str:
        times = self.busy_ms / self.idle_ms
        verdict = "MISSED" if times > LIMIT else "kept"
        return (
            f"GET article while {crowd.CLIENTS} search: p99 {self.busy_ms:.2f} ms, {times:.1f} × alone "
            f"({self.idle_ms:.2f} ms); budget ≤ {LIMIT} ×  {verdict}"
        )


def measure(bench: Bench) -> Stall:
    """Read in turns, alone and beside searches."""
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(_TURNS):
        idle += _reads(bench)
        with processes.crowd(bench.kiku.port, bench.folder / "crowd"):
            time.sleep(_SETTLE_SECONDS)
            busy += _reads(bench)
    return Stall(_p99(idle), _p99(busy))


def _reads(bench: Bench) -> list[float]:
    sent = request("GET", bench.plan.target)
    taken = []
    with Connection(bench.kiku.port) as connection:
        for _ in range(_READS):
            began = time.perf_counter_ns()
            expected(connection.ask(sent), 200)
            taken.append((time.perf_counter_ns() - began) / 1e6)
            time.sleep(_PAUSE_SECONDS)  # as one who reads, not as one who measures
    return taken


def _p99(taken: list[float]) -> float:
    return quantiles(taken, n=100, method="inclusive")[98]
