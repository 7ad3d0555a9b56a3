"""What editors write, small enough that articles meet: few titles, slugs, tags, names, and pieces to cite.

Documents of every shape are in ``tests/strategies.py``.
"""

from typing import Any

from hypothesis import strategies as st

from tests.promises.model import Json
from tests.promises.model_ledger import SPELLINGS

WORDS = ("水族館", "灯台", "温泉", "牧場", "酒蔵")
"""Each title has one, and they stand nowhere else."""
MARK = "菊の"
"""So begins each title, and no other text has it."""

at = st.integers(0, 30)
"""Which of several, whatever their number."""
matches = st.sampled_from(["current"] * 4 + ["any", "stale"])
"""Which version an editor says it has."""
titles = st.sampled_from([*(MARK + word for word in WORDS * 2), ""])
slugs = st.sampled_from(["ichi", "ni", "san", "shi", "go", "roku"])
tags = st.sampled_from(["秋", "花", "町"])
texts = st.sampled_from(["", "菊が咲きました。", " 千輪咲き\n", "e\u0301<b>", "無料です。"])
optional = st.none() | texts
names = st.sampled_from(["菊新聞", "ＫＣＮＡ", "KCNA", "町の声"])
dates = st.sampled_from(["2024", "2024-10-20"])
planned = st.tuples(st.sampled_from([None, -60, 60, 60, 90]), st.sampled_from([None, 60, 120, 24 * 60]))
"""In how many minutes to publish and to unpublish."""
urls = st.sampled_from([url for spelled in SPELLINGS.values() for url in spelled])
inline = st.fixed_dictionaries(
    {"url": urls},
    optional={
        "title": st.sampled_from(["千輪咲き、今年も公開", "菊まつり始まる"]),
        "publisher": st.fixed_dictionaries({"name": names}),
        "published_on": dates,
    },
)
key_points = st.fixed_dictionaries({"text": texts})
bodies: dict[str, st.SearchStrategy[Json]] = {"takeaways": key_points, "key_points": key_points}
bodies["citations"] = st.fixed_dictionaries(
    {"source": inline, "key_points": st.lists(key_points, max_size=2)},
    optional={"display_title": optional, "published_on": st.none() | dates, "publisher_text": st.none() | names},
)
headings = st.sampled_from(["千輪咲きの秘密", "秋の菊まつり", "家で育てる"])
bodies["sections"] = st.fixed_dictionaries(
    {"heading": headings, "body": texts.filter(str.strip), "citations": st.lists(bodies["citations"], max_size=2)},
    optional={"question": optional, "transition": optional},
).map(lambda section: section | {"answer": "十月"} if section.get("question") else section)
bodies["pages"] = st.fixed_dictionaries(
    {"sections": st.lists(bodies["sections"], max_size=2)}, optional={"title": optional, "teaser": optional}
)
fields = {
    "title": titles, "lead": texts, "conclusion": texts, "tags": st.lists(tags, max_size=2),
    "takeaways": st.lists(key_points, max_size=3),
}  # fmt: skip
first_page = st.fixed_dictionaries({"sections": st.lists(bodies["sections"], min_size=1, max_size=2)})
page_lists = st.builds(lambda first, others: [first, *others], first_page, st.lists(bodies["pages"], max_size=1))
documents = st.fixed_dictionaries(
    {"title": titles.filter(bool), "pages": page_lists},
    optional={"slug": slugs, **{name: values for name, values in fields.items() if name != "title"}},
)
some_fields = st.fixed_dictionaries({}, optional=fields | {"pages": st.lists(bodies["pages"], max_size=2)})
edits: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "sections": {
        "heading": st.none() | headings | st.just(""),
        "body": texts,
        "answer": st.sampled_from(["十月", "十一月", None]),
        "question": optional,
    },
    "pages": {"title": optional, "teaser": optional},
    "citations": {"display_title": optional, "published_on": st.none() | dates, "url": st.none() | urls},
    "key_points": {"text": texts},
}
edits["takeaways"] = edits["key_points"]
