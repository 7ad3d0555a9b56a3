"""The head of a digest page: masthead, title, lead, the title again, takeaways.

All by the places of lines; what follows (introduction, first heading) is bound in ``section_opening.py``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.articles.document import SiteLabels
from app.formats import lines, section_opening

_WITH_MASTHEAD = 3
"""Fewer lines than this in a head are a title and its lead, unless the first is the site's masthead."""


@dataclass(frozen=True)
class Takeaways:
    """The takeaways by the places of their lines; ``heading`` None where they have none."""

    heading: int | None
    points: tuple[tuple[int, ...], ...]
    symbol: str

    @property
    def begin(self) -> int:
        """The place of their first line."""
        return self.points[0][0] if self.heading is None else self.heading

    @property
    def end(self) -> int:
        """The place after their last line."""
        return self.points[-1][-1] + 1


@dataclass(frozen=True)
class Head:
    """The head by the places of its lines; ``below`` is where the text after it begins."""

    below: int
    title: int | None
    masthead: Sequence[int] = ()
    lead: Sequence[int] = ()
    repeat: int | None = None
    takeaways: Takeaways | None = None
    unmatched: Sequence[int] = ()


def bind(texts: Sequence[str], labels: SiteLabels) -> Head:
    """The head of a page that has ``texts`` (one line at least) above its first source card.

    Takeaways end the head, else the title printed again does; where both are missing it is masthead, title and
    one line of lead, and what follows is introduction.
    """
    takeaways = _takeaways(texts, labels)
    top = texts if takeaways is None else texts[: takeaways.begin]
    repeated = _repetition(top)
    if repeated is not None:
        return _around(*repeated, len(top), takeaways)
    if takeaways is None:
        opening = section_opening.bind(texts[1:], first=True)
        top = texts if opening is None else texts[: opening.heading + 1]
    title = _mastheads(top, labels)
    end = len(top) if takeaways is not None else min(title + 2, len(top))
    below = end if takeaways is None else takeaways.end
    return Head(below, title, range(title), range(title + 1, end), takeaways=takeaways)


def bind_part(texts: Sequence[str], labels: SiteLabels, title: str | None) -> Head:
    """The head of a further page, of which all may be missing; ``title`` is the article's, if it is known."""
    takeaways = _takeaways(texts, labels)
    top = texts if takeaways is None else texts[: takeaways.begin]
    places = [place for place, line in enumerate(top) if line == title][:2]
    repeated = (places[0], places[1]) if len(places) > 1 else None if places else _repetition(top)
    if repeated is not None:
        return _around(*repeated, len(top), takeaways)
    if not places and takeaways is None:
        opening = section_opening.bind(texts, first=True)
        top = texts if opening is None else texts[: opening.heading]
    above = places[0] if places else _part_mastheads(top, labels)
    titled = bool(places) or (above < len(top) and lines.titles(top[above]))
    end = len(top) if titled and takeaways is not None else above + titled
    unmatched = () if titled or takeaways is None else range(above, len(top))
    below = end if takeaways is None else takeaways.end
    lead = range(above + 1, end) if titled else ()
    return Head(below, above if titled else None, range(above), lead, takeaways=takeaways, unmatched=unmatched)


def _around(title: int, repeat: int, end: int, takeaways: Takeaways | None) -> Head:
    """The head of a title that is printed again; ``end`` is where its lines end if takeaways follow."""
    lead: Sequence[int] = range(title + 1, repeat)
    if takeaways is None:
        return Head(repeat + 1, title, range(title), lead, repeat)
    after = range(repeat + 1, end)
    unmatched = after if lead else ()
    return Head(takeaways.end, title, range(title), lead or after, repeat, takeaways, unmatched)


def _repetition(texts: Iterable[str]) -> tuple[int, int] | None:
    """The line that is printed again, and where: a title rather than a sentence, with a lead in between if one is.

    A sentence is only where a title stands, first or second; two in a row are paragraphs.
    """
    last: dict[str, int] = {}
    found: dict[tuple[bool, bool], tuple[int, int]] = {}
    for place, line in enumerate(texts):
        before = last.get(line)
        stated = lines.states(line)
        if before is not None and not (stated and (before > 1 or place - before == 1)):
            found.setdefault((stated, place - before == 1), (before, place))
        last[line] = place
    return found[min(found)] if found else None


def _mastheads(texts: Sequence[str], labels: SiteLabels) -> int:
    """How many lines stand above the title: 1 or 0. A title's lead is a sentence, a masthead's title is not."""
    if len(texts) > 1 and texts[0] == labels.masthead:
        return 1
    led = len(texts) > 1 and lines.states(texts[1]) and not lines.ends(texts[0])
    return 0 if len(texts) < _WITH_MASTHEAD or led else 1


def _part_mastheads(texts: Sequence[str], labels: SiteLabels) -> int:
    if texts and texts[0] == labels.masthead:
        return 1
    return 1 if len(texts) > 1 and lines.titles(texts[0]) and lines.titles(texts[1]) else 0


def _takeaways(texts: Sequence[str], labels: SiteLabels) -> Takeaways | None:
    usual = labels.takeaway_marker.rstrip()
    first = _first_takeaway(texts, usual, labels.takeaways_heading)
    if first is None:
        return None
    symbol = usual if lines.bears(texts[first], usual) else lines.marker(texts[first]).rstrip()
    points: list[list[int]] = []
    for place in range(first, len(texts)):
        if lines.bears(texts[place], symbol):
            points.append([place])
        elif place + 1 < len(texts) and lines.bears(texts[place + 1], symbol):
            points[-1].append(place)
        else:
            break
    return Takeaways(_heading(texts, first, labels), tuple(tuple(point) for point in points), symbol)


def _first_takeaway(texts: Sequence[str], usual: str, heading: str) -> int | None:
    """Where the takeaways begin: under the site's heading, at its marker, or where two lines share a marker."""
    symbols = [usual if lines.bears(line, usual) else lines.marker(line).rstrip() for line in texts]
    pairs = range(1, len(texts) - 1)
    found = next((place + 1 for place in pairs if texts[place] == heading and symbols[place + 1]), None)
    if found is None and usual:
        found = next((place for place in range(1, len(texts)) if symbols[place] == usual), None)
    if found is None:
        found = next((place for place in pairs if symbols[place] and symbols[place] == symbols[place + 1]), None)
    if found is None:
        found = next((place + 1 for place in pairs if symbols[place] and symbols[place + 1]), None)
    return found


def _heading(texts: Sequence[str], first: int, labels: SiteLabels) -> int | None:
    """The line above the takeaways, unless that is the title or the end of the lead."""
    above = first - 1
    if above > 0 and texts[above] == labels.takeaways_heading:
        return above
    repeated = _repetition(texts[:first])
    if repeated is not None:
        return above if above > repeated[1] else None
    return above if above > 0 and not lines.states(texts[above]) else None
