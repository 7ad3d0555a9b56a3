"""``make bench-growth``: what reading and importing cost while a database grows from 1,000 to 100,000 articles.

How reads are measured is in ``rounds.py``, as for ``make bench``; what may grow, and how far, is in ``factors.py``.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks import corpus, factors, indexing, processes, rounds, searches, stores, works
from benchmarks.client import Connection
from benchmarks.factors import Import, Stage
from benchmarks.processes import Server
from benchmarks.progress import progress
from benchmarks.stores import Store

IMPORTED = 500
"""On how many articles the import is measured: the last before a size, at most half of what is added."""
TRANSACTIONS = 10
"""In how many transactions those are published."""
TARGETS = 1_000
"""How many articles are read, spread over the whole corpus: many times the bytes that Kiku or SQLite keep in memory."""
ARTICLE_BYTES = 200_000
"""Room on disk for one: with working copy, revision, snapshots plain and compressed, indexes, and the log."""

Tell = Callable[[str], object]


def main() -> None:
    """Grow each database in its turn and print its table; everything that is started or stored ends with it."""
    parser = argparse.ArgumentParser(description="Measure what Kiku costs while its database grows.")
    parser.add_argument("--sizes", type=_sizes, default="1000,10000,100000", help="articles (default: %(default)s)")
    parser.add_argument("--only", choices=stores.NAMES, help="measure one database")
    parser.add_argument("--rounds", type=int, default=40, help="rounds of reads a size at most (default: 40)")
    parser.add_argument("--seconds", type=float, default=75, help="begin no round after these (default: 75)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that fill PostgreSQL")
    given = parser.parse_args()
    if not processes.readable():
        parser.error("CPU time and memory of other processes are only read on Linux")
    if given.workers < 1:
        parser.error("somebody must fill the database")
    if shutil.disk_usage(tempfile.gettempdir()).free < given.sizes[-1] * ARTICLE_BYTES:
        parser.error(
            f"{given.sizes[-1] * ARTICLE_BYTES / 1e9:.0f} GB are needed in {tempfile.gettempdir()} (see TMPDIR)"
        )
    with processes.interruptible(), progress() as tell:
        for name in [given.only] if given.only else stores.NAMES:
            with (
                tempfile.TemporaryDirectory(prefix="kiku-growth-") as folder,
                stores.store(name, Path(folder)) as store,
            ):
                stages = [_stage(store, before, size, given, tell) for before, size in pairwise([0, *given.sizes])]
            sys.stdout.writelines(f"{line}\n" for line in ["", *factors.lines(name, stages)])
            sys.stdout.flush()  # the next database takes its time


def _sizes(said: str) -> list[int]:
    """Sizes by comma, each larger than the one before."""
    sizes = [int(size) for size in said.split(",")]
    if len(sizes) < 2 or sizes[0] < works.LEAST_ARTICLES or sizes != sorted(set(sizes)):  # noqa: PLR2004 - from, to
        raise argparse.ArgumentTypeError(f"at least two ascending sizes, from {works.LEAST_ARTICLES} on")
    return sizes


def _stage(store: Store, before: int, size: int, given: argparse.Namespace, tell: Tell) -> Stage:
    """Grow the database from one size to the next, the last articles under the clock, and read it there."""
    last = range(size + 1 - min(IMPORTED, (size - before) // 2), size + 1)
    stores.fill([store], range(before + 1, last.start), given.workers, tell)
    tell(f"{store.name}: importing the last {len(last)} of {size:,} articles")
    store.vacuum()
    imports = list(_imports(store, last))
    stores.count_words(store)
    store.vacuum()
    store.checkpoint()
    disk_bytes = store.disk_bytes()
    tell(f"{store.name}: starting the servers over {size:,} articles")
    index_bytes, text_bytes = indexing.sizes(store)
    with rounds.bench(store, partial(_plan, articles=size)) as bench:
        rounds.measure([bench], given.rounds, given.seconds, lambda step: tell(f"{size:,} articles. {step}"))
        private = max(bench.private_bytes.values())
        return Stage(size, imports, bench.figures(), disk_bytes, private, index_bytes / text_bytes)


def _plan(connection: Connection, articles: int) -> works.Plan:
    planned = works.reading(connection, articles, TARGETS)
    return replace(planned, works=planned.works + searches.works())


def _imports(store: Store, numbers: range) -> Iterator[Import]:
    """Publish these articles, a tenth in a transaction, with the clocks read around each; in this process alone."""
    here = Server(os.getpid())
    together = max(1, len(numbers) // TRANSACTIONS)
    with corpus.Filling(store.url) as filling:
        for at in range(0, len(numbers), together):
            began = here.cpu_ns()
            documents = {number: corpus.document(number) for number in numbers[at : at + together]}
            made, database_made, wall = here.cpu_ns(), _database_ns(store), time.perf_counter_ns()
            filling.publish(documents)
            wall_ns = time.perf_counter_ns() - wall
            used_ns = processes.spent_ns(made, here.cpu_ns())
            used_ns += processes.spent_ns(database_made, _database_ns(store))
            yield Import(len(documents), used_ns, wall_ns, processes.spent_ns(began, made))


def _database_ns(store: Store) -> dict[int, int]:
    return store.server.cpu_ns() if store.server else {}


if __name__ == "__main__":
    main()
