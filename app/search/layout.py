"""Where the texts of an article, and the words in them, stand among its parts: as bytes, two for each place.

Which texts and parts an article has is said in ``fields.py``.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from app.search.fields import PARTS, Field, Part, Place

_KINDS: dict[Part, int] = {part: kind for kind, part in enumerate(PARTS)}
# A place is a number of 16 bits: of an article's 5,000 parts the last has 19,999.
_NO_PLACE = 0xFFFF
_NEXT_TEXT = array("H", [_NO_PLACE]).tobytes()
"""Between the places of one text and those of the next, as SEPARATOR is between the texts."""
_PARTING = chr(_NO_PLACE)
"""The same, where places are read as characters."""
_MOST_PARTS = 1 << 13
"""More than an article may have."""
_CHARACTERS = f"utf-16-{sys.byteorder[0]}e"

Key = int
"""A part by the number of its article and its place there, in one number: of two the newer article's is greater, and in
one article that which comes first."""


def key(number: int, place: int) -> Key:
    """The key of a part: the number of its article, and its place among those of its kind there."""
    return number * _MOST_PARTS + _MOST_PARTS - 1 - place


def number_of(key: Key) -> int:
    """The number of the article that a part is of."""
    return key // _MOST_PARTS


def place_of(key: Key) -> int:
    """The place of a part among those of its kind in its article."""
    return _MOST_PARTS - 1 - key % _MOST_PARTS


def packed(places: Iterable[Place]) -> bytes:
    """Places, as they are kept."""
    return array("H", [number << 2 | _KINDS[part] for part, number in places]).tobytes()


def laid_out(found: Iterable[Field]) -> bytes:
    """The layout of an article with these texts: the places of each."""
    return _NEXT_TEXT.join(packed(field.places) for field in found)


def texts_of(layout: bytes, part: Part, number: int) -> list[int]:
    """The texts of an article, by their order, that are of one of its parts."""
    wanted, readable = chr(number << 2 | _KINDS[part]), _readable(layout)
    found = []
    at = readable.find(wanted)
    while at >= 0:
        found.append(readable.count(_PARTING, 0, at))
        at = readable.find(wanted, at + 1)  # in another text: each place stands once in one
    return found


def parts_of(layout: bytes, part: Part, texts: Iterable[int]) -> AbstractSet[int]:
    """Those of an article's parts of this kind that one of the texts, which are said by their order, is of."""
    kind, every = _KINDS[part], _by_text(layout)
    return {place >> 2 for text in texts for place in map(ord, every[text]) if place & 3 == kind}


def texts_near(layout: bytes, places: Iterable[bytes]) -> list[int]:
    """The texts of an article, by their order, that are of a part at one of these packed places, or of no part."""
    wanted = set().union(*map(_readable, places))
    return [text for text, here in enumerate(_by_text(layout)) if not here or not wanted.isdisjoint(here)]


def summed(postings: Iterable[Sequence[Any]], weights: Mapping[int, int], part: Part) -> dict[Key, int]:
    """What words are worth together in each part of this kind.

    ``postings``: of each the id of its word, which has one of the ``weights``, the article's number, and its places.
    """
    kind = _KINDS[part]
    sums: dict[Key, int] = {}
    sum_of = sums.get  # looked up once: there are thousands of places
    for term_id, number, packed in postings:
        weight, first = weights[term_id], key(number, 0)
        for place in array("H", packed):
            if place & 3 == kind:
                here = first - (place >> 2)
                sums[here] = sum_of(here, 0) + weight
    return sums


def _by_text(layout: bytes) -> list[str]:
    return _readable(layout).split(_PARTING)


def _readable(packed: bytes) -> str:
    """Places as characters: strings are looked through much faster than numbers are."""
    return packed.decode(_CHARACTERS)
