from typing import Any

from hypothesis import HealthCheck, given, settings

from app.articles.document import ArticleDocument, SiteLabels
from app.formats import digest_page, digest_text
from tests.formats.documents import documents
from tests.formats.public import SITE, article_json, printed


class TestRoundTrip:
    @given(documents())
    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_a_document_of_what_the_layout_carries_is_read_back_the_same(self, document: ArticleDocument) -> None:
        text = digest_text.article_text(article_json(document), SITE)
        page = digest_page.read(text, SiteLabels())
        assert page.document == document
        assert not page.unmatched


def a_page(number: int, **changes: Any) -> dict[str, Any]:
    return {"number": number, "sections": [], "conclusion": "", "previous": None, "next": None, **changes}


def an_article(**changes: Any) -> dict[str, Any]:
    return {**article_json(ArticleDocument(title="題名の町")), **changes}


def a_section(**changes: Any) -> dict[str, Any]:
    parts = dict.fromkeys(("question", "answer", "transition", "commentary"))
    return {"heading": "節", **parts, "citations": [], "body": "", **changes}


def a_citation(**changes: Any) -> dict[str, Any]:
    source = {
        "url": "https://a.example.jp/",
        "title": "菊の報せ",
        "published_on": "2024-11-05",
        "publisher": {"id": "1", "name": "菊新聞"},
        "image": {"url": None, "alt": "菊の写真"},
    }
    names = ("display_title", "publisher_text", "published_on", "url", "image")
    rest = {"shows_published_on": True, "labels": {}, "key_points": [{"text": "要点です。"}, {"text": ""}]}
    return {"source": source, **dict.fromkeys(names), **rest, **changes}


def card(**changes: Any) -> list[str]:
    page = a_page(2, sections=[a_section(citations=[a_citation(**changes)])])
    return printed(digest_text.page_text(an_article(), page, SITE))[2:]


class TestCard:
    def test_null_prints_what_the_source_says(self) -> None:
        assert card() == [
            "菊の報せ",
            "公開日:2024/11/05",
            "菊の写真",
            "✅ 要点です。",
            "さらに読む ⇒菊新聞出典/画像元: https://a.example.jp/",
        ]

    def test_what_is_printed_here_goes_before_the_source(self) -> None:
        here = {"display_title": "報せ", "publisher_text": "", "published_on": "2024", "url": "https://b.example.jp/"}
        labels = {"key_point_marker": "・", "read_more": "→", "source_credit": " "}
        assert card(**here, image={"url": None, "alt": ""}, labels=labels) == [
            "報せ",
            "公開日:2024",
            "・要点です。",
            "→ https://b.example.jp/",
        ]

    def test_a_date_that_is_not_shown_is_not_printed(self) -> None:
        assert card(shows_published_on=False)[1] == "菊の写真"

    def test_a_source_may_say_hardly_anything(self) -> None:
        source = {"url": "https://a.example.jp/", "title": "", "published_on": None, "publisher": None, "image": None}
        assert card(source=source, key_points=[]) == ["さらに読む ⇒出典/画像元: https://a.example.jp/"]


class TestPageText:
    def test_a_further_page_has_masthead_title_sections_and_the_next_teaser(self) -> None:
        sections = [a_section(body="# 小見出し\n\n- 一\n- 二", commentary={"text": "*よい*ですね。", "speaker": None})]
        page = a_page(2, sections=sections, next={"number": 3, "title": None, "teaser": "予告です。", "href": None})
        article = an_article(lead="導入です。", introduction="紹介です。", labels={"masthead": "紋"})
        assert printed(digest_text.page_text(article, page, SITE)) == [
            "紋", "題名の町", "節", "小見出し", "- 一", "- 二", "よいですね。", "次のページを読む ⇒", "予告です。",
        ]  # fmt: skip

    def test_the_conclusion_follows_the_last_sections(self) -> None:
        page = a_page(1, sections=[a_section(body="本文です。")], conclusion="結びです。")
        assert printed(digest_text.page_text(an_article(), page, SITE)) == [
            "題名の町",
            "節",
            "本文です。",
            "結びです。",
        ]


class TestArticleText:
    def test_each_page_is_written_once_and_the_conclusion_before_what_is_announced(self) -> None:
        pages = [
            {"teaser": None, "sections": [a_section(body="一です。")]},
            {"teaser": "二の予告です。", "sections": [a_section(body="二です。")]},
            {"teaser": "三の予告です。", "sections": []},
        ]
        article = an_article(pages=pages, conclusion="結びです。")
        assert printed(digest_text.article_text(article, SITE)) == [
            "題名の町", "節", "一です。", "次のページを読む ⇒", "二の予告です。", "節", "二です。", "結びです。",
            "次のページを読む ⇒", "三の予告です。",
        ]  # fmt: skip

    def test_an_article_without_pages_has_its_head_and_conclusion(self) -> None:
        article = an_article(takeaways=[{"text": "一です。"}], conclusion="結びです。")
        text = digest_text.article_text(article, SITE)
        assert printed(text) == ["題名の町", "📘 この記事で分かる事!", "💡 一です。", "結びです。"]
        assert text.endswith("結びです。\n")
