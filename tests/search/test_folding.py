"""Folding: one spelling for what is the same, and each of its characters knows where it stood."""

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from app.search import folding

_SINGLE = "がかｶﾞﾊﾟヴヶゕゝゞ斉齋髙・-‐aＡéßİŁæㇰ㌔㍿½①ー万1,\r\n가ㄱ👩🌾"
_JOINED = ["か\u3099", "e\u0301", "\u1100\u1161", "👩‍🌾", "❤️", "🇯🇵", "Wi-Fi", "ﷺ", "क्षि", "ไทย"]
SPICE = st.sampled_from([*_SINGLE, *_JOINED, "\u200b", "\u200d", "\ufe0f", "\u00ad"])
texts = st.lists(SPICE | st.characters(exclude_categories=["Cs"]), max_size=25).map("".join)
_PARTED = regex.compile(r"[\p{Cf}\u30fb\u00ad][\p{M}\u1160-\u11ff\uff9e\uff9f]")
"""A mark behind a character that says nothing: it has nothing to combine with before that one is gone."""


class TestFold:
    @given(text=texts)
    def test_what_is_folded_stays_as_it_is(self, text: str) -> None:
        assume(not _PARTED.search(text))
        folded = folding.fold(text).text
        assert folding.fold(folded).text == folded

    @given(text=texts)
    def test_a_text_is_folded_alike_whatever_stands_in_the_line_below_it(self, text: str) -> None:
        folded, below = folding.fold(text), folding.fold(f"{text}\nか\u3099 ﾊﾟ a-b")
        assert below.text == folded.text + "\nが パ ab"
        assert below.gaps == folded.gaps

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("ｱｸﾞﾘ", "アグリ"),
            ("ＫＣＮＡ", "kcna"),
            ("Café", "CAFE\u0301"),
            ("Straße", "STRASSE"),
            ("Ærø", "aero"),
            ("髙邊齋﨑澤櫻廣國濵", "高辺斎崎沢桜広国浜"),
            ("Wi-Fi", "WiFi"),
            ("e‐mail", "ｅ－ｍａｉｌ"),
            ("ジョン・スミス", "ｼﾞｮﾝ･ｽﾐｽ"),
            ("か\u3099", "が"),
            ("\u1112\u1161\u11ab", "한"),
            ("❤️", "❤"),
            ("㌔㍿①", "キロ株式会社1"),
            ("soft\u00adhyphen", "softhyphen"),
            ("葛\U000e0100城", "葛城"),
            ("あ゛ド゛ラゴン゛", "あドラゴン"),
            ("Mu´nchen¨", "Munchen"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("don’t O‘Neill", "don't O'Neill"),
            ("مُحَمَّد", "محمد"),
            ("שָׁלוֹם", "שלום"),
            ("冨檜靑栁賴\U00020bb7瀨", "富桧青柳頼吉瀬"),
            ("經濟學、團十郎の藝、輕井澤の麥酒", "経済学、団十郎の芸、軽井沢の麦酒"),
        ],
    )
    def test_these_are_the_same(self, one: str, other: str) -> None:
        assert folding.fold(one).text == folding.fold(other).text

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("か", "が"),
            ("は", "ぱ"),
            ("ー", "-"),
            ("2-1", "21"),
            ("あ-い", "あい"),
            ("가", "나"),
            ("a b", "ab"),
            ("か", "カ"),
        ],
    )
    def test_these_are_not(self, one: str, other: str) -> None:
        assert folding.fold(one).text != folding.fold(other).text


class TestPlaces:
    @given(text=texts | st.text("今日は菊(花)、カフェ。Ａa1？\n・-…ﾊ゛か", max_size=25))
    def test_what_surely_keeps_its_places_keeps_them(self, text: str) -> None:
        if folding.keeps_places(text):
            assert folding.fold(text) == folding.Folded(folding.fold(text).text)
            assert len(folding.fold(text).text) == len(text)

    def test_each_character_that_surely_keeps_its_place_is_one_when_it_is_folded(self) -> None:
        even = [character for character in map(chr, range(0xD800)) if folding.keeps_places(character)]
        assert len(even) > 20_000
        assert all(len(folding.fold(character).text) == 1 for character in even)

    def test_an_ordinary_sentence_keeps_its_places(self) -> None:
        assert folding.keeps_places("昨日、Ａ町の1,200人が「菊まつり」に来た!")

    @given(text=texts, data=st.data())
    def test_a_stretch_stands_within_the_text_where_it_was_and_never_before_the_one_before(
        self, text: str, data: st.DataObject
    ) -> None:
        folded = folding.fold(text)
        spans = [folded.original(at, at + 1) for at in range(len(folded.text))]
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert spans == sorted(spans)
        assert [end for _, end in spans] == sorted(end for _, end in spans)
        if spans:
            first = data.draw(st.integers(0, len(spans) - 1))
            last = data.draw(st.integers(first, len(spans) - 1))
            assert folded.original(first, last + 1) == (spans[first][0], spans[last][1])

    @given(text=texts, data=st.data())
    def test_the_original_of_a_stretch_folds_to_what_holds_it(self, text: str, data: st.DataObject) -> None:
        assume("-" not in folding.fold(text).text)
        folded = folding.fold(text)
        assume(folded.text)
        first = data.draw(st.integers(0, len(folded.text) - 1))
        last = data.draw(st.integers(first + 1, len(folded.text)))
        start, end = folded.original(first, last)
        assert folded.text[first:last] in folding.fold(text[start:end]).text

    def test_half_width_kana_with_its_voicing_is_one_place(self) -> None:
        folded = folding.fold("💡ｶﾞｷﾞe\u0301")
        assert folded.text == "💡ガギe"
        assert [folded.original(at, at + 1) for at in range(4)] == [(0, 1), (1, 3), (3, 5), (5, 7)]


class TestNextBoundary:
    @given(text=texts, data=st.data())
    def test_it_parts_no_character_and_is_the_first_that_does_not(self, text: str, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(text)))
        whole = {0, *(found.end() for found in regex.finditer(r"\X", text))}
        assert folding.next_boundary(text, at) == min(place for place in whole if place >= at)


class TestLoosen:
    @given(text=texts)
    def test_it_keeps_every_place(self, text: str) -> None:
        folded = folding.fold(text).text
        loose = folding.loosen(folded)
        assert len(loose) == len(folded)
        assert folding.loosen(loose) == loose

    @pytest.mark.parametrize(
        ("one", "other"), [("ぷーちん", "プーチン"), ("一ヶ月", "一か月"), ("斉", "斎"), ("いすゞ", "イスヾ")]
    )
    def test_these_become_the_same(self, one: str, other: str) -> None:
        assert folding.loosen(one) == folding.loosen(other)


class TestGrams:
    @given(text=texts, data=st.data())
    def test_whatever_stands_in_a_text_has_no_gram_that_the_text_has_not(self, text: str, data: st.DataObject) -> None:
        loose = folding.loosen(folding.fold(text).text)
        first = data.draw(st.integers(0, len(loose)))
        last = data.draw(st.integers(first, len(loose)))
        assert folding.least_grams(loose[first:last]) <= folding.grams(loose)

    @given(text=texts)
    def test_no_gram_holds_a_mark_a_space_or_a_line_end(self, text: str) -> None:
        grams = folding.grams(folding.loosen(folding.fold(text).text))
        assert not [
            gram for gram in grams if regex.search(r"[\s\p{Cc},.!?()、。「」…]", gram) or len(gram) not in {1, 2, 3}
        ]

    def test_what_unicode_does_not_know_yet_is_a_character_like_others(self) -> None:
        assert folding.grams("\ue001\U0001fade") == {"\ue001", "\U0001fade", "\ue001\U0001fade"}

    def test_marks_part_what_stands_side_by_side(self) -> None:
        assert folding.grams("菊花展。日") == {"菊", "花", "展", "日", "菊花", "花展", "菊花展"}
        assert folding.least_grams("菊花展示。開花。日") == {"菊花展", "花展示", "開花", "日"}
        assert folding.pairs("菊花展。日") == {"菊花", "花展"}
