"""``make bench``: reads, writes and searches on both databases between runs of a bare app, in one interleaved run.

What is asked is in ``works.py`` and ``searches.py``, how it is measured in ``rounds.py``, ``stall.py``, ``pair.py``,
``indexing.py`` and ``importing.py``, what it may cost in ``report.py``.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import importing, indexing, pair, processes, report, rounds, searches, stall, stores, works
from benchmarks.client import Connection
from benchmarks.importing import Importing
from benchmarks.indexing import Index
from benchmarks.progress import progress
from benchmarks.rounds import Bench
from benchmarks.stores import Store


def main() -> None:
    """Run the benchmark and print its tables; everything it starts ends with it."""
    parser = argparse.ArgumentParser(description="Measure Kiku beside its budgets, between runs of a bare ASGI app.")
    parser.add_argument("--articles", type=int, default=2000, help="published articles to read (default: 2000)")
    parser.add_argument("--rounds", type=int, default=12, help="rounds at most (default: 12)")
    parser.add_argument("--seconds", type=float, default=75, help="begin no round after these (default: 75)")
    parser.add_argument("--only", choices=stores.NAMES, help="measure on one database")
    given = parser.parse_args()
    if given.articles < works.LEAST_ARTICLES:
        parser.error(f"a deep page needs at least {works.LEAST_ARTICLES} articles")
    if not processes.readable():
        parser.error("CPU time and memory of other processes are only read on Linux")
    names = [given.only] if given.only else list(stores.NAMES)
    with processes.interruptible(), ExitStack() as stack, progress() as tell:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiku-bench-")))
        filled = [stack.enter_context(stores.store(name, folder)) for name in names]
        stores.fill(filled, range(1, given.articles + 1), 1, tell)
        indexes = [_index(store, tell) for store in filled]
        benches = [
            stack.enter_context(rounds.bench(store, partial(_plan, secret=store.key("bench"), articles=given.articles)))
            for store in filled
        ]
        done = rounds.measure(benches, given.rounds, given.seconds, tell)
        tell("Reading while others search")
        stalls = [stall.measure(bench) for bench in benches]
        tell("Reading, writing and searching with two workers")
        pairs = [pair.measure(store, bench) for store, bench in zip(filled, benches, strict=True)]
    for bench, *besides, index in zip(benches, pairs, stalls, indexes, strict=True):
        _print(bench, given.articles, done)
        sys.stdout.writelines(f"{line}\n" for line in (*besides, *index))


def _index(store: Store, tell: Callable[[str], object]) -> tuple[Index, Importing]:
    """Measure the index before there are servers: from then on the dictionary's pages are not one worker's alone."""
    tell(f"Indexing: {store.name}")
    measured = indexing.measure(store), importing.measure(store)
    store.vacuum()  # also of what was rolled back
    store.checkpoint()
    return measured


def _plan(connection: Connection, secret: str, articles: int) -> works.Plan:
    planned = works.plan(connection, secret, articles)
    return replace(planned, works=planned.works + searches.works())


def _print(bench: Bench, articles: int, done: int) -> None:
    plan = bench.plan
    sys.stdout.write(
        f"\n{articles:,} articles of {plan.article_bytes:,} bytes on average, a working copy of {plan.copy_bytes:,}; "
        f"{done} rounds of {works.READS} reads, {works.WRITES} writes and {searches.SEARCHES} searches of a kind.\n"
    )
    lines = report.lines(bench.name, bench.figures(), bench.private_bytes)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if articles != report.SEARCHED:
        sys.stdout.write(f"The budgets of search are said for {report.SEARCHED:,} articles, not for {articles:,}.\n")


if __name__ == "__main__":
    main()
