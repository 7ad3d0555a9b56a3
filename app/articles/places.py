"""Places of the things in an ordered list: texts that sort in its order, of which a change of order changes few.

Who stays keeps its place, so that a cursor that holds a place leads on; the rows are in ``collections.py``.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

LONGEST = 200
"""Where a place would be longer, all are given anew: after some thousand moves to between the same two."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEAD = 8
"""A place begins with so many decimal digits; what follows lies between two numbers and does not end in 0."""
_FIRST = 50_000_000


def arranged(stored: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """The place of each of ``wanted``, in their order; as many as can keep that of ``stored``."""
    kept = _rising([stored.get(each) for each in wanted])
    found: list[str] = []
    low, run = None, 0
    for at, each in enumerate(wanted):
        if at in kept:
            high = stored[each]
            found += [*_spread(run, low, high), high]
            low, run = high, 0
        else:
            run += 1
    found += _spread(run, low, None)
    if any(len(place) > LONGEST for place in found):
        found = _spread(len(wanted), None, None)
    return dict(zip(wanted, found, strict=True))


def _rising(places: Sequence[str | None]) -> set[int]:
    """Where the longest rising sequence among the places stands."""
    ends: list[str] = []
    last: list[int] = []
    before: dict[int, int | None] = {}
    for at, place in enumerate(places):
        if place is None:
            continue
        length = bisect_left(ends, place)
        ends[length:], last[length:] = [place, *ends[length + 1 :]], [at, *last[length + 1 :]]
        before[at] = last[length - 1] if length else None
    kept = set()
    here = last[-1] if last else None
    while here is not None:
        kept.add(here)
        here = before[here]
    return kept


def _spread(count: int, low: str | None, high: str | None) -> list[str]:
    """So many places in order between two; None: there is nothing on this side."""
    if not count:
        return []
    if high is None:
        start = _FIRST if low is None else _number(low) + 1
        return [_written(start + at) for at in range(count)]
    if low is None:
        return [_written(_number(high) - count + at) for at in range(count)]
    middle = _between(low, high)
    half = count // 2
    return [*_spread(half, low, middle), middle, *_spread(count - half - 1, middle, high)]


def _between(low: str, high: str) -> str:
    first, last = _number(low), _number(high)
    if last - first > 1:
        return _written((first + last) // 2)
    return low[:_HEAD] + _middle(low[_HEAD:], high[_HEAD:] if first == last else None)


def _middle(low: str, high: str | None) -> str:
    """What sorts between two fractions, None being 1; as short as can be."""
    if high is not None:
        same = 0
        while (low[same : same + 1] or "0") == high[same]:
            same += 1
        if same:
            return high[:same] + _middle(low[same:], high[same:])
    first = _DIGITS.index(low[0]) if low else 0
    last = _DIGITS.index(high[0]) if high is not None else len(_DIGITS)
    if last - first > 1:
        return _DIGITS[(first + last) // 2]
    if high is not None and len(high) > 1:
        return high[0]
    return _DIGITS[first] + _middle(low[1:], None)


def _number(place: str) -> int:
    return int(place[:_HEAD])


def _written(number: int) -> str:
    return f"{number:0{_HEAD}}"
