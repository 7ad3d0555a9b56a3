"""A public article or page as a Markdown file: prose for people, and beside it, as YAML, what prose cannot say.

Reading it is in ``markdown_reading.py``, the pieces of which both are made in ``markdown_pieces.py``. The form is
told in docs/api.md, Markdown.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from app.formats import front_matter, markdown_pieces, printed_card, shown
from app.formats.markdown_pieces import PAGE, Card, Lines

Public = Mapping[str, Any]
Beside = dict[str, Any]
"""The values that stand beside the prose of a part."""

_HEAD = ("id", "slug", "language", "translation_key", "external_ids", "title_reading", "tags", "bylines",
         "corrections", "canonical_url", "labels")  # fmt: skip


def article_markdown(article: Public) -> str:
    """The whole public article; ``markdown_reading.read`` gives it back."""
    beside = {name: _said(article[name]) for name in _HEAD}
    beside["seo"] = {name: value for name, value in article["seo"].items() if value not in (None, False)}
    beside |= {name: article[name] for name in ("published_at", "revised_at")}
    lines = [*_title(article, beside), *_head(article, beside)]
    parts = [[*_page(page)] for page in article["pages"]]
    parts.insert(shown.before_conclusion(article["pages"]), [*_conclusion(article, beside)])
    return _file(beside, [*lines, *chain.from_iterable(parts)])


def page_markdown(article: Public, page: Public) -> str:
    """One public page with its article's title, the first with the whole head, and with the next one's teaser."""
    beside: Beside = {PAGE: page["number"]} | {name: article[name] for name in ("id", "slug", "language")}
    lines = [*_title(article, beside), *(_head(article, beside) if page["number"] == 1 else ())]
    lines += _page({**page, "teaser": None})
    lines += _conclusion(page, beside)
    if page["next"] is not None:
        lines += _page({"id": None, "sections": [], **page["next"]})
    return _file(beside, lines)


def _file(beside: Beside, lines: Lines) -> str:
    said = {name: value for name, value in beside.items() if value not in (None, [], {})}
    return f"---\n{front_matter.written(said)}---\n\n" + "\n".join(lines).rstrip("\n") + "\n"


def _title(part: Public, beside: Beside) -> Iterator[str]:
    yield from _heading("#", "title", part, beside)


def _head(article: Public, beside: Beside) -> Iterator[str]:
    yield from _prose("lead", article, beside, markdown_pieces.plain)
    yield from _hero(article["hero_image"], beside)
    if article["takeaways"]:
        yield from _comment("takeaways")
        yield from markdown_pieces.points(article["takeaways"])
        yield ""
    yield from _field("introduction", article, beside, markdown_pieces.commonmark)


def _hero(image: Public | None, beside: Beside) -> Iterator[str]:
    if image is None:
        return
    picture = markdown_pieces.image(image)
    beside["hero_image"] = _said(image)
    if picture is not None:
        beside["hero_image"] = {
            name: value for name, value in beside["hero_image"].items() if name not in {"url", "alt"}
        }
        yield picture
        yield ""


def _conclusion(part: Public, beside: Beside) -> Iterator[str]:
    yield from _field("conclusion", part, beside, markdown_pieces.commonmark)


def _page(page: Public) -> Iterator[str]:
    beside: Beside = {"id": page["id"]}
    if page["teaser"] == "":  # without a word it would be none
        beside["teaser"] = ""
    lines = [*_title(page, beside), *_prose("teaser", page, beside, markdown_pieces.plain)]
    yield from _comment("page", beside)
    yield from lines
    for section in page["sections"]:
        yield from _section(section)


def _section(section: Public) -> Iterator[str]:
    beside: Beside = {"id": section["id"]}
    if section["anchor"] != section["id"]:
        beside["anchor"] = section["anchor"]
    lines = [*_heading("##", "heading", section, beside)]
    for name in ("question", "answer", "transition"):
        lines += _field(name, section, beside, markdown_pieces.plain)
    for citation in section["citations"]:
        lines += _citation(citation)
    lines += _field("body", section, beside, markdown_pieces.commonmark)
    yield from _comment("section", beside)
    yield from lines
    if section["commentary"] is not None:
        yield from _commentary(section["commentary"])


def _commentary(commentary: Public) -> Iterator[str]:
    beside: Beside = {"speaker": commentary["speaker"] and _said(commentary["speaker"])}
    lines = [*_prose("text", commentary, beside, markdown_pieces.commonmark)]
    yield from _comment("commentary", beside)
    yield from lines


def _citation(citation: Public) -> Iterator[str]:
    source, shown = citation["source"], printed_card.of(citation)
    line = markdown_pieces.card(Card(shown.headline, shown.url, shown.publisher, shown.published_on))
    own = {name: citation[name] for name in ("display_title", "publisher_text", "published_on", "url")}
    if line is not None:
        # What the line shows is read from there; not so what is the same as the source's, or not shown.
        known = markdown_pieces.printed_by(source)
        hidden = () if citation["shows_published_on"] else ("published_on",)
        own = {name: value for name, value in own.items() if value == known[name] or name in hidden}
    beside: Beside = {"id": citation["id"]} | own | {"image": citation["image"] and _said(citation["image"])}
    beside |= {"labels": citation["labels"] or None}
    beside |= {} if citation["shows_published_on"] else {"shows_published_on": False}
    # Told even where there is none: else what is printed would be the source's.
    told = {name: source[name] for name in ("publisher", "published_on")}
    yield from _comment("citation", beside | {"source": _said(source) | told})
    if line is not None:
        yield line
        yield ""
    if citation["key_points"]:
        yield from markdown_pieces.points(citation["key_points"])
        yield ""


def _heading(sign: str, name: str, part: Public, beside: Beside) -> Iterator[str]:
    """A line of its own for a title or heading, or beside the prose where one line cannot say it; null: nothing."""
    if part[name] is None:
        return
    line = markdown_pieces.heading(part[name])
    if line is None:
        beside[name] = part[name]
    else:
        yield f"{sign} {line}".rstrip()
        yield ""


def _field(name: str, part: Public, beside: Beside, write: Callable[[str], Lines | None]) -> Iterator[str]:
    """A text under its name; ``""`` is the name alone where null is possible, null is nothing."""
    text = part[name]
    if text is None or (text == "" and write is markdown_pieces.commonmark):
        return
    lines = [*_prose(name, part, beside, write)]
    if lines or text == "":
        yield from _comment(name)
        yield from lines


def _prose(name: str, part: Public, beside: Beside, write: Callable[[str], Lines | None]) -> Iterator[str]:
    text = part[name]
    if not text:
        return
    lines = write(text)
    if lines is None:
        beside[name] = text
    else:
        yield from lines
        yield ""


def _comment(name: str, beside: Public | None = None) -> Iterator[str]:
    said = {name: value for name, value in (beside or {}).items() if value is not None}
    if not said:
        yield f"<!-- {name} -->"
    elif said.keys() == {"id"}:
        yield f"<!-- {name} {said['id']} -->"
    else:
        yield f"<!-- {name}"
        yield from front_matter.written(said).splitlines()
        yield "-->"
    yield ""


def _said(value: Any) -> Any:
    """``value`` without members that are null."""
    if isinstance(value, Mapping):
        return {name: _said(item) for name, item in value.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, list) else value
