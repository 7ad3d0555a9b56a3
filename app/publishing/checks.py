"""What stands between a draft and publication: each check with a code, a severity and a pointer.

Whether an article is published in spite of them is decided in ``publish.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.articles.document import ArticleDocument, Section, Site
from app.errors import Fault, Invalid

Severity = Literal["warning", "error"]


@dataclass(frozen=True)
class Check:
    """One thing a check found."""

    code: str
    severity: Severity
    pointer: str
    detail: str


@dataclass(frozen=True)
class Checks:
    """What stands between a working copy and publication: errors prevent it, warnings do not."""

    publishable: bool
    problems: list[Check]

    @classmethod
    def of(cls, found: list[Check]) -> "Checks":
        """The findings, and whether the article can be published in spite of them."""
        return cls(all(check.severity != "error" for check in found), found)


def run(document: ArticleDocument, site: Site) -> list[Check]:
    """Every finding, in the order of the document; the site's rules raise, lower or silence a code."""
    found = []
    for code, pointer, detail in _findings(document):
        severity = site.checks.get(code, "error")
        if severity != "off":
            found.append(Check(code, severity, pointer, detail))
    return found


def demand(document: ArticleDocument, site: Site) -> list[Check]:
    """The findings, of which none stands in the way of publication. Raises: Invalid (``checks-failed``)."""
    found = run(document, site)
    faults = [Fault(c.code, c.detail, pointer=c.pointer, severity=c.severity) for c in found if c.severity == "error"]
    if faults:
        raise Invalid("checks-failed", "The article does not pass the checks for publication.", tuple(faults))
    return found


def _findings(document: ArticleDocument) -> Iterator[tuple[str, str, str]]:
    if not document.title.strip():
        yield "title-empty", "/title", "The article has no title."
    if not document.pages or not document.pages[0].sections:
        yield "first-page-empty", "/pages/0/sections" if document.pages else "/pages", "Page 1 has no section."
    for page_at, page in enumerate(document.pages):
        for section_at, section in enumerate(page.sections):
            yield from _section(section, f"/pages/{page_at}/sections/{section_at}", first=section_at == 0)


def _section(section: Section, pointer: str, *, first: bool) -> Iterator[tuple[str, str, str]]:
    # A null heading marks a section that continues the one before it; the first has none before it.
    if section.heading == "" or (first and section.heading is None):
        yield "section-heading-missing", f"{pointer}/heading", "The section has no heading."
    if not section.body.strip() and not section.citations:
        yield "section-empty", pointer, "The section has neither body nor citations."
    if section.question and not section.answer:
        yield "answer-missing", f"{pointer}/answer", "The section asks a question and does not answer it."
