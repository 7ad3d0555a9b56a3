"""What one editor does all the time: read a working copy, change one thing in it, save it, and remember what was told.

How many of them there are, and what is looked for afterwards, is in ``editors.py``.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from benchmarks.client import Connection, Reply, encode, expected, request

POINTS = 30
"""A citation with more key points is tidied up by whoever saves the whole article next: they become text."""
_TOLD_CHARACTERS = 300
"""How much is kept of an answer that nothing explains."""

Json = dict[str, Any]


class Sent(NamedTuple):
    """A change as it is sent: its method and address, its body if it has one, and of which media type."""

    method: str
    target: str
    body: Any = None
    media_type: str = "application/json"


class Save(NamedTuple):
    """What a writer was told is stored: as which version, and the token that must stand there once (empty: none)."""

    article: str
    version: int
    kind: str
    token: str


class _Edit(NamedTuple):
    """What a writer wants: which article, what kind of change, and the token it leaves."""

    article: str
    kind: str
    token: str


@dataclass
class Writing:
    """What one editor was told."""

    saves: list[Save] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def refused(self, reply: Reply) -> None:
        """Count an answer that is not the one asked for. Raises: RuntimeError for one that is this program's fault."""
        if reply.status in {409, 412}:
            self.statuses[str(reply.status)] += 1
        elif reply.status == 503 and b"retry-after" in dict(reply.headers):  # noqa: PLR2004 - busy
            self.statuses["busy"] += 1
            time.sleep(float(reply.header(b"retry-after")))
        elif reply.status >= 500:  # noqa: PLR2004 - the server's fault
            self.fail(f"{reply.status} {reply.body[:_TOLD_CHARACTERS].decode(errors='replace')}")
        else:
            expected(reply, 200)

    def fail(self, said: str) -> None:
        """Count a failure that nothing explains."""
        self.statuses["unexplained"] += 1
        self.unexplained.append(said)


def write(port: int, secret: dict[str, str], articles: Sequence[str], number: int, until: float) -> Writing:
    """Change one of the articles after the other until then, each time from what was just read.

    A change that came too late is tried again on what is there by then.
    """
    random, told, edits = Random(number), Writing(), 0
    kinds, weights = list(_KINDS), [weight for _, weight in _KINDS.values()]
    with Connection(port) as connection:
        while time.monotonic() < until:
            edits += 1
            edit = _Edit(random.choice(articles), random.choices(kinds, weights)[0], f"〔{number}-{edits}〕")
            while time.monotonic() < until and not _tried(connection, secret, edit, told):
                pass
    return told


def _tried(connection: Connection, secret: dict[str, str], edit: _Edit, told: Writing) -> bool:
    """Read the article, change it, send it; whether it was acknowledged."""
    read = request("GET", f"/v1/manage/articles/{edit.article}", headers=secret)
    copy = expected(connection.ask(read), 200)
    sent = _KINDS[edit.kind][0](copy.json(), edit.token)
    headers = secret | {"If-Match": copy.header(b"etag").decode(), "Content-Type": sent.media_type}
    body = b"" if sent.body is None else encode(sent.body)
    began = time.perf_counter_ns()
    reply = connection.ask(request(sent.method, sent.target, body, headers))
    took_ms = (time.perf_counter_ns() - began) / 1e6
    if reply.status not in {200, 201}:
        told.refused(reply)
        return False
    told.wall_ms.append(took_ms)
    if edit.kind != "publish":
        version = int(reply.header(b"etag").strip(b'"'))
        told.saves.append(Save(edit.article, version, edit.kind, edit.token if edit.token.encode() in body else ""))
    return True


def _put(copy: Json, token: str) -> Sent:
    section = copy["pages"][0]["sections"][0]
    section["body"] += token
    for page in copy["pages"]:
        for part in page["sections"]:
            for citation in part["citations"]:
                if len(citation["key_points"]) > POINTS:
                    section["body"] += "".join(point["text"] for point in citation["key_points"][1:])
                    del citation["key_points"][1:]
    return Sent("PUT", f"/v1/manage/articles/{copy['id']}", copy)


def _patch(copy: Json, token: str) -> Sent:
    changed = {"conclusion": copy["conclusion"] + token}
    return Sent("PATCH", f"/v1/manage/articles/{copy['id']}", changed, "application/merge-patch+json")


def _change_section(copy: Json, token: str) -> Sent:
    section = copy["pages"][1]["sections"][0]
    changed = {"body": section["body"] + token}
    return Sent("PATCH", f"/v1/manage/sections/{section['id']}", changed, "application/merge-patch+json")


def _add_key_point(copy: Json, token: str) -> Sent:
    citation = copy["pages"][0]["sections"][0]["citations"][0]
    return Sent("POST", f"/v1/manage/citations/{citation['id']}/key-points", {"text": token})


def _move(copy: Json, _: str) -> Sent:
    first, second = copy["pages"][1]["sections"]
    return Sent("POST", f"/v1/manage/sections/{first['id']}/move", {"after": second["id"]})


def _publish(copy: Json, _: str) -> Sent:
    return Sent("POST", f"/v1/manage/articles/{copy['id']}/publish")


_KINDS: dict[str, tuple[Callable[[Json, str], Sent], int]] = {
    "put": (_put, 6),
    "patch": (_patch, 5),
    "section": (_change_section, 5),
    "key point": (_add_key_point, 5),
    "move": (_move, 2),
    "publish": (_publish, 1),
}
"""Each kind of change, and how often it is made compared with the others."""
