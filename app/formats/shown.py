"""What every format shows of a public article alike: whom it names as authors, where its conclusion stands.

What a source card prints is in ``printed_card.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Public = Mapping[str, Any]


def authors(article: Public) -> list[Public]:
    """The bylines that name somebody."""
    return [byline for byline in article["bylines"] if byline["name"]]


def before_conclusion(pages: Sequence[Public]) -> int:
    """How many pages the conclusion follows: it ends the last of those that are not only announced."""
    return max((number for number, page in enumerate(pages, 1) if page["sections"] or not page["teaser"]), default=0)
