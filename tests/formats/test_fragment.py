"""HTML fragments: strictly valid whatever the texts say, and nothing of them is markup, script or a link elsewhere."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings

from app.articles.document import ArticleDocument
from app.delivery import shapes
from app.formats import fragment
from tests.formats.hostile import ATTEMPTS, NOW, SITE, articles, everywhere

OPTIONS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
ELEMENTS = frozenset(
    {
        "article",
        "header",
        "footer",
        "section",
        "aside",
        "nav",
        "figure",
        "figcaption",
        "blockquote",
        "cite",
        "time",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "ul",
        "ol",
        "li",
        "a",
        "img",
        "span",
        "small",
        "br",
        "hr",
        "em",
        "strong",
        "code",
        "pre",
    }
)
ATTRIBUTES = frozenset(
    {
        "lang",
        "class",
        "id",
        "href",
        "cite",
        "src",
        "alt",
        "title",
        "width",
        "height",
        "datetime",
        "rel",
        "loading",
        "start",
    }
)


def parsed(html: str) -> list[Element]:
    """The elements of the fragment, which an HTML parser must take without a single complaint."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return [element for element in parser.parseFragment(html).iter() if element.tag != "DOCUMENT_FRAGMENT"]


def assert_harmless(html: str) -> list[Element]:
    elements = parsed(html)
    for element in elements:
        assert element.tag in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        for name in ("href", "src", "cite"):
            address = element.get(name, "https://")
            assert address.lower().startswith(("https://", "http://", "mailto:", "/v1/articles/")), address
    return elements


def shown(elements: list[Element]) -> str:
    return "".join(elements[0].itertext())


def an_article(**changes: Any) -> dict[str, Any]:
    return shapes.article(
        ArticleDocument.model_validate({"title": "菊", "slug": "kiku", "language": "ja"} | changes), NOW, NOW
    )


def a_section(**changes: Any) -> dict[str, Any]:
    return {
        "pages": [{"number": 1, "sections": [{"id": "01a20952-0000-7000-8000-000000000000", "anchor": "s"} | changes]}]
    }


def bodies(markdown: str) -> Iterator[Element]:
    """The elements that a body becomes."""
    elements = assert_harmless(fragment.article_html(an_article(**a_section(body=markdown)), SITE))
    section = next(element for element in elements if element.tag == "section")
    return iter([*section.iter()][1:])


class TestWhateverTextsSay:
    @OPTIONS
    @given(article=articles())
    def test_articles_and_pages_are_valid_and_harmless(self, article: dict[str, Any]) -> None:
        elements = assert_harmless(fragment.article_html(article, SITE))
        assert (elements[0].tag, elements[0].get("lang")) == ("article", article["language"])
        for page in shapes.pages(article):
            assert_harmless(fragment.page_html(page["article"], page, SITE))

    @pytest.mark.parametrize("text", ATTEMPTS)
    def test_a_text_is_shown_as_it_is(self, text: str) -> None:
        assert_harmless(fragment.article_html(everywhere(text), SITE))
        elements = assert_harmless(fragment.article_html(an_article(title=text, **a_section(heading=text)), SITE))
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        said = "".join(
            "\ufffd" if "\x7f" <= sign <= "\x9f" or sign in "\ufdd0\ufffe\uffff\U0001fffe" else sign for sign in lines
        )
        headings = [element for element in elements if element.tag in {"h1", "h2"}]
        assert ["".join(heading.itertext()) for heading in headings] == [said] * (2 if text else 1)


class TestBodies:
    def test_commonmark_becomes_elements_and_headings_stand_below_the_sections(self) -> None:
        assert [element.tag for element in bodies("# 一\n\n*二*\n\n- 三\n\n> 四\n\n###### 五")] == [
            "h3",
            "p",
            "em",
            "ul",
            "li",
            "blockquote",
            "p",
            "h6",
        ]

    def test_html_is_literal(self) -> None:
        (paragraph,) = bodies('<script>alert("x")</script> <b onclick="x">y</b>')
        assert paragraph.text == '<script>alert("x")</script> <b onclick="x">y</b>'

    @pytest.mark.parametrize("address", ["https://a.example/", "HTTP://a.example/", "mailto:kiku@a.example"])
    def test_links_lead_to_the_web_and_to_mailboxes(self, address: str) -> None:
        _, link = bodies(f"[菊]({address})")
        assert (link.tag, str(link.get("href")).lower(), link.text) == ("a", address.lower(), "菊")

    @pytest.mark.parametrize(
        "address",
        [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#x73;cript:x",
            "\\javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "/relative",
            "//other.example",
            "#anchor",
            "tel:1",
        ],
    )
    def test_links_elsewhere_stay_text(self, address: str) -> None:
        for form in (f"[菊]({address})", f"![菊]({address})", f"[菊][a]\n\n[a]: {address}", f"<{address}>"):
            assert all(element.tag not in {"a", "img"} for element in bodies(form)), form


class TestArticles:
    def test_each_part_is_the_element_that_means_it(self) -> None:
        citation = {
            "source": {
                "url": "https://news.example.jp/1?a=1&b=2",
                "title": "記事",
                "publisher": {"name": "菊新聞"},
                "published_on": "2024-11",
            },
            "key_points": [{"text": "要点"}],
        }
        article = an_article(
            lead="一行目\n二行目",
            hero_image={
                "url": "https://img.example.jp/1.jpg",
                "alt": "菊",
                "caption": "満開",
                "credit": "菊園",
                "width": 4,
            },
            bylines=[{"name": "花", "role": "編集", "url": "https://hana.example.jp/"}],
            corrections=[{"at": NOW, "text": "直しました。"}],
            conclusion="結び",
            **a_section(question="問い?", answer="答え", citations=[citation], commentary={"text": "ね。"}),
        )
        html = fragment.article_html(article, SITE)
        elements = assert_harmless(html)
        assert '<p class="lead">一行目<br>\n二行目</p>' in html
        (image,) = (element for element in elements if element.tag == "img")
        assert (image.get("alt"), image.get("width")) == ("菊", "4")
        times = [(element.get("datetime"), element.text) for element in elements if element.tag == "time"]
        assert times == [(NOW, NOW), ("2024-11", "公開日:2024/11"), (NOW, NOW)]
        (quote,) = (element for element in elements if element.tag == "blockquote")
        assert (quote.get("cite"), "".join(quote.itertext()).strip()) == ("https://news.example.jp/1?a=1&b=2", "要点")
        (cite,) = (element for element in elements if element.tag == "cite")
        assert (cite[0].get("href"), cite[0].text) == ("https://news.example.jp/1?a=1&b=2", "記事")
        assert [element.get("class") for element in elements if element.tag in {"aside", "footer"}] == [
            "commentary",
            "corrections",
        ]

    def test_the_picture_of_a_card_tells_its_caption_and_credit(self) -> None:
        image = {
            "url": "https://img.example.jp/1.jpg",
            "caption": "満開",
            "credit": "菊園",
            "credit_url": "https://e.jp/",
        }
        citation = {"source": {"url": "https://news.example.jp/1", "title": "記事"}, "image": image}
        elements = assert_harmless(fragment.article_html(an_article(**a_section(citations=[citation])), SITE))
        picture, card = ("".join(element.itertext()) for element in elements if element.tag == "figcaption")
        assert (picture, card.strip()) == ("満開 菊園", "記事")

    def test_who_has_no_name_is_not_named(self) -> None:
        article = an_article(bylines=[{"name": "", "role": "編集"}])
        assert "bylines" not in fragment.article_html(article, SITE)
        article["bylines"] += [{"name": "花", "role": None, "url": None}]
        assert '<p class="bylines">花</p>' in fragment.article_html(article, SITE)

    def test_the_conclusion_stands_on_the_last_page_that_is_written(self) -> None:
        pages = [
            {"number": 1, "sections": [{"id": "01a20952-0000-7000-8000-000000000000", "anchor": "s", "body": "本文"}]},
            {"number": 2, "teaser": "続きは次に。"},
        ]
        html = fragment.article_html(an_article(conclusion="結び", pages=pages), SITE)
        assert html.index("本文") < html.index("結び") < html.index("続きは次に。")
        assert "結び" in fragment.article_html(an_article(conclusion="結び"), SITE)

    def test_a_page_leads_to_its_neighbours_and_shows_what_is_only_announced(self) -> None:
        section = {"sections": [{"id": "01a20952-0000-7000-8000-000000000000", "anchor": "s", "body": "本文"}]}
        pages = [
            {"number": 1, **section},
            {"number": 2, "teaser": "次は水やりです。", **section},
            {"number": 3, "teaser": "また。"},
        ]
        article = an_article(slug="菊", lead="導入", pages=pages)
        first, second = (fragment.page_html(page["article"], page, SITE) for page in shapes.pages(article))
        links = [(a.get("rel"), a.get("href")) for a in assert_harmless(first) if a.tag == "a"]
        assert links == [("next", "/v1/articles/菊/pages/2.html")]
        assert "次は水やりです。" in first
        links = [(a.get("rel"), a.get("href")) for a in assert_harmless(second) if a.tag == "a"]
        assert links == [("prev", "/v1/articles/菊/pages/1.html")]
        assert "また。" in second
        assert "導入" not in second
