"""Every check: its code, how severe it is unless the site says otherwise, and its sentence in Japanese and English.

When a check finds something is decided in ``findings.py``; sentences never hold anything of an article's texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["warning", "error"]
Language = Literal["en", "ja"]


@dataclass(frozen=True)
class Text:
    """One check; ``{names}`` in a sentence stand for numbers and pointers."""

    severity: Severity
    ja: str
    en: str

    def said(self, language: Language, values: Mapping[str, object]) -> str:
        """The sentence in this language."""
        return (self.ja if language == "ja" else self.en).format_map(values)


TEXTS: Mapping[str, Text] = {
    "title-empty": Text("error", "記事にタイトルがありません。", "The article has no title."),
    "title-long": Text(
        "warning",
        "タイトルは{limit}文字以内が目安ですが、{count}文字あります。",
        "The title has {count} characters, more than {limit}.",
    ),
    "image-alt-missing": Text("warning", "画像に代替テキストがありません。", "The image has no alternative text."),
    "image-credit-missing": Text("warning", "画像にクレジットがありません。", "The image has no credit."),
    "announced-number": Text(
        "warning",
        "予告された数は{announced}ですが、実際の数は{found}です。",
        "{announced} are announced, {found} are there.",
    ),
    "sentence-end-missing": Text(
        "warning",
        "句点などで終わっていない段落があります(第{paragraphs}段落)。",
        "The text has no full stop, or the like, at the end of paragraph {paragraphs}.",
    ),
    "takeaways-count": Text(
        "warning",
        "記事の要点は{least}~{most}件が目安ですが、{count}件あります。",
        "There are {count} takeaways, not {least} to {most}.",
    ),
    "first-page-empty": Text("error", "1ページ目にセクションがありません。", "Page 1 has no section."),
    "teaser-missing": Text(
        "warning",
        "前のページの末尾に出る、このページの予告文がありません。",
        "The page has no teaser that leads to it from the page before.",
    ),
    "section-heading-missing": Text("error", "セクションに見出しがありません。", "The section has no heading."),
    "section-empty": Text(
        "error", "セクションに本文も出典もありません。", "The section has neither body nor citations."
    ),
    "section-uncited": Text("warning", "セクションに出典がありません。", "The section cites no source."),
    "answer-missing": Text(
        "error", "セクションの問いに答えがありません。", "The section asks a question and does not answer it."
    ),
    "key-points-missing": Text("warning", "出典に要点がありません。", "The citation has no key point."),
    "key-point-repeated": Text(
        "warning", "同じ要点がすでにあります({first})。", "The same key point stands at {first} already."
    ),
    "date-missing": Text(
        "warning",
        "出典の公開日がありません。",
        "The citation has no date: neither is one printed nor does its source have one.",
    ),
    "publisher-guessed": Text(
        "warning",
        "発行元の名前は表記から推測されたものです。台帳で確認してください。",
        "The publisher's name was guessed from the printed text; the ledger has nothing else that confirms it.",
    ),
}
"""By code."""
