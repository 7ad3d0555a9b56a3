"""A digest page read: its lines become an article document, each with a pointer to the field it filled.

What is bound is in ``page_head.py``, ``section_opening.py`` and ``source_card.py``; the way back is in
``digest_text.py``. Nothing is looked up here: publishers and known sources are the caller's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from unicodedata import normalize

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.articles.document import ArticleDocument, SiteLabels
from app.errors import Fault, Invalid
from app.formats import lines, page_filling, source_card
from app.formats.lines import Printed
from app.formats.source_card import Card

_PREFIX_CHARACTERS = 2
"""One letter that two texts share names no publisher."""


class Line(NamedTuple):
    """Where a line of the page went: its number in the file (from 1), a JSON pointer into the document."""

    number: int
    pointer: str


@dataclass(frozen=True)
class DigestPage:
    """A page as it was read; ``unmatched`` are the lines that found no field."""

    document: ArticleDocument
    lines: tuple[Line, ...]
    unmatched: tuple[Printed, ...]


def read(text: str, labels: SiteLabels, *, part: bool = False, title: str | None = None) -> DigestPage:
    """The document that ``text`` says, bound by position and marker; ``labels`` are the site's.

    ``part``: the text is a further page, its sections go to ``/pages/0``; masthead, title, lead and takeaways may
    be missing, and ``title`` is the article's, which the page may print.
    Raises: Invalid (``not-a-digest-page``) naming all that is missing; Invalid (``validation``) where a line is
    too long for its field or an address is none.
    """
    printed = lines.split(text)
    texts = [line.text for line in printed]
    cards = source_card.find(texts, labels)
    _require(texts, cards, part=part)
    document, pointers = page_filling.fill(texts, labels, cards, title=(title or "") if part else None)
    filled = [Line(line.number, pointers[place]) for place, line in enumerate(printed) if place in pointers]
    unmatched = [line for place, line in enumerate(printed) if place not in pointers]
    return DigestPage(_validated(document, filled), tuple(filled), tuple(unmatched))


def publisher_name(printed: str, headline: str, known: Iterable[str]) -> tuple[str, bool]:
    """The publisher's name in the text that a card prints, and whether it was guessed; empty if it prints none.

    The longest ``known`` name that begins it; else the longest beginning that also ends the headline; else what
    stands before the first space; else all of it.
    """
    text = normalize("NFKC", printed)
    begins = [name for name in known if name.strip() and text.startswith(normalize("NFKC", name))]
    if begins or not printed.strip():
        return max(begins, key=len, default=""), False
    for length in range(min(len(printed), len(headline)), _PREFIX_CHARACTERS - 1, -1):
        name = printed[:length].strip()
        if len(name) >= _PREFIX_CHARACTERS and headline.endswith(printed[:length]):
            return name, True
    return printed.split(None, 1)[0], True


def _require(texts: Sequence[str], cards: Sequence[Card], *, part: bool) -> None:
    faults = []
    if not part and (not texts or (cards and cards[0].headline == 0)):
        faults.append(Fault("title-missing", "There is no title above the first source card.", pointer="/title"))
    if not cards:
        detail = "There is no source card: a headline, and below it a read-more line that ends in an http(s) address."
        faults.append(Fault("source-card-missing", detail, pointer="/pages/0/sections"))
    if faults:
        raise Invalid("not-a-digest-page", "The text is not a digest page.", tuple(faults))


def _validated(document: Mapping[str, Any], filled: Sequence[Line]) -> ArticleDocument:
    try:
        return ArticleDocument.model_validate(document)
    except ValidationError as error:
        numbers: dict[str, int] = {}
        for line in filled:
            numbers.setdefault(line.pointer, line.number)
        faults = tuple(_fault(fault, numbers) for fault in error.errors(include_url=False, include_input=False))
        raise Invalid("validation", "Something on the page does not fit its field.", faults) from None


def _fault(error: ErrorDetails, numbers: Mapping[str, int]) -> Fault:
    """One thing that does not fit, with the number of the line where it begins."""
    pointer = known = "".join(f"/{part}" for part in error["loc"])
    limit = error.get("ctx", {}).get("max_length")
    detail = error["msg"]
    if error["type"] == "string_too_long":
        detail = f"The text that begins here is longer than {limit:,} characters."
    elif error["type"] == "too_long":
        detail = f"Here begins more than the {limit:,} that fit."
        known = next((filled for filled in numbers if filled.startswith(f"{pointer}/{limit}")), pointer)
    while known and known not in numbers:
        known = known.rpartition("/")[0]
    where = f"Line {numbers[known]}: " if known else ""
    return Fault(error["type"].replace("_", "-"), where + detail, pointer=pointer)
