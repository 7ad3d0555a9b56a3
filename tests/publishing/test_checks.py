"""Checks: each finds what it is for, and leaves alone what only looks like it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.articles.document import ArticleDocument, Site, SiteLabels
from app.formats import digest_html, digest_page, markdown, sentences
from app.publishing import announcements, findings
from app.publishing.check_texts import TEXTS
from tests.conftest import SHARED
from tests.factories import a_document, a_section
from tests.strategies import documents

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
PAGES = sorted((SHARED / "seed").glob("*.txt"))
DATE = "2024-10-20"
DATED = {"url": "https://news.example.jp/", "published_on": DATE}
IMAGE = {"url": "https://news.example.jp/kiku.jpg", "alt": "菊", "credit": "菊新聞"}


def a_card(text: str, **changes: Any) -> dict[str, Any]:
    """A citation nothing is to be said of."""
    source = {"url": f"https://news.example.jp/{text}", "title": "千輪咲き", "published_on": DATE}
    return {"source": source, "key_points": [{"text": text}], **changes}


def found(changes: dict[str, Any], *, site: Site | None = None, bare: set[str] | None = None) -> list[tuple[str, str]]:
    """Codes and pointers for a document nothing is to be said of but for these changes."""
    whole = {"pages": [{"sections": [a_section(citations=[a_card("一輪咲いた。")])]}], **changes}
    document = ArticleDocument.model_validate(a_document(**whole))
    return [(one.code, one.pointer) for one in findings.of(document, site or Site(), bare or set())]


def in_section(**changes: Any) -> dict[str, Any]:
    return {"pages": [{"sections": [a_section(**{"citations": [a_card("一輪咲いた。")], **changes})]}]}


def in_card(**changes: Any) -> dict[str, Any]:
    return in_section(citations=[a_card("一輪咲いた。", **changes)])


def sections(count: int) -> list[dict[str, Any]]:
    return [a_section(heading=f"会場{at}", citations=[a_card(f"会場{at}で咲いた。")]) for at in range(count)]


BODY, CARD = "/pages/0/sections/0/body", "/pages/0/sections/0/citations/0"
POINTS = [{"text": text} for text in ("一", "二", "三", "四", "五", "六")]


class TestEachCheck:
    def test_of_a_sound_article_nothing_is_said(self) -> None:
        assert found({}) == []

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"title": " "}, ("title-empty", "/title")),
            ({"title": "菊" * 61}, ("title-long", "/title")),
            ({"pages": [{"teaser": "次"}]}, ("first-page-empty", "/pages/0/sections")),
            ({"takeaways": []}, ("takeaways-count", "/takeaways")),
            ({"takeaways": POINTS}, ("takeaways-count", "/takeaways")),
            ({"takeaways": [{"text": "菊。"}, {"text": " 菊"}]}, ("key-point-repeated", "/takeaways/1/text")),
            ({"hero_image": IMAGE | {"alt": ""}}, ("image-alt-missing", "/hero_image/alt")),
            ({"hero_image": IMAGE | {"credit": None}}, ("image-credit-missing", "/hero_image/credit")),
            (in_section(heading=""), ("section-heading-missing", "/pages/0/sections/0/heading")),
            (in_section(body="", citations=[]), ("section-empty", "/pages/0/sections/0")),
            (in_section(citations=[]), ("section-uncited", "/pages/0/sections/0/citations")),
            (in_section(answer=""), ("answer-missing", "/pages/0/sections/0/answer")),
            (in_card(key_points=[]), ("key-points-missing", f"{CARD}/key_points")),
            (in_card(key_points=[{"text": " "}]), ("key-points-missing", f"{CARD}/key_points")),
            (in_card(source={"url": "https://news.example.jp/"}), ("date-missing", f"{CARD}/published_on")),
            (in_card(source={"url": "https://news.example.jp/"}, shows_published_on=False),
             ("date-missing", f"{CARD}/published_on")),
            (in_card(image=IMAGE | {"alt": "\u3000"}), ("image-alt-missing", f"{CARD}/image/alt")),
            (in_card(source=DATED | {"image": IMAGE | {"alt": ""}}), ("image-alt-missing", f"{CARD}/source/image/alt")),
            (in_card(image=IMAGE | {"credit": None}, labels={"source_credit": "出典: "}),
             ("image-credit-missing", f"{CARD}/image/credit")),
            ({"pages": [*in_section()["pages"], {"sections": [a_section(citations=[a_card("二輪。")])]}]},
             ("teaser-missing", "/pages/1/teaser")),
            ({"conclusion": "また来年会いましょう"}, ("sentence-end-missing", "/conclusion")),
            (in_section(commentary={"text": "楽しみですね"}),
             ("sentence-end-missing", "/pages/0/sections/0/commentary/text")),
        ],
    )  # fmt: skip
    def test_it_tells_what_it_is_for_and_nothing_else(self, changes: dict[str, Any], expected: tuple[str, str]) -> None:
        assert found(changes) == [expected]

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": "菊" * 60},
            {"title": "👩‍🌾" * 60},
            {"takeaways": POINTS[:1]},
            {"takeaways": POINTS[:5]},
            {"takeaways": [{"text": "一輪咲いた。"}]},
            {"hero_image": IMAGE},
            {"hero_image": {"alt": "印刷された題名"}},
            in_card(image={"alt": "見出し"}),
            in_card(image=IMAGE | {"credit": None}),
            in_card(published_on="2024", source={"url": "https://news.example.jp/"}),
            in_card(shows_published_on=False),
            {"pages": [*in_section()["pages"], {"teaser": "次のページへ。"}]},
            {"pages": [{"sections": [a_section(citations=[]), a_section(heading=None, citations=[a_card("二輪。")])]}]},
            {"pages": [{"sections": [a_section(citations=[a_card("二輪。")]), a_section(heading=None, citations=[])]}]},
        ],
    )  # fmt: skip
    def test_it_leaves_alone_what_only_looks_like_it(self, changes: dict[str, Any]) -> None:
        assert found(changes) == []

    def test_a_key_point_that_another_citation_has_is_told_with_the_first(self) -> None:
        cards = [a_card("一輪咲いた。"), a_card("二輪", key_points=[{"text": "一輪、咲いた"}, {"text": "一輪咲いた!"}])]
        document = ArticleDocument.model_validate(a_document(**in_section(citations=cards)))
        (one,) = findings.of(document, Site(), set())
        assert one == ("key-point-repeated", "/pages/0/sections/0/citations/1/key_points/1/text",
                       {"first": f"{CARD}/key_points/0/text"})  # fmt: skip

    def test_a_publisher_is_guessed_where_more_is_printed_and_the_ledger_has_its_name_alone(self) -> None:
        id = "01a20952-0000-7000-8000-000000000000"
        publisher = {"id": id, "name": "菊新聞"}
        source = {"url": "https://news.example.jp/", "published_on": DATE, "publisher": publisher}
        longer = in_card(source=source, publisher_text="菊新聞 園芸ニュース")
        assert found(longer, bare={id}) == [("publisher-guessed", f"{CARD}/publisher_text")]
        assert found(longer) == []
        assert found(in_card(source=source, publisher_text="ＫＩＫＵ"), bare={id}) == []
        assert found(in_card(source=source), bare={id}) == []


class TestSentenceEnds:
    @pytest.mark.parametrize(
        "end",
        ["咲いた。", "咲く!", "咲く？", "咲く…", "「咲く」", "(笑)", "『菊』", "咲いた♪", "咲く🌸", "done.", "咲く。 "],
    )  # fmt: skip
    def test_a_paragraph_that_ends_as_sentences_do_is_left_alone(self, end: str) -> None:
        assert found(in_section(body=f"朝は静かでした。\n\n{end}")) == []

    @pytest.mark.parametrize(
        "text",
        [
            "朝は静かでした。\n\n菊が咲いたと考えられます",
            "菊が咲いたと考えられます\n\n朝は静かでした。",
            "会場は\n公園です",
            "# 会場\n\n公園で咲いています\n\n- 一番\n- 二番",
            "公園で**きれいに**咲いています",
            "公園で[きれいに](https://news.example.jp/)咲いています",
            "昨日は[公園で](https://news.example.jp/)、明日は[港で咲く](https://news.example.jp/)",
            "会場は、公園です:",
            "朝は静かでした。\r\n\r\n公園で咲いています\u3000",
        ],
    )
    def test_one_that_does_not_is_told(self, text: str) -> None:
        assert found(in_section(body=text)) == [("sentence-end-missing", BODY)]

    @pytest.mark.parametrize(
        "text",
        [
            "# 会場の様子",
            "会場の様子です\n---",
            "- 公園です\n- 港です",
            "1. 公園です",
            "> 公園です",
            "```\n公園です\n```",
            "    公園です",
            "**会場の様子です**",
            "[詳しくはこちらです](https://news.example.jp/)",
            "![菊です](https://news.example.jp/kiku.jpg)",
            "・公園です\n・港です",
            "※雨の日は休みです",
            "会場:菊公園",
            "詳しくはこちらです https://news.example.jp/kiku",
            "会場は次の二つです:\n\n- 公園\n- 港",
            "**公園で咲いています。**",
            "",
            " \n\n\u3000",
        ],
    )
    def test_what_is_no_running_text_needs_no_full_stop(self, text: str) -> None:
        assert found(in_section(body=text)) == []

    def test_the_paragraphs_are_named_up_to_ten(self) -> None:
        document = ArticleDocument.model_validate(a_document(introduction="菊が咲きます\n\n" * 12))
        said = [one.values for one in findings.of(document, Site(), set()) if one.code == "sentence-end-missing"]
        assert said == [{"paragraphs": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …"}]

    @pytest.mark.parametrize(("language", "told"), [("ja", True), ("en", True), ("th", False), (None, True)])
    def test_a_language_without_such_signs_is_left_alone(self, language: str | None, told: bool) -> None:
        changes = {"language": language, "introduction": "菊が咲いたと考えられます"}
        assert found(changes) == ([("sentence-end-missing", "/introduction")] if told else [])

    @pytest.mark.parametrize(("text", "language"), [("菊が咲く۔", "ur"), ("菊が咲く।", "hi"), ("Τι ώρα;", "el")])
    def test_other_scripts_have_signs_of_their_own(self, text: str, language: str) -> None:
        assert found({"language": language, "introduction": text}) == []

    @given(
        st.text(alphabet="*_[]()!<>#-`\\~=+1. \n\t。です:&;\u3000\u200d\u0301🌸", max_size=60),
        st.sampled_from(["ja", "en", "el"]),
    )
    def test_whatever_markup_there_is_each_paragraph_is_told_once(self, text: str, language: str) -> None:
        told = list(sentences.unended(text, language))
        assert told == sorted(set(told))
        assert len(told) <= len(markdown.plain(text))


class TestAnnouncedNumbers:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("3つのポイント", [3]),
            ("３つのポイント", [3]),
            ("三つの理由", [3]),
            ("十二個の疑問", [12]),
            ("二十の理由、二十三個の理由", [23]),
            ("見どころ5選", [5]),
            ("ポイントは4つ", [4]),
            ("3点を解説", [3]),
            ("3つの大きなテーマ", [3]),
            ("分かる3つの事!", [3]),
            ("Three reasons to go", [3]),
            ("4 key points", [4]),
            ("一つのポイント", []),
            ("三つの国", []),
            ("3つの事件", []),
            ("3つ目のポイント", []),
            ("2〜3つのポイント", []),
            ("2、3つのポイント", []),
            ("二三つのポイント", []),
            ("残り3つのポイント", []),
            ("知事が3選", []),
            ("3点差の勝利", []),
            ("won by 3 points", []),
        ],
    )
    def test_a_number_is_read_where_parts_are_announced(self, text: str, numbers: list[int]) -> None:
        assert list(announcements.numbers(text)) == numbers

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"introduction": "本日は3つのポイントをご紹介します。"}, "/introduction"),
            ({"introduction": "We will look at three reasons."}, "/introduction"),
            ({"lead": "菊まつりを五つの視点で読み解きます。"}, "/lead"),
            ({"title": "菊まつりの見どころ5選"}, "/title"),
            ({"pages": [{"title": "咲く3つの理由", "sections": sections(2)}]}, "/pages/0/title"),
            ({"labels": {"takeaways_heading": "この記事で分かる3つの事"}}, "/labels/takeaways_heading"),
        ],
    )
    def test_one_that_nothing_there_bears_out_is_told(self, changes: dict[str, Any], pointer: str) -> None:
        three = [{"text": text} for text in ("一", "二", "三")]
        takeaways = {} if "labels" in changes else {"takeaways": three}
        assert found({"pages": [{"sections": sections(2)}], **takeaways, **changes}) == [("announced-number", pointer)]

    @pytest.mark.parametrize(
        "changes",
        [
            {"introduction": "本日は2つのポイントをご紹介します。"},
            {"introduction": "政府は3つのテーマで協議しました。"},
            {"lead": "菊まつりを三つの視点で読み解きます。", "takeaways": POINTS[:3]},
            {"title": "菊まつりの見どころ5選", "pages": [{"sections": sections(2)}, {"teaser": "次。"}]},
            {"introduction": "本日は4つのポイントをご紹介します。",
             "pages": [{"sections": sections(2)}, {"teaser": "次。", "sections": [
                 a_section(citations=[a_card("港で咲いた。")]), a_section(citations=[a_card("駅で咲いた。")])]}]},
            {"introduction": "本日は2つのポイントをご紹介します。",
             "pages": [{"sections": [*sections(2), a_section(heading=None, citations=[a_card("港。")])]}]},
        ],
    )  # fmt: skip
    def test_one_that_fits_or_speaks_of_something_else_is_left_alone(self, changes: dict[str, Any]) -> None:
        assert found({"pages": [{"sections": sections(2)}], **changes}) == []

    def test_the_sites_own_heading_is_told_at_the_takeaways(self) -> None:
        site = Site(labels=SiteLabels(takeaways_heading="3つの要点"))
        assert found({}, site=site) == [("announced-number", "/takeaways")]


def resolve(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


class TestAnyDocument:
    @given(documents)
    def test_every_pointer_leads_into_it_and_every_sentence_is_complete(self, sent: dict[str, Any]) -> None:
        document = ArticleDocument.model_validate(sent)
        dumped = document.model_dump()
        for one in findings.of(document, Site(), set()):
            resolve(dumped, one.pointer)
            said = [TEXTS[one.code].said("ja", one.values), TEXTS[one.code].said("en", one.values)]
            assert all(said)
            assert not any(sign in sentence for sentence in said for sign in "{}")


class TestTexts:
    def test_every_check_has_a_sentence_in_both_languages(self) -> None:
        for code, text in TEXTS.items():
            assert text.ja.endswith("。"), code
            assert text.en.endswith("."), code
            assert text.en.isascii(), code
            assert not text.ja.isascii(), code

    def test_every_check_is_in_the_docs_with_its_severity(self) -> None:
        docs = DOCS.read_text()
        for code, text in TEXTS.items():
            assert f"| `{code}` | {text.severity} |" in docs


class TestTheSeedPage:
    @pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
    def test_three_things_are_told_and_no_more(self, path: Path) -> None:
        document = digest_page.read(digest_html.decoded(path.read_bytes(), None), SiteLabels()).document
        told = [(one.code, one.pointer, one.values) for one in findings.of(document, Site(), set())]
        assert told == [
            ("announced-number", "/introduction", {"announced": 3, "found": 2}),
            ("date-missing", "/pages/0/sections/1/citations/0/published_on", {}),
            ("sentence-end-missing", "/pages/0/sections/1/body", {"paragraphs": "7"}),
        ]
