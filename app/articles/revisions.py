"""Revisions: the document after each save, compressed and never changed. Revision n is version n.

Their table is in ``tables.py``.
"""

import gzip

from app.articles.document import ArticleDocument
from app.articles.tables import revisions
from app.database import Writer


def record(writer: Writer, number: int, document: ArticleDocument, reason: str | None = None) -> None:
    """Keep ``document`` as revision ``number`` of its article."""
    row = {
        "article_id": document.id,
        "number": number,
        "document": gzip.compress(document.model_dump_json().encode(), compresslevel=1, mtime=0),
        "created_at": writer.stamp,
        "created_by": writer.caller,
        "reason": reason,
    }
    writer.execute(revisions.insert(), row)
