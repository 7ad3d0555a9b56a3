"""Revisions: the document after each save, compressed and never changed. Revision n is version n.

Their table is in ``tables.py``.
"""

import gzip
import json
from typing import Any

from sqlalchemy import insert

from app.articles.tables import revisions
from app.database import Writer


def record(writer: Writer, article_id: str, number: int, document: dict[str, Any], reason: str | None = None) -> None:
    """Keep ``document`` as revision ``number`` of the article."""
    encoded = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    row = {
        "article_id": article_id,
        "number": number,
        "document": gzip.compress(encoded, compresslevel=1, mtime=0),
        "created_at": writer.stamp,
        "created_by": writer.caller,
        "reason": reason,
    }
    writer.execute(insert(revisions), row)
