"""Places of an ordered list: any order is kept by them, and changing it changes as few as can be."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.articles import places

orders = st.lists(st.sampled_from("あいうえおかきくけこ"), unique=True)


def longest_kept(before: list[str], after: list[str]) -> int:
    """How many of ``after`` stand in it as they stood in ``before``, by trying all ways."""
    best: dict[int, int] = {}
    at = [before.index(each) if each in before else -1 for each in after]
    for here, position in enumerate(at):
        if position >= 0:
            best[here] = 1 + max((best[other] for other in best if other < here and at[other] < position), default=0)
    return max(best.values(), default=0)


class TestPlaces:
    @given(st.lists(orders, min_size=2, max_size=12))
    def test_they_sort_in_the_order_wanted_and_as_many_stay_as_can(self, wanted: list[list[str]]) -> None:
        stored: dict[str, str] = {}
        order: list[str] = []
        for after in wanted:
            now = places.arranged(stored, after)
            assert list(now) == after
            assert sorted(now.values()) == list(now.values())
            assert len(set(now.values())) == len(now)
            assert sum(stored.get(each) == now[each] for each in now) >= longest_kept(order, after)
            stored, order = now, after

    def test_whatever_is_moved_to_and_fro_they_stay_short(self) -> None:
        drawn = random.Random(1)  # noqa: S311 - the same each time
        order = [str(number) for number in range(20)]
        stored = places.arranged({}, order)
        for _ in range(3_000):
            order.insert(drawn.randrange(1, 3), order.pop(drawn.randrange(len(order))))
            stored = places.arranged(stored, order)
            assert sorted(order, key=stored.__getitem__) == order
        assert max(map(len, stored.values())) <= places.LONGEST

    def test_where_one_would_be_too_long_all_are_given_anew(self) -> None:
        stored = {"a": "50000000" + "0" * places.LONGEST + "1", "b": "50000000" + "0" * places.LONGEST + "2"}
        now = places.arranged(stored, ["a", "c", "b"])
        assert list(now.values()) == ["50000000", "50000001", "50000002"]

    def test_a_thousand_put_between_two_have_short_places(self) -> None:
        stored = places.arranged({}, ["first", "last"])
        now = places.arranged(stored, ["first", *map(str, range(1_000)), "last"])
        assert max(map(len, now.values())) <= 12
        assert (now["first"], now["last"]) == (stored["first"], stored["last"])
