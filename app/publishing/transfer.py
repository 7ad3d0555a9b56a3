"""Bring documents in, once each, with a report of where every line went.

The layout itself is read in ``app/formats/digest_page.py``; HTTP and files are met at the doors.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from app.articles import drafts, identity, publishers, sources
from app.articles.document import ArticleDocument, ArticleInput, CitedPublisher, Image, SiteLabels
from app.articles.fields import NAME_CHARACTERS
from app.articles.tables import page_imports
from app.database import Row, Writer
from app.delivery import shapes
from app.errors import Conflict, Fault, Invalid, NotFound
from app.formats import digest_page, lines
from app.formats.digest_page import DigestPage
from app.formats.lines import Printed
from app.formats.page_report import Guess
from app.publishing import publish as publication
from app.publishing.checks import Terms

PRINTED = {"source/title": "display_title", "source/published_on": "published_on"}
"""Where a printed value stands that differs from the ledger's: on the citation itself."""


LINES = 20_000
"""The most lines a page may have: some hundred times what a long one has."""


@dataclass(frozen=True)
class Incoming:
    """A page that was read: its lines, the digest by which they are known again, and what they say."""

    lines: tuple[Printed, ...]
    digest: str
    page: DigestPage


def read(text: str, labels: SiteLabels, *, part_of: str | None = None) -> Incoming:
    """Read a page before any transaction is opened; ``part_of``: the title of the article it is a further page of.

    Raises: Invalid (``not-a-digest-page``, ``validation``).
    """
    if text.count("\n") + text.count("\r") > LINES:
        fault = Fault("too-many-lines", f"A digest page has at most {LINES:,} lines.", pointer="")
        raise Invalid("not-a-digest-page", "The text is not a digest page.", (fault,))
    printed = tuple(lines.split(text))
    digest = hashlib.sha256("\n".join(line.text for line in printed).encode("utf-8", "surrogatepass")).hexdigest()
    return Incoming(printed, digest, digest_page.read(text, labels, part=part_of is not None, title=part_of))


def import_page(writer: Writer, incoming: Incoming, *, publish: Terms | None = None) -> dict[str, Any]:
    """Turn a digest page into a working copy, and publish it if there are terms to; a known page answers its article.

    A known article is published only where nobody has touched it since.
    Returns one item of the import answer (DESIGN, section 4, Shapes).
    Raises: Invalid (``validation``, ``checks-failed``); Forbidden (``outside-limits``); then nothing is stored.
    """
    if publish:
        writer.hold(publication.PUBLIC, shared=True)
    known = _known(writer, incoming.digest)
    if known is not None:
        draft = _standing(writer, known["article_id"])
        untouched = draft.status == "draft" and draft.version == 1
        report, created = known["report"], False
    else:
        page = incoming.page
        warnings = _settle_cards(writer, page.document)
        draft = drafts.create(writer, ArticleInput.model_validate(page.document.model_dump()))
        report, created, untouched = _report(page, draft.document, warnings), True, True
        _remember(writer, incoming.digest, draft.id, report)
    if publish and untouched:
        publication.publish(writer, draft.id, None, publish)
    return {"article_id": draft.id, "slug": draft.document.slug, "created": created, **report}


def import_into(
    writer: Writer, key: str, number: int, incoming: Incoming, *, publish: Terms | None = None
) -> dict[str, Any]:
    """Fill page ``number`` of an article, announced so far, with the sections of a digest page.

    What belongs to the head of an article (title, lead, takeaways) is not taken over: its lines are unmatched,
    unless they say what the article says. The same page again answers the article and changes nothing.
    Raises: NotFound; Conflict (``page-filled``) where the page has other sections; Invalid (``checks-failed``).
    """
    if publish:
        writer.hold(publication.PUBLIC, shared=True)
    stored = drafts.load(writer, key)
    digest = hashlib.sha256(f"{stored.id} {number} {incoming.digest}".encode()).hexdigest()
    known = _known(writer, digest)
    if known is not None:
        return {"article_id": stored.id, "slug": stored.document.slug, "created": False, **known["report"]}
    if not 1 <= number <= len(stored.document.pages):
        raise NotFound("page-unknown", "The article has no page of this number, announced or written.")
    if stored.document.pages[number - 1].sections:
        raise Conflict("page-filled", "This page has sections already; change them by PUT or PATCH.")
    page = _without_head(incoming, stored.document)
    warnings = _settle_cards(writer, page.document)
    merged = stored.document.model_dump()
    first, *further = page.document.model_dump()["pages"]
    merged["pages"][number - 1]["sections"] = first["sections"]
    merged["pages"][number:number] = further
    for position, each in enumerate(merged["pages"], 1):
        each["number"] = position
    draft = drafts.save(writer, stored.id, ArticleInput.model_validate(merged), None)
    report = _report(page, draft.document, warnings, shift=number - 1)
    _remember(writer, digest, draft.id, report)
    if publish:
        publication.publish(writer, draft.id, None, publish)
    return {"article_id": draft.id, "slug": draft.document.slug, "created": False, **report}


def _standing(writer: Writer, article_id: str) -> drafts.Draft:
    """The article that a known page became. Raises: Forbidden (``outside-limits``), as for a page nobody knows."""
    try:
        return drafts.load(writer, article_id)
    except NotFound:
        raise drafts.outside() from None


def _known(writer: Writer, digest: str) -> Row | None:
    writer.hold(digest)  # of two imports of one page the second waits for the first and finds it here
    return writer.row(select(page_imports).where(page_imports.c.lines_sha256 == digest))


def _remember(writer: Writer, digest: str, article_id: str, report: dict[str, Any]) -> None:
    row = {"lines_sha256": digest, "article_id": article_id, "report": report, "created_at": writer.stamp}
    writer.execute(page_imports.insert(), row)


def _without_head(incoming: Incoming, article: ArticleDocument) -> DigestPage:
    """The page, with those lines unmatched that belong to an article's head and say something else than it does."""
    page = incoming.page
    same_title = page.document.title == article.title
    taken = [
        line
        for line in page.lines
        if line.pointer.startswith("/pages/")
        or line.pointer == "/labels/next_page"
        or (line.pointer == "/title" and same_title)
    ]
    numbers = {line.number for line in taken}
    left = tuple(line for line in incoming.lines if line.number not in numbers)
    return replace(page, lines=tuple(taken), unmatched=left)


def _settle_cards(writer: Writer, document: ArticleDocument) -> list[Guess]:
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
        if len(publishers.folded(name)) > NAME_CHARACTERS:
            name = publishers.folded(name)[:NAME_CHARACTERS]
        citation.source.publisher = CitedPublisher(name=name)
        if guessed:
            detail = "The publisher's name was guessed from the printed text; correct it if need be."
            warnings.append(Guess(code="publisher-guessed", pointer=f"{at}/publisher_text", detail=detail))
            known.append(name)
    return warnings


def _report(page: DigestPage, stored: ArticleDocument, warnings: list[Guess], shift: int = 0) -> dict[str, Any]:
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
