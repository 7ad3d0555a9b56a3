"""What is measured: each work as ready requests, made from what a filled server answers.

How often they are sent, and what that costs, is in ``rounds.py``; the budgets are in ``report.py``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from app.articles.fields import new_id
from benchmarks import bare, corpus
from benchmarks.client import Connection, encode, expected, request

READS = 250
"""Requests a round of each work that reads, and of its bare counterpart."""
WRITES = 12
"""The same for works that write."""
LEAST_ARTICLES = 100
"""Fewer make no deep pages."""
_TARGETS = 40
"""How many articles the reads go round unless told otherwise: more than one, as readers do."""
_DEEP = (0.5, 0.8)
"""Between which depths of the whole list deep pages begin."""
_STEPS = 1_000
"""In about how many pages the whole list is walked, where they may be so long."""

Step = Sequence[tuple[bytes, int]]
"""Requests that are timed as one, each with the status it must get."""


@dataclass(frozen=True)
class Work:
    """Something a server is asked to do many times; ``bare`` says whether bare can do it, too."""

    name: str
    steps: Callable[[], list[Step]]
    """Fresh steps for one round: a write must not repeat the one before."""
    bare: bool = True


@dataclass(frozen=True)
class Plan:
    """The works for one server, and what bare must answer to be compared with it."""

    works: tuple[Work, ...]
    answers: dict[str, bare.Answer]
    target: str
    """One of the addresses in ``answers``."""
    article_bytes: int
    copy_bytes: int = 0
    """What is sent to save a working copy; 0 where none is saved."""


def plan(connection: Connection, secret: str, articles: int) -> Plan:
    """Reads and writes for a server that holds this many articles; an article to be saved is made there."""
    planned = reading(connection, articles)
    writing = {"Authorization": f"Bearer {secret}", "If-Match": "*"}
    saves = _saves(connection, writing)
    writes = (
        Work("create + publish", _creations(writing, articles), bare=False),
        Work("save of 85 rows", lambda: [[(next(saves)[0], 200)] for _ in range(WRITES)], bare=False),
        Work("save refused, 428", lambda: [[(next(saves)[1], 428)] for _ in range(WRITES)], bare=False),
    )
    copy_bytes = len(next(saves)[0].partition(b"\r\n\r\n")[2])
    return replace(planned, works=planned.works + writes, copy_bytes=copy_bytes)


def reading(connection: Connection, articles: int, targets: int = _TARGETS) -> Plan:
    """Reads for a server that holds this many articles: of so many ``targets`` spread over them, as many deep pages."""
    everything = "/v1/articles"
    slugs, cursors = _walk(connection, articles)
    first, last = (int(len(cursors) * depth) for depth in _DEEP)
    deep = [f"{everything}?{urlencode({'cursor': cursor})}" for cursor in _spread(cursors[first:last], targets)]
    article = [f"{everything}/{quote(slug)}" for slug in _spread(slugs, targets)]
    page = [f"{target}/pages/1" for target in article]
    answers = {target: _answer(connection, target) for target in (*article, *page, everything, *deep)}
    etags = [answers[target].etag.decode("latin-1") for target in article]
    had = [request("GET", target, headers={"If-None-Match": etag}) for target, etag in zip(article, etags, strict=True)]
    works = (
        Work("GET article by slug", _reads([request("GET", target) for target in article])),
        Work("GET page 1", _reads([request("GET", target) for target in page])),
        Work("GET article, 304", _reads(had, status=304)),
        Work("list, first 20", _reads([request("GET", everything)])),
        Work("list, deep page of 20", _reads([request("GET", target) for target in deep])),
    )
    sizes = [len(answers[target].body) for target in article]
    return Plan(works, answers, article[0], sum(sizes) // len(sizes))


def _walk(connection: Connection, articles: int) -> tuple[list[str], list[str]]:
    """Every slug in the order of the list, and the cursors that lead down in it at even distances."""
    slugs: list[str] = []
    cursors: list[str] = []
    cursor: str | None = None
    limit = min(100, max(1, articles // _STEPS))
    while cursor is not None or not slugs:
        query = {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
        found = connection.json(f"/v1/articles?{urlencode(query)}")
        slugs += [card["slug"] for card in found["items"]]
        cursor = found["next"]
        cursors += [] if cursor is None else [cursor]
    return slugs, cursors


def _spread(found: Sequence[str], count: int) -> list[str]:
    """So many of them at even distances, all if there are fewer, in no order: neighbours lie side by side on disk."""
    count = min(count, len(found))
    chosen = [found[at * len(found) // count] for at in range(count)]
    Random(count).shuffle(chosen)
    return chosen


def _answer(connection: Connection, target: str) -> bare.Answer:
    """What Kiku answers there, with and without the ETag in hand; the server writes the date itself."""
    reply = expected(connection.ask(request("GET", target)), 200)
    etag = reply.header(b"etag")
    had = request("GET", target, headers={"If-None-Match": etag.decode("latin-1")})
    headers, not_modified = (
        [(name, value) for name, value in answer.headers if name != b"date"]
        for answer in (reply, expected(connection.ask(had), 304))
    )
    return bare.Answer(etag, headers, reply.body, not_modified)


def _reads(requests: Sequence[bytes], status: int = 200) -> Callable[[], list[Step]]:
    """Each round goes on where the one before left off."""
    steps: Iterator[Step] = cycle([[(request, status)] for request in requests])
    return lambda: list(islice(steps, READS))


def _creations(writing: dict[str, str], articles: int) -> Callable[[], list[Step]]:
    """New articles, numbered on from those of the corpus, each created and then published."""
    number = articles

    def create() -> Step:
        nonlocal number
        number += 1
        id = new_id()
        body = encode(corpus.document(number) | {"id": id})
        publish = request("POST", f"/v1/manage/articles/{id}/publish", headers=writing)
        return [(request("POST", "/v1/manage/articles", body, writing), 201), (publish, 200)]

    return lambda: [create() for _ in range(WRITES)]


def _saves(connection: Connection, writing: dict[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """A PUT that changes a body and a key point of one long article; and the same without its precondition.

    The second is refused once its body is read and validated and a transaction is open, before any row is
    read: what the framework costs, all but writing the answer.
    """
    document = encode(corpus.document(0, corpus.LONG))
    created = connection.ask(request("POST", "/v1/manage/articles", document, writing))
    target = expected(created, 201).header(b"location").decode("latin-1")
    copy = expected(connection.ask(request("GET", target, headers=writing)), 200)
    unconditional = {name: value for name, value in writing.items() if name != "If-Match"}
    return _edits(copy.json(), target, writing, unconditional)


def _edits(
    copy: dict[str, Any], target: str, writing: dict[str, str], unconditional: dict[str, str]
) -> Iterator[tuple[bytes, bytes]]:
    del copy["version"]  # it moves with each save
    section = copy["pages"][0]["sections"][1]
    point = section["citations"][0]["key_points"][0]
    body, said, edit = section["body"], point["text"], 0
    while True:
        edit += 1
        section["body"], point["text"] = f"{body}\n\n{edit}回目の直しです。", f"{said}({edit})"
        sent = encode(copy)
        yield request("PUT", target, sent, writing), request("PUT", target, sent, unconditional)
