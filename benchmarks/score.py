"""How well search ranks: ``python -m benchmarks.score DOCUMENTS QUERIES`` loads them into live servers and asks.

Both are JSON Lines, perhaps gzipped: documents ``{"id", "title", "body"}``, queries ``{"id", "set", "q", "gold"}``;
``gold`` is the document that is wanted. How fast search is is measured by ``bench.py``.
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.database import Database
from app.search import index
from benchmarks import processes, stores
from benchmarks.client import Connection, encode, expected, request
from benchmarks.progress import progress
from benchmarks.stores import Store

DEEPEST = 100
"""How many of the articles found are looked at."""
TOP = 10
"""Among how many the wanted one counts for MRR and recall."""
_LOOK_SECONDS = 0.2

Answers = dict[str, list[str]]
"""The documents found for each query, the best first."""
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Score:
    """One set of queries on one database: the mean of 1/rank and the share found, both among the first ten."""

    queries: int
    mrr: float
    recall: float


def main() -> None:
    """Load the documents into a server over each database, ask the queries and print the scores."""
    parser = argparse.ArgumentParser(description="Score how well search ranks, on retrieval data of your own.")
    parser.add_argument("documents", type=Path, help="JSON Lines (.gz): id, title, body")
    parser.add_argument("queries", type=Path, help="JSON Lines (.gz): id, set, q, gold")
    parser.add_argument("--only", choices=stores.NAMES, help="score one database")
    given = parser.parse_args()
    documents, queries = list(_lines(given.documents)), list(_lines(given.queries))
    found: dict[str, Answers] = {}
    with processes.interruptible(), progress() as tell, tempfile.TemporaryDirectory(prefix="kiku-score-") as folder:
        for name in [given.only] if given.only else stores.NAMES:
            with stores.store(name, Path(folder)) as store:
                found[name] = _answers(store, documents, queries, tell)
    for name, answers in found.items():
        for called, score in sorted(_scores(queries, answers).items()):
            sys.stdout.write(
                f"{name:<11} {called:<16} {score.queries:>6} queries  MRR@{TOP} {score.mrr:.4f}"
                f"  recall@{TOP} {score.recall:.3f}\n"
            )
    if len(found) == len(stores.NAMES):
        sys.stdout.write(f"the first {TOP} overlap by {_overlap(*found.values()):.4f}\n")


def _answers(
    store: Store, documents: Sequence[dict[str, Any]], queries: Sequence[dict[str, Any]], tell: Tell
) -> Answers:
    """What a server over this store finds, once all is published in it and counted."""
    writing = {"Authorization": f"Bearer {store.key('score')}", "If-Match": "*"}
    with processes.kiku(store.url, store.folder / "kiku") as server, Connection(server.port) as connection:
        ids: dict[str, str] = {}
        for at, document in enumerate(documents, 1):
            tell(f"{store.name}: publishing {at:,} of {len(documents):,} documents")
            ids[_publish(connection, document, writing)] = document["id"]
        _wait_until_counted(store)
        answers = {}
        for at, asked in enumerate(queries, 1):
            tell(f"{store.name}: asking {at:,} of {len(queries):,} queries")
            sent = {"q": asked["q"], "limit": str(DEEPEST), "fields": "id"}
            answers[asked["id"]] = [
                ids[item["id"]] for item in connection.json(f"/v1/search?{urlencode(sent)}")["items"]
            ]
        return answers


def _publish(connection: Connection, document: dict[str, Any], writing: dict[str, str]) -> str:
    section = {"heading": "本文", "body": document["body"]}
    article = encode({"title": document["title"], "pages": [{"sections": [section]}]})
    created = expected(connection.ask(request("POST", "/v1/manage/articles", article, writing)), 201)
    id: str = created.json()["id"]
    expected(connection.ask(request("POST", f"/v1/manage/articles/{id}/publish", headers=writing)), 200)
    return id


def _wait_until_counted(store: Store) -> None:
    with closing(Database(store.url)) as database:
        waiting = True
        while waiting:
            time.sleep(_LOOK_SECONDS)
            with database.reading() as reader:
                waiting = index.uncounted(reader)


def _scores(queries: Sequence[dict[str, Any]], answers: Answers) -> dict[str, Score]:
    ranks: defaultdict[str, list[int | None]] = defaultdict(list)
    for asked in queries:
        first = answers[asked["id"]][:TOP]
        ranks[asked["set"]].append(first.index(asked["gold"]) + 1 if asked["gold"] in first else None)
    return {
        called: Score(
            len(found),
            sum(1 / rank for rank in found if rank is not None) / len(found),
            sum(rank is not None for rank in found) / len(found),
        )
        for called, found in ranks.items()
    }


def _overlap(one: Answers, other: Answers) -> float:
    """How many of the first ten both found, of as many as either did, on the mean of the queries that find any."""
    shares = [
        len({*one[id][:TOP]} & {*other[id][:TOP]}) / max(len(one[id][:TOP]), len(other[id][:TOP]))
        for id in one
        if one[id] or other[id]
    ]
    return sum(shares) / len(shares)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
