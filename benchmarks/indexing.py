"""What the search index takes: on disk, beside the texts it is made of, and in time to make.

What searching costs is measured in ``rounds.py``.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.database import Database, Writer
from app.delivery import snapshots
from app.search import index
from benchmarks import processes
from benchmarks.stores import Store

MEASURED = 200
"""How many articles are indexed to measure how fast that goes."""
# Whatever the index consists of is called so, on SQLite also the tables within the one of grams.
_ON_POSTGRESQL = (
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'search\\_%' AND relkind = 'r'"
)
_ON_SQLITE = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%search\\_%' ESCAPE '\\'"
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'search\\_%' ESCAPE '\\'"
_TEXTS = {
    "sqlite": "SELECT sum(length(CAST(folded AS blob))) FROM search_texts",
    "postgresql": "SELECT sum(octet_length(folded)) FROM search_texts",
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
            f"{self.per_second:.0f} articles are indexed in a second of CPU, the database's among it"
        )


def measure(store: Store) -> Index:
    """Measure the index of a filled store; nothing is changed in it."""
    return Index(*sizes(store), _per_second(store))


def sizes(store: Store) -> tuple[int, int]:
    """The bytes of the index of a store, and of the texts in it."""
    with closing(Database(store.url)) as database, database.reading() as reader:
        texts = int(reader.execute(text(_TEXTS[store.name])).scalar_one())
        if reader.on_postgresql:
            return int(reader.execute(text(_ON_POSTGRESQL)).scalar_one()), texts
    return _file_bytes(store.folder / "kiku.db", store.folder / "without.db"), texts


def _file_bytes(file: Path, copy: Path) -> int:
    """How much of a file of SQLite's the index is; where SQLite cannot tell, by a copy that is without it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        with suppress(sqlite3.OperationalError):  # it was built without dbstat
            return int(opened.execute(_ON_SQLITE).fetchone()[0])
        opened.execute("VACUUM INTO ?", [str(copy)])
    whole = copy.stat().st_size
    with closing(sqlite3.connect(copy, isolation_level=None)) as opened:
        opened.execute("DROP TABLE search_grams")  # and the tables within it
        for (name,) in opened.execute(_TABLES).fetchall():
            opened.execute(f"DROP TABLE {name}")
        opened.execute("VACUUM")
    without = copy.stat().st_size
    copy.unlink()
    return whole - without


def _per_second(store: Store) -> float:
    """Articles that are put into the index in a second of CPU, of this process and of the database's."""
    with closing(Database(store.url)) as database, suppress(_RolledBack), database.writing() as writer:
        articles = _taken_out(writer)
        before = cpu_ns(store)
        for article in articles:
            index.put(writer, article.body)
        taken_ns = processes.spent_ns(before, cpu_ns(store))
        raise _RolledBack
    return len(articles) * 1e9 / taken_ns


def _taken_out(writer: Writer) -> list[snapshots.Found]:
    """Public articles that are in the index no more, and a process that has put one into it already."""
    found = [snapshots.read(writer, id) for id in snapshots.ids(writer, None, MEASURED)]
    articles = [each for each in found if each is not None]
    index.put(writer, articles[0].body)  # the dictionary is open, the statements are built
    for article in articles:
        index.drop(writer, article.article_id)
    return articles


def cpu_ns(store: Store) -> dict[int, int]:
    """The CPU time of this process and of the database's, by process."""
    # Not of the tree below this process, as elsewhere: the servers under measurement are in it.
    return {os.getpid(): time.process_time_ns()} | (store.server.cpu_ns() if store.server else {})


class _RolledBack(Exception):
    """Nothing that was measured is kept."""
