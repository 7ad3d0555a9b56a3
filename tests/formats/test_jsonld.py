"""JSON-LD: words of schema.org only, where they belong, and nothing that ends the script it is put into."""

import json
from collections.abc import Iterator
from typing import Any

import html5lib
from hypothesis import HealthCheck, given, settings

from app.articles.document import ArticleDocument
from app.delivery import shapes
from app.formats import jsonld
from tests.formats.hostile import NOW, SITE, articles

OPTIONS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
THING = {"@type", "@id", "name", "url", "description", "image"}
WORK = THING | {
    "headline",
    "publisher",
    "datePublished",
    "author",
    "inLanguage",
    "citation",
    "isBasedOn",
    "hasPart",
    "text",
}
WORDS = {
    "NewsArticle": WORK
    | {
        "@context",
        "mainEntityOfPage",
        "alternativeHeadline",
        "abstract",
        "dateModified",
        "keywords",
        "correction",
        "isPartOf",
        "pagination",
    },
    "WebPage": WORK,
    "CorrectionComment": {"@type", "text", "datePublished"},
    "Question": THING | {"acceptedAnswer"},
    "Answer": {"@type", "text", "citation"},
    "Person": {"@type", "name", "url", "jobTitle"},
    "Organization": {"@type", "@id", "name", "url", "logo"},
    "ImageObject": {"@type", "url", "caption", "creditText", "width", "height"},
}
"""What schema.org 29 says a thing of each type may say, of that what is used here."""


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def read(text: str) -> dict[str, Any]:
    """What a page's script element with the text in it says."""
    page = html5lib.parse(f'<script type="application/ld+json">{text}</script><p>', namespaceHTMLElements=False)
    (script,) = page.iter("script")
    assert len([*page.iter("p")]) == 1
    said: dict[str, Any] = json.loads(script.text or "")
    return said


ID = "01a20952-0000-7000-8000-000000000000"


class TestWords:
    @OPTIONS
    @given(article=articles())
    def test_every_node_says_only_what_its_type_may_say(self, article: dict[str, Any]) -> None:
        written = [jsonld.article_jsonld(article, SITE)]
        written += [jsonld.page_jsonld(page["article"], page, SITE) for page in shapes.pages(article)]
        for text in written:
            whole = read(text)
            assert whole == json.loads(text)
            assert (whole["@context"], whole["@type"]) == ("https://schema.org", "NewsArticle")
            named = {node["@id"] for node in nodes(whole) if "@type" in node and "@id" in node}
            for node in nodes(whole):
                if "@type" in node:
                    assert node.keys() <= WORDS[node["@type"]], node
                    assert all(value not in (None, "", []) for value in node.values())
                else:
                    assert node.keys() == {"@id"}
                    assert node["@id"] in named


class TestArticle:
    def test_it_tells_what_it_cites_asks_and_corrects(self) -> None:
        citation = {
            "source": {
                "id": "01a20952-0000-7000-8000-00000000000a",
                "url": "https://news.example.jp/1",
                "title": "記事",
                "publisher": {"id": "01a20952-0000-7000-8000-00000000000b", "name": "菊新聞"},
                "published_on": "2024-11",
                "authors": ["山田花子"],
                "type": "article-newspaper",
            },
        }
        section = {
            "question": "問い?",
            "answer": "答え",
            "citations": [citation],
            "id": "01a20952-0000-7000-8000-00000000000c",
        }
        document = ArticleDocument.model_validate(
            {
                "id": "01a20952-0000-7000-8000-00000000000d",
                "slug": "菊",
                "title": "菊の話",
                "language": "ja",
                "lead": "導入",
                "tags": ["菊"],
                "seo": {"description": "説明"},
                "pages": [{"number": 1, "sections": [section]}],
                "corrections": [{"at": NOW, "text": "直しました。"}],
                "bylines": [{"name": "花", "role": "編集"}],
                "hero_image": {"url": "https://img.example.jp/1.jpg", "alt": "菊"},
            }
        )
        site = SITE | {"base_url": "https://kiku.example/articles/"}
        said = read(jsonld.article_jsonld(shapes.article(document, NOW, NOW), site))
        source = {"@id": "urn:uuid:01a20952-0000-7000-8000-00000000000a"}
        address = "https://kiku.example/articles/%E8%8F%8A"
        assert said == {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "@id": "urn:uuid:01a20952-0000-7000-8000-00000000000d",
            "url": address,
            "mainEntityOfPage": address,
            "headline": "菊の話",
            "description": "説明",
            "inLanguage": "ja",
            "datePublished": NOW,
            "dateModified": NOW,
            "keywords": ["菊"],
            "image": {"@type": "ImageObject", "url": "https://img.example.jp/1.jpg", "caption": "菊"},
            "author": [{"@type": "Person", "name": "花", "jobTitle": "編集"}],
            "publisher": {"@type": "Organization", "name": "菊ダイジェスト", "url": "https://kiku.example/articles/"},
            "correction": [{"@type": "CorrectionComment", "text": "直しました。", "datePublished": NOW}],
            "citation": [
                {
                    "@type": "NewsArticle",
                    **source,
                    "name": "記事",
                    "url": "https://news.example.jp/1",
                    "datePublished": "2024-11",
                    "publisher": {
                        "@type": "Organization",
                        "@id": "urn:uuid:01a20952-0000-7000-8000-00000000000b",
                        "name": "菊新聞",
                    },
                    "author": [{"@type": "Person", "name": "山田花子"}],
                }
            ],
            "isBasedOn": [source],
            "hasPart": [
                {
                    "@type": "Question",
                    "@id": "urn:uuid:01a20952-0000-7000-8000-00000000000c",
                    "name": "問い?",
                    "acceptedAnswer": {"@type": "Answer", "text": "答え", "citation": [source]},
                }
            ],
        }

    def test_a_page_is_a_part_of_what_has_the_address(self) -> None:
        document = ArticleDocument.model_validate(
            {"id": ID, "slug": "kiku", "title": "菊", "language": "ja", "canonical_url": "https://kiku.example/kiku",
             "bylines": [{"name": "", "role": "編集"}, {"name": "花"}],
             "pages": [{"number": 1, "id": "01a20952-0000-7000-8000-000000000001"}]}
        )  # fmt: skip
        (page,) = shapes.pages(shapes.article(document, NOW, NOW))
        said = read(jsonld.page_jsonld(page["article"], page, SITE))
        address = "https://kiku.example/kiku"
        whole = {"@type": "NewsArticle", "@id": f"urn:uuid:{ID}", "url": address, "mainEntityOfPage": address}
        assert said["isPartOf"] == whole
        assert not {"url", "mainEntityOfPage"} & said.keys()
        assert said["author"] == [{"@type": "Person", "name": "花"}]
