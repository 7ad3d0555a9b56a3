"""Words of a text: where each stands, in what spelling it is kept, and what its synonym is read as."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search import folding, tokens
from tests.search import corpus
from tests.search.corpus import words
from tests.strategies import texts

LINES = [line for line in tokens._SYNONYMS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
said = (
    st.lists(st.sampled_from(corpus.WORDS) | texts, max_size=8).map("".join).map(lambda text: folding.fold(text).text)
)
BYTES_OF_A_KEY = 2_700
"""How much an entry of a PostgreSQL index holds."""


class TestTokens:
    @settings(max_examples=50)
    @given(folded=said)
    def test_each_stands_in_the_text_behind_the_one_before(self, folded: str) -> None:
        found = tokens.tokens(folded)
        ends = [0, *(token.end for token in found)]
        assert all(before <= token.start <= token.end for before, token in zip(ends, found, strict=False))
        assert ends[-1] <= len(folded)

    @settings(max_examples=50)
    @given(folded=said)
    def test_the_words_are_those_of_the_pieces_that_are_no_grammar(self, folded: str) -> None:
        found = tokens.tokens(folded)
        assert all(token.word is None for token in found if token.grammar)
        known = [each for token in found if token.word for each in (token.word, *token.besides, *_also(token.word))]
        assert known == tokens.indexed(folded)
        assert all(any(character.isalnum() for character in word) for word in known)

    @settings(max_examples=50)
    @given(folded=said)
    def test_a_word_and_its_reading_fit_into_an_index(self, folded: str) -> None:
        for word in tokens.indexed(folded):
            assert len(word.encode()) <= BYTES_OF_A_KEY
            assert len((tokens.reading(word) or "").encode()) <= BYTES_OF_A_KEY

    def test_so_do_the_longest(self) -> None:
        for character in ("w", "ア", "承", "한", "ж", "9", "🌼"):
            for word in words(character * 10_000):
                assert len(word.encode()) <= BYTES_OF_A_KEY
                assert len((tokens.reading(word) or "").encode()) <= BYTES_OF_A_KEY

    def test_places_are_right_beyond_where_a_long_text_is_cut_and_in_every_line(self) -> None:
        text = "あ" * 9_000 + "温室\n" + "い" * 4_100 + "\n\n温室"
        stands = [token.start for token in tokens.tokens(text) if token.word == "温室"]
        assert stands == [9_000, len(text) - 2]

    def test_particles_auxiliaries_and_marks_are_no_words(self) -> None:
        assert words("菊が庭に咲いた。「はい!」") == ["菊", "庭", "咲く", "はい"]

    def test_several_threads_read_the_same(self) -> None:
        text = "園芸課の展望台で品評会を開いた。\n" * 40
        alone = words(text)
        found: list[list[str]] = []
        threads = [threading.Thread(target=lambda: found.append(words(text))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [alone] * 6


class TestSpelling:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("サーバー", "サーバ"),
            ("引っ越し", "引越し"),
            ("りんご", "林檎"),
            ("ヴァイオリン", "バイオリン"),
            ("1万2千人", "12,000人"),
            ("一ヶ月", "一か月"),
            ("斉藤", "齋藤"),
            ("咲いた", "咲きます"),
            ("茅ケ崎と関ケ原", "茅ヶ崎と関ヶ原"),
            ("三ケ所を二ケ月", "三か所を二ヵ月"),
        ],
    )
    def test_these_are_the_same_words(self, one: str, other: str) -> None:
        assert words(one) == words(other)

    @pytest.mark.parametrize(
        ("text", "word", "besides"),
        [
            ("昨日、引っ越し費用が話題になった。", "引っ越す", ("引っ越し",)),
            ("スマホアプリを使う。", "スマホアプリ", ("スマート", "フォン")),
            ("大阪へ引っ越した。", "引っ越す", ("引っ越し",)),
            ("混雑を避け引っ越し、落ち着く。", "引っ越す", ("引っ越し",)),
            ("金利を引き下げた。", "引き下げ", ("引く", "下げる")),
            ("売り上げが伸び、利益も出た。", "伸びる", ("伸び",)),
            ("朝食を食べ学校へ行く。", "食べる", ()),
            ("スマホを使う。", "スマホ", ()),
        ],
    )
    def test_a_stem_is_the_noun_too_and_a_compound_what_it_is_made_of(
        self, text: str, word: str, besides: tuple[str, ...]
    ) -> None:
        assert [token.besides for token in tokens.tokens(text) if token.word == word] == [besides]

    @pytest.mark.parametrize("asked", ["引き下げ", "引下げ", "引き下げる", "引き下げた", "引下げれば"])
    def test_two_verbs_that_make_a_noun_are_that_noun_however_they_are_written(self, asked: str) -> None:
        assert tokens.tokens(asked)[0].word == "引き下げ"
        for text in ("金利引下げを決めた。", "引き下げ", "金利を引き下げよう。", "引下げた。"):
            assert {"引き下げ"} <= set(tokens.indexed(text)), text

    def test_two_verbs_that_make_no_noun_stay_two(self) -> None:
        assert words("駅へ走り出す") == ["駅", "走る", "出す"]
        assert {"走る", "出す"} <= set(tokens.indexed("駅へ走り出す"))

    def test_the_verbs_of_a_noun_are_found_too(self) -> None:
        assert {"引く", "下げる"} <= set(tokens.indexed("金利を引き下げた。"))


class TestSynonyms:
    @pytest.mark.parametrize("line", LINES)
    def test_before_the_sign_stands_one_word_and_after_it_what_it_is_read_as(self, line: str) -> None:
        short, long = (folding.fold(side.strip()).text for side in line.split("="))
        (word,) = [token.word for token in tokens.tokens(short)]
        assert word is not None
        assert tokens.asked(word) == tuple(tokens.indexed(long))
        assert tokens.indexed(short) == [word, *tokens.indexed(long)]

    def test_another_word_stands_for_itself(self) -> None:
        assert tokens.asked("菊") == ("菊",)


class TestReadings:
    def test_a_noun_has_one_in_katakana_and_nothing_else_has(self) -> None:
        assert tokens.reading("条約") == "ジョウヤク"
        assert [tokens.reading(word) for word in ("咲く", "12000", "美しい")] == [None] * 3

    def test_a_text_sounds_as_it_is_read(self) -> None:
        assert tokens.sound("条約") == tokens.sound("じょうやく") == "ジョウヤク"


class TestVersion:
    def test_it_names_the_rules_the_dictionary_and_the_synonyms(self) -> None:
        assert tokens.version().startswith(f"rules {tokens.RULES}, sudachidict-small 20")
        assert ", synonyms " in tokens.version()


def _also(word: str) -> tuple[str, ...]:
    meant = tokens.asked(word)
    return () if meant == (word,) else meant
