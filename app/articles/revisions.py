"""Revisions: the document after each save, compressed and never changed. Revision n is version n.

Their table is in ``tables.py``; how two of them differ is told in ``comparison.py``.
"""

import gzip
import json
from typing import Any

from sqlalchemy import func, select

from app.articles.document import ArticleDocument, Counted, Shape
from app.articles.fields import Instant
from app.articles.tables import revisions
from app.database import Reader, Row, Writer
from app.errors import NotFound


class RevisionSummary(Shape):
    """What a list tells of a revision: which key saved it (null: the command line), when, and why if that was said."""

    number: int
    created_at: Instant
    created_by: str | None
    reason: str | None


class Revision(RevisionSummary):
    """A revision with its document."""

    document: ArticleDocument


class RevisionList(Shape):
    """A page of an article's revisions; ``count`` only where it was asked for."""

    items: list[RevisionSummary]
    next: str | None
    count: Counted | None = None


_SUMMARY = (revisions.c.number, revisions.c.created_at, revisions.c.created_by, revisions.c.reason)


def record(writer: Writer, number: int, document: ArticleDocument) -> None:
    """Keep ``document`` as revision ``number`` of its article."""
    said = {"created_at": writer.stamp, "created_by": writer.caller, "reason": writer.reason}
    row = {"article_id": document.id, "number": number, "document": packed(document.model_dump_json().encode())}
    writer.execute(revisions.insert(), row | said)


def adopt(writer: Writer, article_id: str, number: int, document: bytes, said: Row) -> bool:
    """Keep what an article was elsewhere, as JSON, unless its revision ``number`` is here; says whether it was not.

    ``said``: when it was saved, by whom and why.
    """
    row = {"article_id": article_id, "number": number, "document": packed(document)}
    return writer.insert_absent(revisions, row | dict(said))


def packed(document: bytes) -> bytes:
    """A document's JSON as it is kept."""
    return gzip.compress(document, compresslevel=1, mtime=0)


def unpacked(kept: bytes) -> bytes:
    """The document's JSON in what is kept of it."""
    return gzip.decompress(kept)


def latest(reader: Reader, article_id: str, before: int | None, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Up to ``limit`` revisions below the number ``before``, the latest first, each with its number."""
    query = select(*_SUMMARY).where(revisions.c.article_id == article_id)
    if before is not None:
        query = query.where(revisions.c.number < before)
    rows = reader.rows(query.order_by(revisions.c.number.desc()).limit(limit))
    return [(row["number"], dict(row)) for row in rows]


def count(reader: Reader, article_id: str, cap: int | None) -> int:
    """How many revisions the article has; counting stops one beyond ``cap``."""
    query = select(revisions.c.number).where(revisions.c.article_id == article_id)
    query = query if cap is None else query.limit(cap + 1)
    return int(reader.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def load(reader: Reader, article_id: str, number: int) -> dict[str, Any]:
    """The revision as it is answered. Raises: NotFound (``revision-unknown``)."""
    query = select(*_SUMMARY, revisions.c.document)
    row = reader.row(query.where(revisions.c.article_id == article_id, revisions.c.number == number))
    if row is None:
        raise NotFound("revision-unknown", "The article has no such revision.")
    return {**row, "document": json.loads(unpacked(row["document"]))}


def document(reader: Reader, article_id: str, number: int) -> ArticleDocument:
    """The document of a revision. Raises: NotFound (``revision-unknown``)."""
    return ArticleDocument.model_validate(load(reader, article_id, number)["document"])
