"""Which parts of published articles a query finds, best first: sections, key points, questions, citations of sources.

A part is known by its key, which is said in ``layout.py``. Whole articles are in ``hits.py``.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select

from app.database import Reader, Row, is_one_of
from app.search import hits, layout, query
from app.search.fields import SEPARATOR, Part
from app.search.hits import Word
from app.search.index import search_postings, search_texts
from app.search.layout import Key, number_of, place_of
from app.search.passing import Passes
from app.search.query import Query

Names = Mapping[Key, str | Key]
"""Parts, each with what it stands for: itself, or, as others may, the source that it cites."""

_TOGETHER = 500
"""How many articles of a word are read before the first look whether its newest parts are enough, then twice as many.
"""
_LOOKED_THROUGH = 5_000
"""In how many articles, the newest, a text is looked for part by part."""
_TEXTS_TOGETHER = 50
"""How many of their texts are read before the next look whether the newest parts are enough."""
_ABOVE_ALL = 2**31 - 1
_p = search_postings.c
_PLACES = select(_p.term_id, _p.number, _p.places).where(is_one_of(_p.term_id, "terms"))
_PLACES_IN = _PLACES.where(is_one_of(_p.number, "numbers"))
_NEWEST = (
    select(_p.term_id, _p.number, _p.places)
    .where(_p.term_id == bindparam("term", type_=Integer), _p.number < bindparam("below", type_=Integer))
    .order_by(_p.number.desc())
    .limit(bindparam("most", type_=Integer))
)
_LAID_OUT = select(search_texts.c.number, search_texts.c.folded, search_texts.c.layout).where(
    is_one_of(search_texts.c.number, "numbers")
)


@dataclass(frozen=True)
class Among:
    """Which parts are asked for: those of a kind, in the articles that are ``allowed``."""

    part: Part
    allowed: Passes
    narrow: Callable[[AbstractSet[Key]], Mapping[Key, str]] | None
    """Those of the parts that pass further filters, each with what it stands for; None: all do, each for itself."""

    def within(self, reader: Reader, postings: Select[Any], asked: Row) -> list[tuple[Any, ...]]:
        """Those of the postings that are of such articles; ``asked``: what else the statement takes."""
        return reader.tuples(self.allowed.of(postings), {**asked, **self.allowed.parameters})

    def newest(self, found: Names, many: int) -> "Among":
        """Those that can come among so many of the newest, where more are ``found`` and all are worth the same."""
        _, last = nlargest(many, self.best(dict.fromkeys(found, 0), found))[-1]
        return replace(self, allowed=self.allowed.from_on(number_of(last)))

    def named(self, keys: AbstractSet[Key]) -> Names:
        """Those that are asked for."""
        return dict(zip(keys, keys, strict=True)) if self.narrow is None else self.narrow(keys)

    def best(self, scores: Mapping[Key, int], names: Names) -> list[tuple[int, Key]]:
        """The best of those that stand for the same, of each, in no order."""
        if self.narrow is None:
            return [(score, key) for key, score in scores.items()]
        best: dict[str | Key, tuple[int, Key]] = {}
        for key, name in names.items():
            best[name] = max(best.get(name, (-1, key)), (scores[key], key))
        return list(best.values())


@dataclass(frozen=True)
class PartHits:
    """Parts, best first, at most as many as can be paged through; ``exact``: whether these are all."""

    ranked: list[tuple[int, Key]]
    exact: bool
    names: Names
    """Of these, and of others that were found, what each stands for."""
    texts: Mapping[int, str]
    """The loosened texts of some articles in which parts were found, by their numbers."""

    def articles(self) -> AbstractSet[int]:
        """The numbers of the articles that they were found in: of a source, of each whose citation of it was."""
        ranked = {self.names[key] for _, key in self.ranked}
        return {number_of(key) for key, name in self.names.items() if name in ranked}


def find(reader: Reader, asked: Query, words: Mapping[str, Word], among: Among, in_order: int) -> PartHits:
    """The parts that the query finds, of those that are asked for: so many in order, the others only there."""
    deep = hits.RANKED if in_order <= hits.RANKED else hits.DEEPEST
    every = sum(word.weight for word in words.values())
    scores: dict[Key, int] = {}
    names: Names = {}
    complete = True
    near = among
    texts = _Texts(reader, among.part)
    if words and asked.together and not asked.phrase and len(words) == len(asked.words):
        names, complete = _newest(_with_all(reader, words, among), among, hits.DEEPEST)
        scores = dict.fromkeys(names, every)
        if not complete:  # the first are the same on each page, whatever else is read for a later one
            near = among.newest(names, deep)
    elif words and not asked.together:
        scores, names, complete = _with_words(reader, words, among)
    if asked.unbroken:
        numbers = hits.holding(reader, asked, near.allowed, _LOOKED_THROUGH)
        literally, all_of_them = _newest(texts.holding(asked.loose, numbers), among, deep)
        complete = complete and all_of_them and len(numbers) < _LOOKED_THROUGH
        scores |= dict.fromkeys(literally, every)
        names = {**names, **literally}
    best = sorted(among.best(scores, names), reverse=True)
    ranked = best[: hits.DEEPEST]
    if asked.ranks_by_texts():
        weights = {word: known.weight for word, known in words.items()}
        better = query.rank(asked, weights, best[: hits.RANKED], texts.of, min(in_order, hits.RANKED))
        ranked = sorted(better + ranked[hits.RANKED :], reverse=True)
    return PartHits(ranked, complete and len(best) <= hits.DEEPEST, names, texts.kept())


def _newest(found: Iterable[AbstractSet[Key]], among: Among, most: int) -> tuple[Names, bool]:
    """Those of the parts that are asked for, read until they are more than so many; and whether these are all.

    ``found``: the parts of the newest articles first.
    """
    newest: dict[Key, str | Key] = {}
    for here in found:
        newest |= among.named(here)
        if len(newest) > most and len(set(newest.values())) > most:
            return newest, False
    return newest, True


def _with_words(reader: Reader, words: Mapping[str, Word], among: Among) -> tuple[dict[Key, int], Names, bool]:
    """What the query's words in each part are worth together, what it stands for; and whether these are all parts."""
    read, rest = hits.split(words)
    places = among.within(reader, _PLACES, {"terms": [word.id for word in read]})
    scores = layout.summed(places, _weights(read), among.part)
    names = among.named(scores.keys())
    if rest:
        best = sorted(among.best(scores, names), reverse=True)[: hits.DEEPEST]
        more = layout.summed(places_in(reader, rest, {number_of(key) for _, key in best}), _weights(rest), among.part)
        scores = {key: score + more.get(key, 0) for score, key in best}
        names = {key: names[key] for key in scores}
    return scores, names, not rest


def _with_all(reader: Reader, words: Mapping[str, Word], among: Among) -> Iterator[AbstractSet[Key]]:
    """The parts in which all of the words stand, those of the newest articles first."""
    first, *others = hits.rarest(words, len(words)).values()
    once = {word.id: 1 for word in words.values()}
    below, most, more = _ABOVE_ALL, _TOGETHER, True
    while more:
        places = among.within(reader, _NEWEST, {"term": first.id, "below": below, "most": most})
        numbers = [number for _, number, _ in places]
        if others:
            places += places_in(reader, others, numbers)
        yield {key for key, count in layout.summed(places, once, among.part).items() if count == len(words)}
        more = len(numbers) == most
        below, most = numbers[-1] if numbers else 0, most * 2


def places_in(reader: Reader, words: Sequence[Word], numbers: Collection[int]) -> list[Any]:
    """Where these words stand in some articles."""
    return reader.tuples(_PLACES_IN, {"terms": [word.id for word in words], "numbers": list(numbers)})


def _weights(words: Sequence[Word]) -> dict[int, int]:
    return {word.id: word.weight for word in words}


class _Texts:
    """The texts of articles, and of their parts of a kind; what may be wanted again is kept."""

    def __init__(self, reader: Reader, part: Part) -> None:
        self._reader, self._part = reader, part
        self._kept: dict[int, tuple[str, bytes]] = {}

    def kept(self) -> dict[int, str]:
        """Those of some articles in which parts were found, by their numbers."""
        return {number: folded for number, (folded, _) in self._kept.items()}

    def of(self, keys: Sequence[Key]) -> dict[Key, str]:
        """Those of each of these parts."""
        read = self._read({number_of(key) for key in keys})
        self._kept |= read
        parted = {number: folded.split(SEPARATOR) for number, (folded, _) in read.items()}
        found = {}
        for key in keys:
            number = number_of(key)
            places = layout.texts_of(read[number][1], self._part, place_of(key))
            found[key] = SEPARATOR.join(parted[number][at] for at in places)
        return found

    def holding(self, loose: str, numbers: Sequence[int]) -> Iterator[AbstractSet[Key]]:
        """The parts in which a text stands, of articles in which it does, in their order."""
        for at in range(0, len(numbers), _TEXTS_TOGETHER):
            found: set[Key] = set()
            for number, (folded, laid_out) in self._read(numbers[at : at + _TEXTS_TOGETHER]).items():
                texts = [at for at, text in enumerate(folded.split(SEPARATOR)) if loose in text]
                places = layout.parts_of(laid_out, self._part, texts)
                found.update(layout.key(number, place) for place in places)
                if places and len(self._kept) < hits.RANKED:  # no more are ranked
                    self._kept[number] = folded, laid_out
            yield found

    def _read(self, numbers: Collection[int]) -> Mapping[int, tuple[str, bytes]]:
        """The text and the layout of each of these articles."""
        unread = [number for number in numbers if number not in self._kept]
        rows = self._reader.tuples(_LAID_OUT, {"numbers": unread}) if unread else []
        read = {number: (folded, laid_out) for number, folded, laid_out in rows}
        return {number: read.get(number) or self._kept[number] for number in numbers}
