"""How well search ranks: ``python -m benchmarks.score DOCUMENTS QUERIES`` loads them into live servers and asks.

Both are JSON Lines, perhaps gzipped: documents ``{"id", "title", "body"}``, queries ``{"id", "set", "q", "gold"}``;
``gold`` is the document that is wanted. How fast search is is measured by ``bench.py``.
"""

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.database import Database
from app.search import index
from app.search.query import LONGEST
from benchmarks import processes, stores
from benchmarks.client import Connection, encode, request
from benchmarks.progress import progress
from benchmarks.stores import Store

DEEPEST = 100
"""How many of the articles found are looked at."""
TOP = 10
"""Among how many the wanted one counts for MRR and recall."""
SYSTEM = "score"
"""Whose external ids the documents' are: who loads them again replaces them."""
_LOOK_SECONDS = 0.2
_COUNT_SECONDS = 5
"""How long a server elsewhere is given to count the words; of our own the database is asked."""

Documents = Sequence[Mapping[str, Any]]
Answers = dict[str, list[str]]
"""The documents found for each query, the best first; an article that is none of them by its own id."""
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Score:
    """One set of queries on one database: the mean of 1/rank and the share found, both among the first ten."""

    queries: int
    mrr: float
    recall: float


@dataclass(frozen=True)
class Site:
    """A server to be loaded and asked, and how to wait there until the words of all documents are counted."""

    name: str
    host: str
    port: int
    key: str
    wait: Callable[[], None]

    def connect(self) -> Connection:
        """A connection to it; it may close one that says nothing for some seconds."""
        return Connection(self.port, self.host)

    def ask(self, connection: Connection, method: str, target: str, body: bytes = b"") -> Any:
        """The JSON that is answered. Raises: RuntimeError when it is a problem."""
        headers = {"Host": f"{self.host}:{self.port}", "Authorization": f"Bearer {self.key}"}
        if method == "POST":
            headers["If-Match"] = "*"
        reply = connection.ask(request(method, target, body, headers))
        if reply.status not in {200, 201}:
            raise RuntimeError(f"{method} {target}: {reply.status} {reply.body[:500].decode(errors='replace')}")
        return reply.json()


def main() -> None:
    """Load the documents into a server over each database, ask the queries and print the scores."""
    parser = argparse.ArgumentParser(description="Score how well search ranks, on retrieval data of your own.")
    parser.add_argument("documents", type=Path, help="JSON Lines (.gz): id, title, body")
    parser.add_argument("queries", type=Path, help="JSON Lines (.gz): id, set, q, gold")
    parser.add_argument("--only", choices=stores.NAMES, help="score one database")
    parser.add_argument(
        "--url", type=_address, help="score a running server instead, http://host:port; it is written to"
    )
    parser.add_argument("--key", help="a key of that server that may write and publish")
    given = parser.parse_args()
    if (given.url is None) != (given.key is None) or (given.url and given.only):
        parser.error("--url and --key go together, and without --only")
    documents, queries = list(_lines(given.documents)), list(_lines(given.queries))
    found: dict[str, Answers] = {}
    with processes.interruptible(), progress() as tell, tempfile.TemporaryDirectory(prefix="kiku-score-") as folder:
        if given.url:
            host, port = given.url
            site = Site(f"{host}:{port}", host, port, given.key, partial(time.sleep, _COUNT_SECONDS))
            found[site.name] = _answers(site, documents, queries, tell)
        for name in [] if given.url else [given.only] if given.only else stores.NAMES:
            with stores.store(name, Path(folder)) as store, processes.kiku(store.url, store.folder / "kiku") as server:
                site = Site(name, "127.0.0.1", server.port, store.key("score"), partial(_wait_until_counted, store))
                found[name] = _answers(site, documents, queries, tell)
    sys.stdout.writelines(f"{line}\n" for line in _report(queries, found))


def _answers(site: Site, documents: Documents, queries: Documents, tell: Tell) -> Answers:
    """What a server finds, once all is published in it and counted."""
    ids: dict[str, str] = {}
    with site.connect() as connection:
        for at, document in enumerate(documents, 1):
            tell(f"{site.name}: publishing {at:,} of {len(documents):,} documents")
            ids[_publish(site, connection, document)] = document["id"]
    site.wait()
    answers = {}
    with site.connect() as connection:
        for at, asked in enumerate(queries, 1):
            tell(f"{site.name}: asking {at:,} of {len(queries):,} queries")
            sent = urlencode({"q": asked["q"][:LONGEST], "limit": DEEPEST, "fields": "id"})
            found = site.ask(connection, "GET", f"/v1/search?{sent}")["items"]
            answers[asked["id"]] = [ids.get(item["id"], item["id"]) for item in found]
    return answers


def _publish(site: Site, connection: Connection, document: Mapping[str, Any]) -> str:
    """Publish a document, in place of what was loaded of it before; the id of the article."""
    named = re.sub(r"[^A-Za-z0-9._-]", lambda found: f"~{ord(found[0]):x}", document["id"])
    section = {"heading": "本文", "body": document["body"]}
    article = {
        "title": document["title"] or named,
        "external_ids": {SYSTEM: named},
        "pages": [{"sections": [section]}],
    }
    id: str = site.ask(connection, "PUT", f"/v1/manage/articles/ext:{SYSTEM}:{named}", encode(article))["id"]
    site.ask(connection, "POST", f"/v1/manage/articles/{id}/publish")
    return id


def _wait_until_counted(store: Store) -> None:
    with closing(Database(store.url)) as database:
        waiting = True
        while waiting:
            time.sleep(_LOOK_SECONDS)
            with database.reading() as reader:
                waiting = index.uncounted(reader)


def _report(queries: Documents, found: Mapping[str, Answers]) -> Iterator[str]:
    """A line for each set on each database, and how far two databases agree."""
    scores = {name: _scores(queries, answers) for name, answers in found.items()}
    for name, of in scores.items():
        for called, score in sorted(of.items()):
            yield (
                f"{name:<11} {called:<16} {score.queries:>6} queries  MRR@{TOP} {score.mrr:.4f}"
                f"  recall@{TOP} {score.recall:.3f}"
            )
    if len(found) == len(stores.NAMES):
        one, other = scores.values()
        yield f"the first {TOP} overlap by {_overlap(*found.values()):.4f}"
        for called in sorted(one):
            yield f"{called}: MRR@{TOP} differs by {abs(one[called].mrr - other[called].mrr):.4f}"


def _scores(queries: Documents, answers: Answers) -> dict[str, Score]:
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


def _address(said: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(said)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError("an address is http://host or http://host:port")
    return parts.hostname, parts.port or 80


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
