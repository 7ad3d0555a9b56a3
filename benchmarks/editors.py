"""``make bench-editors``: eight editors at a time on four articles, and whether anything they saved was lost.

What each of them does is in ``writing.py``; servers and databases are started as for ``make bench``.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks import corpus, processes, stores, writing
from benchmarks.client import Connection, encode, expected, request
from benchmarks.processes import Server
from benchmarks.progress import progress
from benchmarks.stores import Store
from benchmarks.writing import Writing

WRITERS = 8
WORKERS = 2
ARTICLES = 4
"""Few, so that the writers collide."""
P99_MS = 250
"""The time that 99 of 100 acknowledged writes keep to. What is lost, doubled or not explained is never to be any."""
_ROW = "{:<12} {:>8} {:>8} {:>6} {:>6} {:>9} {:>11} {:>6} {:>8} {:>8} {:>8}"
_HEAD = (
    "database", "acknowl.", "a second", "412", "409", "503 busy", "unexplained", "lost", "p50 ms", "p95 ms", "p99 ms",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What came of a run on one database."""

    name: str
    seconds: float
    written: Sequence[Writing]
    faults: Sequence[str]
    """What was lost, one sentence each."""

    @property
    def statuses(self) -> Counter[str]:
        """How often writes were answered so; ``unexplained`` is every other failure of the server."""
        return sum((each.statuses for each in self.written), Counter())

    @property
    def wall_ms(self) -> list[float]:
        """The time of each acknowledged write."""
        return [ms for each in self.written for ms in each.wall_ms]

    def percentile(self, percent: int) -> float:
        """The time that so many of 100 acknowledged writes kept to."""
        return quantiles(self.wall_ms, n=100, method="inclusive")[percent - 1]

    def row(self) -> str:
        """Its line of the table."""
        counts = (self.statuses[status] for status in ("412", "409", "busy", "unexplained"))
        times = (f"{self.percentile(percent):.1f}" for percent in (50, 95, 99))
        done = len(self.wall_ms)
        return _ROW.format(self.name, done, f"{done / self.seconds:.0f}", *counts, len(self.faults), *times)

    def missed(self) -> Iterator[str]:
        """A sentence for each budget that is not kept."""
        yield from (f"MISSED  {self.name}: {fault}" for fault in self.faults)
        if self.statuses["unexplained"]:
            yield f"MISSED  {self.name}: {self.statuses['unexplained']} failures that nothing explains, budget 0"
            yield from (f"        {said}" for each in self.written for said in each.unexplained)
        if self.percentile(99) > P99_MS:
            yield f"MISSED  {self.name}: p99 of a write {self.percentile(99):.0f} ms, budget {P99_MS} ms"


def main() -> None:
    """Run the benchmark and print its table; everything it starts ends with it."""
    parser = argparse.ArgumentParser(description="Let editors write a few articles at once, and count what is lost.")
    parser.add_argument("--seconds", type=float, default=60, help="how long they write (default: 60)")
    parser.add_argument("--only", choices=stores.NAMES, help="on one database")
    given = parser.parse_args()
    names = [given.only] if given.only else list(stores.NAMES)
    outcomes = []
    with processes.interruptible(), progress() as tell:
        for name in names:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiku-editors-")))
                store = stack.enter_context(stores.store(name, folder))
                outcomes.append(_run(store, given.seconds, tell))
    sys.stdout.write(f"\n{WRITERS} writers on {ARTICLES} articles for {given.seconds:g} s, {WORKERS} workers; ")
    sys.stdout.write(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.\n")
    lines = [_ROW.format(*_HEAD), *(outcome.row() for outcome in outcomes)]
    missed = [line for outcome in outcomes for line in outcome.missed()]
    lines += missed or [f"Kept: nothing lost, no failure unexplained, p99 of a write ≤ {P99_MS} ms."]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _run(store: Store, seconds: float, tell: Callable[[str], object]) -> Outcome:
    """Let the editors write, then look for everything they were told is stored."""
    secret = {"Authorization": f"Bearer {store.key('editors')}"}
    with processes.kiku(store.url, store.folder / "kiku", WORKERS) as server:
        articles = _articles(server, secret)
        tell(f"{store.name}: {WRITERS} editors write for {seconds:g} s")
        began = time.monotonic()
        with ThreadPoolExecutor(WRITERS) as pool:
            asked = [
                pool.submit(writing.write, server.port, secret, articles, number, began + seconds)
                for number in range(WRITERS)
            ]
            written = [each.result() for each in asked]
        took = time.monotonic() - began
        return Outcome(store.name, took, written, list(_lost(server, secret, articles, written)))


def _articles(server: Server, secret: dict[str, str]) -> list[str]:
    """The ids of fresh articles that readers see, too."""
    ids = []
    with Connection(server.port) as connection:
        for number in range(ARTICLES):
            document = encode(corpus.document(number + 1))
            made = expected(connection.ask(request("POST", "/v1/manage/articles", document, secret)), 201)
            ids.append(str(made.json()["id"]))
            publish = request("POST", f"/v1/manage/articles/{ids[-1]}/publish", headers=secret | {"If-Match": "*"})
            expected(connection.ask(publish), 200)
    return ids


def _lost(server: Server, secret: dict[str, str], articles: Sequence[str], written: Sequence[Writing]) -> Iterator[str]:
    """A sentence for each update that is not there once, and for each version of which nobody was told, or two."""
    with Connection(server.port) as connection:
        for article in articles:
            copy = expected(connection.ask(request("GET", f"/v1/manage/articles/{article}", headers=secret)), 200)
            stored = copy.body.decode()
            saves = [save for each in written for save in each.saves if save.article == article]
            for save in saves:
                found = stored.count(save.token) if save.token else 1
                if found != 1:
                    yield f"{save.kind} as version {save.version} of {article} stands there {found} times"
            told = Counter(save.version for save in saves)
            for version in range(2, copy.json()["version"] + 1):
                if told.pop(version, 0) != 1:
                    yield f"version {version} of {article} was not told to exactly one writer"
            yield from (f"version {version} of {article} was told and is not there" for version in told)


if __name__ == "__main__":
    main()
