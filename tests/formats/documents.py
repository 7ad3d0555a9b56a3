"""Documents made of what the layout of a digest page carries, for property tests."""

from typing import Any

from hypothesis import strategies as st

from app.articles.document import ArticleDocument, SiteLabels
from app.formats import markdown

SITE = SiteLabels()
OTHER = {
    "key_point_marker": "● ",
    "published_on": "{YYYY}年{M}月{D}日 掲載",
    "read_more": "全文はこちら → ",
    "source_credit": "（情報元）",
}
"""The labels of a card on a page of another house."""
INNER = "あ花の町 aZ09、*_[]()<>&\\`#-+=|~!?:;.,\"'{}/$%^@✅💡⇒→「」"


def worded(last: str) -> st.SearchStrategy[str]:
    """A line that begins with a letter and ends with ``last``."""
    return st.builds(lambda first, inner: f"{first}{inner}{last}", st.sampled_from("秋aZ"), st.text(INNER, max_size=8))


SENTENCE = worded("。")


@st.composite
def cards(draw: st.DrawFn, *, complete: bool) -> dict[str, Any]:
    """A source card; a complete one prints whatever a label stands at."""
    headline = draw(worded("報"))
    dated = complete or draw(st.booleans())
    day = st.dates().map(str).filter(lambda date: date > "1000")
    single = st.builds("{}-0{}-0{}".format, st.integers(1900, 2100), st.integers(1, 9), st.integers(1, 9))
    partial = st.one_of(day, day.map(lambda date: date[:7]), day.map(lambda date: date[:4]))
    published_on = draw(single if complete else partial) if dated else None
    return {
        "source": {
            "url": f"https://example.jp/{draw(st.text('aZ09/?&=_-.', max_size=8))}",
            "title": headline,
            "published_on": published_on,
        },
        "publisher_text": draw(st.one_of(st.just(""), worded("社"))),
        "shows_published_on": dated,
        "image": draw(st.sampled_from([None, {"alt": headline}])),
        "key_points": [{"text": text} for text in draw(st.lists(SENTENCE, min_size=int(complete), max_size=2))],
    }


@st.composite
def sections(draw: st.DrawFn, *, complete: bool) -> dict[str, Any]:
    """A section without its body: that depends on the section that follows."""
    question = draw(st.none() | worded("?") | worded("\uff1f"))
    transition = draw(st.none() | SENTENCE)
    answer = draw(st.none() | worded("輪")) if question or transition else None
    return {
        "heading": draw(worded("園")),
        "question": question,
        "answer": answer,
        "transition": transition,
        "citations": draw(st.lists(cards(complete=complete), min_size=1, max_size=2)),
    }


@st.composite
def pages(draw: st.DrawFn, *, complete: bool) -> dict[str, Any]:
    """A page: what follows a section decides whether its text may be missing, and whether it ends in a commentary."""
    made = draw(st.lists(sections(complete=complete), min_size=1, max_size=2))
    for place, section in enumerate(made):
        continued = place + 1 < len(made) and draw(st.booleans())
        paragraphs = draw(st.lists(SENTENCE, min_size=int(continued), max_size=3))
        if continued:
            made[place + 1] = {"citations": made[place + 1]["citations"]}
        elif len(paragraphs) > 1:
            section["commentary"] = {"text": markdown.escape(paragraphs.pop())}
        section["body"] = "\n\n".join(map(markdown.escape, paragraphs))
    return {"sections": made, "teaser": draw(SENTENCE)}


@st.composite
def heads(draw: st.DrawFn) -> dict[str, Any]:
    """Title, lead, takeaways, introduction, and the labels at them; something shows where the title is."""
    title = draw(worded("町"))
    labels: dict[str, str] = {}
    masthead = draw(st.one_of(st.just(""), worded("誌")))
    repeated = draw(st.booleans())
    takeaways = draw(st.lists(SENTENCE, max_size=3))
    lines = 4 if takeaways or repeated else 1
    unanchored = not repeated and not takeaways
    # A line of the lead is not printed again further down: that would make it the title.
    lead = draw(st.lists(worded("ぞ。"), unique=True, min_size=int(not repeated), max_size=lines))
    introduction = draw(st.lists(SENTENCE, max_size=3))
    if masthead and not (unanchored and len(lead) < 1):
        labels["masthead"] = masthead
    if len(takeaways) > 1 and draw(st.booleans()):
        labels |= {"takeaways_heading": draw(worded("点")), "takeaway_marker": "■ "}
    return {
        "title": title,
        "lead": "\n".join(lead),
        "hero_image": {"alt": title} if repeated else None,
        "takeaways": [{"text": text} for text in takeaways],
        "introduction": "\n\n".join(markdown.escape(text) for text in introduction),
        "labels": labels,
    }


@st.composite
def documents(draw: st.DrawFn) -> ArticleDocument:
    """A document in the form in which a page is read: labels that all cards share are the article's."""
    wording = draw(st.sampled_from(["site", "article", "card"]))
    document = draw(heads())
    made = draw(st.lists(pages(complete=wording != "site"), min_size=1, max_size=2))
    made[0].pop("teaser")
    if draw(st.booleans()):
        made.append({"teaser": draw(SENTENCE)})
    if len(made) > 1 and draw(st.booleans()):
        document["labels"]["next_page"] = "つぎの頁へ ➡"
    drawn = [card for page in made for section in page.get("sections", []) for card in section["citations"]]
    if wording == "article" or (wording == "card" and len(drawn) == 1):
        document["labels"] |= OTHER
    elif wording == "card":
        chosen = draw(
            st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn)).filter(lambda them: len(set(them)) > 1)
        )
        for card, other in zip(drawn, chosen, strict=True):
            card["labels"] = OTHER if other else {}
    return ArticleDocument.model_validate({**document, "pages": made})
