"""Documents of every shape that section 2 allows, for property tests."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from app.text import hostile

texts = st.text(max_size=40).filter(lambda text: hostile(text) is None) | st.sampled_from(
    ["", " 菊 ", "ﾐｻｲﾙ", "e\u0301", "👩‍🌾", "<b>", "a\r\nb", "\u2067א\u2069", "次のページを読む ⇒", "0", "null"]
)
optional = st.none() | texts
urls = st.integers(0, 30).map(lambda number: f"https://news.example.jp/{number}?a={number}")
dates = st.sampled_from(["2024", "2024-02", "2024-02-29", "0001-01-01"])
slugs = st.from_regex(r"[a-z菊ー0-9][a-z菊ー0-9-]{0,10}", fullmatch=True)
ids = st.uuids(version=4).map(str)
labels = st.dictionaries(st.sampled_from(["masthead", "read_more", "next_page", "published_on"]), texts, max_size=3)
images = st.fixed_dictionaries(
    {"alt": texts},
    optional={"url": st.none() | urls, "caption": optional, "credit": optional, "width": st.integers(1, 4000)},
)
key_points = st.fixed_dictionaries({"text": texts}, optional={"id": ids})


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Any]:
    return draw(
        st.fixed_dictionaries(
            {"url": urls},
            optional={
                "title": texts,
                "publisher": st.fixed_dictionaries({"name": st.sampled_from(["菊新聞", "ＫＣＮＡ", "KCNA", "例"])}),
                "published_on": st.none() | dates,
                "authors": st.lists(texts, max_size=2),
                "image": st.none() | images,
            },
        )
    )


citations = st.fixed_dictionaries(
    {"source": sources()},
    optional={
        "id": ids,
        "display_title": optional,
        "publisher_text": optional,
        "published_on": st.none() | dates,
        "shows_published_on": st.booleans(),
        "url": st.none() | urls,
        "image": st.none() | images,
        "labels": labels,
        "key_points": st.lists(key_points, max_size=3),
    },
)
sections = st.fixed_dictionaries(
    {},
    optional={
        "id": ids,
        "anchor": st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        "heading": optional,
        "question": optional,
        "answer": optional,
        "transition": optional,
        "citations": st.lists(citations, max_size=3),
        "body": texts,
        "commentary": st.none() | st.fixed_dictionaries({"text": texts}),
    },
)
pages = st.fixed_dictionaries(
    {}, optional={"id": ids, "title": optional, "teaser": optional, "sections": st.lists(sections, max_size=3)}
)


def _ids(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["id"]] if isinstance(value.get("id"), str) else []
        return own + [found for item in value.values() for found in _ids(item)]
    return [found for item in value for found in _ids(item)] if isinstance(value, list) else []


def _distinct(document: dict[str, Any]) -> bool:
    found = _ids(document)
    return len(found) == len(set(found)) and all(UUID(one) for one in found)


documents = st.fixed_dictionaries(
    {"title": texts},
    optional={
        "slug": slugs,
        "language": st.sampled_from(["ja", "en", "zh-Hant"]),
        "title_reading": optional,
        "lead": texts,
        "hero_image": st.none() | images,
        "bylines": st.lists(st.fixed_dictionaries({"name": texts}, optional={"role": optional}), max_size=2),
        "introduction": texts,
        "takeaways": st.lists(key_points, max_size=3),
        "pages": st.lists(pages, max_size=3),
        "conclusion": texts,
        "tags": st.lists(slugs, max_size=3),
        "corrections": st.lists(st.fixed_dictionaries({"text": texts}), max_size=2),
        "seo": st.fixed_dictionaries({"noindex": st.booleans()}),
        "labels": labels,
    },
).filter(_distinct)
"""What a client may create; slugs may collide between two of them."""
