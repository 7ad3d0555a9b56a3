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
        card = _Above(texts, labels, floor).card(place)
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


@dataclass(frozen=True)
class _Above:
    """The lines above a read-more line, down to ``floor``, where the card before it ends."""

    texts: Sequence[str]
    labels: SiteLabels
    floor: int

    def card(self, end: int) -> Card | None:
        """The card whose read-more line is at ``end``; None where there is no line left for its headline."""
        if end <= self.floor:
            return None
        symbol = self.labels.key_point_marker.rstrip()
        if not lines.bears(self.texts[end - 1], symbol):
            symbol = lines.marker(self.texts[end - 1]).rstrip()
        begin = end
        while begin > max(self.floor, end - _POINTS) and lines.bears(self.texts[begin - 1], symbol):
            begin -= 1
        begin = self._without_repeat(begin, end)
        top = self._top(begin)
        if top is None or not top.anchored:
            top = self._far_top(begin, end, symbol) or top
        if (top is None or not top.anchored) and self._headline_alone(begin, end):
            top = _Top(end - 1, end)
        if top is None or lines.address_at(self.texts[top.headline]) is not None:
            return None
        points = _points(self.texts, range(top.below, end), symbol)
        return Card(top.headline, end, top.dated, top.repeat, top.unread, points, symbol if points else "")

    def _without_repeat(self, begin: int, end: int) -> int:
        """Where the key points begin, if what looked like the first is a headline with a symbol, repeated."""
        for above in (begin - 1, begin - 2):
            if begin < end and self.floor <= above and self.texts[above] == self.texts[begin]:
                return begin + 1
        doubled = end - begin > 1 and self.texts[begin] == self.texts[begin + 1] and not lines.ends(self.texts[begin])
        return begin + 2 if doubled else begin

    def _headline_alone(self, begin: int, end: int) -> bool:
        """Whether the one line with an unknown symbol is the headline: it says no sentence, the line above does."""
        if begin != end - 1 or lines.bears(self.texts[begin], self.labels.key_point_marker.rstrip()):
            return False
        return not lines.ends(self.texts[begin]) and (begin == self.floor or lines.states(self.texts[begin - 1]))

    def _top(self, below: int) -> _Top | None:
        """The headline directly above ``below``, with its date and its repetition."""
        if below <= self.floor:
            return None
        first, second, last = (self.texts[at] if at >= self.floor else None for at in range(below - 3, below))
        if second == last:
            return _Top(below - 2, below, repeat=below - 1)
        if first == last and self._can_be_date(below - 2):
            dated = below - 2 if self._holds_date(below - 2) else None
            return _Top(below - 3, below, dated, below - 1, below - 2 if dated is None else None)
        if second is not None and self._dates(below - 1):
            return _Top(below - 2, below, dated=below - 1)
        if first is not None and self._dates(below - 2) and lines.titles(self.texts[below - 1]):
            return _Top(below - 3, below, dated=below - 2, repeat=below - 1)
        return _Top(below - 1, below)

    def _holds_date(self, place: int) -> bool:
        """Whether a date can be read from the line at all."""
        line = self.texts[place]
        return bool(printed_date.read(self.labels.published_on, line) or printed_date.find(line))

    def _can_be_date(self, place: int) -> bool:
        """Whether the line between a headline and its repetition is a date, perhaps one that cannot be read."""
        line = self.texts[place]
        return self._holds_date(place) or (len(line) <= _UNREAD_DATE and not lines.ends(line))

    def _dates(self, place: int) -> bool:
        """Whether the line is a date line by itself: printed by the site's pattern, or little else than a date."""
        line = self.texts[place]
        if printed_date.read(self.labels.published_on, line) is not None:
            return True
        if lines.address_at(line) is not None or printed_date.letters(line) > _REMAINDER:
            return False
        found = printed_date.find(line)
        whole = any(reading.value.count("-") > 1 for reading in found)
        return whole or (bool(found) and place > 0 and not lines.states(self.texts[place - 1]))

    def _far_top(self, begin: int, end: int, symbol: str) -> _Top | None:
        """A date or repeated headline further up, if all between it and the read-more line can be key points.

        Either the points bear no marker and are sentences, or a marked point runs on over unmarked lines.
        """
        marked = begin < end
        gap = 0
        for below in range(begin - 1, max(self.floor, begin - (_POINTS if marked else _UNMARKED)), -1):
            gap = 0 if lines.bears(self.texts[below], symbol) else gap + 1
            if gap > _GAP if marked else not lines.ends(self.texts[below]):
                return None
            top = None if marked and gap else self._top(below)
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
