"""What the search index takes: on disk, beside the texts it is made of, and in time to make.

What searching costs is measured in ``rounds.py``.
"""

import json
import time
from contextlib import closing, suppress
from dataclasses import dataclass

from sqlalchemy import text

from app.database import Database
from app.delivery import snapshots
from app.search import index
from benchmarks.stores import Store

MEASURED = 200
"""How many articles are indexed to measure how fast that goes."""
_SIZES = {
    False: "SELECT sum(pgsize) AS size FROM dbstat WHERE name LIKE '%search\\_%' ESCAPE '\\'",
    True: (
        "SELECT sum(pg_total_relation_size(oid)) AS size FROM pg_class"
        " WHERE relname LIKE 'search\\_%' AND relkind = 'r'"
    ),
}


@dataclass(frozen=True)
class Index:
    """The index of one database: its bytes, those of the texts in it, and articles a second of CPU."""

    disk_bytes: int
    text_bytes: int
    per_second: float

    def __str__(self) -> str:
        times = self.disk_bytes / self.text_bytes
        return (
            f"search index: {self.disk_bytes / 1e6:.1f} MB, {times:.2f} × its texts ({self.text_bytes / 1e6:.1f} MB); "
            f"{self.per_second:.0f} articles a second of CPU are indexed anew"
        )


def measure(store: Store) -> Index:
    """Measure the index of a filled store; nothing is changed in it."""
    with closing(Database(store.url)) as database:
        return Index(*_sizes(database), _per_second(database))


def sizes(store: Store) -> tuple[int, int]:
    """The bytes of the index of a store, and of the texts in it."""
    with closing(Database(store.url)) as database:
        return _sizes(database)


def _sizes(database: Database) -> tuple[int, int]:
    with database.reading() as reader:
        length = "octet_length(folded)" if reader.on_postgresql else "length(CAST(folded AS blob))"
        said = reader.execute(text(f"SELECT sum({length}) FROM search_texts")).scalar_one()  # noqa: S608 - ours
        return int(reader.execute(text(_SIZES[reader.on_postgresql])).scalar_one()), int(said)


def _per_second(database: Database) -> float:
    with suppress(_RolledBack), database.writing() as writer:
        ids = snapshots.ids(writer, None, MEASURED)
        found = [snapshots.read(writer, id) for id in ids]
        articles = [json.loads(each.body) for each in found if each is not None]
        index.put(writer, articles[0])  # the dictionary is open before the clock is read
        began = time.process_time()
        for article in articles:
            index.put(writer, article)
        taken = time.process_time() - began
        raise _RolledBack
    return len(articles) / taken


class _RolledBack(Exception):
    """Nothing that was measured is kept."""
