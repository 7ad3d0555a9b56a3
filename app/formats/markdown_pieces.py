"""The pieces of an article's Markdown file, each both ways: plain text, CommonMark, a list of points, a source card.

Writing a piece says None where reading would not give the same back: the value then stands in the YAML beside the
prose. The file as a whole is written in ``markdown_writing.py`` and read in ``markdown_reading.py``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.formats import front_matter, markdown
from app.text import uuid_shaped

Lines = list[str]

PAGE = "page"
"""What the file of a single page says in its front matter: its number."""

_GUARDED = re.compile(r" *(?:##(?:[ \t]|$)|<!--)")
"""A line of CommonMark that would begin a section or a field: a space before it changes nothing of what it means."""
_BEGINS = re.compile(r"##?(?:[ \t]|$)|<!--")
_BREAKS = re.compile(r"[\r\n]")
_CLOSING = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
"""What CommonMark takes for the end of a heading's line, not of its text."""
_ITEM = re.compile(r"[-*+](?: |$)")
_IMAGE = re.compile(r"!\[(?P<alt>(?:[^\\\[\]]|\\.)*)\]\((?P<url>[^\s()<>]+|<[^\s<>]+>)\)")
_CARD = re.compile(
    r"\[(?P<headline>(?:[^\\\[\]]|\\.)*)\]\((?P<url>[^\s()<>]+|<[^\s<>]+>)\)(?: (?P<publisher>.*?))??"
    r"(?: \((?P<date>[0-9]{4}(?:-[0-9]{2}){0,2})\))?"
)


@dataclass(frozen=True)
class Card:
    """What the first line of a source card prints; texts are empty where there is none."""

    headline: str
    url: str
    publisher: str
    published_on: str | None


def trimmed(lines: Sequence[str]) -> Lines:
    """``lines`` without the blank ones at both ends."""
    kept = [place for place, line in enumerate(lines) if line.strip()]
    return [*lines[kept[0] : kept[-1] + 1]] if kept else []


def plain(text: str) -> Lines | None:
    """Plain text as CommonMark shows it as it is, line by line."""
    lines = [_escaped(line) for line in text.split("\n")]
    return lines if read_plain(lines) == text and "\r" not in text else None


def read_plain(lines: Sequence[str]) -> str:
    """The text that the lines say; markup is a part of it, but for escapes."""
    return "\n".join(map(markdown.unescape, trimmed(lines)))


def heading(text: str) -> str | None:
    """Plain text as what follows the signs of a heading; None where one such line cannot say it."""
    lines = plain(text)
    if lines is None or len(lines) > 1:
        return None
    line = markdown.escape_all(text) if _CLOSING.search(lines[0]) else lines[0]
    return line if read_heading(line) == text else None


def read_heading(line: str) -> str:
    """The text of a heading: signs that close its line are none of it."""
    return markdown.unescape(_CLOSING.sub("", line.strip(), count=1))


def commonmark(text: str) -> Lines | None:
    """CommonMark as it is, none of its lines read as the beginning of something else."""
    lines = [f" {line}" if _GUARDED.match(line) else line for line in text.split("\n")]
    return lines if read_commonmark(lines) == text and "\r" not in text else None


def read_commonmark(lines: Sequence[str]) -> str:
    """The CommonMark that the lines are."""
    return "\n".join(line[1:] if line.startswith(" ") and _GUARDED.match(line) else line for line in trimmed(lines))


def points(given: Iterable[dict[str, Any]]) -> Lines:
    """Key points as a list; behind each its id in a comment."""
    return [line for point in given for line in _point(point)]


def read_points(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The key points of a list. Raises: front_matter.Unreadable, with the place of the line."""
    items: list[Lines] = []
    places: list[int] = []
    for place, line in enumerate(lines):
        if _ITEM.match(line):
            items.append([line[2:]])
            places.append(place)
        elif items:
            items[-1].append(line.removeprefix("  "))
        elif line.strip():
            raise front_matter.Unreadable("Here is a list expected, each item behind a hyphen.", place)
    return [_read_point(item, place) for item, place in zip(items, places, strict=True)]


def image(given: Mapping[str, Any]) -> str | None:
    """A picture's address and alt."""
    if given["url"] is None:
        return None
    line = f"![{_inside_link(given['alt'])}]({_target(given['url'])})"
    whole = not _BREAKS.search(line) and read_image(line) == {name: given[name] for name in ("url", "alt")}
    return line if whole else None


def read_image(line: str) -> dict[str, Any] | None:
    """The picture that is all there is in the line."""
    found = _IMAGE.fullmatch(line.rstrip())
    return found and {"url": found["url"].strip("<>"), "alt": markdown.unescape(found["alt"])}


def card(given: Card) -> str | None:
    """The first line of a card: its headline as a link, the publisher, the day."""
    line = f"[{_inside_link(given.headline)}]({_target(given.url)})"
    line += f" {markdown.escape(given.publisher)}" if given.publisher else ""
    line += f" ({given.published_on})" if given.published_on else ""
    return line if not _BREAKS.search(line) and read_card(line) == given else None


def read_card(line: str) -> Card | None:
    """What the line prints, if it is the first of a card."""
    found = _CARD.fullmatch(line.rstrip())
    if found is None:
        return None
    said = [markdown.unescape(found[name] or "") for name in ("headline", "publisher")]
    return Card(said[0], found["url"].strip("<>"), said[1], found["date"])


def printed_by(source: Mapping[str, Any]) -> dict[str, str | None]:
    """What a citation that says nothing itself prints of its source, by the names of its own values."""
    publisher = source.get("publisher")
    name = publisher.get("name") if isinstance(publisher, dict) else None
    return {
        "display_title": source.get("title") or "",
        "publisher_text": name or "",
        "url": source.get("url"),
        "published_on": source.get("published_on"),
    }


def shown_by(card: Card, beside: dict[str, Any]) -> dict[str, Any]:
    """The citation of which a card's first line tells what is printed, and ``beside`` the rest.

    What differs from the source is the citation's own. Of a source that is not told all that is printed is its own.
    """
    source = {
        "url": card.url,
        "title": card.headline,
        "publisher": {"name": card.publisher} if card.publisher else None,
        "published_on": card.published_on,
    }
    told = beside.get("source", {})
    if not isinstance(told, dict):
        return beside
    source |= told
    known = printed_by(source)
    shown = {"display_title": card.headline, "publisher_text": card.publisher, "url": card.url}
    shown |= {} if card.published_on is None else {"published_on": card.published_on}
    own = {name: value for name, value in shown.items() if value != known[name]}
    citation = beside | own | {"source": source}
    undated = citation.get("published_on") is None and source["published_on"] is None
    return {"shows_published_on": undated or card.published_on is not None} | citation


def _point(point: dict[str, Any]) -> Lines:
    text = plain(point["text"]) if point["text"] else [""]
    id = point["id"]
    if text is not None:
        note = [] if id is None else [f"<!-- {front_matter.flow(id)} -->"]
        *before, last = text
        first, *rest = [*before, " ".join([*([last] if last else []), *note])]
        written = [f"- {first}" if first else "-", *(f"  {line}" if line else "" for line in rest)]
        if read_points(written) == [point]:
            return written
    data = {name: value for name, value in point.items() if value is not None}
    return [f"- <!-- {front_matter.flow(data)} -->"]


def _read_point(lines: Lines, place: int) -> dict[str, Any]:
    *before, last = trimmed(lines) or [""]
    said, note = last, None
    if last.rstrip().endswith("-->") and "<!--" in last:
        said, _, comment = last.rpartition("<!--")
        said, note = said.removesuffix(" "), _read_note(comment.rstrip().removesuffix("-->").strip(), place)
    text = read_plain([*before, said])
    return {"id": None, "text": text} | (note if isinstance(note, dict) else {"id": note})


def _read_note(text: str, place: int) -> dict[str, Any] | str | None:
    if uuid_shaped(text):
        return text
    try:
        note = front_matter.read(text)
    except front_matter.Unreadable as error:
        raise front_matter.Unreadable(error.detail, place) from None
    if not isinstance(note, dict | str | None):
        raise front_matter.Unreadable("Behind a point stands its id, or names and values in braces.", place)
    return note


def _escaped(line: str) -> str:
    escaped = markdown.escape(line)
    # A picture whose address is none for CommonMark is text to it, but would be read as one here.
    begins = _BEGINS.match(escaped) or read_image(escaped) is not None
    return markdown.escape_all(line) if begins else escaped


def _inside_link(text: str) -> str:
    escaped = markdown.escape(text)
    return markdown.escape_all(text) if escaped == text and ("[" in text or "]" in text) else escaped


def _target(url: str) -> str:
    return f"<{url}>" if "(" in url or ")" in url else url
