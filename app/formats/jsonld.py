"""A public article or page as JSON-LD in the words of schema.org, for search engines and knowledge graphs.

May be put into a ``script`` element as it is. How people read the article's address is in ``addresses.py``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.formats import addresses, shown

CONTEXT = "https://schema.org"
Node = dict[str, Any]

_TYPES = {
    "article": "Article", "article-journal": "ScholarlyArticle", "article-magazine": "Article",
    "article-newspaper": "NewsArticle", "bill": "Legislation", "book": "Book", "chapter": "Chapter",
    "dataset": "Dataset", "legislation": "Legislation", "map": "Map", "motion_picture": "Movie",
    "periodical": "Periodical", "post": "SocialMediaPosting", "post-weblog": "BlogPosting", "report": "Report",
    "review": "Review", "software": "SoftwareSourceCode", "thesis": "Thesis", "webpage": "WebPage",
}  # fmt: skip
"""The types of CSL in schema.org's words; all others are creative works."""
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""What could end a ``script`` element, or a line of one. Outside strings JSON has none of them."""


def article_jsonld(article: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """The whole public article, a ``NewsArticle``."""
    sections = [section for page in article["pages"] for section in page["sections"]]
    return _written(_article(article, site) | {"dateModified": article["revised_at"]} | _parts(sections))


def page_jsonld(article: Mapping[str, Any], page: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """One public page, a part of its ``article``, with what its own sections ask and cite."""
    whole = _article(article, site)
    of = {name: whole.pop(name) for name in ("url", "mainEntityOfPage")}
    own = {"@id": _urn(page["id"]), "name": page["title"], "pagination": str(page["number"])}
    of |= {"@type": "NewsArticle", "@id": whole["@id"]}
    return _written(whole | own | {"isPartOf": of} | _parts(page["sections"]))


def _article(article: Mapping[str, Any], site: Mapping[str, Any]) -> Node:
    address = addresses.canonical(article, site)
    return {
        "@context": CONTEXT,
        "@type": "NewsArticle",
        "@id": _urn(article["id"]),
        "url": address,
        "mainEntityOfPage": address,
        "headline": article["title"],
        "alternativeHeadline": article["seo"]["title"],
        "description": article["seo"]["description"] or article["lead"],
        "abstract": "\n".join(point["text"] for point in article["takeaways"]),
        "inLanguage": article["language"],
        "datePublished": article["published_at"],
        "image": _image(article["hero_image"]),
        "author": [_person(byline["name"], byline["url"], byline["role"]) for byline in shown.authors(article)],
        "publisher": _organization(site),
        "keywords": article["tags"],
        "correction": [
            {"@type": "CorrectionComment", "text": each["text"], "datePublished": each["at"]}
            for each in article["corrections"]
        ],
    }


def _parts(sections: Iterable[Mapping[str, Any]]) -> Node:
    """The sources that sections cite, once each, and the questions they ask; an answer names the sources behind it."""
    sources: dict[str, Node] = {}
    questions: list[Node] = []
    for section in sections:
        cited = {citation["source"]["id"]: _source(citation["source"]) for citation in section["citations"]}
        sources |= cited
        if section["question"]:
            answer = {"@type": "Answer", "text": section["answer"], "citation": [*_named(cited.values())]}
            questions.append(
                {
                    "@type": "Question",
                    "@id": _urn(section["id"]),
                    "name": section["question"],
                    "acceptedAnswer": answer if section["answer"] else None,
                }
            )
    return {"citation": [*sources.values()], "isBasedOn": [*_named(sources.values())], "hasPart": questions}


def _named(nodes: Iterable[Node]) -> Iterator[Node]:
    return ({"@id": node["@id"]} for node in nodes)


def _source(source: Mapping[str, Any]) -> Node:
    publisher = source["publisher"]
    return {
        "@type": _TYPES.get(source["type"], "CreativeWork"),
        "@id": _urn(source["id"]),
        "name": source["title"],
        "url": source["url"],
        "publisher": publisher and {"@type": "Organization", "@id": _urn(publisher["id"]), "name": publisher["name"]},
        "datePublished": source["published_on"],
        "author": [_person(name) for name in source["authors"]],
        "inLanguage": source["language"],
        "image": _image(source["image"]),
    }


def _person(name: str, url: str | None = None, role: str | None = None) -> Node:
    return {"@type": "Person", "name": name, "url": url, "jobTitle": role}


def _organization(site: Mapping[str, Any]) -> Node | None:
    if not site["name"]:
        return None
    return {"@type": "Organization", "name": site["name"], "url": addresses.home(site), "logo": _image(site["logo"])}


def _image(image: Mapping[str, Any] | None) -> Node | None:
    if image is None or image["url"] is None:
        return None
    return {
        "@type": "ImageObject",
        "url": image["url"],
        "caption": image["caption"] or image["alt"],
        "creditText": image["credit"],
        "width": image["width"],
        "height": image["height"],
    }


def _urn(id: str) -> str:
    return f"urn:uuid:{id}"


def _written(node: Node) -> str:
    return json.dumps(_said(node), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def _said(value: Any) -> Any:
    """``value`` without members that say nothing."""
    if isinstance(value, dict):
        return {name: _said(item) for name, item in value.items() if item not in (None, "", [])}
    return [_said(item) for item in value] if isinstance(value, list) else value
