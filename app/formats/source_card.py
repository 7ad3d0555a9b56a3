"""Source cards in the lines of a page: headline, date, the headline again, key points, the read-more line.

A card is found from its read-more line upwards. What that line says is taken apart in ``read_more.py``; what
stands between two cards is bound in ``section_opening.py`` and ``digest_page.py``.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from app.articles.document import SiteLabels
from app.formats import lines, printed_date, read_more

_POINTS = 250
"""More lines than this are not looked through for one card: the document takes 200 key points."""
_UNMARKED = 10
"""So many key points without a marker are believed between a date or repeated headline and the read-more line."""
_GAP = 2
"""A marked key point runs on over so many unmarked lines."""
_REMAINDER = 10
"""So many letters beside a date still make a date line; a headline with a date in it has more."""
_UNREAD_DATE = 40
"""A line up to this long between a headline and its repetition is a date that could not be read."""


@dataclass(frozen=True)
class Card:
    """One card, by the places of its lines: ``points`` holds the lines of each key point."""

    headline: int
    read_more: int
    dated: int | None = None
    repeat: int | None = None
    unread: int | None = None
    points: tuple[tuple[int, ...], ...] = ()
    symbol: str = ""


@dataclass(frozen=True)
class _Top:
    """The upper part of a card: where its key points begin, and what stands above them."""

    headline: int
    below: int
    dated: int | None = None
    repeat: int | None = None
    unread: int | None = None

    @property
    def anchored(self) -> bool:
        return self.dated is not None or self.repeat is not None


def find(texts: Sequence[str], labels: SiteLabels) -> list[Card]:
    """The source cards of a page, in order; a line that merely ends in an address is none.

    A card shows itself by a known label, by key points, a date or its headline printed again; or by an arrow
    or credit words under a line that can be a headline; or by the label of another card.
    """
    candidates = [place for place in range(len(texts)) if _may_close(texts, place, labels)]
    cards = list(_accepted(texts, candidates, labels, ()))
    if 0 < len(cards) < len(candidates):
        known = {texts[card.read_more][: lines.after_arrow(texts[card.read_more]) or 0] for card in cards}
        cards = list(_accepted(texts, candidates, labels, known - {""}))
    return cards


def _may_close(texts: Sequence[str], place: int, labels: SiteLabels) -> bool:
    """Whether the line can be a read-more line: it ends in an address and is no item of a list."""
    line = texts[place]
    if lines.address_at(line) is None:
        return False
    usual = (labels.key_point_marker.rstrip(), labels.takeaway_marker.rstrip())
    if any(lines.bears(line, symbol) for symbol in usual):
        return False
    symbol = lines.marker(line).rstrip()
    around = [texts[beside] for beside in (place - 1, place + 1) if 0 <= beside < len(texts)]
    return not any(lines.bears(beside, symbol) for beside in around)


def _accepted(
    texts: Sequence[str], candidates: Sequence[int], labels: SiteLabels, known: Collection[str]
) -> Iterator[Card]:
    floor = 0
    for place in candidates:
        card = _card(texts, floor, place, labels)
        if card is not None and _convincing(texts, card, labels, known):
            yield card
            floor = place + 1


def _convincing(texts: Sequence[str], card: Card, labels: SiteLabels, known: Collection[str]) -> bool:
    line = texts[card.read_more]
    before = line[: lines.address_at(line)]
    if before.startswith(tuple(label for label in (labels.read_more, *known) if label.strip())):
        return True
    credit = labels.source_credit.strip()
    if credit and before.rstrip().endswith(credit):
        return True
    if card.points or card.dated is not None or card.repeat is not None:
        return True
    labelled = lines.after_arrow(before) is not None or read_more.credited(before)
    return labelled and lines.titles(texts[card.headline])


def _card(texts: Sequence[str], floor: int, end: int, labels: SiteLabels) -> Card | None:
    """The card whose read-more line is at ``end`` and that begins at or after ``floor``."""
    symbol = labels.key_point_marker.rstrip()
    if end == floor or not lines.bears(texts[end - 1], symbol):
        symbol = lines.marker(texts[end - 1]).rstrip() if end > floor else ""
    begin = end
    while begin > max(floor, end - _POINTS) and lines.bears(texts[begin - 1], symbol):
        begin -= 1
    begin = _without_repeat(texts, floor, begin, end)
    top = _top(texts, floor, begin, labels)
    if top is None or not top.anchored:
        top = _far_top(texts, floor, begin, end, symbol, labels) or top
    if (top is None or not top.anchored) and _headline_alone(texts, floor, begin, end, labels):
        top = _Top(end - 1, end)
    if top is None:
        return None
    points = _points(texts, range(top.below, end), symbol)
    return Card(top.headline, end, top.dated, top.repeat, top.unread, points, symbol if points else "")


def _without_repeat(texts: Sequence[str], floor: int, begin: int, end: int) -> int:
    """Where the key points begin, if what looked like the first of them is a headline with a symbol, repeated."""
    for above in (begin - 1, begin - 2):
        if floor <= above and begin < end and texts[above] == texts[begin]:
            return begin + 1
    return begin + 2 if end - begin > 1 and texts[begin] == texts[begin + 1] else begin


def _headline_alone(texts: Sequence[str], floor: int, begin: int, end: int, labels: SiteLabels) -> bool:
    """Whether the one line that bears an unknown symbol is the headline: it says no sentence, the line above does."""
    single = begin == end - 1 and not lines.bears(texts[begin], labels.key_point_marker.rstrip())
    return single and not lines.ends(texts[begin]) and (begin == floor or lines.states(texts[begin - 1]))


def _top(texts: Sequence[str], floor: int, below: int, labels: SiteLabels) -> _Top | None:
    """The headline directly above ``below``, with its date and its repetition."""
    room = below - floor
    if room < 1:
        return None
    last = texts[below - 1]
    if room > 1 and texts[below - 2] == last:
        return _Top(below - 2, below, repeat=below - 1)
    if room > 2 and texts[below - 3] == last:  # noqa: PLR2004 - headline, date, headline
        if printed_date.find(texts[below - 2]) or printed_date.read(labels.published_on, texts[below - 2]):
            return _Top(below - 3, below, dated=below - 2, repeat=below - 1)
        if len(texts[below - 2]) <= _UNREAD_DATE and not lines.ends(texts[below - 2]):
            return _Top(below - 3, below, repeat=below - 1, unread=below - 2)
    if room > 1 and _dates(texts, below - 1, labels):
        return _Top(below - 2, below, dated=below - 1)
    if room > 2 and _dates(texts, below - 2, labels) and lines.titles(last):  # noqa: PLR2004 - headline, date, alt
        return _Top(below - 3, below, dated=below - 2, repeat=below - 1)
    return _Top(below - 1, below)


def _dates(texts: Sequence[str], place: int, labels: SiteLabels) -> bool:
    """Whether the line is a date line by itself: printed by the site's pattern, or little else than a date."""
    line = texts[place]
    if printed_date.read(labels.published_on, line) is not None:
        return True
    if lines.address_at(line) is not None or printed_date.remainder(line) > _REMAINDER:
        return False
    found = printed_date.find(line)
    whole = any(reading.value.count("-") > 1 for reading in found)
    return whole or (bool(found) and place > 0 and not lines.states(texts[place - 1]))


def _far_top(  # noqa: PLR0913 - the card's bounds and how its points look
    texts: Sequence[str], floor: int, begin: int, end: int, symbol: str, labels: SiteLabels
) -> _Top | None:
    """A date or repeated headline further up, if all between it and the read-more line can be key points.

    Either the points bear no marker and are sentences, or a marked point runs on over unmarked lines.
    """
    marked = begin < end
    gap = 0
    for below in range(begin - 1, max(floor, begin - (_POINTS if marked else _UNMARKED)), -1):
        gap = 0 if lines.bears(texts[below], symbol) else gap + 1
        if gap > _GAP if marked else not lines.ends(texts[below]):
            return None
        if marked and gap:
            continue
        top = _top(texts, floor, below, labels)
        if top is not None and top.anchored:
            return top
    return None


def _points(texts: Sequence[str], places: range, symbol: str) -> tuple[tuple[int, ...], ...]:
    points: list[list[int]] = []
    for place in places:
        if points and symbol and not lines.bears(texts[place], symbol):
            points[-1].append(place)
        else:
            points.append([place])
    return tuple(tuple(point) for point in points)
