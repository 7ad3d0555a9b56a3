import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats import printed_date

DATES = st.dates().map(str)
VALUES = st.one_of(DATES, DATES.map(lambda date: date[:7]), DATES.map(lambda date: date[:4]))


class TestWrite:
    @pytest.mark.parametrize(
        ("pattern", "value", "line"),
        [
            ("公開日:{YYYY}/{MM}/{DD}", "2024-01-05", "公開日:2024/01/05"),
            ("公開日:{YYYY}/{MM}/{DD}", "2024-01", "公開日:2024/01"),
            ("公開日:{YYYY}/{MM}/{DD}", "2024", "公開日:2024"),
            ("{YYYY}年{M}月{D}日 配信", "2024-01-05", "2024年1月5日 配信"),
            ("{YYYY}年{M}月{D}日 配信", "2024-01", "2024年1月"),
            ("{YYYY}年{M}月{D}日 配信", "2024", "2024年"),
            ("{DD}.{MM}.{YYYY}", "2024-11", "11.2024"),
            ("{DD}.{MM}.{YYYY}", "2024", "2024"),
            ("{MM}/{DD}", "2024", ""),
            ("秋", "2024", "秋"),
        ],
    )
    def test_a_pattern_prints_what_is_known_of_a_date(self, pattern: str, value: str, line: str) -> None:
        assert printed_date.write(pattern, value) == line


class TestRead:
    @given(st.sampled_from(["公開日:{YYYY}/{MM}/{DD}", "{YYYY}年{M}月{D}日 掲載", "{DD}.{MM}.{YYYY}"]), VALUES)
    def test_what_a_pattern_printed_is_read_back(self, pattern: str, value: str) -> None:
        assert printed_date.read(pattern, printed_date.write(pattern, value)) == value

    @pytest.mark.parametrize(
        "line", ["公開日:2024/13/01", "公開日:2024/02/30", "公開日:2024/1/5", "公開日:", "2024/01/05", "あ" * 200]
    )
    def test_what_a_pattern_does_not_print_is_not_read(self, line: str) -> None:
        assert printed_date.read("公開日:{YYYY}/{MM}/{DD}", line) is None

    def test_a_placeholder_that_comes_again_repeats_its_digits(self) -> None:
        assert printed_date.read("{YYYY} ({YYYY}-{M}-{D})", "2024 (2024-1-5)") == "2024-01-05"
        assert printed_date.read("{YYYY} ({YYYY}-{M}-{D})", "2024 (2023-1-5)") is None
        assert printed_date.read("{M}" * 30 + "x", "1" * 60) is None


class TestFind:
    @pytest.mark.parametrize(
        ("line", "value", "pattern"),
        [
            ("公開日\uff1a2024年1月5日", "2024-01-05", "公開日\uff1a{YYYY}年{M}月{D}日"),
            ("2024-11-05 10:30", "2024-11-05", "{YYYY}-{MM}-{DD} 10:30"),
            ("2024年10月2日", "2024-10-02", "{YYYY}年{M}月{D}日"),
            ("20241105", "2024-11-05", "{YYYY}{MM}{DD}"),
            ("2024. 1", "2024-01", "{YYYY}. {M}"),
            ("2024年秋", "2024", "{YYYY}年秋"),
            ("5 November 2024", "2024-11-05", "5 November 2024"),
            ("Nov. 2024", "2024-11", "Nov. 2024"),
            ("平成元年1月8日", "1989-01-08", "平成元年1月8日"),
            ("２０２４年１１月５日", "2024-11-05", "２０２４年１１月５日"),
        ],
    )  # fmt: skip
    def test_a_date_is_found_with_the_pattern_that_prints_it(self, line: str, value: str, pattern: str) -> None:
        assert printed_date.find(line)[0] == (value, pattern)

    @pytest.mark.parametrize("line", ["秋の菊", "2024/13/45", "12345", "令和6年13月1日", "Nov", "あ" * 200])
    def test_a_line_may_hold_no_date(self, line: str) -> None:
        assert printed_date.find(line) == []

    @given(st.text("0123456789年月日/-. 公開Nov", max_size=30))
    def test_whatever_is_found_prints_the_line(self, line: str) -> None:
        assert all(printed_date.write(reading.pattern, reading.value) == line for reading in printed_date.find(line))
