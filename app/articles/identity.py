"""Child ids: chosen once, by the client or by Kiku, and kept for life (DESIGN, section 2, Child ids).

The ids are stored by ``mapping.py``.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from app.articles.document import ArticleDocument, Citation, KeyPoint, Page, Section
from app.articles.fields import new_id
from app.articles.sources import canonical_url
from app.errors import Fault

PARTS = 5_000
"""How many parts an article may hold: some fifty times what a long digest has."""

Part = Page | Section | Citation | KeyPoint
Parts = Sequence[tuple[str, Part]]
"""Parts with their JSON pointers."""
P = TypeVar("P", Page, Section, Citation, KeyPoint)


def assign(stored: ArticleDocument | None, document: ArticleDocument) -> None:
    """Give every part of ``document`` its id: its own, else an unclaimed sibling's, else a new one.

    The sources of its citations must be linked before: a citation is recognised by its canonical URL.
    """
    claimed = {part.id for _, part in parts(document) if part.id}
    kept = {part.id: part for _, part in parts(stored)} if stored else {}

    def before(part: P, kind: type[P]) -> P | None:
        found = kept.get(part.id)
        return found if isinstance(found, kind) else None

    _settle(document.takeaways, stored.takeaways if stored else [], claimed, _text)
    _settle_pages(document.pages, stored.pages if stored else [], claimed)
    for page in document.pages:
        old_page = before(page, Page)
        _settle(page.sections, old_page.sections if old_page else [], claimed, lambda section: section.heading)
        for section in page.sections:
            section.anchor = section.anchor or section.id
            old_section = before(section, Section)
            _settle(section.citations, old_section.citations if old_section else [], claimed, _canonical)
            for citation in section.citations:
                old_citation = before(citation, Citation)
                _settle(citation.key_points, old_citation.key_points if old_citation else [], claimed, _text)


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


def too_many(brought: Parts, pointer: str = "") -> list[Fault]:
    """The fault of a document with more parts than one transaction should hold the others up for.

    ``pointer``: where the document stands in what was sent.
    """
    if len(brought) <= PARTS:
        return []
    return [
        Fault(
            "too-many-parts",
            f"An article holds at most {PARTS:,} pages, sections, citations and key points.",
            pointer=pointer,
        )
    ]


def taken(article_id: str | None, brought: Parts, known: Parts, elsewhere: set[str]) -> list[Fault]:
    """The faults of ids that are used twice, for another kind of part, or in another article.

    ``known`` are the parts the article has; ``elsewhere`` the ids of parts of any stored article, among those brought.
    """
    kinds = {part.id: type(part) for _, part in known}
    faults: list[Fault] = []
    seen = {article_id}
    for at, part in brought:
        if part.id is None:
            continue
        own = kinds.get(part.id) is type(part)
        if part.id in seen or (not own and (part.id in elsewhere or part.id in kinds)):
            faults.append(Fault("id-taken", "This id is used elsewhere.", pointer=f"{at}/id"))
        seen.add(part.id)
    return faults


def _settle(new: Sequence[P], old: Sequence[P], claimed: set[str], key: Callable[[P], object]) -> None:
    """Each new part without an id takes that of the first unclaimed old one with the same key, else a new one."""
    free: dict[object, deque[str | None]] = defaultdict(deque)
    if any(part.id is None for part in new):
        for sibling in old:
            if sibling.id not in claimed:
                free[key(sibling)].append(sibling.id)
    for part in new:
        if part.id is None:
            same = free[key(part)]
            part.id = same.popleft() if same else new_id()


def _settle_pages(new: Sequence[Page], old: Sequence[Page], claimed: set[str]) -> None:
    for at, page in enumerate(new):
        if page.id is None:
            unclaimed = at < len(old) and old[at].id not in claimed
            page.id = old[at].id if unclaimed else new_id()


def _text(point: KeyPoint) -> str:
    return point.text


def _canonical(citation: Citation) -> str:
    return canonical_url(str(citation.source.url))
