"""Bring documents in, once each, with a report of where every line went.

The layout itself is read in ``app/formats/digest_page.py``; HTTP and files are met at the doors.
"""

import hashlib
from typing import Any

from sqlalchemy import select

from app.articles import drafts, identity, publishers, site, sources
from app.articles.document import ArticleDocument, ArticleInput, CitedPublisher, Image, Shape
from app.articles.tables import page_imports
from app.database import Writer
from app.delivery import shapes
from app.errors import Conflict, NotFound
from app.formats import digest_page, lines
from app.formats.digest_page import DigestPage
from app.publishing import publish as publication

PRINTED = {"source/title": "display_title", "source/published_on": "published_on"}
"""Where a printed value stands that differs from the ledger's: on the citation itself."""


class ImportWarning(Shape):
    """Something the importer had to guess."""

    code: str
    pointer: str
    detail: str


def import_page(writer: Writer, text: str, *, publish: bool = False) -> dict[str, Any]:
    """Turn a digest page into a working copy, and publish it if asked; a known page answers its article.

    Returns one item of the import answer (DESIGN, section 4, Shapes).
    Raises: Invalid (``not-a-digest-page``, ``validation``, ``checks-failed``); then nothing is stored.
    """
    printed = "\n".join(line.text for line in lines.split(text))
    digest = hashlib.sha256(printed.encode("utf-8", "surrogatepass")).hexdigest()
    known = writer.row(select(page_imports).where(page_imports.c.lines_sha256 == digest))
    if known is not None:
        draft = drafts.load(writer, known["article_id"])
        return {"article_id": draft.id, "slug": draft.document.slug, "created": False, **known["report"]}
    page = digest_page.read(text, site.load(writer).document.labels)
    warnings = _settle_cards(writer, page.document)
    draft = drafts.create(writer, ArticleInput.model_validate(page.document.model_dump()))
    report = _report(page, draft.document, warnings)
    row = {"lines_sha256": digest, "article_id": draft.id, "report": report, "created_at": writer.stamp}
    if not writer.insert_absent(page_imports, row):
        raise Conflict("write-conflict", "The same page is being imported by another request; try again.")
    if publish:
        publication.publish(writer, draft.id, None)
    return {"article_id": draft.id, "slug": draft.document.slug, "created": True, **report}


def import_into(writer: Writer, key: str, number: int, text: str) -> dict[str, Any]:
    """Fill page ``number`` of an article, announced so far, with the sections of a digest page.

    Raises: NotFound; Conflict (``page-filled``) where the page has sections; Invalid (``not-a-digest-page``).
    """
    stored = drafts.load(writer, key)
    if not 1 <= number <= len(stored.document.pages):
        raise NotFound("page-unknown", "The article has no page of this number, announced or written.")
    if stored.document.pages[number - 1].sections:
        raise Conflict("page-filled", "This page has sections already; change them by PUT or PATCH.")
    page = digest_page.read(text, site.load(writer).document.labels, part=True, title=stored.document.title)
    warnings = _settle_cards(writer, page.document)
    incoming = page.document.pages
    merged = stored.document.model_dump()
    merged["pages"][number - 1]["sections"] = incoming[0].model_dump()["sections"]
    merged["pages"][number:number] = [following.model_dump() for following in incoming[1:]]
    for position, each in enumerate(merged["pages"], 1):
        each["number"] = position
    draft = drafts.save(writer, stored.id, ArticleInput.model_validate(merged), None)
    report = _report(page, draft.document, warnings, shift=number - 1)
    return {"article_id": draft.id, "slug": draft.document.slug, "created": False, **report}


def _settle_cards(writer: Writer, document: ArticleDocument) -> list[ImportWarning]:
    """Name the publisher behind each printed text, and keep on each card what it prints unlike its source."""
    known = publishers.names(writer)
    ledger = sources.by_urls(writer, (sources.canonical_url(str(c.source.url)) for _, c in identity.cited(document)))
    warnings = []
    for at, citation in identity.cited(document):
        stored = ledger.get(sources.canonical_url(str(citation.source.url)))
        if citation.image is None and stored and stored.image:
            citation.image = Image()  # none is printed here, though the source has one
        printed = citation.publisher_text
        if not printed:
            continue
        name, guessed = digest_page.publisher_name(printed, citation.source.title or "", known)
        citation.source.publisher = CitedPublisher(name=name)
        if guessed:
            detail = "The publisher's name was guessed from the printed text; correct it if need be."
            warnings.append(ImportWarning(code="publisher-guessed", pointer=f"{at}/publisher_text", detail=detail))
            known.append(name)
    return warnings


def _report(page: DigestPage, stored: ArticleDocument, warnings: list[ImportWarning], shift: int = 0) -> dict[str, Any]:
    placed = [
        {"number": line.number, "pointer": _stands_at(_shifted(line.pointer, shift), stored)} for line in page.lines
    ]
    return {
        "pages": len(shapes.readable(page.document.model_dump())),
        "lines": placed,
        "unmatched": [{"number": number, "text": text} for number, text in page.unmatched],
        "warnings": [warning.model_dump() | {"pointer": _shifted(warning.pointer, shift)} for warning in warnings],
    }


def _stands_at(pointer: str, stored: ArticleDocument) -> str:
    """The pointer, moved to the citation's own field where its printed value was kept there."""
    ending = next((end for end in PRINTED if pointer.endswith(end)), None)
    if ending is None:
        return pointer
    at = pointer.removesuffix(f"/{ending}")
    citation = dict(identity.cited(stored))[at]
    kept = getattr(citation, PRINTED[ending]) is not None
    return f"{at}/{PRINTED[ending]}" if kept else pointer


def _shifted(pointer: str, pages: int) -> str:
    """The pointer into a part's document, moved to where its first page stands in the whole."""
    parts = pointer.split("/")
    if parts[1] == "pages":
        parts[2] = str(int(parts[2]) + pages)
    return "/".join(parts)
