"""What memory each of two workers of one server takes, which share what they are forked from.

What one that serves alone takes is measured in ``rounds.py``.
"""

from dataclasses import dataclass

from benchmarks import processes
from benchmarks.client import Connection, expected
from benchmarks.processes import Private
from benchmarks.report import MEMORY_MB
from benchmarks.rounds import Bench
from benchmarks.stores import Store

_WORKERS = 2
_ROUNDS = 4


@dataclass(frozen=True)
class Pair:
    """The private memory of each worker, and what all take with what they share and with the process above them."""

    workers: list[Private]
    together_bytes: int

    def __str__(self) -> str:
        each = " and ".join(f"{taken.all / 1e6:.1f}" for taken in self.workers)
        files = max(taken.clean for taken in self.workers) / 1e6
        verdict = "MISSED" if self.workers[0].all > MEMORY_MB * 1e6 else "kept"
        return (
            f"private memory of {_WORKERS} workers: {each} MB (at most {files:.1f} of files), "
            f"budget ≤ {MEMORY_MB} MB  {verdict}; {self.together_bytes / 1e6:.1f} together, with what they share"
        )


def measure(store: Store, bench: Bench) -> Pair:
    """Ask two workers for all that the one was asked for, on a new connection for each work: either may take it."""
    with processes.kiku(store.url, store.folder / "pair", workers=_WORKERS) as kiku:
        for _ in range(_ROUNDS):
            for work in bench.plan.works:
                with Connection(kiku.port) as connection:
                    for sent, status in (asked for step in work.steps() for asked in step):
                        expected(connection.ask(sent), status)
        return Pair(kiku.private_bytes_of_each()[:_WORKERS], kiku.shared_out_bytes())
