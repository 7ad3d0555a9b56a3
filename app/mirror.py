"""A mirror of what a Kiku has published: follows the feed, keeps a copy, proves it right. Read it to write your own.

It needs Python alone, and no address that is not yours to use as well; the command is ``kiku mirror``.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

_TRIES, _SECONDS, _GONE, _BUSY = 5, 60, 410, {429, 503}

Json = dict[str, Any]
Filters = Mapping[str, str]


class MirrorError(Exception):
    """The server cannot be reached or refuses, or what it sent is not what it says."""


class Feed:
    """The server's side; ``filters``: ``language``, ``tag``, ``publisher``."""

    def __init__(self, url: str, key: str, filters: Filters) -> None:
        self._url, self._key, self.filters = url.rstrip("/"), key, dict(filters)

    def page(self, token: str | None) -> Json | None:
        """What comes behind the token, or first of all; None: the token has expired, begin without one."""
        return self._get("/v1/sync", {} if token is None else {"token": token})

    def digest(self) -> Json | None:
        """What a right mirror comes to."""
        return self._get("/v1/sync/digest", {})

    def _get(self, path: str, query: Filters) -> Json | None:
        request = Request(f"{self._url}{path}?{urlencode({**self.filters, **query})}")  # noqa: S310 - the operator's own
        request.add_header("Authorization", f"Bearer {self._key}")
        for tries_left in reversed(range(_TRIES)):
            try:
                with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - the operator's own
                    return dict(json.load(answer))
            except HTTPError as error:
                if error.code == _GONE:
                    return None
                if error.code not in _BUSY or not tries_left:
                    raise MirrorError(f"The server answers {error.code} {error.reason}.") from error
                time.sleep(float(error.headers.get("Retry-After") or 1))
            except (OSError, ValueError) as error:
                raise MirrorError(f"The server cannot be read: {error}") from error
        return None


# Where a copy is kept, and beside it the state: the token to go on from, the filters, and whether it still begins. A
# page is taken over before the state is: after a kill in between it comes again, and says how things are now.


class Folder:
    """One file a document, ``articles/{id}.json``."""

    def __init__(self, path: Path) -> None:
        self._articles, self._state, self._named = path / "articles", path / "state.json", path / "named.txt"
        self._articles.mkdir(parents=True, exist_ok=True)
        self.state: Json = json.loads(self._state.read_text()) if self._state.exists() else {}

    def begin(self, state: Json) -> None:
        """Start a reading: what it does not name is dropped when it is done."""
        self._named.write_text("")
        self._keep(state)

    def take(self, documents: Mapping[str, bytes | None], state: Json) -> None:
        """Keep a page: documents by the ids of their articles, None is dropped."""
        with self._named.open("a") as named:
            named.writelines(f"{id}\n" for id in documents)
        for id, document in documents.items():
            file = self._articles / f"{id}.json"
            if document is None:
                file.unlink(missing_ok=True)
            else:
                _replace(file, document)
        self._keep(state)

    def finish(self, state: Json) -> None:
        """Drop what was not named since the reading began."""
        named = set(self._named.read_text().split())
        for file in self._articles.glob("*.json"):
            if file.stem not in named:
                file.unlink()
        self._keep(state)

    def etags(self) -> Iterator[tuple[str, str]]:
        """Every id, in order, with the ETag that the bytes come to."""
        for file in sorted(self._articles.glob("*.json")):  # ids are all of one length: so are they in order
            yield file.stem, _etag(file.read_bytes())

    def _keep(self, state: Json) -> None:
        self.state = state
        _replace(self._state, json.dumps(state).encode())


class Table:
    """An SQLite file: a row a document in ``articles``, a transaction a page."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path)
        self._file.execute("CREATE TABLE IF NOT EXISTS articles (id TEXT PRIMARY KEY, document BLOB, named BOOLEAN)")
        self._file.execute("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, state TEXT)")
        row = self._file.execute("SELECT state FROM state").fetchone()
        self.state: Json = json.loads(row[0]) if row else {}

    def begin(self, state: Json) -> None:
        """Start a reading: what it does not name is dropped when it is done."""
        self._file.execute("UPDATE articles SET named = FALSE")
        self._keep(state)

    def take(self, documents: Mapping[str, bytes | None], state: Json) -> None:
        """Keep a page."""
        for id, document in documents.items():
            self._file.execute("DELETE FROM articles WHERE id = ?", (id,))
            if document is not None:
                self._file.execute("INSERT INTO articles VALUES (?, ?, TRUE)", (id, document))
        self._keep(state)

    def finish(self, state: Json) -> None:
        """Drop what was not named since the reading began."""
        self._file.execute("DELETE FROM articles WHERE NOT named")
        self._keep(state)

    def etags(self) -> Iterator[tuple[str, str]]:
        """Every id, in order, with the ETag that the bytes come to."""
        for id, document in self._file.execute("SELECT id, document FROM articles ORDER BY id"):
            yield id, _etag(document)

    def _keep(self, state: Json) -> None:
        self.state = state
        self._file.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (json.dumps(state),))
        self._file.commit()


def run(feed: Feed, target: Path, tell: Callable[[int], None]) -> bool:
    """Bring the copy in ``target`` up to date; whether it is right then. ``tell``: how many changes a page held.

    A target that ends in ``.db`` or ``.sqlite`` is an SQLite file, any other a folder. Raises: MirrorError.
    """
    copy = Table(target) if target.suffix in {".db", ".sqlite"} else Folder(target)
    follow(feed, copy, tell)
    while digest(copy) != feed.digest():
        if not follow(feed, copy, tell):  # nothing has changed in between
            return False
    return True


def follow(feed: Feed, copy: Folder | Table, tell: Callable[[int], None]) -> int:
    """Take over what changed since the last time; how many changes there were. Raises: MirrorError."""
    changes, more = 0, True
    while more:
        page = feed.page(copy.state["token"]) if copy.state.get("filters") == feed.filters else None
        if page is None or copy.state["token"] is None:  # anew after a kill, too: what it named then may be gone by now
            copy.begin({"token": None, "filters": feed.filters, "begins": True})
        if page is not None:
            more = page["more"]
            copy.take({item["id"]: _document(item) for item in page["items"]}, copy.state | {"token": page["next"]})
            changes += len(page["items"])
            tell(len(page["items"]))
    if copy.state["begins"]:
        copy.finish(copy.state | {"begins": False})
    return changes


def digest(copy: Folder | Table) -> Json:
    """What the copy comes to, made as the server makes its own."""
    lines = [f"{id} {etag}\n" for id, etag in copy.etags()]
    return {"count": len(lines), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}


def _document(item: Json) -> bytes | None:
    """The bytes that the article's address answers: JSON without spaces, in UTF-8."""
    if item["type"] == "delete":
        return None
    document = json.dumps(item["document"], ensure_ascii=False, separators=(",", ":")).encode()
    if _etag(document) != item["etag"]:
        raise MirrorError(f"The document of {item['id']} is not what its ETag says.")
    return document


def _etag(document: bytes) -> str:
    return f'"{hashlib.sha256(document).hexdigest()}"'


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the one before, or this one."""
    beside = file.with_suffix(".part")
    beside.write_bytes(content)
    beside.replace(file)
