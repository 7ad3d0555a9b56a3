"""Child ids: chosen once, by the client or by Kiku, and kept for life (DESIGN, section 2, Child ids).

The ids are stored by ``mapping.py``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from app.articles.document import ArticleDocument, Citation, KeyPoint, Page, Section
from app.articles.fields import new_id
from app.articles.sources import canonical_url
from app.errors import Fault

Part = Page | Section | Citation | KeyPoint
P = TypeVar("P", Page, Section, Citation, KeyPoint)


def assign(stored: ArticleDocument | None, document: ArticleDocument) -> None:
    """Give every part of ``document`` its id: its own, else an unclaimed sibling's, else a new one.

    The sources of its citations must be linked before: a citation is recognised by its canonical URL.
    """
    claimed = {part.id for _, part in parts(document) if part.id}
    kept = {part.id: part for _, part in parts(stored)} if stored else {}

    def settle(new: Sequence[P], old: Sequence[P], key: Callable[[P], object]) -> None:
        free = [part for part in old if part.id not in claimed]
        for part in new:
            if part.id is None:
                match = next((sibling for sibling in free if key(sibling) == key(part)), None)
                if match is not None:
                    free.remove(match)
                part.id = match.id if match else new_id()

    def before(part: P, kind: type[P]) -> P | None:
        found = kept.get(part.id)
        return found if isinstance(found, kind) else None

    settle(document.takeaways, stored.takeaways if stored else [], lambda point: point.text)
    _settle_pages(document.pages, stored.pages if stored else [], claimed)
    for page in document.pages:
        old_page = before(page, Page)
        settle(page.sections, old_page.sections if old_page else [], lambda section: section.heading)
        for section in page.sections:
            section.anchor = section.anchor or section.id
            old_section = before(section, Section)
            settle(section.citations, old_section.citations if old_section else [], _canonical)
            for citation in section.citations:
                old_citation = before(citation, Citation)
                settle(citation.key_points, old_citation.key_points if old_citation else [], lambda p: p.text)


def parts(document: ArticleDocument) -> Iterator[tuple[str, Part]]:
    """Every part of the document with its JSON pointer."""
    for at, takeaway in enumerate(document.takeaways):
        yield f"/takeaways/{at}", takeaway
    for page_at, page in enumerate(document.pages):
        yield f"/pages/{page_at}", page
        for section_at, section in enumerate(page.sections):
            here = f"/pages/{page_at}/sections/{section_at}"
            yield here, section
            for citation_at, citation in enumerate(section.citations):
                yield f"{here}/citations/{citation_at}", citation
                for point_at, point in enumerate(citation.key_points):
                    yield f"{here}/citations/{citation_at}/key_points/{point_at}", point


def cited(document: ArticleDocument) -> list[tuple[str, Citation]]:
    """Every citation of the document with its JSON pointer."""
    return [(at, part) for at, part in parts(document) if isinstance(part, Citation)]


def taken(document: ArticleDocument, stored: ArticleDocument | None, elsewhere: set[str]) -> list[Fault]:
    """The faults of ids that are used twice, for another kind of part, or in another article.

    ``elsewhere`` are the ids of parts of any stored article, among those the document brings.
    """
    kinds = {part.id: type(part) for _, part in parts(stored)} if stored else {}
    faults: list[Fault] = []
    seen = {document.id}
    for at, part in parts(document):
        if part.id is None:
            continue
        own = kinds.get(part.id) is type(part)
        if part.id in seen or (not own and (part.id in elsewhere or part.id in kinds)):
            faults.append(Fault("id-taken", "This id is used elsewhere.", pointer=f"{at}/id"))
        seen.add(part.id)
    return faults


def _settle_pages(new: Sequence[Page], old: Sequence[Page], claimed: set[str]) -> None:
    for at, page in enumerate(new):
        if page.id is None:
            unclaimed = at < len(old) and old[at].id not in claimed
            page.id = old[at].id if unclaimed else new_id()


def _canonical(citation: Citation) -> str:
    return canonical_url(str(citation.source.url))
