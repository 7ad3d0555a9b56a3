"""The article document while the lines of a digest page are filled into it, each with its pointer.

Lines are known here by their place among the page's lines; what they are is bound in ``page_head.py``,
``section_opening.py`` and ``source_card.py``. The face is ``digest_page.py``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.articles.document import SiteLabels
from app.articles.fields import LabelName
from app.formats import card_labels, lines, markdown, page_head, printed_date, read_more, section_opening
from app.formats.read_more import Wording
from app.formats.source_card import Card

_TEXT_CHARACTERS = 500_000
"""What a Markdown field holds; more is refused, so it need not be escaped."""
_LABEL_CHARACTERS = 2_000
"""What a label holds; more text above the title belongs nowhere."""
_NEXT_CHARACTERS = 60
"""A next-page label is no longer than this."""
_NEXT_WORDS = re.compile(r"次の?(?:ページ|頁|記事|回)|次へ|続き|つづき|next|continue", re.IGNORECASE)


def fill(
    texts: Sequence[str], site: SiteLabels, cards: Sequence[Card], *, title: str | None
) -> tuple[dict[str, Any], dict[int, str]]:
    """The document of a page with these ``cards``, not validated yet, and the pointer of each line by its place.

    ``title`` None: a whole page; else a further page of the article with this title (empty: not known), whose
    head may be missing.
    """
    filling = _Filling(texts, site)
    above = texts[: cards[0].headline]
    head = page_head.bind(above, site) if title is None else page_head.bind_part(above, site, title or None)
    filling.head(head, title)
    filling.first_opening(range(head.below, len(above)), introduced=title is None)
    wordings = read_more.divide([texts[card.read_more] for card in cards], site)
    labels = card_labels.compare(texts, cards, wordings, site)
    filling.labels.update(labels.article)
    ends = [*(card.headline for card in cards[1:]), None]
    for card, wording, own, end in zip(cards, wordings, labels.cards, ends, strict=True):
        filling.citation(card, wording, own)
        if end is None:
            filling.after_last(range(card.read_more + 1, len(texts)))
        else:
            filling.between(range(card.read_more + 1, end))
    document = {**filling.fields, "labels": filling.labels, "pages": filling.pages}
    return document, filling.pointers


class _Filling:
    """What is filled so far. A section gets its citations, body and commentary before the next one begins."""

    def __init__(self, texts: Sequence[str], site: SiteLabels) -> None:
        self._texts = texts
        self._site = site
        self.fields: dict[str, Any] = {}
        self.labels: dict[LabelName, str] = {}
        self.pages: list[dict[str, Any]] = [{"sections": []}]
        self.pointers: dict[int, str] = {}

    def head(self, head: page_head.Head, title: str | None) -> None:
        """Fill masthead, title, lead and takeaways; ``title`` as in ``fill``."""
        self.fields["title"] = title or "" if head.title is None else self._line(head.title, "/title")
        masthead = [self._texts[place] for place in head.masthead]
        # Many lines of a menu belong nowhere; one line that is too long for its label is a fault.
        fits = len("\n".join(masthead)) <= _LABEL_CHARACTERS or max(map(len, masthead)) > _LABEL_CHARACTERS
        if fits and (masthead or title is None):
            self._label("masthead", self._joined(head.masthead, "/labels/masthead"))
        self.fields["lead"] = self._joined(head.lead, "/lead")
        if head.repeat is not None:
            self.fields["hero_image"] = {"alt": self._line(head.repeat, "/hero_image/alt")}
        if head.takeaways is not None:
            self._takeaways(head.takeaways)

    def first_opening(self, places: range, *, introduced: bool) -> None:
        """Open the first section; what stands above is the introduction, which only a whole page has."""
        opening = section_opening.bind(self._slice(places), first=True)
        if introduced:
            self.fields["introduction"] = self._markdown(_above(places, opening), "/introduction")
        self._open(places, opening)

    def citation(self, card: Card, wording: Wording, own: dict[LabelName, str]) -> None:
        """Add a source card to the section; ``own`` are the labels that are the card's alone."""
        base = f"{self._at}/citations/{len(self._section['citations'])}"
        marker, pattern = self._effective("key_point_marker", own), self._effective("published_on", own)
        source = {"url": wording.url, "title": self._line(card.headline, f"{base}/source/title")}
        citation: dict[str, Any] = {"source": source, "publisher_text": wording.publisher, "labels": own}
        citation["shows_published_on"] = card.dated is not None
        if card.dated is not None:
            line = self._line(card.dated, f"{base}/source/published_on")
            source["published_on"] = printed_date.read(pattern, line) or printed_date.find(line)[0].value
        if card.repeat is not None:
            citation["image"] = {"alt": self._line(card.repeat, f"{base}/image/alt")}
        citation["key_points"] = [
            {"text": self._joined(point, f"{base}/key_points/{index}/text").removeprefix(marker)}
            for index, point in enumerate(card.points)
        ]
        self.pointers[card.read_more] = base
        self._section["citations"].append(citation)

    def between(self, places: range) -> None:
        """Fill what stands between two cards: body and commentary, perhaps a new page, the next opening.

        Nothing between: both cards are of one section. No heading: the text is all body, and a section without
        heading continues it.
        """
        pages = self._turn(places, last=False)
        if pages is not None:
            opening = section_opening.bind(self._slice(pages), first=True)
            self._teaser(_above(pages, opening))
            self._open(pages, opening)
        elif places:
            opening = section_opening.bind(self._slice(places))
            above = _above(places, opening)
            self._close(above, commented=opening is not None)
            self._open(places, opening)

    def after_last(self, places: range) -> None:
        """Fill what stands below the last card: body and commentary, and the page that is announced."""
        announced = self._turn(places, last=True)
        if announced is None:
            self._close(places, commented=True)
        elif announced:
            self._teaser(announced)

    @property
    def _section(self) -> dict[str, Any]:
        section: dict[str, Any] = self.pages[-1]["sections"][-1]
        return section

    @property
    def _at(self) -> str:
        """The pointer of the section that is being filled."""
        return f"/pages/{len(self.pages) - 1}/sections/{len(self.pages[-1]['sections']) - 1}"

    def _slice(self, places: range) -> Sequence[str]:
        return self._texts[places.start : places.stop]

    def _line(self, place: int, pointer: str) -> str:
        self.pointers[place] = pointer
        return self._texts[place]

    def _joined(self, places: Iterable[int], pointer: str) -> str:
        return "\n".join([self._line(place, pointer) for place in places])

    def _markdown(self, places: Iterable[int], pointer: str) -> str:
        paragraphs = [self._line(place, pointer) for place in places]
        size = sum(len(paragraph) for paragraph in paragraphs)
        escape: Callable[[str], str] = markdown.escape if size <= _TEXT_CHARACTERS else str
        return "\n\n".join([escape(paragraph) for paragraph in paragraphs])

    def _label(self, name: LabelName, text: str) -> None:
        if text != getattr(self._site, name):
            self.labels[name] = text

    def _effective(self, name: LabelName, own: Mapping[LabelName, str]) -> str:
        """The label a card is printed with: its own, else the article's, else the site's."""
        usual: str = getattr(self._site, name)
        return own.get(name, self.labels.get(name, usual))

    def _takeaways(self, found: page_head.Takeaways) -> None:
        heading = "" if found.heading is None else self._line(found.heading, "/labels/takeaways_heading")
        self._label("takeaways_heading", heading)
        firsts = [self._texts[point[0]] for point in found.points]
        marker = lines.shared_marker(firsts, found.symbol, self._site.takeaway_marker)
        self._label("takeaway_marker", marker)
        self.fields["takeaways"] = [
            {"text": self._joined(point, f"/takeaways/{index}/text").removeprefix(marker)}
            for index, point in enumerate(found.points)
        ]

    def _open(self, places: range, opening: section_opening.Opening | None) -> None:
        """Begin a section with the opening found among ``places``; without one it has no heading."""
        section: dict[str, Any] = {"citations": []}
        self.pages[-1]["sections"].append(section)
        if opening is None:
            return
        for name in ("heading", "question", "answer"):
            place = getattr(opening, name)
            if place is not None:
                section[name] = self._line(places[place], f"{self._at}/{name}")
        if opening.transition:
            below = [places[place] for place in opening.transition]
            section["transition"] = self._joined(below, f"{self._at}/transition")

    def _close(self, places: range, *, commented: bool) -> None:
        """Fill body and commentary; a single paragraph is body."""
        comments = commented and len(places) > 1
        body = places[:-1] if comments else places
        self._section["body"] = self._markdown(body, f"{self._at}/body")
        if comments:
            pointer = f"{self._at}/commentary/text"
            self._section["commentary"] = {"text": self._markdown(places[-1:], pointer)}

    def _turn(self, places: range, *, last: bool) -> range | None:
        """Where the text of the page after the last next-page label stands; None where there is no label.

        What stands above the first label is closed; pages between two labels are announced only.
        """
        turns = [place for place in places if self._turns(place, last=last)]
        if not turns:
            return None
        self._close(range(places.start, turns[0]), commented=True)
        for turn, end in zip(turns, [*turns[1:], places.stop], strict=True):
            behind = range(turn + 1, end)
            # A label with nothing behind it tells of no page: it stays unmatched.
            if not behind and (end != places.stop or last):
                continue
            if len(self.pages) == 1:
                self._label("next_page", self._texts[turn])
            self.pointers[turn] = "/labels/next_page"
            self.pages.append({"sections": []})
            if end != places.stop:
                self._teaser(behind)
        return range(turns[-1] + 1, places.stop)

    def _turns(self, place: int, *, last: bool) -> bool:
        """Whether the line is a next-page label: the site's, or one that ends with an arrow.

        Below the last card, where no heading can follow, it may begin with an arrow or say so in words.
        """
        line = self._texts[place]
        if self._site.next_page and line == self._site.next_page:
            return True
        if len(line) > _NEXT_CHARACTERS or lines.address_at(line) is not None or "<" in line:
            return False
        begins = last and lines.titles(line) and lines.after_arrow(lines.marker(line)) is not None
        return lines.points_on(line) or begins or (last and lines.titles(line) and bool(_NEXT_WORDS.search(line)))

    def _teaser(self, places: range) -> None:
        if places:
            self.pages[-1]["teaser"] = self._joined(places, f"/pages/{len(self.pages) - 1}/teaser")


def _above(places: range, opening: section_opening.Opening | None) -> range:
    """The lines above an opening; all of them where there is none."""
    return places if opening is None else range(places.start, places.start + opening.heading)
