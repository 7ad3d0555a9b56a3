"""Published bytes read from the SQLite file on a connection of its own: for the event loop, without a thread.

The same rows through a Reader, on both databases, are read in ``snapshots.py``.
"""

import sqlite3
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

_ID_CHARACTERS = 36
_ARTICLE = "SELECT s.article_id, s.etag, {body} FROM snapshots s WHERE s.{key} = ?"
_PAGE = (
    "SELECT s.article_id, p.etag, {body} FROM snapshots s JOIN snapshot_pages p ON p.article_id = s.article_id"
    " WHERE s.{key} = ? AND p.number = ?"
)
Copy = Literal["body", "body_gzip"]


class Bytes(NamedTuple):
    """What is stored at one address: whose it is, its ETag (quoted), the bytes; empty where they were not asked for."""

    article_id: str
    etag: str
    body: bytes


class SnapshotFile:
    """One connection to the file, opened when it is first needed; it belongs to the thread that uses it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def read(self, key: str, page: int | None, copy: Copy | None) -> Bytes | None:
        """The article or page at ``key`` (an id or a public slug); ``copy`` None leaves the bytes where they are.

        None where nothing is found or the file cannot be read: ``snapshots`` tells which.
        """
        statement = _statement(by_id=len(key) == _ID_CHARACTERS, paged=page is not None, copy=copy)
        row = self._row(statement, (key,) if page is None else (key, page))
        return None if row is None else Bytes(*row)

    def state(self) -> tuple[object, ...] | None:
        """The feed's epoch and number: while they stand, every list of articles is the same."""
        return self._row("SELECT epoch, number FROM feed", ())

    def _row(self, statement: str, values: tuple[str | int, ...]) -> tuple[Any, ...] | None:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{quote(self._path)}?mode=ro", uri=True, isolation_level=None)
            # All rows, though there is but one: a cursor read halfway would hold an old snapshot.
            rows: list[tuple[Any, ...]] = self._connection.execute(statement, values).fetchall()
        except sqlite3.Error:
            self._connection = None
            return None
        return rows[0] if rows else None


def _statement(*, by_id: bool, paged: bool, copy: Copy | None) -> str:
    body = "x''" if copy is None else f"{'p' if paged else 's'}.{copy}"
    return (_PAGE if paged else _ARTICLE).format(key="article_id" if by_id else "slug", body=body)
