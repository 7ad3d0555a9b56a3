"""A cache in front of Kiku that keeps what it may until it is told to drop it, and addresses to fill it with.

Addresses are drawn from the OpenAPI document, so that a route is asked the day it is written.
"""

from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi.testclient import TestClient

from app.wire import negotiation

KEPT = {200, 304, 308}
"""The statuses a cache may keep."""
UNKEPT = ("/v1/manage", "/v1/preview", "/v1/sync", "/health", "/metrics")
"""Below these nothing is public content that caches keep."""


class Asked(NamedTuple):
    """A request as a cache tells requests apart: the address, and what answers vary with."""

    address: str
    accept: str
    coding: str

    def headers(self) -> dict[str, str]:
        return {"Accept": self.accept, "Accept-Encoding": self.coding}


class Told(NamedTuple):
    """What was answered: all that a reader can tell of it."""

    status: int
    body: bytes
    headers: Mapping[str, str | None]


class Cache:
    """Keeps what it was answered under the keys of the answer, and drops nothing but what it is told to."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.held: dict[Asked, Told] = {}
        self._under: defaultdict[str, set[Asked]] = defaultdict(set)

    def keeps(self, asked: Asked) -> bool:
        """Whether the answer to a reader is kept now, fetched where it was not."""
        if asked in self.held:
            return True
        told = self._fetch(asked)
        if told.status in KEPT and told.headers["cache-control"] != "no-store":
            keys = told.headers["surrogate-key"]
            assert keys, f"{asked.address} may be kept and cannot be dropped: it has no Surrogate-Key"
            self.held[asked] = told
            for key in keys.split():
                self._under[key].add(asked)
        return asked in self.held

    def drop(self, keys: set[str]) -> None:
        """Forget what is kept under any of these keys."""
        for key in keys:
            for asked in self._under.pop(key, ()):
                self.held.pop(asked, None)

    def stale(self) -> list[str]:
        """What it holds though the server answers something else by now."""
        return [f"{asked}: {told} is {now}" for asked, told in self.held.items() if (now := self._fetch(asked)) != told]

    def _fetch(self, asked: Asked) -> Told:
        answer = self._client.get(asked.address, headers=asked.headers())
        told = ("etag", "location", "content-type", "cache-control", "surrogate-key", "link")
        return Told(answer.status_code, answer.content, {name: answer.headers.get(name) for name in told})


class Drawn:
    """Addresses of public reads at random: every route, its renditions, its parameters, what is there and was there."""

    def __init__(self, client: TestClient, random: Random) -> None:
        self._random = random
        paths = client.get("/openapi.json").json()["paths"]
        self.routes: dict[str, dict[str, Any]] = {
            path: item["get"] for path, item in paths.items() if "get" in item and not path.startswith(UNKEPT)
        }
        self.known: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """Values by the name of a parameter, or by what a path calls those of it: all there ever were."""

    def learn(self, name: str, *values: Any) -> None:
        """From now on these are asked for, too."""
        for value in values:
            self.known[name].pop(str(value), None)
            self.known[name][str(value)] = None

    def draw(self, route: str | None = None) -> Asked:
        """An address of the route, or of any."""
        route = route or self._random.choice(sorted(self.routes))
        described = self.routes[route]
        segments = route.split("/")
        for at, segment in enumerate(segments):
            if segment.startswith("{"):
                segments[at] = quote(self._value(segment if segment == "{number}" else segments[at - 1]))
        media_types = list(described["responses"]["200"].get("content", ["*/*"]))
        if len(media_types) > 1 and self._random.random() < 0.3:
            segments[-1] += f".{self._random.choice([*negotiation.MEDIA_TYPES])}"
        query = urlencode(self._query(described.get("parameters", [])))
        accept, coding = self._random.choice(media_types), self._random.choice(["identity", "gzip"])
        return Asked("/".join(segments) + (f"?{query}" if query else ""), accept, coding)

    def _query(self, parameters: list[dict[str, Any]]) -> dict[str, str]:
        asked = [each for each in parameters if each["in"] == "query"]
        needed = [each["name"] for each in asked if each.get("required")]
        others = [each["name"] for each in asked if each["name"] in self.known and not each.get("required")]
        few = min(len(others), self._random.choice([0, 0, 1, 1, 2]))
        return {name: self._value(name) for name in (*needed, *self._random.sample(others, few))}

    def _value(self, name: str) -> str:
        known = list(self.known[name])
        # Half of the time what is new: of that there is most to tell.
        return self._random.choice(known[-6:] if self._random.random() < 0.5 else known)
