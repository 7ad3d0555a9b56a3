"""What each check finds in a document: one rule a function, once over the document, nothing looked up.

Codes, severities and sentences are in ``check_texts.py``; what follows from a finding is decided in ``checks.py``.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import regex

from app.articles import identity
from app.articles.document import ArticleDocument, Citation, Image, KeyPoint, Page, Section, Site
from app.formats import sentences
from app.publishing import announcements
from app.text import fold

TITLE_CHARACTERS = 60
"""A longer title is cut off where titles are listed."""
TAKEAWAYS = (1, 5)
"""How many takeaways an article has, at least and at most."""

_NAMED_PARAGRAPHS = 10
_GRAPHEME = regex.compile(r"\X")
_CREDITS_IMAGE = regex.compile(r"画像|写真|image|photo|picture", regex.IGNORECASE)


class Finding(NamedTuple):
    """What one check found; ``values`` fill the gaps of its sentence."""

    code: str
    pointer: str
    values: dict[str, Any] = {}  # noqa: RUF012 - never changed; a tuple's default is shared


class _Texts(NamedTuple):
    """What a rule needs to know of the whole: the language, the labels cards are printed with, unsettled publishers."""

    language: str
    source_credit: str
    bare: AbstractSet[str]


def of(document: ArticleDocument, site: Site, bare: AbstractSet[str]) -> Iterator[Finding]:
    """Every finding, in the order of the document; ``bare`` are the publishers of which only a name is known."""
    language = document.language or site.default_language
    texts = _Texts(language, document.labels.get("source_credit", site.labels.source_credit), bare)
    counts = [_headed(page) for page in document.pages]
    yield from _title(document)
    yield from _head_numbers(document, counts)
    if document.hero_image is not None:
        yield from _image(document.hero_image, "/hero_image", credited=False)
    yield from _unended(document.introduction, "/introduction", language)
    yield from _takeaways(document, site)
    yield from _pages(document, texts, counts)
    yield from _unended(document.conclusion, "/conclusion", language)


def unsettled(document: ArticleDocument) -> set[str]:
    """The publishers whose names may have been guessed: their print says more than the name with which it begins."""
    cited = (citation for _, citation in identity.cited(document) if citation.publisher_text)
    return {str(citation.source.publisher.id) for citation in cited if citation.source.publisher and _exceeds(citation)}


def _title(document: ArticleDocument) -> Iterator[Finding]:
    title = document.title.strip()
    if not title:
        yield Finding("title-empty", "/title")
    elif len(title) > TITLE_CHARACTERS:
        count = sum(1 for _ in _GRAPHEME.finditer(title))
        if count > TITLE_CHARACTERS:
            yield Finding("title-long", "/title", {"count": count, "limit": TITLE_CHARACTERS})


def _head_numbers(document: ArticleDocument, counts: list[int]) -> Iterator[Finding]:
    """Announced in the article's head: sections, of the first page or of all, in title and lead also takeaways."""
    first, whole = counts[0] if counts else 0, sum(counts)
    open_end = any(page.announced for page in document.pages)  # how many there will be is not known yet
    there = {first, whole, len(document.takeaways)}
    for pointer, numbers in (
        ("/title", announcements.numbers(document.title)),
        ("/lead", announcements.told(document.lead)),
    ):
        wrong = (number for number in numbers if number not in there and not (open_end and number > whole))
        yield from _differs(pointer, wrong, whole)
    if first:
        told = announcements.told(document.introduction)
        yield from _differs("/introduction", (number for number in told if number not in {first, whole}), first)


def _takeaways(document: ArticleDocument, site: Site) -> Iterator[Finding]:
    count, (least, most) = len(document.takeaways), TAKEAWAYS
    if not least <= count <= most:
        yield Finding("takeaways-count", "/takeaways", {"count": count, "least": least, "most": most})
    yield from _repeated(document.takeaways, "/takeaways", {})
    own = document.labels.get("takeaways_heading")
    heading = site.labels.takeaways_heading if own is None else own
    pointer = "/takeaways" if own is None else "/labels/takeaways_heading"
    if count:
        yield from _differs(pointer, (n for n in announcements.numbers(heading) if n != count), count)


def _pages(document: ArticleDocument, texts: _Texts, counts: list[int]) -> Iterator[Finding]:
    if not document.pages or not document.pages[0].sections:
        yield Finding("first-page-empty", "/pages/0/sections" if document.pages else "/pages")
    said: dict[str, str] = {}
    whole = sum(counts)
    for page_at, page in enumerate(document.pages):
        at, here = f"/pages/{page_at}", counts[page_at]
        if page_at and not (page.teaser and page.teaser.strip()):
            yield Finding("teaser-missing", f"{at}/teaser")
        if here:
            for name, announced in (("title", page.title), ("teaser", page.teaser)):
                numbers = announcements.numbers(announced or "")
                yield from _differs(f"{at}/{name}", (n for n in numbers if n not in {here, whole}), here)
        cited = _cited(page)
        for section_at, section in enumerate(page.sections):
            pointer = f"{at}/sections/{section_at}"
            yield from _section(section, pointer, first=section_at == 0, cited=cited[section_at])
            for citation_at, citation in enumerate(section.citations):
                yield from _citation(citation, f"{pointer}/citations/{citation_at}", texts, said)
            yield from _unended(section.body, f"{pointer}/body", texts.language)
            if section.commentary is not None:
                yield from _unended(section.commentary.text, f"{pointer}/commentary/text", texts.language)


def _section(section: Section, pointer: str, *, first: bool, cited: bool) -> Iterator[Finding]:
    # A null heading marks a section that continues the one before it; the first has none before it.
    if section.heading == "" or (first and section.heading is None):
        yield Finding("section-heading-missing", f"{pointer}/heading")
    if not section.body.strip() and not section.citations:
        yield Finding("section-empty", pointer)
    elif not cited:
        yield Finding("section-uncited", f"{pointer}/citations")
    if section.question and not section.answer:
        yield Finding("answer-missing", f"{pointer}/answer")


def _citation(citation: Citation, pointer: str, texts: _Texts, said: dict[str, str]) -> Iterator[Finding]:
    source = citation.source
    if citation.published_on is None and source.published_on is None:
        yield Finding("date-missing", f"{pointer}/published_on")
    if citation.publisher_text and source.publisher and source.publisher.id in texts.bare and _exceeds(citation):
        yield Finding("publisher-guessed", f"{pointer}/publisher_text")
    # What the card names as the source of its image, too, needs no credit beside it.
    credited = bool(_CREDITS_IMAGE.search(citation.labels.get("source_credit", texts.source_credit)))
    if citation.image is not None:
        yield from _image(citation.image, f"{pointer}/image", credited=credited)
    elif source.image is not None:
        yield from _image(source.image, f"{pointer}/source/image", credited=credited)
    if not any(point.text.strip() for point in citation.key_points):
        yield Finding("key-points-missing", f"{pointer}/key_points")
    yield from _repeated(citation.key_points, f"{pointer}/key_points", said)


def _image(image: Image, pointer: str, *, credited: bool) -> Iterator[Finding]:
    if image.url is None:  # no image: what was printed in its place
        return
    if not image.alt.strip():
        yield Finding("image-alt-missing", f"{pointer}/alt")
    if not credited and not (image.credit and image.credit.strip()) and image.credit_url is None:
        yield Finding("image-credit-missing", f"{pointer}/credit")


def _repeated(points: Iterable[KeyPoint], pointer: str, said: dict[str, str]) -> Iterator[Finding]:
    """Key points that stand in ``said``, width, case, spaces and the full stop aside; the others are added to it."""
    for at, point in enumerate(points):
        plain = "".join(fold(point.text).split()).rstrip("。.!?")
        if plain:
            first = said.setdefault(plain, f"{pointer}/{at}/text")
            if first != f"{pointer}/{at}/text":
                yield Finding("key-point-repeated", f"{pointer}/{at}/text", {"first": first})


def _unended(text: str, pointer: str, language: str) -> Iterator[Finding]:
    numbers = [str(number) for number in sentences.unended(text, language)]
    if numbers:
        more = [] if len(numbers) <= _NAMED_PARAGRAPHS else ["…"]
        yield Finding("sentence-end-missing", pointer, {"paragraphs": ", ".join(numbers[:_NAMED_PARAGRAPHS] + more)})


def _differs(pointer: str, wrong: Iterator[int], found: int) -> Iterator[Finding]:
    """One finding of the first of the announced numbers that nothing there bears out."""
    number = next(wrong, None)
    if number is not None:
        yield Finding("announced-number", pointer, {"announced": number, "found": found})


def _exceeds(citation: Citation) -> bool:
    """Whether the text a card prints begins with its publisher's name and goes on."""
    publisher = citation.source.publisher
    name, printed = fold(publisher.name if publisher else "").strip(), fold(citation.publisher_text or "").strip()
    return bool(name) and printed != name and printed.startswith(name)


def _headed(page: Page) -> int:
    """How many sections a page has; one without heading continues the one before it."""
    return sum(1 for at, section in enumerate(page.sections) if at == 0 or section.heading is not None)


def _cited(page: Page) -> list[bool]:
    """Of each section whether it cites something, it or one of those that it continues or that continue it."""
    cited: list[bool] = []
    begins = 0
    for at, section in enumerate(page.sections):
        if section.heading is not None:
            begins = at
        own = bool(section.citations)
        if own and at > begins and not cited[begins]:
            cited[begins:] = [True] * (at - begins)
        cited.append(own or (at > begins and cited[begins]))
    return cited
