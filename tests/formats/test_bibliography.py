"""Bibliographies, each read back by a library that knows nothing of Kiku."""

import json
import re
from typing import Any

import pytest
import rispy
from citeproc.source.json import CiteProcJSON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pybtex.database import parse_string

from app.articles.fields import SourceType
from app.formats import bibliography
from tests.formats.hostile import ATTEMPTS, texts

OPTIONS = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
TYPES = SourceType.__args__  # type: ignore[attr-defined]
ID = "01a20952-0000-7000-8000-00000000000a"


def a_source(**changes: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "url": "https://news.example.jp/1",
        "title": "千輪咲き",
        "publisher": {"id": "1", "name": "菊新聞"},
        "published_on": "2024-11-05",
        "authors": ["山田花子", "Lee, Ann"],
        "language": "ja",
        "type": "article-newspaper",
        "image": None,
        **changes,
    }


def article(*sources: dict[str, Any]) -> dict[str, Any]:
    citations = [{"source": source} for source in sources]
    return {"pages": [{"sections": [{"citations": citations[:1]}]}, {"sections": [{"citations": citations}]}]}


def flat(text: str) -> str:
    """The text as a format of lines can hold it."""
    return " ".join(part.strip() for part in re.split(r"[\t\n\r\x85\u2028\u2029]+", text)).strip()


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Any]:
    return a_source(
        id=draw(st.uuids(version=4).map(str)),
        title=draw(texts),
        authors=draw(st.lists(texts, max_size=3)),
        publisher=draw(st.none() | st.fixed_dictionaries({"name": texts})),
        published_on=draw(st.sampled_from([None, "2024", "2024-02", "2024-02-29", "0001-01-01"])),
        type=draw(st.sampled_from(TYPES)),
        url=draw(st.sampled_from(["https://e.example/a_b%20c~d#{x}", 'https://e.example/菊?q="1"&b=$^|`'])),
    )


class TestCsl:
    @OPTIONS
    @given(given_sources=st.lists(sources(), min_size=1, max_size=3))
    def test_it_is_read_with_every_value(self, given_sources: list[dict[str, Any]]) -> None:
        said = json.loads(bibliography.written(article(*given_sources), "csl"))
        read = CiteProcJSON(said)
        assert [*read] == [bibliography.key(source).lower() for source in given_sources]
        for source, item in zip(given_sources, said, strict=True):
            assert item.get("title", "") == source["title"]
            assert item["type"] == source["type"]
            assert item.get("author", []) == [{"literal": name} for name in source["authors"] if name]

    @pytest.mark.parametrize(
        ("published_on", "parts"), [("2024", [2024]), ("2024-02", [2024, 2]), ("2024-02-29", [2024, 2, 29])]
    )
    def test_a_date_is_as_exact_as_it_is_known(self, published_on: str, parts: list[int]) -> None:
        (item,) = json.loads(bibliography.written(article(a_source(published_on=published_on)), "csl"))
        assert item["issued"] == {"date-parts": [parts]}

    def test_a_newspaper_contains_and_a_publisher_publishes(self) -> None:
        paper, book = json.loads(bibliography.written(article(a_source(), a_source(id="2", type="book")), "csl"))
        assert (paper["container-title"], paper.get("publisher")) == ("菊新聞", None)
        assert (book.get("container-title"), book["publisher"]) == (None, "菊新聞")


class TestBibtex:
    @OPTIONS
    @given(given_sources=st.lists(sources(), min_size=1, max_size=3))
    def test_it_is_read_with_every_entry_title_and_author(self, given_sources: list[dict[str, Any]]) -> None:
        read = parse_string(bibliography.written(article(*given_sources), "bibtex"), "bibtex")
        assert [*read.entries] == [bibliography.key(source) for source in given_sources]
        for source in given_sources:
            entry = read.entries[bibliography.key(source)]
            assert entry.fields["url"].count("%7B") == source["url"].count("{")
            assert len(entry.persons.get("author", [])) == len([name for name in source["authors"] if name])
            assert entry.fields.get("date") == source["published_on"]

    @pytest.mark.parametrize("text", ["{", "}", "{a\\}", "#$%&_~^", "\\", "@article{x,", "a and b", "菊", "👩‍🌾", '"'])
    def test_what_means_something_to_tex_is_read_as_it_is(self, text: str) -> None:
        read = parse_string(
            bibliography.written(article(a_source(title=f"a{text}b", authors=[text])), "bibtex"), "bibtex"
        )
        (entry,) = read.entries.values()
        written = entry.fields["title"]
        names = {
            "textbackslash": "\\",
            "textbraceleft": "{",
            "textbraceright": "}",
            "textasciitilde": "~",
            "textasciicircum": "^",
        }
        said = re.sub(r"\\(text\w+)\{\}|\\([#$%&_])", lambda sign: names[sign[1]] if sign[1] else sign[2], written)
        assert said == f"{{a{text}b}}"
        assert len(entry.persons["author"]) == 1

    def test_what_is_no_book_and_no_paper_keeps_its_publisher_and_all_tell_their_language(self) -> None:
        read = parse_string(bibliography.written(article(a_source(type="webpage")), "bibtex"), "bibtex")
        (entry,) = read.entries.values()
        assert entry.type == "misc"
        assert (entry.fields["howpublished"], entry.fields["language"]) == ("{菊新聞}", "ja")
        assert not {"publisher", "langid"} & {name.lower() for name in entry.fields}

    def test_an_author_is_one_name(self) -> None:
        read = parse_string(bibliography.written(article(a_source()), "bibtex"), "bibtex")
        (entry,) = read.entries.values()
        assert [str(person) for person in entry.persons["author"]] == ["{山田花子}", "{Lee, Ann}"]
        assert (entry.type, entry.fields["journal"], entry.fields["year"]) == ("article", "{菊新聞}", "2024")


class TestRis:
    @OPTIONS
    @given(given_sources=st.lists(sources(), min_size=1, max_size=3))
    def test_it_is_read_with_every_value(self, given_sources: list[dict[str, Any]]) -> None:
        read = rispy.loads(bibliography.written(article(*given_sources), "ris"))
        assert [entry["id"] for entry in read] == [bibliography.key(source) for source in given_sources]
        for source, entry in zip(given_sources, read, strict=True):
            assert entry.get("title", "") == flat(source["title"])
            assert entry.get("authors", []) == [flat(name) for name in source["authors"] if flat(name)]
            assert entry.get("year", "") == (source["published_on"] or "")[:4]

    @pytest.mark.parametrize(("published_on", "date"), [("2024", "2024///"), ("2024-02", "2024/02//")])
    def test_a_date_is_as_exact_as_it_is_known(self, published_on: str, date: str) -> None:
        (entry,) = rispy.loads(bibliography.written(article(a_source(published_on=published_on)), "ris"))
        assert entry["date"] == date


class TestKeys:
    def test_a_source_is_listed_once_under_the_same_key_everywhere(self) -> None:
        twice = article(a_source(), a_source(title="別の題"), a_source(id="2"))
        assert [item["id"] for item in json.loads(bibliography.written(twice, "csl"))] == [f"source-{ID}", "source-2"]
        assert bibliography.written(twice, "bibtex").count(f"{{source-{ID},") == 1
        assert bibliography.written(twice, "ris").count("TY  - ") == 2

    def test_nothing_cited_is_an_empty_list(self) -> None:
        assert [bibliography.written(article(), format) for format in ("csl", "bibtex", "ris")] == ["[]", "", ""]

    def test_every_attempt_is_tried(self) -> None:
        assert {"{", "ER  - ", "\r"} <= set(ATTEMPTS)
