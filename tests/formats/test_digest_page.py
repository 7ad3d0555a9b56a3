import pytest

from app.articles.document import SiteLabels
from app.errors import Invalid
from app.formats import digest_page
from app.formats.digest_page import DigestPage, Line

SITE = SiteLabels(masthead="菊の便り")
HEAD = [
    "題名の町",
    "導入の文です。",
    "題名の町",
    "📘 この記事で分かる事!",
    "💡 一つ目です。",
    "💡 二つ目です。",
    "紹介の文です。",
]
OPENING = ["節の見出し", "何が?", "答え", "では見ましょう。"]
READ_MORE = "さらに読む ⇒菊新聞出典/画像元: https://a.example.jp/1"
CARD = ["菊の報せ", "公開日:2025/10/01", "菊の報せ", "✅ 要点です。", READ_MORE]


def read(*lines: str, part: bool = False, title: str | None = None) -> DigestPage:
    return digest_page.read("\n".join(lines), SITE, part=part, title=title)


def opening(*lines: str) -> tuple[str | None, ...]:
    section = read(*HEAD, *lines, *CARD, "本文です。").document.pages[0].sections[0]
    return section.heading, section.question, section.answer, section.transition


def card(*lines: str) -> dict[str, object]:
    page = read(*HEAD, *OPENING, *lines, "本文です。")
    assert page.unmatched == ()
    (citation,) = page.document.pages[0].sections[0].citations
    return {
        "headline": citation.source.title,
        "date": citation.source.published_on,
        "points": [point.text for point in citation.key_points],
        "publisher": citation.publisher_text,
        "url": citation.source.url,
        "labels": {name: text for name, text in page.document.labels.items() if name != "masthead"},
    }


class TestHead:
    def test_each_line_points_to_its_field(self) -> None:
        page = read(
            "菊の便り", "", *HEAD, *OPENING, *CARD, "本文です。", "結びです。", "次のページを読む ⇒", "予告です。"
        )
        section = "/pages/0/sections/0"
        assert [line.pointer for line in page.lines] == [
            "/labels/masthead", "/title", "/lead", "/hero_image/alt", "/labels/takeaways_heading",
            "/takeaways/0/text", "/takeaways/1/text", "/introduction",
            f"{section}/heading", f"{section}/question", f"{section}/answer", f"{section}/transition",
            f"{section}/citations/0/source/title", f"{section}/citations/0/source/published_on",
            f"{section}/citations/0/image/alt", f"{section}/citations/0/key_points/0/text", f"{section}/citations/0",
            f"{section}/body", f"{section}/commentary/text", "/labels/next_page", "/pages/1/teaser",
        ]  # fmt: skip
        assert page.lines[:2] == (Line(1, "/labels/masthead"), Line(3, "/title"))
        assert page.document.labels == {}

    def test_a_page_without_the_sites_masthead_says_so(self) -> None:
        assert read(*HEAD, *OPENING, *CARD).document.labels == {"masthead": ""}

    def test_lines_above_a_title_that_is_repeated_are_the_masthead(self) -> None:
        document = read("紋", "品書き", *HEAD, *OPENING, *CARD).document
        assert (document.title, document.labels) == ("題名の町", {"masthead": "紋\n品書き"})

    def test_a_menu_too_long_for_a_label_is_unmatched(self) -> None:
        page = read("品" * 1_500, "書" * 1_500, *HEAD, *OPENING, *CARD)
        assert [line.number for line in page.unmatched] == [1, 2]
        assert page.document.title == "題名の町"

    def test_without_a_repetition_the_first_of_three_lines_is_the_masthead(self) -> None:
        document = read("紋", "題名の町", "導入です。", *HEAD[3:], *OPENING, *CARD).document
        assert (document.title, document.lead, document.labels) == ("題名の町", "導入です。", {"masthead": "紋"})

    def test_a_title_is_followed_by_sentences(self) -> None:
        document = read("題名の町", "導入です。", "導入の続きです。", *HEAD[3:], *OPENING, *CARD).document
        assert (document.title, document.lead) == ("題名の町", "導入です。\n導入の続きです。")

    def test_takeaways_may_be_absent(self) -> None:
        document = read("菊の便り", "題名の町", "導入です。", "紹介です。", *OPENING, *CARD).document
        assert (document.title, document.lead, document.introduction) == ("題名の町", "導入です。", "紹介です。")
        assert document.takeaways == []

    def test_two_equal_sentences_are_no_title(self) -> None:
        document = read("題名の町", "同じ文です。", "同じ文です。", *OPENING, *CARD).document
        assert (document.title, document.lead, document.introduction) == ("題名の町", "同じ文です。", "同じ文です。")

    def test_takeaways_are_known_by_a_marker_they_share(self) -> None:
        page = read(*HEAD[:3], "要点はこちら", "◆ 一です。", "◆ 二です。", *OPENING, *CARD)
        assert [point.text for point in page.document.takeaways] == ["一です。", "二です。"]
        assert page.document.labels["takeaway_marker"] == "◆ "
        assert page.document.labels["takeaways_heading"] == "要点はこちら"

    def test_a_single_takeaway_may_follow_a_heading_with_a_symbol(self) -> None:
        page = read(*HEAD[:3], "■ 要点", "◇ 一です。", *OPENING, *CARD)
        assert [point.text for point in page.document.takeaways] == ["一です。"]

    def test_takeaways_may_have_no_heading(self) -> None:
        document = read(*HEAD[:3], *HEAD[4:], *OPENING, *CARD).document
        assert (len(document.takeaways), document.labels["takeaways_heading"]) == (2, "")

    def test_a_line_between_title_and_takeaways_is_unmatched(self) -> None:
        page = read(*HEAD[:3], "余分な行", *HEAD[3:], *OPENING, *CARD)
        assert [(line.number, line.text) for line in page.unmatched] == [(4, "余分な行")]

    def test_a_takeaway_may_run_on_over_a_line(self) -> None:
        document = read(*HEAD[:5], "続きです。", *HEAD[5:], *OPENING, *CARD).document
        assert [point.text for point in document.takeaways] == ["一つ目です。\n続きです。", "二つ目です。"]


class TestOpening:
    def test_parts_may_be_absent(self) -> None:
        assert opening("節の見出し") == ("節の見出し", None, None, None)
        assert opening("節の見出し", "何が?") == ("節の見出し", "何が?", None, None)
        assert opening("節の見出し", "何が\uff1f", "答え") == ("節の見出し", "何が\uff1f", "答え", None)
        assert opening("節の見出し", "何が?", "見ましょう。") == ("節の見出し", "何が?", None, "見ましょう。")
        assert opening("節の見出し", "見ましょう。") == ("節の見出し", None, None, "見ましょう。")
        assert opening("節の見出し", "答え", "見ましょう。") == ("節の見出し", None, "答え", "見ましょう。")

    def test_a_heading_may_itself_be_a_question(self) -> None:
        assert opening("菊はなぜ咲く?", "わけは?", "光", "見ましょう。") == (
            "菊はなぜ咲く?",
            "わけは?",
            "光",
            "見ましょう。",
        )
        assert opening("菊はなぜ咲く?", "見ましょう。") == ("菊はなぜ咲く?", None, None, "見ましょう。")

    def test_a_transition_may_have_some_lines_and_no_full_stop(self) -> None:
        assert opening(*OPENING, "楽しみです。") == (*OPENING[:3], "では見ましょう。\n楽しみです。")
        assert opening("節の見出し", "一です。", "二です。") == ("節の見出し", None, None, "一です。\n二です。")
        assert opening(*OPENING[:3], "では見ていきましょう") == (*OPENING[:3], "では見ていきましょう")

    def test_a_paragraph_without_its_full_stop_is_no_heading(self) -> None:
        page = read(*HEAD, *OPENING, *CARD, "本文です。", "続くと考えられます", *CARD, "本文です。")
        sections = page.document.pages[0].sections
        assert (sections[0].body, sections[0].commentary) == ("本文です。\n\n続くと考えられます", None)
        assert sections[1].heading is None

    def test_a_first_section_may_have_no_opening(self) -> None:
        document = read(*HEAD, *CARD).document
        assert (document.introduction, document.pages[0].sections[0].heading) == ("紹介の文です。", None)


class TestCard:
    @pytest.mark.parametrize(
        ("line", "publisher", "read_more", "credit"),
        [
            ("さらに読む ⇒ 菊新聞 出典/画像元: https://a.example.jp/1", "菊新聞", "さらに読む ⇒ ", " 出典/画像元: "),
            ("続きを読む→菊新聞（出典：https://a.example.jp/1", "菊新聞", "続きを読む→", "（出典："),
            ("Read more: Kiku News Source: https://a.example.jp/1", "Kiku News", "Read more: ", " Source: "),
            ("▶ 続きを読む 菊新聞 出典: https://a.example.jp/1", "菊新聞", "▶ 続きを読む ", " 出典: "),
            ("▶ 全文 » 菊新聞 出典: https://a.example.jp/1", "菊新聞", "▶ 全文 » ", " 出典: "),
            ("👉 もっと見る 菊新聞 掲載先: https://a.example.jp/1", "菊新聞", "👉 もっと見る ", " 掲載先: "),
            ("菊新聞 https://a.example.jp/1", "菊新聞", "", " "),
            ("https://a.example.jp/1", "", "", ""),
        ],
    )
    def test_the_read_more_line_is_cut_at_its_labels(
        self, line: str, publisher: str, read_more: str, credit: str
    ) -> None:
        read_card = card(*CARD[:4], line)
        assert (read_card["publisher"], read_card["url"]) == (publisher, "https://a.example.jp/1")
        assert read_card["labels"] == {"read_more": read_more, "source_credit": credit}

    def test_what_cards_have_in_common_is_their_label(self) -> None:
        lines = [f"記事全文｜{name} 所蔵 https://{host}.example.jp/" for name, host in (("菊新聞", "a"), ("町報", "b"))]
        page = read(*HEAD, *OPENING, *CARD[:4], lines[0], *CARD[:4], lines[1])
        citations = page.document.pages[0].sections[0].citations
        assert [citation.publisher_text for citation in citations] == ["菊新聞", "町報"]
        assert page.document.labels["read_more"] == "記事全文｜"
        assert page.document.labels["source_credit"] == " 所蔵 "

    @pytest.mark.parametrize(
        ("line", "date", "pattern"),
        [
            ("公開日:2024", "2024", None),
            ("公開日:2024/11", "2024-11", None),
            ("公開日:2024/1/5", "2024-01-05", "公開日:{YYYY}/{M}/{D}"),
            ("2024年11月5日 配信", "2024-11-05", "{YYYY}年{M}月{D}日 配信"),
            ("2024.11.05", "2024-11-05", "{YYYY}.{MM}.{DD}"),
            ("Published November 5, 2024", "2024-11-05", "Published November 5, 2024"),
            ("令和6年11月5日", "2024-11-05", "令和6年11月5日"),
        ],
    )
    def test_a_date_line_gives_its_date_and_pattern(self, line: str, date: str, pattern: str | None) -> None:
        read_card = card(CARD[0], line, *CARD[2:])
        assert (read_card["headline"], read_card["date"]) == ("菊の報せ", date)
        assert read_card["labels"] == ({} if pattern is None else {"published_on": pattern})

    def test_a_date_that_cannot_be_read_is_unmatched(self) -> None:
        page = read(*HEAD, *OPENING, CARD[0], "公開日:不明", *CARD[2:])
        assert [line.text for line in page.unmatched] == ["公開日:不明"]
        assert page.document.pages[0].sections[0].citations[0].shows_published_on is False

    def test_a_headline_with_a_date_in_it_is_no_date_line(self) -> None:
        headline = "2024年11月5日に開幕する菊の祭典の歩き方"
        assert card(headline, *CARD[3:])["headline"] == headline

    def test_an_image_may_say_something_else_than_the_headline(self) -> None:
        page = read(*HEAD, *OPENING, *CARD[:2], "白い菊の写真", *CARD[3:])
        (citation,) = page.document.pages[0].sections[0].citations
        assert (citation.source.title, citation.image and citation.image.alt) == ("菊の報せ", "白い菊の写真")

    def test_key_points_may_lack_their_marker(self) -> None:
        read_card = card(*CARD[:3], "一です。", "二です。", READ_MORE)
        assert (read_card["points"], read_card["labels"]) == (["一です。", "二です。"], {"key_point_marker": ""})

    def test_a_key_point_may_run_on_over_a_line(self) -> None:
        read_card = card(*CARD[:3], "✅ 一です。", "続きです。", "✅ 二です。", READ_MORE)
        assert read_card["points"] == ["一です。\n続きです。", "二です。"]

    def test_a_marker_is_what_all_key_points_begin_with(self) -> None:
        read_card = card(*CARD[:3], "・一です。", "・ 二です。", READ_MORE)
        assert (read_card["points"], read_card["labels"]) == (["一です。", " 二です。"], {"key_point_marker": "・"})

    def test_a_headline_may_begin_with_a_symbol(self) -> None:
        assert card("★ 菊の報せ", "★ 菊の報せ", "✅ 一です。", READ_MORE)["headline"] == "★ 菊の報せ"
        assert card("★ 菊の報せ", "★ 菊の報せ", READ_MORE)["points"] == []
        assert card("★ 菊の報せ", "公開日:2024", "★ 菊の報せ", READ_MORE)["date"] == "2024"
        assert card("★ 菊の報せ", READ_MORE)["headline"] == "★ 菊の報せ"

    def test_a_line_that_ends_in_an_address_may_be_text(self) -> None:
        body = [
            "本文です。",
            "詳しくは https://b.example.jp/",
            "会場→ https://c.example.jp/",
            "・菊 https://d.example.jp/",
            "・花 https://e.example.jp/",
            "結びです。",
        ]
        (section,) = read(*HEAD, *OPENING, *CARD, *body).document.pages[0].sections
        assert len(section.citations) == 1
        assert section.body.count("\n\n") == 4

    def test_a_card_with_the_label_of_another_is_a_card(self) -> None:
        line = "全文はここ → 菊新聞 https://a.example.jp/"
        page = read(*HEAD, *OPENING, *CARD[:4], line + "1", "本文です。", "題です。", line + "2")
        assert [len(section.citations) for section in page.document.pages[0].sections] == [1, 1]

    def test_a_key_point_may_end_in_an_address(self) -> None:
        read_card = card(*CARD[:4], "✅ 詳しくは https://b.example.jp/", READ_MORE)
        assert read_card["points"] == ["要点です。", "詳しくは https://b.example.jp/"]

    def test_the_sites_credit_shows_a_card(self) -> None:
        read_card = card("菊は咲いたか?", "全文 | 菊新聞出典/画像元: https://a.example.jp/1")
        assert (read_card["headline"], read_card["publisher"]) == ("菊は咲いたか?", "全文 | 菊新聞")

    def test_a_read_more_line_without_a_headline_is_text(self) -> None:
        (section,) = read(*HEAD, *OPENING, *CARD, READ_MORE).document.pages[0].sections
        assert (len(section.citations), section.body) == (1, READ_MORE)


class TestFurtherPages:
    def test_a_label_with_nothing_behind_it_tells_of_no_page(self) -> None:
        page = read(*HEAD, *OPENING, *CARD, "本文です。", "次のページを読む ⇒")
        assert len(page.document.pages) == 1
        assert [line.text for line in page.unmatched] == ["次のページを読む ⇒"]

    @pytest.mark.parametrize("label", ["つぎの頁 ➡", "もっと >>", "▶ その先", "次のページへ"])
    def test_a_label_points_on(self, label: str) -> None:
        document = read(*HEAD, *OPENING, *CARD, "本文です。", label, "予告です。", "もう一行。").document
        assert document.pages[1].teaser == "予告です。\nもう一行。"
        assert document.labels["next_page"] == label

    def test_sections_below_a_label_are_of_the_next_page(self) -> None:
        below = ["次のページを読む ⇒", "予告です。", *OPENING, *CARD, "次のページを読む ⇒", "三頁目です。"]
        pages = read(*HEAD, *OPENING, *CARD, "本文です。", *below).document.pages
        assert [(page.teaser, len(page.sections)) for page in pages] == [
            (None, 1),
            ("予告です。", 1),
            ("三頁目です。", 0),
        ]

    def test_pages_between_two_labels_are_announced(self) -> None:
        label = "次のページを読む ⇒"
        pages = read(*HEAD, *OPENING, *CARD, label, "二です。", label, label, "四です。", *CARD).document.pages
        assert [(page.teaser, len(page.sections)) for page in pages] == [(None, 1), ("二です。", 0), ("四です。", 1)]


class TestPart:
    def test_the_head_may_be_missing(self) -> None:
        page = read(*OPENING, *CARD, "本文です。", part=True)
        assert (page.document.title, page.document.pages[0].sections[0].heading) == ("", "節の見出し")
        assert (page.document.labels, page.unmatched) == ({}, ())

    def test_masthead_and_title_may_be_there(self) -> None:
        for lines in (["菊の便り", "題名の町"], ["紋", "題名の町"], ["題名の町"]):
            page = read(*lines, *OPENING, *CARD, part=True)
            assert page.document.title == "題名の町"
            assert page.document.pages[0].sections[0].heading == "節の見出し"

    def test_the_articles_title_is_found_where_it_is_printed(self) -> None:
        page = read("題名の町", "節の見出し", "では見ましょう。", *CARD, part=True, title="題名の町")
        assert (page.document.title, page.document.pages[0].sections[0].heading) == ("題名の町", "節の見出し")

    def test_lead_and_takeaways_may_be_there_an_introduction_not(self) -> None:
        for lines in (HEAD, [HEAD[0], HEAD[1], *HEAD[3:]]):
            page = read(*lines, *OPENING, *CARD, part=True, title="題名の町")
            assert (page.document.lead, len(page.document.takeaways)) == ("導入の文です。", 2)
            assert [line.text for line in page.unmatched] == ["紹介の文です。"]

    def test_what_stands_above_takeaways_without_a_title_is_unmatched(self) -> None:
        page = read("導入です。", *HEAD[3:6], *OPENING, *CARD, part=True)
        assert [line.text for line in page.unmatched] == ["導入です。"]


class TestRefused:
    @pytest.mark.parametrize(
        ("lines", "codes"),
        [
            ([], ["title-missing", "source-card-missing"]),
            (["こんにちは。", "今日は晴れです。"], ["source-card-missing"]),
            (["題名", "見てください。", "https://example.jp/"], ["source-card-missing"]),
            (CARD, ["title-missing"]),
            ([READ_MORE], ["source-card-missing"]),
        ],
    )
    def test_what_is_no_digest_page_is_told_what_is_missing(self, lines: list[str], codes: list[str]) -> None:
        with pytest.raises(Invalid) as refusal:
            read(*lines)
        assert refusal.value.code == "not-a-digest-page"
        assert [fault.code for fault in refusal.value.faults] == codes

    @pytest.mark.parametrize(
        ("lines", "pointer", "line"),
        [
            (["題" * 3_000, *OPENING, *CARD], "/title", 1),
            (["紋" * 10_000_000, *HEAD, *OPENING, *CARD], "/labels/masthead", 1),
            ([*HEAD, *OPENING, "報" * 10_000_000, *CARD[3:]], "/pages/0/sections/0/citations/0/source/title", 12),
            ([*HEAD, *OPENING, *CARD, *["*"] * 200_000], "/pages/0/sections/0/body", 17),
            ([*HEAD, *OPENING, *CARD * 300], "/pages/0/sections/0/citations", 1012),
            ([*HEAD, *CARD[:4], READ_MORE.replace("//", "//u:p@")], "/pages/0/sections/0/citations/0/source/url", 12),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_told_with_its_line(self, lines: list[str], pointer: str, line: int) -> None:
        with pytest.raises(Invalid) as refusal:
            read(*lines)
        assert refusal.value.code == "validation"
        (fault,) = refusal.value.faults
        assert fault.pointer == pointer
        assert fault.detail.startswith(f"Line {line}: ")

    def test_many_short_lines_are_refused_in_time(self) -> None:
        with pytest.raises(Invalid):
            read(*["a"] * 200_000)


class TestPublisherName:
    def test_the_longest_known_name_that_begins_the_print_is_the_publisher(self) -> None:
        assert digest_page.publisher_name("菊新聞社 総合", "見出し", ["菊", "菊新聞社", "新聞社"]) == (
            "菊新聞社",
            False,
        )
        assert digest_page.publisher_name("ｷｸ新聞 総合", "見出し", ["キク新聞", ""]) == ("キク新聞", False)

    def test_else_the_longest_beginning_that_ends_the_headline(self) -> None:
        assert digest_page.publisher_name("菊新聞社町の話題", "菊が咲いた菊新聞社", []) == ("菊新聞社", True)

    def test_one_letter_in_common_says_nothing(self) -> None:
        assert digest_page.publisher_name("菊新聞\u3000総合", "白い菊", []) == ("菊新聞", True)

    def test_else_what_stands_before_the_first_space(self) -> None:
        assert digest_page.publisher_name("菊新聞 総合", "見出し", ["町"]) == ("菊新聞", True)

    def test_else_all_of_it(self) -> None:
        assert digest_page.publisher_name("菊新聞", "見出し", []) == ("菊新聞", True)

    def test_nothing_printed_names_nobody(self) -> None:
        assert digest_page.publisher_name("", "見出し", ["菊新聞"]) == ("", False)
