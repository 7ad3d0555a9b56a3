"""What stands between a draft and publication: each check with a code, a severity, a pointer and a sentence.

What is found is in ``findings.py``, the sentences in ``check_texts.py``; who publishes is ``publish.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.articles import publishers, site
from app.articles.document import ArticleDocument
from app.database import Reader
from app.errors import Fault, Invalid
from app.publishing import findings
from app.publishing.check_texts import TEXTS, Language, Severity

_FAILED: Mapping[Language, str] = {
    "en": "The article does not pass the checks for publication.",
    "ja": "この記事は公開前のチェックを通っていません。",
}


@dataclass(frozen=True)
class Check:
    """One thing a check found."""

    code: str
    severity: Severity
    pointer: str
    detail: str


@dataclass(frozen=True)
class Checks:
    """What stands between a working copy and publication: errors prevent it, warnings do not."""

    publishable: bool
    problems: list[Check]

    @classmethod
    def of(cls, found: list[Check]) -> "Checks":
        """The findings, and whether the article can be published in spite of them."""
        return cls(not errors(found), found)


@dataclass(frozen=True)
class Terms:
    """In which language findings are told, and why errors among them are overridden, if they are."""

    language: Language = "en"
    override_reason: str | None = None


AS_USUAL = Terms()
"""In English, and nothing is overridden."""


def run(reader: Reader, document: ArticleDocument, language: Language) -> list[Check]:
    """Every finding, in the order of the document; the site's rules raise, lower or silence a code."""
    rules = site.load(reader).document
    asked = findings.unsettled(document)
    bare = publishers.bare(reader, asked) if asked else set()
    found = []
    for code, pointer, values in findings.of(document, rules, bare):
        text = TEXTS[code]
        severity = rules.checks.get(code, text.severity)
        if severity != "off":
            found.append(Check(code, severity, pointer, text.said(language, values)))
    return found


def errors(found: list[Check]) -> list[Check]:
    """Those of the findings that prevent publication."""
    return [check for check in found if check.severity == "error"]


def demand(reader: Reader, document: ArticleDocument, terms: Terms) -> list[Check]:
    """The findings, none of which stands in the way of publication on these ``terms``.

    Raises: Invalid (``checks-failed``).
    """
    found = run(reader, document, terms.language)
    failed = () if terms.override_reason is not None else errors(found)
    if failed:
        faults = tuple(Fault(c.code, c.detail, pointer=c.pointer, severity=c.severity) for c in failed)
        raise Invalid("checks-failed", _FAILED[terms.language], faults, language=terms.language)
    return found


def demand_known(rules: Mapping[str, str], stored: Mapping[str, str]) -> None:
    """A site's rules are for checks that there are; one that is ``stored`` already stays.

    Raises: Invalid (``validation``, in ``errors``: ``check-unknown``).
    """
    unknown = [code for code in rules if code not in TEXTS and code not in stored]
    if unknown:
        faults = (Fault("check-unknown", "There is no such check.", pointer=f"/checks/{code}") for code in unknown)
        raise Invalid("validation", "The body is not as it should be.", tuple(faults))
