"""Document ↔ rows: the one place that knows which field of the document stands in which column.

Versions, slugs and the rules of a save are in ``drafts.py``; this module stores what it is given.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, select, union_all, update

from app import text
from app.articles import slugs, sources, tags
from app.articles.document import (
    ArticleDocument,
    Byline,
    Citation,
    Commentary,
    Correction,
    Image,
    KeyPoint,
    Page,
    Section,
    Seo,
    Speaker,
)
from app.articles.tables import article_tags, citations, key_points, pages, sections
from app.database import Reader, Row, Writer, is_one_of

_PARTS = {pages: "article_id", sections: "page_id", citations: "section_id", key_points: "citation_id"}
"""The tables of parts, parents before children, each with the column that names the parent."""
_ARTICLE_COLUMNS = (
    "slug", "language", "translation_key", "title", "title_reading", "lead", "introduction", "conclusion",
    "canonical_url",
)  # fmt: skip
_SECTION_COLUMNS = ("anchor", "heading", "question", "answer", "transition", "body")
_CITATION_COLUMNS = ("display_title", "publisher_text", "published_on", "shows_published_on", "url", "labels")

Rows = dict[Table, dict[str, dict[str, Any]]]
"""Table → id → row."""

# Statements that every load or save runs are built once: building one anew costs several times what running it does.
_READ = {
    table: select(table).where(table.c.article_id == bindparam("article")).order_by(table.c.position)
    for table in _PARTS
}
_TAGS = tags.tags
_READ_TAGS = (
    select(func.coalesce(_TAGS.c.merged_into, _TAGS.c.slug).label("tag"))
    .select_from(article_tags)
    .join(_TAGS)
    .where(article_tags.c.article_id == bindparam("article"))
    .order_by(article_tags.c.position)
)
_READ_EXTERNAL = (
    select(slugs.external_ids).where(slugs.external_ids.c.article_id == bindparam("article")).order_by("system")
)
_INSERT = {table: table.insert() for table in _PARTS}
_UPDATE = {table: update(table).where(table.c.id == bindparam("part")) for table in _PARTS}
_IDS_ELSEWHERE = union_all(*(select(table.c.id).where(is_one_of(table.c.id, "ids")) for table in _PARTS))


def read(reader: Reader, article: Row) -> ArticleDocument:
    """The document whose own row is ``article``: one SELECT for each table of parts."""
    article_id = article["id"]
    found = {table: _by_parent(reader, table, article_id) for table in _PARTS}
    cited = {row["source_id"] for rows in found[citations].values() for row in rows}
    ledger = sources.by_ids(reader, cited) if cited else {}
    points = {
        parent: [KeyPoint.model_construct(id=row["id"], text=row["text"]) for row in rows]
        for parent, rows in found[key_points].items()
    }
    cards = {
        parent: [
            Citation.model_construct(
                id=row["id"],
                source=ledger[row["source_id"]],
                image=_image(row["image"]),
                key_points=points.get(row["id"], []),
                **{name: row[name] for name in _CITATION_COLUMNS},
            )
            for row in rows
        ]
        for parent, rows in found[citations].items()
    }
    parts = {
        parent: [
            Section.model_construct(
                id=row["id"],
                citations=cards.get(row["id"], []),
                commentary=_commentary(row["commentary"]),
                **{name: row[name] for name in _SECTION_COLUMNS},
            )
            for row in rows
        ]
        for parent, rows in found[sections].items()
    }
    tag_rows = reader.rows(_READ_TAGS, {"article": article_id})
    external = reader.rows(_READ_EXTERNAL, {"article": article_id})
    return ArticleDocument.model_construct(
        id=article_id,
        external_ids={row["system"]: row["external_id"] for row in external},
        hero_image=_image(article["hero_image"]),
        bylines=[Byline.model_construct(**byline) for byline in article["bylines"]],
        takeaways=points.get(None, []),
        pages=[
            Page.model_construct(
                id=row["id"], number=number, title=row["title"], teaser=row["teaser"], sections=parts.get(row["id"], [])
            )
            for number, row in enumerate(found[pages].get(article_id, []), 1)
        ],
        tags=list(dict.fromkeys(row["tag"] for row in tag_rows)),
        corrections=[Correction.model_construct(**correction) for correction in article["corrections"]],
        seo=Seo.model_construct(**article["seo"]),
        labels=article["labels"],
        **{name: article[name] for name in _ARTICLE_COLUMNS},
    )


def article_row(document: ArticleDocument) -> dict[str, Any]:
    """The columns of ``articles`` that the document fills."""
    return {name: getattr(document, name) for name in _ARTICLE_COLUMNS} | {
        "hero_image": document.hero_image.model_dump() if document.hero_image else None,
        "bylines": [byline.model_dump() for byline in document.bylines],
        "corrections": [correction.model_dump() for correction in document.corrections],
        "seo": document.seo.model_dump(),
        "labels": document.labels,
        "folded": _folded(document),
    }


def write(writer: Writer, before: ArticleDocument | None, after: ArticleDocument) -> None:
    """Store the parts, tags and external ids of ``after``, touching only what differs from ``before``."""
    article_id = str(after.id)
    old = _rows(before) if before else {table: {} for table in _PARTS}
    new = _rows(after)
    for table in _PARTS:
        was, now = old[table], new[table]
        inserted = [row for row_id, row in now.items() if row_id not in was]
        if inserted:
            writer.execute(_INSERT[table], inserted)
        changes = defaultdict(list)
        for row_id in now.keys() & was.keys():
            if was[row_id] != now[row_id]:
                changed = {name: value for name, value in now[row_id].items() if was[row_id][name] != value}
                changes[tuple(changed)].append(changed | {"part": row_id})
        for alike in changes.values():  # one statement for all parts in which the same columns change
            writer.execute(_UPDATE[table], alike)
    # Survivors have their new parents by now, so the cascade of a removed parent takes only what goes.
    for table in reversed(_PARTS):
        gone = old[table].keys() - new[table].keys()
        if gone:
            writer.execute(delete(table).where(table.c.id.in_(gone)))
    _write_tags(writer, article_id, before.tags if before else [], after.tags)
    slugs.put_external(writer, article_id, before.external_ids if before else {}, after.external_ids)


def ids_elsewhere(reader: Reader, ids: Iterable[str]) -> set[str]:
    """Those of ``ids`` that stand for a part of any stored article."""
    wanted = list(ids)
    return {row["id"] for row in reader.rows(_IDS_ELSEWHERE, {"ids": wanted})} if wanted else set()


def _folded(document: ArticleDocument) -> str:
    """What editors search by substring; a line feed between the texts, which no query spans."""
    headings = [section.heading or "" for page in document.pages for section in page.sections]
    texts = [document.title, document.lead, *headings, document.slug or "", *document.external_ids.values()]
    return text.fold("\n".join(texts))


def _rows(document: ArticleDocument) -> Rows:
    article_id = document.id
    rows: Rows = {table: {} for table in _PARTS}

    def add(table: Table, part_id: str | None, position: int, **columns: Any) -> None:
        row = {"id": part_id, "article_id": article_id, "position": position, **columns}
        rows[table][str(part_id)] = row

    def add_points(points: list[KeyPoint], citation_id: str | None) -> None:
        for position, point in enumerate(points):
            add(key_points, point.id, position, citation_id=citation_id, text=point.text)

    add_points(document.takeaways, None)
    for page_at, page in enumerate(document.pages):
        add(pages, page.id, page_at, title=page.title, teaser=page.teaser)
        for section_at, section in enumerate(page.sections):
            commentary = section.commentary.model_dump() if section.commentary else None
            columns = {name: getattr(section, name) for name in _SECTION_COLUMNS}
            add(sections, section.id, section_at, page_id=page.id, commentary=commentary, **columns)
            for citation_at, citation in enumerate(section.citations):
                columns = {name: getattr(citation, name) for name in _CITATION_COLUMNS}
                columns |= {"section_id": section.id, "source_id": citation.source.id}
                columns["image"] = citation.image.model_dump() if citation.image else None
                add(citations, citation.id, citation_at, **columns)
                add_points(citation.key_points, citation.id)
    return rows


def _write_tags(writer: Writer, article_id: str, before: list[str], after: list[str]) -> None:
    if before == after:
        return
    if before:
        writer.execute(delete(article_tags).where(article_tags.c.article_id == article_id))
    tags.settle(writer, set(after) - set(before))
    if after:
        rows = [{"article_id": article_id, "tag": tag, "position": at} for at, tag in enumerate(after)]
        writer.execute(article_tags.insert(), rows)


def _by_parent(reader: Reader, table: Table, article_id: str) -> dict[str | None, list[Row]]:
    found: dict[str | None, list[Row]] = defaultdict(list)
    for row in reader.rows(_READ[table], {"article": article_id}):
        found[row[_PARTS[table]]].append(row)
    return found


def _image(stored: dict[str, Any] | None) -> Image | None:
    return Image.model_construct(**stored) if stored else None


def _commentary(stored: dict[str, Any] | None) -> Commentary | None:
    if stored is None:
        return None
    speaker = stored["speaker"]
    if speaker is not None:
        speaker = Speaker.model_construct(name=speaker["name"], image=_image(speaker["image"]))
    return Commentary.model_construct(text=stored["text"], speaker=speaker)
