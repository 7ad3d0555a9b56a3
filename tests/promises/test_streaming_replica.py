"""A replica that follows 400 ms late: who reads sees what was once the case, and who has written nothing earlier."""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx2
import pytest

from app.database import Database
from tests.conftest import a_key
from tests.factories import create
from tests.live import served
from tests.streaming import streaming

LATE = "400ms"
ARTICLES = 3
CHANGES = 60
ANY = {"If-Match": "*"}


class Seen(NamedTuple):
    """What a read was answered: from where, of which article; ``etag`` None: it is not public."""

    server: str
    article: str
    etag: str | None
    needed: int | None
    """How many of the article's states had been answered to its writer, where the read asked for no earlier one."""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, httpx2.Client]]:
    """A client for a server on the primary, and one for a server that reads from its replica."""
    with ExitStack() as stack:
        primary, replica = stack.enter_context(streaming(LATE))
        database = Database(primary)
        headers = {"Authorization": f"Bearer {a_key(database, 'admin')}", "Accept-Encoding": "identity"}
        database.close()
        clients = {}
        for name, settings in (("primary", {}), ("replica", {"KIKU_REPLICA_URL": replica})):
            address = stack.enter_context(served(primary, workers=1, settings=settings))
            client = httpx2.Client(base_url=address, headers=headers, timeout=60)
            clients[name] = stack.enter_context(client)
        yield clients


class Publisher:
    """Changes articles in turn, and remembers every state that readers could see, in order."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self.ids = [str(create(client)["id"]) for _ in range(ARTICLES)]  # type: ignore[arg-type]
        self.states: dict[str, list[str | None]] = {id: [None] for id in self.ids}
        self.last = (self.ids[0], 1, 0)
        """The article written last, how many states it then had, and the number its writer was told."""

    def run(self, finished: threading.Event) -> None:
        """Publish and withdraw."""
        for step in range(CHANGES):
            id = self.ids[step % ARTICLES]
            at = f"/v1/manage/articles/{id}"
            if step % 7 == 6:
                answer = self._client.post(f"{at}/unpublish", headers=ANY)
            else:
                saved = self._client.get(at).json() | {"lead": f"{step}回目の菊"}
                assert self._client.put(at, json=saved, headers=ANY).status_code == 200
                answer = self._client.post(f"{at}/publish", headers=ANY)
            told = answer.json()
            assert answer.status_code == 200, answer.text
            if told["changed"]:
                self.states[id].append(told["etag"])
                self.last = (id, len(self.states[id]), int(answer.headers["kiku-seq"]))
        finished.set()


def test_reads_alternating_between_both_never_get_a_wrong_document(servers: dict[str, httpx2.Client]) -> None:
    publisher, finished = Publisher(servers["primary"]), threading.Event()
    seen: list[Seen] = []
    bodies: defaultdict[str, set[bytes]] = defaultdict(set)
    waits = 0

    def read(name: str, id: str, needed: int | None, headers: dict[str, str]) -> bool:
        answer = servers[name].get(f"/v1/articles/{id}", headers=headers)
        if needed is not None and answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
            assert name == "replica"
            return False
        assert answer.status_code in {200, 404}, answer.text
        etag = answer.headers.get("etag")
        if etag is not None:
            assert etag == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        seen.append(Seen(name, id, etag, needed))
        return True

    writing = threading.Thread(target=publisher.run, args=(finished,))
    writing.start()
    while not finished.is_set():
        for name, client in servers.items():
            for id in publisher.ids:
                read(name, id, None, {})
            id, needed, number = publisher.last
            waits += not read(name, id, needed, {"Kiku-Min-Seq": f"{number}"})
            listed = client.get("/v1/articles")
            bodies[listed.headers["etag"]].add(listed.content)
    writing.join(30)
    id, needed, number = publisher.last
    for name in servers:  # in the end both are where the writer was
        while not read(name, id, needed, {"Kiku-Min-Seq": f"{number}"}):
            time.sleep(0.1)
        for id in publisher.ids:
            read(name, id, len(publisher.states[id]), {"Kiku-Min-Seq": f"{number}"})
    assert waits > 0, "the replica was never behind: this run shows nothing"
    assert all(len(each) == 1 for each in bodies.values())
    assert wrong(seen, publisher.states) == []


def wrong(seen: list[Seen], states: dict[str, list[str | None]]) -> list[Seen]:
    """What was not the case at its time: never, before what its server had shown already, or before what was needed."""
    found = []
    shown: dict[tuple[str, str], int] = defaultdict(int)
    for each in seen:
        past = states[each.article]
        least = max(shown[each.server, each.article], (each.needed or 1) - 1)
        at = next((at for at in range(least, len(past)) if past[at] == each.etag), None)
        if at is None:
            found.append(each)
        else:
            shown[each.server, each.article] = at
    return found


class TestWrong:
    @pytest.mark.parametrize(
        ("etags", "needed", "expected"),
        [
            (['"a"', '"a"', '"b"'], None, 0),
            (['"b"', '"a"'], None, 1),
            (['"c"'], None, 1),
            (['"a"'], 3, 1),
            (['"b"', None], 3, 0),
        ],
    )
    def test_it_finds_what_never_was_what_goes_back_and_what_is_too_early(
        self, etags: list[str | None], needed: int | None, expected: int
    ) -> None:
        past: dict[str, Any] = {"x": [None, '"a"', '"b"', None]}
        seen = [Seen("replica", "x", etag, needed if at == 0 else None) for at, etag in enumerate(etags)]
        assert len(wrong(seen, past)) == expected
