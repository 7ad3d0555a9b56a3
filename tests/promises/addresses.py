"""Every address of the OpenAPI document, filled in with what a small library holds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from tests.factories import a_section, published

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
NOBODY = "01a20952-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Operation:
    """One method at one address, as OpenAPI describes it."""

    method: str
    template: str
    described: dict[str, Any]

    @property
    def manages(self) -> bool:
        return self.template.startswith("/v1/manage")

    @property
    def media_types(self) -> tuple[str, ...]:
        """What its body may be; empty where it takes none."""
        return tuple(self.described.get("requestBody", {}).get("content", {}))

    @property
    def streams(self) -> bool:
        """Whether the answer has no end."""
        content = [answer.get("content", {}) for answer in self.described["responses"].values()]
        return any("text/event-stream" in each for each in content)

    def needs(self, header: str) -> bool:
        """Whether it is refused without this header."""
        parameters = self.described.get("parameters", [])
        return any(parameter["name"] == header and parameter.get("required") for parameter in parameters)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


class Addresses:
    """The operations of an application, and how to reach them."""

    def __init__(self, client: TestClient) -> None:
        self.article = published(client, slug="kiku", pages=[{"sections": [a_section(), a_section()]}])
        section = self.article["pages"][0]["sections"][0]
        citation = section["citations"][0]
        self._ids = {
            "articles": self.article["id"],
            "pages": self.article["pages"][0]["id"],
            "sections": section["id"],
            "citations": citation["id"],
            "key-points": citation["key_points"][0]["id"],
            "sources": citation["source"]["id"],
            "publishers": citation["source"]["publisher"]["id"],
            "tags": self.article["tags"][0],
            "collections": self._collection(client),
            "keys": client.post("/v1/manage/keys", json={"name": "mirror", "scopes": ["read"]}).json()["id"],
        }
        self._ids |= self._link(client) | self._webhook(client)
        self._url = citation["source"]["url"]
        document = client.get("/openapi.json").json()
        self.operations = [
            Operation(method.upper(), template, described)
            for template, item in document["paths"].items()
            for method, described in item.items()
        ]

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def templates(self) -> list[str]:
        return sorted({operation.template for operation in self.operations})

    def of(self, template: str, *, there: bool = True) -> str:
        """The address of something that is there, or of nothing."""
        segments = template.split("/")
        for at, segment in enumerate(segments):
            if segment.startswith("{"):
                segments[at] = self._value(segment, segments[at - 1]) if there else NOBODY
        path = "/".join(segments)
        needed = {"lookup": f"?url={self._url}", "search": "?q=菊", "suggest": "?q=菊"}
        return path + needed.get(segments[-1], "")

    def methods_at(self, path: str) -> set[str]:
        """Every method that some template answers at this path, HEAD beside GET."""
        found = {operation.method for operation in self.operations if _matches(operation.template, path)}
        return found | ({"HEAD"} if "GET" in found else set())

    def _collection(self, client: TestClient) -> str:
        made = client.post("/v1/manage/collections", json={"title": "菊", "articles": [self.article["id"]]})
        return str(made.json()["id"])

    def _link(self, client: TestClient) -> dict[str, str]:
        made = client.post(f"/v1/manage/articles/{self.article['id']}/preview-links").json()
        return {"preview-links": made["id"], "preview": made["token"]}

    def _webhook(self, client: TestClient) -> dict[str, str]:
        made = client.post("/v1/manage/webhooks", json={"url": "https://hooks.example.jp/kiku"}).json()["id"]
        return {"webhooks": made, "deliveries": client.post(f"/v1/manage/webhooks/{made}/test").json()["id"]}

    def _value(self, segment: str, collection: str) -> str:
        return "1" if segment in {"{number}", "{n}"} else str(self._ids.get(collection, NOBODY))


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path.partition("?")[0]) is not None
