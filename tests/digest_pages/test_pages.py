"""Each page here reads as the document beside it; variants of one page read as the same document."""

import json
from pathlib import Path

import pytest

from app.articles.document import ArticleDocument, SiteLabels
from app.formats import digest_html, digest_page, digest_text
from tests.formats.public import SITE, article_json, page_json, printed

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "digest-page.txt"
# The page after which the format was made, on machines that have it; it is no part of the repository.
SHARED = sorted((HERE.parents[2] / "shared" / "seed").glob("*.txt"))
EXPECTED = sorted(HERE.glob("*.json"))


def text_of(path: Path) -> str:
    body = path.read_bytes()
    return digest_html.text_of(body, None) if path.suffix == ".html" else digest_html.decoded(body, None)


def document(path: Path) -> ArticleDocument:
    return ArticleDocument.model_validate_json(path.read_bytes())


class TestRead:
    @pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
    def test_a_page_reads_as_the_document_beside_it(self, expected: Path) -> None:
        page = digest_page.read(text_of(expected.with_suffix(".txt")), SiteLabels())
        assert page.document == document(expected)
        assert page.document.model_dump(exclude_defaults=True) == json.loads(expected.read_bytes())
        assert page.unmatched == ()

    @pytest.mark.parametrize("variant", ["windows_spaces.txt", "card_after_body.html"])
    def test_line_ends_spaces_and_html_make_no_difference(self, variant: str) -> None:
        page = digest_page.read(text_of(HERE / variant), SiteLabels())
        assert page.document == document(HERE / "card_after_body.json")

    @pytest.mark.parametrize("path", [EXAMPLE, *SHARED], ids=lambda path: path.parent.name)
    def test_every_line_of_a_real_page_has_a_field(self, path: Path) -> None:
        text = text_of(path)
        page = digest_page.read(text, SiteLabels())
        assert page.unmatched == ()
        assert len(page.lines) == len(printed(text))
        sections = page.document.pages[0].sections
        assert [bool(s.heading and s.question and s.answer and s.transition) for s in sections] == [True, True]
        assert all(section.citations and section.body and section.commentary for section in sections)
        assert page.document.title == (page.document.hero_image and page.document.hero_image.alt)
        assert len(page.document.introduction.split("\n\n")) == 2
        assert [announced.announced for announced in page.document.pages] == [False, True]
        assert set(page.document.labels) == {"masthead"}


class TestWrite:
    @pytest.mark.parametrize("path", [*HERE.glob("*.txt"), EXAMPLE, *SHARED], ids=lambda path: path.stem)
    def test_a_page_is_written_back_line_by_line(self, path: Path) -> None:
        text = text_of(path)
        read = digest_page.read(text, SiteLabels()).document
        assert printed(digest_text.article_text(article_json(read), SITE)) == printed(text)

    @pytest.mark.parametrize("path", [EXAMPLE, *SHARED], ids=lambda path: path.parent.name)
    def test_its_first_page_is_written_back_line_by_line(self, path: Path) -> None:
        text = text_of(path)
        page = page_json(digest_page.read(text, SiteLabels()).document, 1)
        assert printed(digest_text.page_text(page["article"], page, SITE)) == printed(text)
