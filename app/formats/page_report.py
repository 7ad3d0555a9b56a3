"""What became of the lines of a digest page, as importing it answers: once, and whenever the page comes again.

How a page is read stands in ``digest_page.py``; where the answer is kept, in ``app/publishing/transfer.py``.
"""

from typing import Annotated

from pydantic import Field

from app.articles.document import Shape

LineNumber = Annotated[int, Field(ge=1)]


class PlacedLine(Shape):
    """A line of the page, counted from 1 with blank lines, and the field it went to."""

    number: LineNumber
    pointer: str


class UnmatchedLine(Shape):
    """A line that found no field."""

    number: LineNumber
    text: str


class Guess(Shape):
    """Something the importer had to guess."""

    code: str
    pointer: str
    detail: str


class PageReport(Shape):
    """What became of one page; ``pages`` counts those that can be read."""

    pages: Annotated[int, Field(ge=0)]
    lines: list[PlacedLine]
    unmatched: list[UnmatchedLine]
    warnings: list[Guess]
