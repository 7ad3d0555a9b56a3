import codecs

import pytest

from app.errors import Invalid, Malformed, TooLarge
from app.formats import digest_html


def lines(html: str) -> list[str]:
    return digest_html.text_of(html.encode(), None).split("\n")


class TestTextOf:
    def test_blocks_and_breaks_end_lines(self) -> None:
        assert lines("<div>一<p>二<br>三</p>四</div>五<hr>六") == ["一", "二", "三", "四", "五", "六"]

    def test_inline_elements_stay_in_their_line(self) -> None:
        assert lines("<p>菊の<b>花</b>と\n  <a href='/'>葉</a></p>") == ["菊の花と 葉"]

    def test_an_image_is_its_alt_in_place(self) -> None:
        assert lines("<header><img alt='菊の紋'> <button>品書き</button><img src='x'></header>") == ["菊の紋 品書き"]

    def test_what_is_not_visible_is_dropped(self) -> None:
        dropped = "".join(f"<{tag}>x</{tag}>" for tag in ("script", "style", "noscript", "template", "aside", "footer"))
        hidden = "<p hidden>x</p><p style='display: none'>x</p><p hidden><img alt=x></p><!-- x -->"
        assert lines(f"<head><title>x</title></head><body>{dropped}{hidden}<p>菊</p></body>") == ["菊"]

    def test_lines_of_preformatted_text_stay_lines(self) -> None:
        assert lines("<pre>一\n二</pre>") == ["一", "二"]

    def test_table_cells_and_list_items_are_lines(self) -> None:
        assert lines("<table><tr><td>一<td>二</table><ul><li>三<li>四</ul>") == ["一", "二", "三", "四"]

    def test_nothing_visible_is_no_text(self) -> None:
        assert digest_html.text_of(b"", None) == ""

    def test_deep_nesting_is_read(self) -> None:
        assert lines("<div>" * 20_000 + "菊") == ["菊"]

    def test_more_elements_than_can_be_read_in_time_are_refused(self) -> None:
        with pytest.raises(TooLarge):
            lines("<div>" * 200_000)

    @pytest.mark.parametrize(
        "told", ['<meta charset="Shift_JIS">', "<meta http-equiv=x content='text/html;charset=x-sjis'>"]
    )
    def test_a_meta_element_tells_the_encoding(self, told: str) -> None:
        assert digest_html.text_of(f"{told}<p>菊①</p>".encode("cp932"), None) == "菊①"

    def test_the_header_goes_before_the_meta_element(self) -> None:
        assert digest_html.text_of('<meta charset="euc-jp"><p>菊'.encode(), "utf-8") == "菊"


class TestDecoded:
    @pytest.mark.parametrize("charset", [None, "", "utf-8", "UTF8", '"utf-8"', "Shift_JIS"])
    def test_a_byte_order_mark_decides(self, charset: str | None) -> None:
        assert digest_html.decoded(codecs.BOM_UTF8 + "菊".encode(), charset) == "菊"

    @pytest.mark.parametrize("mark", [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
    def test_utf_16_is_read_by_its_mark(self, mark: tuple[bytes, str]) -> None:
        assert digest_html.decoded(mark[0] + "菊".encode(mark[1]), None) == "菊"

    @pytest.mark.parametrize(
        ("charset", "codec"), [("Shift_JIS", "cp932"), ("EUC-JP", "euc-jp"), ("iso-2022-jp", "iso2022_jp")]
    )
    def test_the_declared_charset_is_honoured(self, charset: str, codec: str) -> None:
        assert digest_html.decoded("菊の花".encode(codec), charset) == "菊の花"

    @pytest.mark.parametrize("charset", ["no-such", "rot13", "base64", "idna", "unicode_escape", "utf-7", "\0", "菊"])
    def test_what_is_no_encoding_of_pages_is_malformed(self, charset: str) -> None:
        with pytest.raises(Malformed, match="charset") as refusal:
            digest_html.decoded(b"abc", charset)
        assert refusal.value.code == "encoding-invalid"

    @pytest.mark.parametrize("charset", [None, "utf-8"])
    def test_bytes_of_another_charset_are_malformed(self, charset: str | None) -> None:
        with pytest.raises(Malformed):
            digest_html.decoded("菊".encode("cp932"), charset)

    @pytest.mark.parametrize("body", [b"a\0b", b"\x01\x02", b"%PDF-1.4\x1b\n", "\u202e菊".encode()])
    def test_what_no_text_may_hold_is_refused(self, body: bytes) -> None:
        with pytest.raises(Invalid) as refusal:
            digest_html.decoded(body, None)
        assert refusal.value.code == "text-refused"
