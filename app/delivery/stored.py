"""Published bytes for the event loop: an article, a page, the latest cards, each by one statement.

The same rows through a Reader, for every key, filter and sort, are read in ``snapshots.py`` and ``listings.py``.
"""

from typing import Literal, NamedTuple

from app import text
from app.direct import Direct

_ARTICLE = "SELECT s.article_id, s.etag, s.{body} FROM snapshots s WHERE s.{key} = ?"
_PAGE = (
    "SELECT s.article_id, p.etag, p.{body} FROM snapshots s JOIN snapshot_pages p ON p.article_id = s.article_id"
    " WHERE s.{key} = ? AND p.number = ?"
)
# The feed's state stands in every row: it and the cards are then of one snapshot.
_CARDS = (
    "SELECT (SELECT epoch FROM feed), (SELECT number FROM feed), published_at, article_id, card FROM snapshot_cards"
    " {behind} ORDER BY published_at DESC, article_id DESC LIMIT ?"
)
_FIRST = _CARDS.format(behind="")
_BEHIND = _CARDS.format(behind="WHERE (published_at, article_id) < (?, ?)")

Copy = Literal["body", "body_gzip"]
"""Which of the stored bytes: as they are, or compressed."""
State = tuple[str, int]
"""The feed's epoch and number: while they stand, every list of articles is the same."""
Position = tuple[str, str]
"""Where a page of cards ended: when its last article was published, and its id."""


class Found(NamedTuple):
    """What is stored at one address: whose it is, its ETag (quoted), the bytes."""

    article_id: str
    etag: str
    body: bytes


class Cards(NamedTuple):
    """A page of the latest articles' cards, each with its position, and the state of the feed they belong to."""

    state: State
    cards: list[tuple[Position, bytes]]


class Stored:
    """What readers ask for most, at one address each. Everything raises Busy when the database cannot answer."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    async def version(self) -> object | None:
        """Another one after each commit; None where asking for it costs as much as reading."""
        return await self._direct.version()

    async def find(self, key: str, page: int | None, copy: Copy | None) -> Found | None:
        """The article or page at ``key`` (an id, or a public slug as it is stored), or None.

        ``copy``: which bytes; None leaves them where they are.
        """
        named, body = "article_id" if text.uuid_shaped(key) else "slug", copy or "etag"
        if page is None:
            rows = await self._direct.rows(_ARTICLE.format(key=named, body=body), key)
        else:
            rows = await self._direct.rows(_PAGE.format(key=named, body=body), key, page)
        return Found(rows[0][0], rows[0][1], rows[0][2] if copy else b"") if rows else None

    async def latest(self, after: Position | None, limit: int) -> Cards | None:
        """Up to ``limit`` cards behind ``after``, the latest published first; None where there are none."""
        if after is None:
            rows = await self._direct.rows(_FIRST, limit)
        else:
            rows = await self._direct.rows(_BEHIND, *after, limit)
        return Cards(rows[0][:2], [((row[2], row[3]), row[4]) for row in rows]) if rows else None

    async def close(self) -> None:
        """Close what this thread has opened."""
        await self._direct.close()
