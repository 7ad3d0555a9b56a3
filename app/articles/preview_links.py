"""Preview links: whoever has one reads the working copy of one article, without a key, until it ends or is revoked.

What they are shown is shaped in ``app/publishing/publish.py`` and answered in ``app/api/previews.py``.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import Column, ForeignKey, Index, Table, bindparam, select, update

from app import text
from app.access import audit, secret
from app.articles import drafts
from app.articles.document import Shape
from app.articles.drafts import Draft, IfVersion
from app.articles.fields import new_id
from app.database import Instant, Key, Reader, Row, Writer, metadata
from app.errors import Conflict, Gone, NotFound, Stale

ADDRESS = "/v1/preview"
"""Below this path a token is read."""

preview_links = Table(
    "preview_links",
    metadata,
    Column("id", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Key),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
Index("ix_preview_links_article_id_id", preview_links.c.article_id, preview_links.c.id)

_BY_ID = select(preview_links).where(preview_links.c.id == bindparam("id"))
# The id of a link and its signature: 48 bytes, of which no two texts stand for the same.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")
_ID_BYTES = 16
_DAY_SECONDS = 86_400


class PreviewLinkInput(Shape):
    """How long the link is good: a week, where nothing is said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expires_in_seconds": 86_400}]})

    expires_in_seconds: Annotated[int, Field(ge=60, le=30 * _DAY_SECONDS)] = 7 * _DAY_SECONDS


class PreviewLinkAnswer(Shape):
    """A link; ``url`` is relative to where Kiku is served."""

    id: str
    url: str
    token: str
    created_at: str
    created_by: str | None
    expires_at: str
    revoked_at: str | None


class PreviewLinkList(Shape):
    """A page of links."""

    items: list[PreviewLinkAnswer]
    next: str | None


@dataclass(frozen=True)
class PreviewLink:
    """A link to the working copy of one article, and the token that proves it."""

    row: Row
    token: str

    @property
    def id(self) -> str:
        """The link's id."""
        return str(self.row["id"])

    @property
    def version(self) -> int:
        """1, and 2 once it is revoked."""
        return 1 if self.row["revoked_at"] is None else 2

    def resource(self) -> dict[str, Any]:
        """What editors are answered."""
        token = {"url": f"{ADDRESS}/{self.token}", "token": self.token}
        kept = ("created_at", "created_by", "expires_at", "revoked_at")
        return {"id": self.id} | token | {name: self.row[name] for name in kept}


def create(writer: Writer, key: str, sent: PreviewLinkInput) -> PreviewLink:
    """A new link to the article that ``key`` names.

    Raises: NotFound; Conflict (``transition``) where it is trashed.
    """
    draft = drafts.load(writer, key)
    if draft.status == "trashed":
        raise Conflict("transition", "A trashed article is not shown to anybody; restore it first.")
    ends = text.instant(writer.now + timedelta(seconds=sent.expires_in_seconds))
    id = new_id()
    row = {"id": id, "article_id": draft.id, "created_at": writer.stamp, "created_by": writer.caller}
    row |= {"expires_at": ends, "revoked_at": None}
    writer.execute(preview_links.insert(), row)
    audit.record(writer, "preview-link.created", id, None, 1)
    return _signed(secret.load(writer), row)


def load(reader: Reader, key: str, link_id: str) -> PreviewLink:
    """The link with this id to the article that ``key`` names, also one that has ended.

    Raises: NotFound (``article-unknown``, ``preview-unknown``).
    """
    article_id = drafts.load(reader, key).id
    row = reader.row(_BY_ID, {"id": link_id.lower()})
    if row is None or row["article_id"] != article_id:
        raise NotFound("preview-unknown", "The article has no such preview link.")
    return _signed(secret.load(reader), row)


def latest(reader: Reader, key: str, after: str | None, limit: int) -> list[PreviewLink]:
    """Up to ``limit`` links to the article behind the id ``after``, the last made first, also those that have ended.

    Raises: NotFound.
    """
    query = select(preview_links).where(preview_links.c.article_id == drafts.load(reader, key).id)
    if after is not None:
        query = query.where(preview_links.c.id < after)
    signing = secret.load(reader)
    return [_signed(signing, row) for row in reader.rows(query.order_by(preview_links.c.id.desc()).limit(limit))]


def revoke(writer: Writer, key: str, link_id: str, if_version: IfVersion) -> None:
    """Let the link show nothing from now on; repeating it changes nothing. Raises: NotFound; Stale."""
    link = load(writer, key, link_id)
    if if_version is not None and link.version not in if_version:
        raise Stale(link.version)
    _revoke(writer, link.row)


def revoke_all(writer: Writer, key: str, if_version: IfVersion) -> None:
    """Let no link to the article show anything any more; ``if_version`` is the article's. Raises: NotFound; Stale."""
    draft = drafts.load(writer, key)
    drafts.demand(draft, if_version)
    for row in writer.rows(select(preview_links).where(preview_links.c.article_id == draft.id)):
        _revoke(writer, row)


def opened(reader: Reader, token: str, now: str) -> Draft:
    """The working copy that a link shows at the instant ``now``.

    Raises: NotFound (``preview-unknown``) where no link has this token, or its article is in the trash; Gone
    (``preview-ended``) where the link is over or was revoked.
    """
    row = _proven(reader, token)
    if row is None:
        raise _unknown()
    if row["revoked_at"] is not None or row["expires_at"] <= now:
        raise Gone("preview-ended", "This preview link is over; ask for a new one.")
    draft = drafts.load(reader, row["article_id"])
    if draft.status == "trashed":
        raise _unknown()
    return draft


def _proven(reader: Reader, token: str) -> Row | None:
    """The row of the link whose signature the token bears."""
    if not _TOKEN.fullmatch(token):
        return None
    said = base64.urlsafe_b64decode(token)
    row = reader.row(_BY_ID, {"id": str(UUID(bytes=said[:_ID_BYTES]))})
    if row is None or not hmac.compare_digest(said[_ID_BYTES:], _signature(secret.load(reader), row)):
        return None
    return row


def _signed(signing: bytes, row: Row) -> PreviewLink:
    said = UUID(row["id"]).bytes + _signature(signing, row)
    return PreviewLink(row, base64.urlsafe_b64encode(said).decode())


def _signature(signing: bytes, row: Row) -> bytes:
    # Named, for the secret signs other things as well.
    said = "\n".join(("preview", row["id"], row["article_id"], row["expires_at"]))
    return hmac.new(signing, said.encode(), hashlib.sha256).digest()


def _revoke(writer: Writer, row: Row) -> None:
    standing = (preview_links.c.id == row["id"], preview_links.c.revoked_at.is_(None))
    if writer.execute(update(preview_links).where(*standing).values(revoked_at=writer.stamp)).rowcount == 1:
        audit.record(writer, "preview-link.revoked", row["id"], 1, 2)


def _unknown() -> NotFound:
    return NotFound("preview-unknown", "There is no preview at this address.")
