"""What an integrator writes, in memory: the program for files is ``app/mirror.py``."""

import hashlib
from typing import Any


class Mirror:
    """Takes pages of the feed over, keeps the token, starts again when it is told to."""

    def __init__(self, client: Any, **filters: Any) -> None:
        self._client, self._filters = client, filters
        self.token: str | None = None
        self.documents: dict[str, tuple[str, Any]] = {}
        self._fresh: set[str] | None = set()

    def step(self, limit: int = 100) -> bool:
        """Take over one page; whether there is more."""
        asked = {"limit": limit} | self._filters | ({} if self.token is None else {"token": self.token})
        answer = self._client.get("/v1/sync", params=asked)
        if answer.status_code == 410:
            self.token, self._fresh = None, set()
            return True
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for item in page["items"]:
            if item["type"] == "upsert":
                self.documents[item["id"]] = item["etag"], item["document"]
            else:
                self.documents.pop(item["id"], None)
            if self._fresh is not None:
                self._fresh.add(item["id"])
        self.token = page["next"]
        if not page["more"] and self._fresh is not None:
            self.documents = {id: each for id, each in self.documents.items() if id in self._fresh}
            self._fresh = None
        return bool(page["more"])

    def follow(self, limit: int = 100) -> "Mirror":
        while self.step(limit):
            pass
        return self

    def digest(self) -> dict[str, Any]:
        lines = "".join(f"{id} {etag}\n" for id, (etag, _) in sorted(self.documents.items()))
        return {"count": len(self.documents), "sha256": hashlib.sha256(lines.encode()).hexdigest()}

    def is_right(self) -> bool:
        right: dict[str, Any] = self._client.get("/v1/sync/digest", params=self._filters).json()
        return self.digest() == right
