"""YAML beside the prose: quick and safe to read and write, whatever it holds."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app import text
from app.formats import front_matter, markdown_reading
from app.formats.front_matter import Unreadable

KEPT = {"title": "菊", "items": ["アア", None, True, 1]}


def refused(said: str) -> Unreadable:
    with pytest.raises(Unreadable) as told:
        front_matter.read(said)
    return told.value


class TestWriting:
    @pytest.mark.parametrize("sign", ["ア", "a", "菊", "ー", "(", ".", " a", "・", "！"])
    @pytest.mark.parametrize("end", ["", ":", "?", "%", "…", "🌼", "\n", " ", "\u3000"])
    def test_a_long_text_is_written_at_once_whatever_it_ends_in(self, sign: str, end: str) -> None:
        said = sign * 2_000 + end
        assert yaml.safe_load(front_matter.written({"title": said})) == {"title": said}

    @settings(max_examples=100)
    @given(said=st.text(max_size=40).filter(lambda said: text.hostile(said) is None))
    def test_any_text_is_one_to_any_reader_of_yaml(self, said: str) -> None:
        assert yaml.safe_load(front_matter.written({"title": said})) == {"title": said}
        assert front_matter.read(front_matter.flow(said)) == said

    def test_nothing_in_it_ends_a_comment(self) -> None:
        for said in ("a-->b", "a--!>b", "<!--", "<!-->", "--!>"):
            written = front_matter.flow(said)
            assert not any(end in written for end in ("-->", "--!>", "<!--")), written
            assert front_matter.read(written) == said


class TestReading:
    def test_what_was_written_is_read(self) -> None:
        assert front_matter.read(front_matter.written(KEPT)) == KEPT | {"items": ["アア", None, True, "1"]}

    @pytest.mark.parametrize("said", ["[" * 30_000 + "]" * 30_000, "{a: " * 30_000, "- " * 30_000, "? " * 30_000])
    def test_what_is_too_deep_is_refused_before_it_is_built(self, said: str) -> None:
        for whole in (said, f"# a comment\n{said}"):
            assert refused(whole).detail.startswith(("Values stand at most 32 deep", "This is not YAML"))
        with pytest.raises(front_matter.Unreadable, match="32"):
            front_matter.read("[" * 33 + "]" * 33)
        assert front_matter.read("[" * 32 + "]" * 32)

    @pytest.mark.parametrize(
        "tagged",
        ["!!bool geheim", "!geheim x", "!!int geheim", "!!set {geheim}", "!<geheim> a", "! geheim", "!!null geheim"],
    )
    def test_no_tag_is_taken_and_none_is_repeated(self, tagged: str) -> None:
        for said in (tagged, f"a:\n  b: {tagged}", f"- {tagged}"):
            error = refused(said)
            assert error.detail.startswith("Tags are not taken")
            assert error.line == said.count("\n")

    @pytest.mark.parametrize(
        "said", ["a: &geheim b", "a: &geheim [*geheim]", "a: *geheim", "&geheim a", "[&geheim {}]"]
    )
    def test_no_anchor_is_taken_and_none_is_repeated(self, said: str) -> None:
        assert refused(said).detail.startswith("Anchors and aliases are not taken")

    def test_more_values_than_anything_has_are_refused(self) -> None:
        assert refused("[" + "a," * 20_000 + "]").detail.startswith("These are more values")
        assert len(front_matter.read("[" + "a," * 9_000 + "]")) == 9_000

    @settings(max_examples=300)
    @given(said=st.text(alphabet="ab:-[]{}\"',!&*?|>%@#~\n 菊", max_size=40))
    def test_whatever_stands_there_is_read_or_refused(self, said: str) -> None:
        with suppress(Unreadable):
            front_matter.read(said)

    def test_a_file_with_such_a_comment_is_refused_in_its_line(self) -> None:
        deep: Any = "[" * 30_000 + "]" * 30_000
        for inside in (deep, "!!bool abc", "{a: &b c}"):
            with pytest.raises(Exception, match="cannot be read") as told:
                markdown_reading.read(f"# t\n<!-- page {inside} -->")
            (fault,) = told.value.faults  # type: ignore[attr-defined]
            assert (fault.code, fault.detail.partition(":")[0]) == ("comment-invalid", "Line 2")
