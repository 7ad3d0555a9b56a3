"""Whose labels a page's cards are printed with: the site's, the article's, or one card's own.

The labels are exact strings; how they are found in a line is in ``read_more.py`` and ``printed_date.py``.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.articles.document import SiteLabels
from app.articles.fields import LabelName
from app.formats import lines, printed_date
from app.formats.read_more import Wording
from app.formats.source_card import Card


class CardLabels(NamedTuple):
    """What differs from the site: for the whole article, and for each card from the article."""

    article: dict[LabelName, str]
    cards: list[dict[LabelName, str]]


def compare(texts: Sequence[str], cards: Sequence[Card], wordings: Sequence[Wording], site: SiteLabels) -> CardLabels:
    """The labels of ``cards``; one that all cards share is the article's, else each card has its own."""
    printed: dict[LabelName, list[str | None]] = {
        "key_point_marker": [_marker(texts, card, site) for card in cards],
        "published_on": _patterns([None if card.dated is None else texts[card.dated] for card in cards], site),
        "read_more": [wording.read_more for wording in wordings],
        "source_credit": [wording.credit for wording in wordings],
    }
    labels = CardLabels({}, [{} for _ in cards])
    for name, values in printed.items():
        usual: str = getattr(site, name)
        known = {value for value in values if value is not None}
        shared = len(known) == 1
        for own, value in zip(labels.cards, values, strict=True):
            if value is not None and value != usual:
                (labels.article if shared else own)[name] = value
    return labels


def _marker(texts: Sequence[str], card: Card, site: SiteLabels) -> str | None:
    firsts = [texts[point[0]] for point in card.points]
    return lines.shared_marker(firsts, card.symbol, site.key_point_marker) if firsts else None


def _patterns(dated: Sequence[str | None], site: SiteLabels) -> list[str | None]:
    """The pattern that prints each date line: one for all if there is one, the site's before others."""
    known = [line for line in dated if line is not None]
    own = {line: [reading.pattern for reading in printed_date.find(line)] for line in known}
    for pattern in dict.fromkeys([site.published_on, *(pattern for line in known for pattern in own[line])]):
        if _prints(pattern, known):
            return [None if line is None else pattern for line in dated]
    return [None if line is None else _own(line, own[line], site) for line in dated]


def _prints(pattern: str, dated: Iterable[str]) -> bool:
    return all(
        printed_date.read(pattern, line) is not None or (pattern == line and printed_date.find(line)) for line in dated
    )


def _own(line: str, patterns: Sequence[str], site: SiteLabels) -> str | None:
    if printed_date.read(site.published_on, line) is not None:
        return site.published_on
    return patterns[0] if patterns else None
