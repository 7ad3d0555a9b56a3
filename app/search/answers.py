"""What a search answers: the articles or parts that a query finds, a page of them at a time, and where in them.

What is found is decided in ``hits.py`` and ``part_hits.py``, what is shown of it in ``excerpts.py``.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from app.database import Reader, Row, is_one_of
from app.delivery import ledger_lists, part_lists
from app.delivery.part_lists import Filters, Kind
from app.delivery.parts import with_card
from app.delivery.shapes import encode
from app.delivery.snapshots import snapshot_cards, snapshots
from app.search import excerpts, hits, index, layout, part_hits, passing, query
from app.search.dialects import dialect_of
from app.search.fields import Part, Texts
from app.search.hits import Wanted, Word
from app.search.index import search_articles, search_texts
from app.search.layout import Key, number_of, place_of
from app.search.part_hits import Among
from app.search.passing import Passes
from app.search.query import Query

Position = tuple[int, int, int, str]
"""Where a page ended: a score in thousandths, the number of an article, a place in it, what the words were worth."""
POSITION = (int, int, int, str)
Item = tuple[Position, bytes]

_SECONDS = 5
"""How long each statement of a search may take; then its client is told to come back."""
_ALL = 2**31 - 1
_WORTH = re.compile(r"[12]?[0-9]{1,4}", re.ASCII)
"""What a word can be worth in a cursor, which anybody may write: sums of it must stay below 2^31."""
_KINDS: Mapping[Part, Kind] = {
    "section": "section",
    "key_point": "key_point",
    "question": "question",
    "source": "citation",
}
_t = search_texts.c
_SHOWN = (
    select(
        _t.number,
        _t.layout,
        _t.outline,
        _t.terms,
        snapshots.c.article_id,
        snapshots.c.body,
        snapshot_cards.c.card,
    )
    .join(search_articles, search_articles.c.number == _t.number)
    .join(snapshots, snapshots.c.article_id == search_articles.c.article_id)
    .join(snapshot_cards, snapshot_cards.c.article_id == search_articles.c.article_id)
    .where(is_one_of(_t.number, "numbers"))
)
_SHOWN_WITH_TEXTS = _SHOWN.add_columns(_t.folded)
_IDS = select(search_articles.c.number, search_articles.c.article_id).where(
    is_one_of(search_articles.c.number, "numbers")
)


def bounded(reader: Reader) -> AbstractContextManager[None]:
    """A block in which no statement takes longer than those of a search may. Raises: Busy."""
    return reader.within(_SECONDS, dialect_of(reader).SETTINGS)


@dataclass(frozen=True)
class Total:
    """How many there are, or at least are."""

    value: int
    relation: Literal["eq", "gte"]


@dataclass(frozen=True)
class Asked:
    """A query over what readers see, what its words are worth, and where the page before ended."""

    query: Query
    words: Mapping[str, Word]
    filters: Filters
    allowed: Passes
    """What the filters ask of an article."""
    after: Position | None
    limit: int
    """How many are wanted."""

    @classmethod
    def read(cls, reader: Reader, text: str, filters: Filters, after: Position | None, limit: int) -> "Asked":
        """Read what was asked; on a later page words are worth what they were on the first."""
        asked = query.parse(text)
        worth = after[3].split(",") if after else []
        before = {word: int(each) for word, each in zip(asked.words, worth, strict=False) if _WORTH.fullmatch(each)}
        known = index.look_up(reader, [*asked.words, *passing.terms(filters)])
        weighed = hits.weigh({word: known[word] for word in asked.words if word in known}, before)
        words = hits.rarest(weighed, query.MOST_WORDS)
        counts = [word.df for word in words.values()] or [hits.READ]  # by its letters alone it may find any number
        found = min(counts) if asked.together else min(sum(counts), hits.READ)
        return cls(asked, words, filters, passing.demanded(reader, filters, known, found), after, limit)

    @property
    def in_order(self) -> int:
        """How many of the best must be in order: behind another page, all those that can be."""
        return max(1, self.limit) if self.after is None else hits.DEEPEST

    def page(self, ranked: Sequence[tuple[int, Key]]) -> list[tuple[int, Key]]:
        """Those that are wanted: the first behind the page before."""
        if self.after is None:
            return list(ranked[: self.limit])
        score, number, place, _ = self.after
        behind = score, layout.key(number, place)
        return [each for each in ranked[: hits.DEEPEST] if each < behind][: self.limit]

    def placed(self, found: Iterable[tuple[int, Key]], shown: Iterable[bytes]) -> list[Item]:
        """What is shown of each that was found, with where it stands."""
        worth = ",".join(str(self.words[word].weight) if word in self.words else "" for word in self.query.words)
        return [
            ((score, number_of(key), place_of(key), worth), item)
            for (score, key), item in zip(found, shown, strict=True)
        ]


class Articles:
    """The articles that a query finds."""

    def __init__(self, reader: Reader, asked: Asked, *, counted: bool = False) -> None:
        self._reader, self._asked = reader, asked
        first = max(hits.RANKED, asked.limit)
        most = _ALL if counted else first if asked.after is None else hits.DEEPEST
        wanted = Wanted(most, asked.in_order)
        self._hits = hits.find(reader, asked.query, asked.words, asked.allowed, wanted)

    def items(self, most: int) -> list[Item]:
        """Those that are wanted, as search shows them; behind so many an empty one says that there are more."""
        found = self._asked.page([(score, layout.key(number, 0)) for score, number in self._hits.ranked])
        shown = _Shown(self._reader, self._asked, {number_of(key) for _, key in found[:most]}, self._hits.texts)
        items = [shown.item("article", key) for _, key in found[:most]]
        return self._asked.placed(found, items + [b""] * len(found[most:]))

    def total(self) -> Total:
        """How many there are; of several words, how many were looked at."""
        return Total(self._hits.total, "eq" if self._hits.exact else "gte")

    def numbers(self) -> list[int]:
        """Those of all there are, if they are to be counted."""
        return [number for _, number in self._hits.ranked]


class Parts:
    """The parts that a query finds: sections, key points, questions, or the sources that articles cite."""

    def __init__(
        self,
        reader: Reader,
        asked: Asked,
        part: Part,
        sources: ledger_lists.Filters | None = None,
        *,
        counted: bool = False,
    ) -> None:
        self._reader, self._asked, self._part = reader, asked, part
        self._sources = sources or ledger_lists.Filters()
        filters = asked.filters
        self._of_parts = Filters(publisher=filters.publisher, source=filters.source, kind=filters.kind)
        narrows = part == "source" or self._of_parts != Filters()
        among = Among(part, asked.allowed, self._narrow if narrows else None)
        in_order = hits.DEEPEST if counted else asked.in_order
        self._hits = part_hits.find(reader, asked.query, asked.words, among, in_order)

    def bodies(self) -> list[Item]:
        """Those that are wanted, as their own lists show them."""
        found, rows = self._page()
        if self._part == "source":
            return self._asked.placed(found, (row["source"] for row in rows))
        return self._asked.placed(found, (with_card(row["body"], row["card"]) for row in rows))

    def items(self, most: int) -> list[Item]:
        """Those that are wanted, as search shows them; behind so many an empty one says that there are more."""
        found, rows = self._page()
        shown = _Shown(self._reader, self._asked, {number_of(key) for _, key in found[:most]}, self._hits.texts)
        first = zip(found[:most], rows[:most], strict=True)
        items = [shown.item(self._part, key, row["id"]) for (_, key), row in first]
        return self._asked.placed(found, items + [b""] * len(found[most:]))

    def total(self) -> Total:
        """How many there are; of many, how many can be paged through."""
        return Total(len(self._hits.ranked), "eq" if self._hits.exact else "gte")

    def numbers(self) -> list[int]:
        """Those of the articles that they were found in, each once."""
        return list(self._hits.articles())

    def _narrow(self, keys: AbstractSet[Key]) -> dict[Key, str]:
        """Those of the parts that pass the filters, each with its id, a citation with its source's."""
        ids = _ids(self._reader, set(map(number_of, keys)))
        keyed = {(ids[number_of(key)], place_of(key)): key for key in keys}
        found = part_lists.standing(self._reader, _KINDS[self._part], self._of_parts, keyed)
        here = {keyed[place]: id for place, id in found.items()}
        if self._part != "source":
            return here
        listed = ledger_lists.listed_sources(self._reader, self._sources, set(here.values()))
        return {key: id for key, id in here.items() if id in listed}

    def _page(self) -> tuple[list[tuple[int, Key]], list[Mapping[str, Any]]]:
        """Those that are wanted, and the row of each."""
        found = self._asked.page(self._hits.ranked)
        ids = _ids(self._reader, {number_of(key) for _, key in found})
        places = [(ids[number_of(key)], place_of(key)) for _, key in found]
        rows = part_lists.within(self._reader, _KINDS[self._part], places)
        here = [rows[place] for place in places]
        if self._part != "source":
            return found, here
        cited = self._cited({row["source_id"] for row in here})
        return found, [{"id": row["source_id"], "source": cited[row["source_id"]]} for row in here]

    def _cited(self, ids: Collection[str]) -> dict[str, bytes]:
        """Those of the sources that pass their own filters."""
        return ledger_lists.sources_of(self._reader, self._sources, ids)


class PartList:
    """A list of parts that a query finds, as a page of it is asked for: found once, though it is counted, too."""

    def __init__(
        self, reader: Reader, text: str, part: Part, filters: Filters, sources: ledger_lists.Filters | None = None
    ) -> None:
        self._reader, self._text, self._part = reader, text, part
        self._filters, self._sources = filters, sources
        self._found: Parts | None = None

    def find(self, after: Position | None, limit: int) -> list[Item]:
        """Up to ``limit`` parts behind the page before. Raises: Busy."""
        return self._parts(after, limit).bodies()

    def total(self) -> Total:
        """How many there are. Raises: Busy."""
        there = self._parts(None, 0).total()  # a first page may not have needed all that can be paged through
        return there if there.relation == "eq" else self._search(None, 0, counted=True).total()

    def _parts(self, after: Position | None, limit: int) -> Parts:
        if self._found is None:
            self._found = self._search(after, limit, counted=False)
        return self._found

    def _search(self, after: Position | None, limit: int, *, counted: bool) -> Parts:
        with bounded(self._reader):
            asked = Asked.read(self._reader, self._text, self._filters, after, limit)
            return Parts(self._reader, asked, self._part, self._sources, counted=counted)


class _Shown:
    """Some articles as they are needed to show what was found in them."""

    def __init__(self, reader: Reader, asked: Asked, found: AbstractSet[int], texts: Mapping[int, str]) -> None:
        """``texts``: those that were read already; they are not read again where they are all that are shown."""
        self._reader, self._asked = reader, asked
        self._places: dict[tuple[int, int], bytes] | None = None
        known = found <= texts.keys()
        rows = reader.rows(_SHOWN if known else _SHOWN_WITH_TEXTS, {"numbers": list(found)})
        self._rows = {row["number"]: row for row in rows}
        loose = texts if known else {number: row["folded"] for number, row in self._rows.items()}
        self._texts = {
            number: Texts.kept(loose[number], row["outline"], row["body"]) for number, row in self._rows.items()
        }

    def item(self, type: Part | Literal["article"], key: Key, id: str | None = None) -> bytes:
        number = number_of(key)
        row = self._rows[number]
        texts = self._texts[number]
        if type != "article":
            texts = texts.among(layout.texts_of(row["layout"], type, place_of(key)))

        def near(words: Iterable[str]) -> Iterable[int]:
            return self._near(row, words) if type == "article" else texts.every()

        excerpted = excerpts.show(self._asked.query, texts, lambda words: self._has(row, words), near)
        spots = [spot for spot, _ in excerpted]
        if not spots:  # it is somewhere, whether its own words show it or not
            likely = near(self._asked.query.words) if type == "article" else (0,)
            spots = [spot for spot in map(texts.spot, likely) if spot.anchor is not None]
        page, anchor = next(((spot.page, spot.anchor) for spot in spots if spot.page is not None), (None, None))
        head = encode({"type": type, "id": id or row["article_id"]})
        tail = encode({"page": page, "anchor": anchor, "parts": [part._asdict() for _, part in excerpted]})
        card: bytes = row["card"]
        return head[:-1] + b',"article":' + card + b"," + tail[1:]

    def _has(self, row: Row, words: Iterable[str]) -> bool:
        """Whether all of some words are among the terms of an article; the rarest of a long query are known."""
        known = [self._asked.words.get(word) for word in words]
        terms = index.unpacked(row["terms"])
        return all(word is not None and index.holds(terms, word.id) for word in known)

    def _near(self, row: Row, words: Iterable[str]) -> list[int]:
        """The texts of an article in which some of the words may stand: those of parts in which they do, or of none."""
        if self._places is None:
            known = list(self._asked.words.values())
            found = part_hits.places_in(self._reader, known, self._rows)
            self._places = {(number, term_id): places for term_id, number, places in found}
        ids = [self._asked.words[word].id for word in words if word in self._asked.words]
        parts = [self._places[row["number"], id] for id in ids if (row["number"], id) in self._places]
        return layout.texts_near(row["layout"], parts)


def _ids(reader: Reader, numbers: Collection[int]) -> dict[int, str]:
    return dict(reader.tuples(_IDS, {"numbers": list(numbers)}))
