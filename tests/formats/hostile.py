"""Public articles whose texts try everything that could end an element, a string, a line or a file."""

from typing import Any

from hypothesis import strategies as st

from app import text
from app.articles.document import ArticleDocument, Site
from app.articles.fields import new_id
from tests.strategies import documents

SITE: dict[str, Any] = Site(name="菊ダイジェスト").model_dump()
NOW = "2026-01-02T03:04:05.678Z"

ATTEMPTS = [
    "## 見出し", " ## 見出し", "##", "# 題", "---", "***", "===", "- 項目", "1. 一", "> 引用", "```\n## x\n```",
    "~~~", "    code", "<!-- body -->", " <!-- x -->", "a <!-- b -->", "-->", "a --> b", "![a](https://e.example)",
    "[a](javascript:alert(1))", "[a](data:text/html,x)", "<https://e.example>", "<javascript:x>", "[a](/b)",
    "![x](vbscript:x)", "\\", "a\\", "\\# x", "\\\\", "`", "*a*", "_a_", "&amp;", "&#x80; &#xFFFE; &#13;", "a  \nb",
    "a\\\nb", "a\n\n\nb", "\n先頭", "末尾\n", "\r", "a\rb", "a\r\nb", "\t", " 菊 ", "\u3000菊", "菊\u3000",
    "</script><script>", "<img src=x onerror=alert(1)>", "\"' onload='x", "]]>", "<![CDATA[", "<?xml?>", "&",
    "\x7f", "\x80\x9f", "\x85", "\u2028\u2029", "\ufeff", "\ufffe\uffff", "\U0001fffe", "\ufdd0", "\u200f",
    "\u2067א\u2069", "👩‍🌾", "𠮷", "{", "}", "{{", "{a\\}", "#$%&_~^", "@article{x,", ', and " # {', "a and b",
    "ER  - ", "\nER  - \nTY  - X", "TY  - BOOK", "null", "~", "true", "no", "2024", "2024-11-05", "0x1F", "1e3",
    ".inf", "- a: b", "a: b", "a #b", "*x", "&x", "!!python/object", "%YAML", "[a", "'", '"', "a (2024)", "(2024)",
    "[a] b", "![", "a](b", "…", "e\u0301", "", "0",
]  # fmt: skip
texts = st.sampled_from(ATTEMPTS) | st.text(max_size=12).filter(lambda said: text.hostile(said) is None)
_SIGNS = [
    *"菊アのー、。：？！・（）\u3000 \n",
    *"ab1!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "…",
    "🌼",
    "## ",
    "<!--",
    "![a](",
]
long_texts = st.lists(st.sampled_from(_SIGNS), min_size=60, max_size=300).map(lambda signs: "".join(signs)[:400])
"""Up to some hundreds of characters, as they may stand beside one another in Japanese."""
_SAID = frozenset(
    {
        "title",
        "lead",
        "introduction",
        "conclusion",
        "body",
        "text",
        "heading",
        "question",
        "answer",
        "transition",
        "teaser",
        "display_title",
        "publisher_text",
        "alt",
        "caption",
        "credit",
        "name",
        "role",
        "title_reading",
        "takeaways_heading",
    }
)


def everywhere(said: str) -> dict[str, Any]:
    """An article that says this wherever it says anything."""
    image = {"url": "https://img.example.jp/1_(a).jpg", "alt": said, "caption": said, "credit": said}
    citation = {
        "source": {"url": "https://news.example.jp/1_(a)", "title": said, "publisher": {"name": said}, "image": image},
        "display_title": f"{said}2",
        "publisher_text": said,
        "image": image,
        "key_points": [{"text": said}, {"text": f"a\n{said}"}, {"text": f"{said}\nb"}],
    }
    section = {
        **dict.fromkeys(("heading", "question", "answer", "transition", "body"), said),
        "citations": [citation, {**citation, "display_title": said, "published_on": "2024-11"}],
        "commentary": {"text": said, "speaker": {"name": said, "image": image}},
    }
    page = {"title": said, "teaser": said, "sections": [section, {**section, "heading": None}]}
    document = {
        **dict.fromkeys(("title", "title_reading", "lead", "introduction", "conclusion"), said),
        "hero_image": image,
        "bylines": [{"name": said, "role": said}],
        "takeaways": [{"text": said}],
        "pages": [page, page],
        "corrections": [{"at": NOW, "text": said}],
        "seo": {"title": said, "description": said},
        "labels": {"takeaways_heading": said, "next_page": said},
    }
    return {**_numbered(ArticleDocument.model_validate(document).model_dump()), "published_at": NOW, "revised_at": NOW}


@st.composite
def articles(draw: st.DrawFn) -> dict[str, Any]:
    """A public article as readers get it."""
    document = ArticleDocument.model_validate(draw(documents)).model_dump()
    said = _numbered(document)
    hostile = _replaced(draw, said)
    for correction in hostile["corrections"]:
        correction["at"] = NOW
    return {**hostile, "published_at": NOW, "revised_at": NOW}


def _replaced(draw: st.DrawFn, value: Any, name: str = "") -> Any:
    """``value``, each of its texts, perhaps, another one; null stays."""
    if isinstance(value, dict):
        return {key: _replaced(draw, item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(draw, item, name) for item in value]
    return draw(texts) if isinstance(value, str) and name in _SAID and draw(st.booleans()) else value


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what Kiku adds when it is stored: ids, numbers, the ledger's values."""
    said = document | {"id": new_id(), "slug": document["slug"] or "kiku", "language": document["language"] or "ja"}
    for number, page in enumerate(said["pages"], start=1):
        page["number"] = number
        for section in page["sections"]:
            _identified(section)
            section["anchor"] = section["anchor"] or section["id"]
            for citation in section["citations"]:
                _identified(citation)
                source = citation["source"]
                _identified(source)
                source |= {"title": source["title"] or "", "authors": source["authors"] or [], "type": "webpage"}
                if source["publisher"] is not None:
                    _identified(source["publisher"])
                for point in citation["key_points"]:
                    _identified(point)
        _identified(page)
    for point in said["takeaways"]:
        _identified(point)
    return said


def _identified(part: dict[str, Any]) -> None:
    part["id"] = part["id"] or new_id()
