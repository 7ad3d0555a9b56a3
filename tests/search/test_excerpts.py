"""Excerpts and highlights: exact places in the text as it was sent, and nothing but ``<mark>`` that is markup."""

import html
import re
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.search import folding, query
from tests.delivery.library import walk
from tests.factories import a_section, published
from tests.search import corpus
from tests.search.corpus import Item

Part = dict[str, Any]
ASKED = [
    *corpus.WORDS[::3],
    "ガサク",
    "菊 温室",
    "no.7",
    "krzqx 金賞",
    "「国화」",
    "がく",
    "株式会社",
    "千輪",
    "遊覧船の",
    "が",
]

WRITTEN = [
    ("💡👩‍🌾🇯🇵 温室の鍵", "温室", "温室"),
    ("春のﾊﾞｲｵﾘﾝ展", "バイオリン", "ﾊﾞｲｵﾘﾝ"),
    ("ｱｲｳｶﾞｷﾞｸﾞ", "ギグ", "ｷﾞｸﾞ"),
    ("Cafe\u0301 au lait", "café", "Cafe\u0301"),
    ("か\u3099く聖母", "がく", "か\u3099く"),
    ("昨日は1万2千人が来た", "12,000人", "1万2千人"),
    ("昨日は12,000人が来た", "1万2千人", "12,000人"),
    ("秋のリンゴ園", "林檎", "リンゴ"),
    ("新しいスマホの話", "スマートフォン", "スマホ"),
    ("新しいスマートフォンの話", "スマホ", "スマートフォン"),
    ("町のWi-Fi網", "wifi", "Wi-Fi"),
    ("大きな㍿の庭", "株式会社", "㍿"),
    ("Straße", "STRASSE", "Straße"),
    ("ジョン・スミス氏", "ジョンスミス", "ジョン・スミス"),
    ("ぷーちん氏", "プーチン", "ぷーちん"),
    ("❤️を送る", "❤", "❤️"),
]
"""A text, what is asked, and what of the text is marked."""


def loose(text: str) -> str:
    return folding.loosen(folding.fold(text).text)


def assert_exact(part: Part, text: str) -> None:
    """The highlights are stretches of the text, apart and in order; the excerpt is a piece of it with them marked."""
    spans = [tuple(span) for span in part["highlights"]]
    assert spans, part
    assert all(0 <= start < end <= len(text) for start, end in spans), part
    assert all(before[1] < after[0] for before, after in pairwise(spans)), part
    marked = re.findall(r"<mark>(.*?)</mark>", part["excerpt"], re.DOTALL)
    bare = re.sub(r"</?mark>", "", part["excerpt"])
    assert marked, part
    assert not re.search(r"[<>\"']|&(?!(amp|lt|gt|quot|#x27);)", bare), part
    shown = [text[start:end] for start, end in spans]
    assert all(any(each.startswith(html.unescape(one)) for each in shown) for one in marked), part
    piece = html.unescape(bare)
    assert any(each in text for each in (piece, piece[1:], piece[:-1], piece[1:-1])), part


def only(client: TestClient, asked: str, **texts: Any) -> tuple[Part, str]:
    """The one place that is shown of an article with these texts, and the text there."""
    made = published(client, **({"title": "題", "lead": "", "introduction": "", "takeaways": []} | texts))
    items = [item for item in walk(client, "/v1/search", q=asked, limit=100) if item["id"] == made["id"]]
    (part,) = items[0]["parts"]
    text = corpus.at(client.get(f"/v1/articles/{made['id']}").json(), part["pointer"])
    assert_exact(part, text)
    return part, text


class TestPlaces:
    def test_every_place_that_is_shown_is_where_the_query_stands(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        by_id = {article["id"]: article for article in articles}
        shown = 0
        for asked in ASKED:
            for item in walk(client, "/v1/search", q=asked, limit=100):
                assert 1 <= len(item["parts"]) <= 3, asked
                for part in item["parts"]:
                    text = corpus.at(by_id[item["id"]], part["pointer"])
                    assert_exact(part, text)
                    said = [loose(text[start:end]) for start, end in part["highlights"]]
                    stands = [each.loose for each in query.parse(asked).needles if each.loose in loose(text)]
                    assert all(any(word in each for each in said) for word in stands), (asked, part)
                    shown += len(stands)
        assert shown > 100

    def test_page_and_anchor_are_those_of_the_first_place_within_a_page(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        by_id = {article["id"]: article for article in articles}
        pages = set()
        for asked in ASKED:
            for item in walk(client, "/v1/search", q=asked, limit=100):
                inside = [part["pointer"] for part in item["parts"] if part["pointer"].startswith("/pages/")]
                expected = (None, None)
                if inside:
                    names = inside[0].split("/")
                    here = by_id[item["id"]]["pages"][int(names[2])]
                    anchor = here["sections"][int(names[4])]["anchor"] if names[3] == "sections" else None
                    expected = (here["number"], anchor)
                assert (item["page"], item["anchor"]) == expected, item
                pages.add(item["page"])
        assert pages >= {None, 1, 2}

    def test_the_mark_is_around_what_was_written(self, client: TestClient) -> None:
        for text, asked, marked in WRITTEN:
            part, said = only(client, asked, lead=text)
            assert [said[start:end] for start, end in part["highlights"]] == [marked], asked

    def test_one_character_that_answers_two_words_is_marked_once(self, client: TestClient) -> None:
        part, _ = only(client, "1 2", title="砂糖½カップ", pages=[{"sections": [{"heading": "糖", "body": "砂"}]}])
        assert (part["highlights"], part["excerpt"]) == ([[2, 3]], "砂糖<mark>½</mark>カップ")


class TestExcerpts:
    def test_all_but_the_mark_is_escaped(self, client: TestClient) -> None:
        text = "<script>alert(\"x\")</script> & 'ヌヌ石' </mark><mark> &amp; <b>"
        part, _ = only(client, "ヌヌ石", lead=text)
        assert part["excerpt"] == (
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#x27;<mark>ヌヌ石</mark>&#x27; "
            "&lt;/mark&gt;&lt;mark&gt; &amp;amp; &lt;b&gt;"
        )

    def test_what_is_marked_may_be_markup_itself(self, client: TestClient) -> None:
        part, _ = only(client, '"<script>"', lead="a <script> b")
        assert part["excerpt"] == "a <mark>&lt;script&gt;</mark> b"

    def test_of_a_long_text_that_is_shown_in_which_the_query_stands_and_highlights_are_of_the_whole(
        self, client: TestClient
    ) -> None:
        sentence = "池の水は澄み、風は静かだった。"
        part, text = only(client, "ヌヌ石", introduction=f"{sentence * 60}庭にヌヌ石があった。{sentence * 60}ヌヌ石。")
        assert [text[start:end] for start, end in part["highlights"]] == ["ヌヌ石"] * 2
        assert part["excerpt"].count("<mark>ヌヌ石</mark>") == 1
        assert part["excerpt"][0] == part["excerpt"][-1] == "…"
        assert len(part["excerpt"]) < 200

    def test_a_word_is_shown_wherever_it_stands(self, client: TestClient) -> None:
        for before in (0, 1, 39, 40, 41, 160, 4_100):
            part, _ = only(client, "ヌヌ石", introduction=f"{'池' * before}ヌヌ石")
            assert part["highlights"] == [[before, before + 3]]

    def test_one_that_is_spelled_otherwise_is_shown_below_a_long_text_too(self, client: TestClient) -> None:
        part, _ = only(client, "林檎", introduction="池の水は澄んでいた。" * 450, conclusion="秋のリンゴ園へ。")
        assert part == {
            "pointer": "/conclusion",
            "excerpt": "秋の<mark>リンゴ</mark>園へ。",
            "highlights": [[2, 5]],
        }

    def test_one_that_is_spelled_otherwise_is_shown_however_late_in_a_long_article(self, client: TestClient) -> None:
        said = "これは何でもない文章が続く段落です。" * 12
        bodies = [said] * 40
        bodies[35] += "梨と檸檬を食べた。"
        sections = [a_section(heading="庭", body=body, citations=[]) for body in bodies]
        made = published(client, pages=[{"sections": sections}])
        (item,) = walk(client, "/v1/search", q="レモン")
        assert [part["pointer"] for part in item["parts"]] == ["/pages/0/sections/35/body"]
        assert "梨と<mark>檸檬</mark>を食べた。" in item["parts"][0]["excerpt"]
        assert (item["page"], item["anchor"]) == (1, made["pages"][0]["sections"][35]["anchor"])

    def test_one_that_is_spelled_otherwise_is_shown_in_a_long_text_and_hides_nothing_that_is_not(
        self, client: TestClient
    ) -> None:
        text = "池の水は澄んでいた。" * 540 + "演奏会に二万三千七百四十一人が来た。"
        made = published(client, pages=[{"sections": [a_section(body=text)]}])
        for asked, marked in (("演奏会 来る", "演奏会"), ("23741人", "二万三千七百四十一人")):
            (item,) = (item for item in walk(client, "/v1/search", q=asked) if item["id"] == made["id"])
            assert f"<mark>{marked}</mark>" in item["parts"][0]["excerpt"], asked
            assert item["page"] == 1, asked

    def test_one_that_is_spelled_otherwise_too_late_to_be_shown_is_still_in_its_section(
        self, client: TestClient
    ) -> None:
        body = "これは長い前置きの文章である。" * 1_500 + "最後に檸檬の話。"
        pages = [
            {"title": "一", "sections": [a_section()]},
            {"title": "二", "sections": [a_section(body="庭。"), a_section(body=body)]},
        ]
        made = published(client, pages=pages)
        (item,) = walk(client, "/v1/search", q="レモン")
        assert item["parts"] == []
        assert (item["page"], item["anchor"]) == (2, made["pages"][1]["sections"][1]["anchor"])

    @pytest.mark.parametrize(
        ("said", "asked"),
        [
            ("昨日、引っ越し費用が話題になった。", "引越し"),
            ("昨日、スマホアプリが話題になった。", "スマートフォン"),
            ("昨日、茅ケ崎が話題になった。", "茅ヶ崎"),
            ("昨日、金利引下げが話題になった。", "引き下げ"),
            ("昨日、金利を引き下げ、話題になった。", "引下げ"),
            ("昨日、金利を引き下げ、話題になった。", "下げる"),
        ],
    )
    def test_what_a_word_is_besides_is_marked(self, client: TestClient, said: str, asked: str) -> None:
        part, text = only(client, asked, introduction=said)
        (span,) = part["highlights"]
        assert text[slice(*span)] in {"引っ越し", "スマホアプリ", "茅ケ崎", "引き下げ", "引下げ"}

    def test_neither_a_word_that_is_marked_nor_a_character_is_cut(self, client: TestClient) -> None:
        for letters in range(100, 130):
            part, _ = only(client, "ヌヌ石の", introduction=f"ヌヌ石の{'庭' * letters}ヌヌ石の{'池' * 60}")
            assert part["excerpt"].count("ヌヌ石の</mark>") == part["excerpt"].count("<mark>")
        for character in (
            "か\u3099",
            "ｶﾞ",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f1ef\U0001f1f5",
            "葛\U000e0100",
        ):
            part, _ = only(client, "ヌヌ石の", introduction=f"ヌヌ石の{character * 100}。")
            shown = part["excerpt"].removeprefix("<mark>ヌヌ石の</mark>").removesuffix("…")
            assert shown == character * (len(shown) // len(character))
            part, _ = only(client, "ヌヌ石の", introduction=f"{character * 100}池ヌヌ石の。")
            shown = part["excerpt"].removeprefix("…").removesuffix("池<mark>ヌヌ石の</mark>。")
            assert shown == character * (len(shown) // len(character))

    def test_the_places_with_most_of_the_query_are_shown_three_at_most(self, client: TestClient) -> None:
        points = [{"text": f"{number} ヌヌ石"} for number in range(4)]
        made = published(client, title="題", lead="ヌヌ石とボボ石", takeaways=points)
        (item,) = walk(client, "/v1/search", q="ヌヌ石 ボボ石")
        assert (item["id"], len(item["parts"])) == (made["id"], 3)
        assert item["parts"][0]["pointer"] == "/lead"
        assert item["parts"][0]["highlights"] == [[0, 3], [4, 7]]
