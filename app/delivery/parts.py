"""One row for each public section, citation, key point, question and tag: ids, filter columns, bytes.

Every public list of parts reads only these rows and the article's card, never a working copy.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    delete,
    select,
    union_all,
)

from app.database import Bytes, Instant, Key, Reader, Writer, is_one_of, metadata
from app.delivery import shapes
from app.delivery.shapes import encode
from app.errors import Conflict


def _columns() -> list[Column[Any]]:
    return [
        Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
        Column("page", Integer),
        Column("position", Integer, nullable=False),
        Column("language", Key, nullable=False),
        Column("published_at", Instant, nullable=False),
        Column("body", Bytes, nullable=False),
    ]


public_sections = Table("public_sections", metadata, Column("id", Key, primary_key=True), *_columns())
public_citations = Table(
    "public_citations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("section_id", Key, nullable=False),
    Column("source_id", Key, nullable=False),
    Column("publisher_id", Key),
    *_columns(),
)
public_key_points = Table(
    "public_key_points",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("section_id", Key),
    Column("citation_id", Key),
    Column("source_id", Key),
    Column("publisher_id", Key),
    *_columns(),
)
public_questions = Table("public_questions", metadata, Column("section_id", Key, primary_key=True), *_columns())
public_tags = Table(
    "public_tags",
    metadata,
    Column("tag", Key, primary_key=True),
    Column("article_id", Key, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("language", Key, nullable=False),
    Column("published_at", Instant, nullable=False),
)
TABLES = (public_sections, public_citations, public_key_points, public_questions, public_tags)
Index("ix_public_tags_article_id", public_tags.c.article_id)
# Search knows a part by its place; a citation by its source, too, of thousands: that needs no row.
for _table in (public_sections, public_key_points, public_questions):
    Index(f"ix_{_table.name}_article_id_position", _table.c.article_id, _table.c.position)
Index(
    "ix_public_citations_article_id_position_source_id",
    public_citations.c.article_id,
    public_citations.c.position,
    public_citations.c.source_id,
)
# The newest first, within an article by id: the few rows of one article are sorted when they are read.
for _table in (public_sections, public_key_points, public_questions):
    Index(f"ix_{_table.name}_published_at", _table.c.published_at, _table.c.article_id)
for _table in (public_citations, public_key_points):
    Index(f"ix_{_table.name}_source_id", _table.c.source_id, _table.c.published_at, _table.c.article_id)
    Index(f"ix_{_table.name}_publisher_id", _table.c.publisher_id, _table.c.published_at, _table.c.article_id)
Index("ix_public_tags_tag", public_tags.c.tag, public_tags.c.published_at, public_tags.c.article_id)

# Built once: building these anew for each publication costs several times what running them does.
_INSERTS = {table: table.insert() for table in TABLES}
_DROPS = [delete(table).where(table.c.article_id == bindparam("article")) for table in TABLES]
_WITH_ID = (public_sections, public_citations, public_key_points)
_TAKEN = union_all(*(select(table.c.id).where(is_one_of(table.c.id, table.name)) for table in _WITH_ID))


def put(writer: Writer, article: shapes.Shape) -> None:
    """Write the rows of a public article that has none.

    Raises: Conflict (``id-taken``) where readers still see one of its parts in another article.
    """
    new = _rows(article)
    _demand_free(writer, new)
    for table, rows in new.items():
        if rows:
            writer.execute(_INSERTS[table], rows)


def drop(writer: Writer, article_id: str) -> None:
    """Take the article's parts from the readers."""
    for drop_rows in _DROPS:
        writer.execute(drop_rows, {"article": article_id})


def with_card(body: bytes, card: bytes) -> bytes:
    """A part as readers see it: its stored bytes, and beside them the card of its article."""
    return body[:-1] + b',"article":' + card + b"}"


def _demand_free(reader: Reader, new: dict[Table, list[dict[str, Any]]]) -> None:
    if reader.row(_TAKEN, {table.name: [row["id"] for row in new[table]] for table in _WITH_ID}) is not None:
        detail = "Readers still see a part with one of these ids in another article: publish that first."
        raise Conflict("id-taken", detail)


def _rows(article: shapes.Shape) -> dict[Table, list[dict[str, Any]]]:
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in TABLES}
    shared = {"article_id": article["id"], "language": article["language"], "published_at": article["published_at"]}

    def add(table: Table, body: shapes.Shape, page: int | None, **columns: Any) -> None:
        position = len(rows[table])
        rows[table].append({**shared, "page": page, "position": position, "body": encode(body), **columns})

    def add_points(points: Iterable[shapes.Shape], number: int | None, section: Any, citation: Any) -> None:
        source = citation["source"] if citation else {"id": None, "publisher": None}
        for point in points:
            body = shapes.key_point(point, number, section, citation)
            columns = {name: body[name] for name in ("id", "kind", "section_id", "citation_id")}
            publisher_id = source["publisher"] and source["publisher"]["id"]
            add(public_key_points, body, number, source_id=source["id"], publisher_id=publisher_id, **columns)

    add_points(article["takeaways"], None, None, None)
    for page in article["pages"]:
        number = page["number"]
        for section in page["sections"]:
            add(public_sections, section | {"page": number}, number, id=section["id"])
            if section["question"]:
                add(public_questions, shapes.question(section, number), number, section_id=section["id"])
            for citation in section["citations"]:
                source = citation["source"]
                ids = {"id": citation["id"], "section_id": section["id"], "source_id": source["id"]}
                ids["publisher_id"] = source["publisher"] and source["publisher"]["id"]
                body = citation | {"section_id": section["id"], "page": number}
                add(public_citations, body, number, **ids)
                add_points(citation["key_points"], number, section, citation)
    rows[public_tags] = [{**shared, "tag": tag} for tag in article["tags"]]
    return rows
