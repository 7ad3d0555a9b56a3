"""What a public article cites as a bibliography: CSL-JSON, BibTeX and RIS; each source once, in reading order.

The values are the sources' own; what cards print in their place is in ``printed_card.py``.

An author stands as one name, just as the source gives it: which part of 山田花子 is the family's is not known, and
splitting at the wrong place is worse than not splitting.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

Format = Literal["csl", "bibtex", "ris"]
Source = Mapping[str, Any]
Fields = Iterator[tuple[str, str | None]]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WITHIN = frozenset({
    "article", "article-journal", "article-magazine", "article-newspaper", "chapter", "entry", "entry-dictionary",
    "entry-encyclopedia", "paper-conference", "post", "post-weblog", "review", "review-book", "webpage",
})  # fmt: skip
"""Types of what appears in something larger, which bears its publisher's name: a newspaper, a site."""
_BIBTEX = {
    "article": ("article", "journal"), "article-journal": ("article", "journal"),
    "article-magazine": ("article", "journal"), "article-newspaper": ("article", "journal"),
    "book": ("book", "publisher"), "chapter": ("incollection", "booktitle"),
    "paper-conference": ("inproceedings", "booktitle"), "report": ("techreport", "institution"),
    "review": ("article", "journal"), "review-book": ("article", "journal"), "thesis": ("phdthesis", "school"),
}  # fmt: skip
"""The entry of BibTeX for a type, and the field that names the publisher there; all others are ``misc``."""
_RIS = {
    "article": "JOUR", "article-journal": "JOUR", "article-magazine": "MGZN", "article-newspaper": "NEWS",
    "bill": "BILL", "book": "BOOK", "broadcast": "VIDEO", "chapter": "CHAP", "dataset": "DATA",
    "entry-dictionary": "DICT", "entry-encyclopedia": "ENCYC", "figure": "FIGURE", "hearing": "HEAR",
    "legal_case": "CASE", "legislation": "STAT", "manuscript": "UNPB", "map": "MAP", "motion_picture": "MPCT",
    "musical_score": "MUSIC", "pamphlet": "PAMP", "paper-conference": "CPAPER", "patent": "PAT",
    "personal_communication": "PCOMM", "post": "ELEC", "post-weblog": "BLOG", "report": "RPRT", "software": "COMP",
    "song": "SOUND", "standard": "STAND", "thesis": "THES", "webpage": "ELEC",
}  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
}  # fmt: skip
"""Braces too: BibTeX counts them, a backslash before them or not."""
_LATEX_SIGNS = re.compile("[" + re.escape("".join(_LATEX)) + "]")
_BREAKS = re.compile(r"[\t\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What readers of line-based formats may take for the end of a line."""

_NOT_IN_LINES = re.compile(r"[{}\"<>^`|\s\x85\u2028\u2029]")


def written(article: Mapping[str, Any], format: Format) -> str:
    """The bibliography of a public article."""
    sources = {
        citation["source"]["id"]: citation["source"]
        for page in article["pages"]
        for section in page["sections"]
        for citation in section["citations"]
    }
    if format == "csl":
        return json.dumps([_csl(source) for source in sources.values()], ensure_ascii=False, separators=(",", ":"))
    write: Callable[[Source], str] = _bibtex if format == "bibtex" else _ris
    return "".join(map(write, sources.values()))


def key(source: Source) -> str:
    """The citation key of a source: the same in all articles and all formats, as long as the source is there."""
    return f"source-{source['id']}"


def _csl(source: Source) -> dict[str, Any]:
    publisher = source["publisher"]["name"] if source["publisher"] else None
    issued = source["published_on"]
    item = {
        "id": key(source),
        "type": source["type"],
        "title": source["title"],
        "container-title": publisher if source["type"] in _WITHIN else None,
        "publisher": None if source["type"] in _WITHIN else publisher,
        "author": [{"literal": name} for name in source["authors"] if name],
        "issued": issued and {"date-parts": [[int(part) for part in issued.split("-")]]},
        "language": source["language"],
        "URL": source["url"],
    }
    return {name: value for name, value in item.items() if value}


def _bibtex(source: Source) -> str:
    entry, place = _BIBTEX.get(source["type"], ("misc", "howpublished"))
    lines = [f"  {name} = {value}" for name, value in _bibtex_fields(source, place) if value is not None]
    return f"@{entry}{{{key(source)},\n" + ",\n".join(lines) + "\n}\n\n"


def _bibtex_fields(source: Source, place: str) -> Fields:
    # Braced twice: titles keep their capitals, names are not split.
    year, month, _ = _date(source)
    authors = [f"{{{_latex(name)}}}" for name in source["authors"] if name]
    yield "title", f"{{{{{_latex(source['title'])}}}}}"
    yield "author", f"{{{' and '.join(authors)}}}" if authors else None
    yield place, source["publisher"] and f"{{{{{_latex(source['publisher']['name'])}}}}}"
    yield "year", year and f"{{{year}}}"
    yield "month", month and _MONTHS[int(month) - 1]
    yield "date", source["published_on"] and f"{{{source['published_on']}}}"  # what biblatex reads: with the day
    yield "language", source["language"] and f"{{{source['language']}}}"
    yield "url", f"{{{_url(source)}}}"


def _latex(text: str) -> str:
    return _LATEX_SIGNS.sub(lambda sign: _LATEX[sign.group()], _line(text))


def _ris(source: Source) -> str:
    year, month, day = _date(source)
    tags: list[tuple[str, str | None]] = [
        ("TY", _RIS.get(source["type"], "GEN")),
        ("ID", key(source)),
        ("TI", _line(source["title"])),
        *(("AU", _line(name)) for name in source["authors"]),
        ("T2" if source["type"] in _WITHIN else "PB", source["publisher"] and _line(source["publisher"]["name"])),
        ("PY", year),
        ("DA", year and f"{year}/{month or ''}/{day or ''}/"),
        ("LA", source["language"]),
        ("UR", _url(source)),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value) + "ER  - \r\n\r\n"


def _date(source: Source) -> tuple[str | None, str | None, str | None]:
    """Year, month and day, as far as they are known."""
    parts = (source["published_on"] or "").split("-")
    year, month, day = (*parts, None, None)[:3]
    return year or None, month, day


def _line(text: str) -> str:
    """``text`` in one line."""
    return " ".join(filter(None, map(str.strip, _BREAKS.split(text))))


def _url(source: Source) -> str:
    """The address with nothing in it that opens a brace or ends a line."""
    return _NOT_IN_LINES.sub(lambda sign: quote(sign.group()), source["url"])
