"""Queries: what is a phrase, what is one word, what is refused; nothing is an operator."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from app.search import folding, query, tokens
from app.text import hostile
from tests.search import corpus
from tests.strategies import texts

HOSTILE = [
    "NEAR(",
    "title:x",
    "*",
    "a AND b",
    "<->",
    ":*",
    "'",
    "%",
    "_",
    "\\",
    '"',
    "「",
    "」",
    "菊 OR -花",
    "(((",
    "^a",
    "{b c}",
]
asked = st.lists(st.sampled_from([*HOSTILE, *corpus.WORDS, " ", "「", "」", '"']) | texts, min_size=1, max_size=6)
queries = asked.map("".join).filter(lambda text: text and len(text) <= query.LONGEST and hostile(text) is None)


def kept(texts: Mapping[int, str]) -> query.Reading:
    return lambda keys: {key: texts[key] for key in keys}


def faults(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        query.demand_readable(text)
    assert all(fault.parameter == "q" for fault in refused.value.faults)
    return [fault.code for fault in refused.value.faults]


class TestAnyText:
    @settings(max_examples=50)
    @given(text=queries)
    def test_it_is_read_and_what_is_looked_for_stands_in_it(self, text: str) -> None:
        parsed = query.parse(text)
        whole = folding.loosen(folding.fold(text).text)
        assert parsed.loose in whole
        assert all(needle.loose and needle.loose in parsed.loose for needle in parsed.needles)
        assert all(run.loose in whole and len(run.words) > 1 for run in parsed.runs)
        assert len(set(parsed.words)) == len(parsed.words)
        assert not (parsed.phrase and not parsed.together)

    @settings(max_examples=50)
    @given(text=queries)
    def test_marks_and_spaces_around_it_say_nothing(self, text: str) -> None:
        assume(not set(text) & set('"“”「」『』｢｣＂') and not text[0].isspace())
        assume(len(text) + 4 <= query.LONGEST and not unicodedata.category(text[0]).startswith("M"))
        assert query.parse(f" 、{text}?\u3000") == query.parse(text)


class TestPhrases:
    @pytest.mark.parametrize(
        "text", ["「菊の花」", '"菊の花"', "“菊の花”", "『菊の花』", ' "菊の花"\n', '"菊の花”', "「 菊の花 」"]
    )
    def test_what_is_quoted_as_a_whole_is_one(self, text: str) -> None:
        parsed = query.parse(text)
        assert (parsed.phrase, parsed.together, parsed.loose) == (True, True, "菊ノ花")
        assert [needle.loose for needle in parsed.needles] == ["菊ノ花"]

    @pytest.mark.parametrize(
        "text", ["菊の花", "「菊」の花", '"菊" "花"', '"菊の花', "菊の花」", "「」", '""', "「菊の花」です"]
    )
    def test_nothing_else_is(self, text: str) -> None:
        assert query.parse(text).phrase is False

    @pytest.mark.parametrize(
        "text", ['stone "old bridge" tower', 'stone "old bridge"', '"old bridge" stone', "stone 「old bridge」"]
    )
    def test_one_in_a_longer_query_is_worth_more_wherever_it_stands(self, text: str) -> None:
        parsed = query.parse(text)
        assert parsed.together is False
        assert "old bridge" in [run.loose for run in parsed.runs]


class TestOneWord:
    @pytest.mark.parametrize(
        "text", ["菊", "菊人形展", "ゾルバンティア", "Wi-Fi", "1万2千人", " 菊人形展。", "国立公園管理事務所", "の"]
    )
    def test_what_nothing_parts_must_be_there_whole(self, text: str) -> None:
        assert query.parse(text).together is True

    @pytest.mark.parametrize("text", ["菊 花", "菊の花", "菊\u3000花", "菊\n花", "菊が庭に咲く"])
    def test_what_spaces_or_grammar_part_is_several(self, text: str) -> None:
        assert query.parse(text).together is False

    def test_so_is_what_is_made_of_more_words_than_one_word_is(self) -> None:
        long = "東海道新幹線電気機関車整備工場長室前広場"
        assert len(query.parse(long).words) > query._MOST_TOGETHER
        assert query.parse(long).together is False

    def test_a_synonym_is_asked_for_by_what_it_is_read_as(self) -> None:
        assert query.parse("スマホ").words == query.parse("スマートフォン").words == ("スマート", "フォン")


class TestRefused:
    def test_a_query_has_at_most_256_characters(self) -> None:
        assert query.parse("菊" * 256).loose == "菊" * 256
        assert faults("菊" * 257) == ["query-too-long"]
        assert faults("e" + "\u0301" * 10_000) == ["query-too-long"]

    @pytest.mark.parametrize("text", ["\0", "菊\x01", "\ud800", "\u202e菊", "e" + "\u0301" * 31])
    def test_what_stands_in_no_text_is_looked_for_in_none(self, text: str) -> None:
        assert faults(text) == ["text-refused"]


class TestRank:
    def test_what_stands_as_it_was_asked_is_better_and_of_equals_the_later_comes_first(self) -> None:
        parsed = query.parse("藍色灯籠 秋祭")
        weights = dict.fromkeys(parsed.words, 1_000)
        texts = [(1, "藍色と灯籠と秋祭"), (2, "秋祭"), (3, "藍色灯籠の秋祭"), (4, "秋祭")]
        ranked = query.rank(parsed, weights, [(5_000, number) for number, _ in texts], kept(dict(texts)), 4)
        assert [number for _, number in ranked] == [3, 1, 4, 2]

    @settings(max_examples=300)
    @given(
        text=st.just("藍色灯籠の秋祭"),
        scores=st.sampled_from([5, 50, 3_000]).flatmap(
            lambda most: st.lists(st.integers(0, most), min_size=1, max_size=100)
        ),
        said=st.lists(
            st.lists(st.sampled_from(["藍色", "色灯", "灯籠", "秋祭", "藍色灯籠", "庭"]), max_size=4).map("・".join),
            min_size=1,
            max_size=12,
        ),
        first=st.integers(1, 12),
        together=st.sampled_from([1, 2, 24]),
    )
    def test_the_first_are_the_same_whether_all_are_ranked_or_not(
        self, text: str, scores: list[int], said: list[str], first: int, together: int
    ) -> None:
        parsed = query.parse(text)
        found = sorted(((score, at) for at, score in enumerate(scores)), reverse=True)
        loose = [folding.loosen(folding.fold(each).text) for each in said]
        texts = kept({at: loose[at % len(loose)] for at in range(len(scores))})
        weights = dict.fromkeys(tokens.indexed(text), 500)
        every = query.rank(parsed, weights, found, texts, len(found))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(query, "_READ_TOGETHER", together)
            some = query.rank(parsed, weights, found, texts, first)
        assert some[:first] == every[:first]
        assert sorted(at for _, at in some) == sorted(at for _, at in every)

    @pytest.mark.parametrize("apart", [1, 0], ids=["others worth less", "all worth the same"])
    def test_no_more_texts_are_read_than_can_come_among_the_first(self, apart: int) -> None:
        parsed = query.parse("藍色灯籠")
        texts: defaultdict[int, str] = defaultdict(lambda: "藍色灯籠の秋祭")
        found = [(9_000 - at * apart, 100 - at) for at in range(100)]
        ranked = query.rank(parsed, dict.fromkeys(parsed.words, 1), found, kept(texts), 20)
        assert [number for _, number in ranked] == [number for _, number in found]
        assert len(texts) == query._READ_TOGETHER > 20

    @settings(max_examples=50)
    @given(text=queries, said=st.lists(texts, max_size=5))
    def test_nobody_loses_by_what_stands_in_the_text(self, text: str, said: list[str]) -> None:
        parsed = query.parse(text)
        texts = kept({at: folding.loosen(folding.fold(each).text) for at, each in enumerate(said)})
        found = [(1_000, at) for at in reversed(range(len(said)))]
        ranked = query.rank(parsed, dict.fromkeys(tokens.indexed(text), 500), found, texts, 5)
        assert sorted(at for _, at in ranked) == list(range(len(said)))
        assert all(score >= 1_000 for score, _ in ranked)
        assert ranked == sorted(ranked, reverse=True)
