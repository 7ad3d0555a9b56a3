"""What a source card prints: of each value the citation's own, else the source's.

How it looks is decided where it is written; how a card is found on a page, in ``source_card.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PrintedCard:
    """A card as readers see it; ``published_on`` is None where no date is shown, texts are empty where none is."""

    headline: str
    publisher: str
    url: str
    published_on: str | None
    image: Mapping[str, Any] | None


def of(citation: Mapping[str, Any]) -> PrintedCard:
    """What the card of a public citation prints."""
    source = citation["source"]
    publisher = source["publisher"]["name"] if source["publisher"] else ""
    published_on = _printed(citation["published_on"], source["published_on"])
    return PrintedCard(
        headline=_printed(citation["display_title"], source["title"]) or "",
        publisher=_printed(citation["publisher_text"], publisher),
        url=_printed(citation["url"], source["url"]),
        published_on=published_on if citation["shows_published_on"] else None,
        image=_printed(citation["image"], source["image"]),
    )


def _printed(here: Any, source: Any) -> Any:
    """What is printed here; null = what the source says."""
    return source if here is None else here
