"""What bringing in a bundle costs: reading its texts, which processes of their own do, and storing its lines.

What the search index takes is measured in ``indexing.py``; how long a whole import lasts, in ``growth.py``.
"""

import json
import time
from contextlib import closing
from dataclasses import dataclass

from app.database import Database
from app.engines import BULK_CACHE_BYTES
from app.formats.bundle import FORMAT, portions
from app.publishing import reading_ahead
from app.publishing.checks import AS_USUAL
from app.publishing.incoming import Import, Permit
from app.search import index
from benchmarks import corpus, indexing, processes
from benchmarks.stores import Store

MEASURED = 200
"""How many articles are brought in, of which nothing is kept."""
_FIRST = 1_000_000
_BUDGET_PER_SECOND = 80


@dataclass(frozen=True)
class Importing:
    """CPU seconds an article: to read its texts, and to store and publish it, the database's among it."""

    reading: float
    storing: float

    def __str__(self) -> str:
        per_second = 1 / self.storing
        missed = "" if per_second >= _BUDGET_PER_SECOND else f", missed: the budget is {_BUDGET_PER_SECOND}"
        return (
            f"import: {per_second:.0f} articles are stored and published in a second of CPU, the database's among it"
            f"{missed}; reading their texts, {self.reading * 1e3:.1f} ms each, is left to other processes"
        )


def measure(store: Store) -> Importing:
    """Measure on a filled store; nothing is changed in it."""
    documents = [corpus.document(_FIRST + number) for number in range(MEASURED)]
    lines = [{"kind": "header", "format": FORMAT}, *({"kind": "article", "document": each} for each in documents)]
    work = Import(Permit(admin=True, publish=AS_USUAL))
    reading_ns = storing_ns = 0
    with (
        closing(Database(store.url, cache_bytes=BULK_CACHE_BYTES)) as database,
        database.writing(dry_run=True) as writer,
    ):
        for some in portions(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines):
            began = time.process_time_ns()
            texts = reading_ahead.read(some, every=True)
            reading_ns += time.process_time_ns() - began
            before = indexing.cpu_ns(store)
            with index.read_ahead(texts):
                work.bring(writer, some)
            storing_ns += processes.spent_ns(before, indexing.cpu_ns(store))
    return Importing(reading_ns / MEASURED / 1e9, storing_ns / MEASURED / 1e9)
