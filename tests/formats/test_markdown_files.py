"""Markdown files: what is written is read back the same, and what people write is read as they mean it."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from app.articles.document import ArticleDocument
from app.delivery import shapes
from app.errors import Invalid
from app.formats import markdown, markdown_reading, markdown_writing
from tests.formats.hostile import ATTEMPTS, NOW, articles, everywhere, long_texts

OPTIONS = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as told:
        markdown_reading.read(text)
    return [(fault.code, fault.detail.partition(":")[0]) for fault in told.value.faults]


def sections(text: str) -> list[Any]:
    return [section for page in markdown_reading.read(text).pages for section in page.sections]


def assert_comes_back(article: dict[str, Any]) -> None:
    written = markdown_writing.article_markdown(article)
    public = {name: value for name, value in article.items() if name not in {"published_at", "revised_at"}}
    assert markdown_reading.read(written).model_dump() == public
    windows = markdown_reading.read("\ufeff" + written.replace("\n", "\r\n"))
    assert windows.model_dump() == public


class TestThereAndBack:
    @pytest.mark.parametrize("said", ATTEMPTS)
    def test_what_looks_like_something_else_comes_back_wherever_it_stands(self, said: str) -> None:
        assert_comes_back(everywhere(said))

    @OPTIONS
    @given(article=articles())
    def test_every_field_comes_back_whatever_it_says(self, article: dict[str, Any]) -> None:
        assert_comes_back(article)

    @settings(OPTIONS, max_examples=25)
    @given(said=long_texts)
    def test_long_texts_come_back_wherever_they_stand(self, said: str) -> None:
        assert_comes_back(everywhere(said))

    @pytest.mark.parametrize(
        "said", ["導入\n![a](javascript:x)", "![a](javascript:x)\n導入", "![](vbscript:x)", "a\n![a](x y)"]
    )
    def test_a_picture_of_a_refused_address_is_text(self, said: str) -> None:
        assert_comes_back(everywhere(said))
        hero = {"url": "https://img.example.jp/1.jpg", "alt": "菊"}
        for image in (None, hero):
            assert_comes_back(an_article(lead=said, hero_image=image))

    @pytest.mark.parametrize("said", ["a ##", "a #", "##", "# #", "a # ", "a\t#", "a#", "C# #", "a \\#"])
    def test_signs_that_close_a_heading_are_a_part_of_it(self, said: str) -> None:
        article = an_article(
            title=said, pages=[{"number": 1, "title": said, "sections": [{"heading": said, **IDS}], "id": ID}]
        )
        assert_comes_back(article)
        written = markdown_writing.article_markdown(article).split("---\n", 2)[2]
        headings = [
            markdown.text(markdown.inline(inside.content))
            for opening, inside in pairwise(markdown.blocks(written))
            if opening.type == "heading_open"
        ]
        assert headings == ([said] * 3 if said == said.strip() else [])  # else beside the prose

    def test_the_conclusion_stands_before_what_is_announced(self) -> None:
        article = an_article(conclusion="結び", pages=PAGES)
        assert_comes_back(article)
        written = markdown_writing.article_markdown(article)
        assert written.index("本文二") < written.index("結び") < written.index("続きは次に")

    @OPTIONS
    @given(article=articles())
    def test_the_front_matter_says_the_same_to_any_reader_of_yaml(self, article: dict[str, Any]) -> None:
        _, front, _ = markdown_writing.article_markdown(article).split("---\n", 2)
        said = yaml.safe_load(front)
        assert said["slug"] == article["slug"]
        for name in ("title_reading", "labels", "tags", "bylines"):
            told = [_without_nulls(each) for each in article[name]] if name == "bylines" else article[name]
            assert said.get(name) == (None if told in ([], {}) else told), name

    @settings(OPTIONS, max_examples=50)
    @given(article=articles())
    def test_a_page_is_written_and_never_taken_for_the_article(self, article: dict[str, Any]) -> None:
        for page in shapes.pages(article):
            written = markdown_writing.page_markdown(page["article"], page)
            assert ("page-alone", "Line 1") in refused(written)


ID = "01a20952-0000-7000-8000-000000000000"
IDS = {"id": "01a20952-0000-7000-8000-000000000001", "anchor": "s"}
PAGES: list[Any] = [
    {"id": "01a20952-0000-7000-8000-000000000002", "number": 1, "sections": [{**IDS, "body": "本文一"}]},
    {"id": "01a20952-0000-7000-8000-000000000003", "number": 2, "teaser": "二頁へ",
     "sections": [{"id": "01a20952-0000-7000-8000-000000000004", "anchor": "t", "body": "本文二"}]},
    {"id": "01a20952-0000-7000-8000-000000000005", "number": 3, "teaser": "続きは次に"},
]  # fmt: skip


def an_article(**changes: Any) -> dict[str, Any]:
    said = {"id": ID, "slug": "kiku", "title": "菊", "language": "ja"} | changes
    return shapes.article(ArticleDocument.model_validate(said), NOW, NOW)


def _without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}


class TestWhatPeopleWrite:
    def test_an_article_needs_no_comment_and_no_id(self) -> None:
        article = markdown_reading.read(
            "---\nslug: kiku\ntags: [菊, 2024]\npublished_at: 2024-11-05T00:00:00Z\n---\n# 菊の秋\n\n導入です。\n\n"
            "![菊の写真](https://img.example.jp/1.jpg)\n\n<!-- takeaways -->\n- 一つ目\n- 二つ目\n  その続き\n\n"
            "## 千輪咲き\n\n本文です。\n\n### 小見出し\n\n続きです。\n"
        )
        assert (article.title, article.lead, article.tags) == ("菊の秋", "導入です。", ["菊", "2024"])
        assert article.hero_image is not None
        assert article.hero_image.alt == "菊の写真"
        assert [point.text for point in article.takeaways] == ["一つ目", "二つ目\nその続き"]
        (section,) = article.pages[0].sections
        assert (section.heading, section.body) == ("千輪咲き", "本文です。\n\n### 小見出し\n\n続きです。")

    def test_a_card_without_a_comment_tells_its_source(self) -> None:
        (section,) = sections(
            "# 題\n## 節\n<!-- citation -->\n[記事](https://news.example.jp/1) 菊新聞 (2024-11)\n- 要点 <!-- {} -->\n"
        )
        (citation,) = section.citations
        source = citation.source
        assert (source.url, source.title, source.publisher.name) == ("https://news.example.jp/1", "記事", "菊新聞")
        assert (source.published_on, citation.display_title, citation.published_on) == ("2024-11", None, None)
        assert [point.text for point in citation.key_points] == ["要点"]

    @pytest.mark.parametrize(
        ("line", "printed"),
        [
            ("[別の題](https://news.example.jp/1) 菊新聞 (2024)", {"display_title": "別の題"}),
            ("[題](https://other.example.jp/1) 菊新聞 (2024)", {"url": "https://other.example.jp/1"}),
            ("[題](https://news.example.jp/1) 菊新聞社 (2024)", {"publisher_text": "菊新聞社"}),
            ("[題](https://news.example.jp/1) (2024)", {"publisher_text": ""}),
            ("[題](https://news.example.jp/1) 菊新聞 (2024-11-05)", {"published_on": "2024-11-05"}),
            ("[題](https://news.example.jp/1) 菊新聞", {"shows_published_on": False}),
        ],
    )
    def test_what_a_card_prints_is_changed_where_it_is_printed(self, line: str, printed: dict[str, Any]) -> None:
        source = "{url: 'https://news.example.jp/1', title: 題, publisher: {name: 菊新聞}, published_on: 2024}"
        (section,) = sections(f"# 題\n## 節\n<!-- citation {{source: {source}}} -->\n{line}\n")
        (citation,) = section.citations
        names = ("display_title", "url", "publisher_text", "published_on")
        plain = {**dict.fromkeys(names), "shows_published_on": True}
        assert {name: getattr(citation, name) for name in plain} == plain | printed

    def test_prose_goes_before_what_stands_beside_it(self) -> None:
        article = markdown_reading.read(
            "---\ntitle: 脇\nlead: 脇\nhero_image: {credit: 菊園}\n---\n# 題\n導入\n\n![a](http://e.jp)"
        )
        assert (article.title, article.lead) == ("題", "導入")
        assert article.hero_image is not None
        assert (article.hero_image.credit, article.hero_image.url) == ("菊園", "http://e.jp")

    def test_plain_texts_keep_what_looks_like_markup(self) -> None:
        (section,) = sections("# *題*\n## 節\n<!-- question -->\n\n3 * 4 * 5 [は]?\n")
        assert section.question == "3 * 4 * 5 [は]?"

    def test_a_picture_above_the_lead_is_the_hero_image_too(self) -> None:
        article = markdown_reading.read("# 題\n\n![菊](https://img.example.jp/1.jpg)\n\n導入です。\n")
        assert article.lead == "導入です。"
        assert article.hero_image is not None
        assert (article.hero_image.url, article.hero_image.alt) == ("https://img.example.jp/1.jpg", "菊")

    @pytest.mark.parametrize("fence", ["```", "~~~~", "```sh", "   ```"])
    def test_what_stands_in_a_block_of_code_begins_no_section(self, fence: str) -> None:
        code = f"{fence}\n## x\n``\n{fence.strip(' sh')}"
        first, second = sections(f"# 題\n## 節\n本文\n\n{code}\n\n## 次\n本文")
        assert (first.heading, first.body, second.heading) == ("節", f"本文\n\n{code}", "次")

    def test_a_block_of_code_without_an_end_ends_at_the_next_comment(self) -> None:
        first, second = sections("# 題\n## 節\n```\n## x\n<!-- section -->\n\n## 次\n本文")
        assert (first.body, second.heading) == ("```\n## x", "次")

    def test_signs_that_close_a_heading_are_none_of_it(self) -> None:
        article = markdown_reading.read("# 題 #\n## 節 ##\n<!-- page -->\n# 頁 #\n## C#\n")
        headings = [section.heading for page in article.pages for section in page.sections]
        assert (article.title, article.pages[1].title, headings) == ("題", "頁", ["節", "C#"])


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("text", "faults"),
        [
            ("", [("title-missing", "Line 1")]),
            ("導入だけ", [("title-missing", "Line 1")]),
            ("---\nslug: kiku\n", [("front-matter-invalid", "Line 1")]),
            ("---\nslug: kiku\ntags: [\n---\n# 題", [("front-matter-invalid", "Line 4")]),
            ("---\n- a\n---\n# 題", [("front-matter-invalid", "Line 2")]),
            ("---\nslug: a\nslug: b\n---\n# 題", [("front-matter-invalid", "Line 2")]),
            ("---\nseo: &a {}\nlabels: *a\n---\n# 題", [("front-matter-invalid", "Line 2")]),
            ("---\nslug: !!python/name:os.system x\n---\n# 題", [("front-matter-invalid", "Line 2")]),
            (f"---\ntags: {'[' * 5000}\n---\n# 題", [("front-matter-invalid", "Line 2")]),
            ("---\npages: []\n---\n# 題", [("front-matter-invalid", "Line 1")]),
            ("# 題\n## 節\n<!-- TODO -->\n", [("comment-invalid", "Line 3")]),
            ("# 題\n## 節\n<!-- body\nbody", [("comment-invalid", "Line 3")]),
            ("# 題\n## 節\n<!-- body --> x", [("comment-invalid", "Line 3")]),
            ("# 題\n<!-- section {citations: []} -->", [("comment-invalid", "Line 2")]),
            ("# 題\n## 節\n<!-- body [a] -->", [("comment-invalid", "Line 3")]),
            ("# 題\n<!-- question -->\n問い?", [("section-missing", "Line 2")]),
            ("# 題\n## 節\n<!-- answer -->\na\n<!-- answer -->\nb", [("field-repeated", "Line 5")]),
            ("# 題\n<!-- conclusion -->\na\n<!-- conclusion -->\nb", [("field-repeated", "Line 4")]),
            ("# 題\n<!-- takeaways -->\n\n一つ目\n", [("list-invalid", "Line 4")]),
            ("# 題\n<!-- takeaways -->\n- 一つ目\n- 二つ目 <!-- [ -->\n", [("list-invalid", "Line 4")]),
            ("# 題\n## 節\n<!-- citation -->\n\nカード\n\n- 点", [("list-invalid", "Line 5")]),
        ],
    )  # fmt: skip
    def test_it_is_refused_with_the_number_of_its_line(self, text: str, faults: list[tuple[str, str]]) -> None:
        assert refused(text) == faults

    @pytest.mark.parametrize(
        ("text", "fault", "pointer"),
        [
            ("---\nsluggish: a\n---\n# 題", ("unknown-field", "Line 1"), "/sluggish"),
            ("# 題\n## 節\n\n<!-- citation\nkiku: 1\n-->\n[a](https://e.jp)", ("unknown-field", "Line 4"),
             "/pages/0/sections/0/citations/0/kiku"),
            ("# 題\n## 節\n\n<!-- citation -->\n[a](ftp://e.jp)", ("url-invalid", "Line 4"),
             "/pages/0/sections/0/citations/0/source/url"),
            ("# 題\n## 節\n<!-- citation -->\n", ("required", "Line 3"), "/pages/0/sections/0/citations/0/source"),
            ("# 題\n<!-- takeaways -->\n- a\n- b <!-- x -->", ("id-invalid", "Line 2"), "/takeaways/1/id"),
            ("# 題\x07\n", ("text-refused", "Line 1"), "/title"),
            ("# 題\n\n<!-- page {title: [a]} -->", ("string-type", "Line 3"), "/pages/0/title"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_its_field_is_told_with_line_and_pointer(
        self, text: str, fault: tuple[str, str], pointer: str
    ) -> None:
        with pytest.raises(Invalid) as told:
            markdown_reading.read(text)
        assert [(each.code, each.detail.partition(":")[0], each.pointer) for each in told.value.faults] == [
            (*fault, pointer)
        ]

    @settings(OPTIONS, max_examples=100)
    @given(article=articles())
    def test_a_file_that_lost_its_end_is_read_or_refused_and_nothing_else(self, article: dict[str, Any]) -> None:
        written = markdown_writing.article_markdown(article)
        for cut in range(0, len(written), max(1, len(written) // 12)):
            with suppress(Invalid):
                assert isinstance(markdown_reading.read(written[:cut]), ArticleDocument)


def test_the_times_of_publication_are_told_to_people() -> None:
    article = shapes.article(
        ArticleDocument(id="01a20952-0000-7000-8000-000000000000", slug="kiku", title="菊"), NOW, NOW
    )
    assert f'published_at: "{NOW}"' in markdown_writing.article_markdown(article)
