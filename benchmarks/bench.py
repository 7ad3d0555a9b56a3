"""``make bench``: reads and writes on SQLite and PostgreSQL between runs of a bare app, in one interleaved run.

What is asked is in ``works.py``, how it is measured in ``rounds.py``, what it may cost in ``report.py``.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from app.access import keys
from app.database import Database
from benchmarks import processes, report, rounds, stores, works
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
        benches = [
            stack.enter_context(rounds.bench(store, partial(works.plan, secret=_key(store), articles=given.articles)))
            for store in filled
        ]
        done = rounds.measure(benches, given.rounds, given.seconds, tell)
    for bench in benches:
        _print(bench, given.articles, done)


def _key(store: Store) -> str:
    """A key that may do everything."""
    with closing(Database(store.url)) as database, database.writing() as writer:
        _, secret = keys.create(writer, "bench", ["admin"])
    return secret


def _print(bench: Bench, articles: int, done: int) -> None:
    plan = bench.plan
    sys.stdout.write(
        f"\n{articles:,} articles of {plan.article_bytes:,} bytes on average, a working copy of {plan.copy_bytes:,}; "
        f"{done} rounds of {works.READS} reads and {works.WRITES} writes.\n"
    )
    lines = report.lines(bench.name, bench.figures(), bench.private_bytes)
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
