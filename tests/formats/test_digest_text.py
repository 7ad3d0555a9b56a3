from hypothesis import given, settings

from app.articles.document import ArticleDocument, SiteLabels
from app.formats import digest_page, digest_text
from tests.formats.documents import documents
from tests.formats.public import SITE, article_json


class TestRoundTrip:
    @given(documents())
    @settings(max_examples=300)
    def test_a_document_of_what_the_layout_carries_is_read_back_the_same(self, document: ArticleDocument) -> None:
        text = digest_text.article_text(article_json(document), SITE)
        page = digest_page.read(text, SiteLabels())
        assert page.document == document
        assert not page.unmatched
