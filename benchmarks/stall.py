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
_SETTLED = 5 * crowd.CLIENTS
"""From this many searches on all clients are at it."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Stall:
    """The time that 99 of 100 reads keep to, alone and beside searches, in milliseconds; how many those were."""

    idle_ms: float
    busy_ms: float
    searches_per_second: float

    def __str__(self) -> str:
        times = self.busy_ms / self.idle_ms
        verdict = "MISSED" if times > LIMIT else "kept"
        return (
            f"GET article while {crowd.CLIENTS} search ({self.searches_per_second:.0f} searches a second): "
            f"p99 {self.busy_ms:.2f} ms, {times:.1f} × alone ({self.idle_ms:.2f} ms); budget ≤ {LIMIT} ×  {verdict}"
        )


def measure(bench: Bench) -> Stall:
    """Read in turns, alone and beside searches; the worker's memory after those is taken, too.

    Raises: RuntimeError when a search is not answered.
    """
    idle: list[float] = []
    busy: list[float] = []
    answered, seconds = 0, 0.0
    for _ in range(_TURNS):
        idle += _reads(bench)
        with processes.crowd(bench.kiku.port, bench.folder / "crowd") as count:
            while count() < _SETTLED:
                time.sleep(_LOOK_SECONDS)
            before, began = count(), time.monotonic()
            busy += _reads(bench)
            answered, seconds = answered + count() - before, seconds + time.monotonic() - began
    bench.private_bytes["after searches side by side"] = bench.kiku.private_bytes()
    return Stall(_p99(idle), _p99(busy), answered / seconds)


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
