import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import text
from app.formats import markdown

MARKUP = "*_`~#+-=<>[]()!&;:\\\"'|{}^$%@/.,? 0123456789abAB\tあ。🌸\u00a0\u3000\u200b\u0301"
TAME = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")


def lines(alphabet: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = st.text(alphabet, min_size=1, max_size=40).map(str.strip)
    return whole.filter(lambda line: bool(line) and text.hostile(line) is None)


class TestEscape:
    @given(lines(MARKUP) | lines(TAME))
    @settings(max_examples=1000)
    @example("[a]: https://example.jp")
    @example("===")
    @example("---")
    @example("***")
    @example("1. a")
    @example("1) a")
    @example("-")
    @example("+")
    @example("&amp; &#35; &nbsp;")
    @example("<b>x</b> <!-- c -->")
    @example("<https://example.jp>")
    @example("a\\")
    @example("\\*")
    @example("```")
    @example("~~~ a")
    @example("> a")
    @example("# a #")
    @example('![a](b) [c](d "e")')
    @example("a_b_c __d__ *e*f")
    @example("`` ` ``")
    @example("a  b\tc")
    @example("\u3000".join("ab"))
    def test_any_line_is_read_back_exactly(self, line: str) -> None:
        assert markdown.plain(markdown.escape(line)) == [line]

    @given(st.lists(lines(MARKUP) | lines(TAME), max_size=5))
    @settings(max_examples=500)
    @example(["[a]", "[a]: https://example.jp"])
    @example(["a", "==="])
    @example(["- a", "    b"])
    @example(["1. a", "2. b"])
    def test_lines_are_read_back_exactly_as_paragraphs(self, several: list[str]) -> None:
        stripped = [line.strip() for line in several]
        assert markdown.plain("\n\n".join(map(markdown.escape, stripped))) == stripped

    @pytest.mark.parametrize(
        "line", ["菊は、秋の花です。", "2024年6月19日、開会しました。", "a < b", "A & B", "3 * 4", "菊!"]
    )
    def test_a_line_without_markup_stays_as_it_is(self, line: str) -> None:
        assert markdown.escape(line) == line

    @pytest.mark.parametrize("line", ["- 菊", "1. 菊", "> 菊", "# 菊", "*菊*", "`菊`", "[菊](u)", "***"])
    def test_what_would_be_markup_is_escaped(self, line: str) -> None:
        assert markdown.escape(line) != line


class TestPlain:
    def test_each_block_is_a_paragraph_of_its_own(self) -> None:
        source = "# 見出し\n\n一行目\n二行目\n\n- a\n- b\n\n3. c\n\n> 引用\n\n```py\nx = 1\n\ny = 2\n```\n\n***\n\n末尾"
        assert markdown.plain(source) == [
            "見出し", "一行目\n二行目", "- a", "- b", "3. c", "引用", "x = 1\n\ny = 2", "末尾",
        ]  # fmt: skip

    def test_a_link_is_its_text_and_an_image_its_alt(self) -> None:
        assert markdown.plain("[菊の**写真**](u) ![白い*菊*](v) `c` &amp; \\*") == ["菊の写真 白い菊 c & *"]

    def test_a_hard_break_is_a_line_break(self) -> None:
        assert markdown.plain("a  \nb\\\nc") == ["a\nb\nc"]

    def test_html_is_literal(self) -> None:
        assert markdown.plain("<b>菊</b>\n\n<div>x</div>") == ["<b>菊</b>", "<div>x</div>"]

    def test_nothing_says_nothing(self) -> None:
        assert markdown.plain("") == []
        assert markdown.plain("\n\n[a]: https://example.jp\n") == []

    def test_lists_within_lists_keep_their_bullets(self) -> None:
        assert markdown.plain("- a\n  - b\n\n    c\n- - d") == ["- a", "- b", "c", "- - d"]

    @pytest.mark.parametrize("piece", ["[", "*a ", "> ", "- ", "`", "<a", "&", "![", "](", "_a ", "\\"])
    def test_a_long_text_of_markup_does_not_take_more_than_its_length(self, piece: str) -> None:
        markdown.plain(piece * 20_000)
