"""Texts come back byte for byte, from the working copy and from every address readers have."""

import json
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import publish
from tests.strategies import texts

OPTIONS = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
CASES = {
    "emoji": "💡✅👩‍🌾🇯🇵👍🏽❤️",
    "half-width kana": "ﾐｻｲﾙ ｶﾞｷﾞ",
    "full-width letters": "ＡＢＣ　１２３",
    "composed and decomposed": "がか\u3099é e\u0301 ﬁ ㌔",
    "variants": "葛\U000e0100城 髙﨑 𠮷野家 辻󠄀",
    "right-to-left": "שלום עולם، مرحبا 123 \u2067א\u2069",
    "markup": '<script>alert("x")</script><!-- & &amp; &#x27; ]]> --><b>',
    "markdown": "# *a* _b_ `c` [d](e) ![f](g) \\* 1. -",
    "SQL": "'; DROP TABLE articles; -- %s %(x)s :x ? \"a\" \\' % _",
    "templates": "{{ 7*7 }} ${7*7} #{7} %{x} {0} {published_on}",
    "paths": "../../etc/passwd C:\\Windows\\System32 file:///dev/null %2e%2e%2f%00",
    "spaces": "  \t a  b \u00a0\u3000\u200b\u2028\u2029 ",
    "line ends": "\r\na\rb\n\n\nc\n",
    "escapes": '\\u0000 \\n \\" \\\\ \\ud800 " /',
    "controls that are text": "\x7f\x80\x85\x9f\ufeff\ufffd\ufffe\uffff\U0010ffff",
    "combining": "a" + "\u0301" * 30,
    "null and numbers": "null 0 1e999 NaN true",
    "nothing": "",
    "long": "菊💡" * 900,
}
_numbers = count(1)


def document(take: Callable[[], str]) -> dict[str, Any]:
    """An article with a text in every place that holds one, each taken anew."""
    number = next(_numbers)

    def image() -> dict[str, str]:
        return {"alt": take(), "caption": take(), "credit": take()}

    def point() -> dict[str, str]:
        return {"text": take()}

    def citation(at: str) -> dict[str, Any]:
        # A publisher is found by its name in any width: this one's is its own.
        publisher = {"name": f"{take()[:480]}{number}{at}"}
        url = f"https://news.example.jp/{number}/{at}"
        source = {"url": url, "title": take(), "publisher": publisher, "authors": [take()[:500]], "image": image()}
        # What a card prints as the source has it is kept once, with the source: these differ.
        differing = {"display_title": take() + "1", "publisher_text": take()[:1_999] + "1"}
        printed = {**differing, "image": image() | {"alt": take() + "1"}}
        return {"source": source, **printed, "labels": {"read_more": take()}, "key_points": [point(), point()]}

    def section(at: str) -> dict[str, Any]:
        named = {name: take() for name in ("heading", "question", "answer", "transition", "body")}
        commentary = {"text": take(), "speaker": {"name": take()[:500], "image": image()}}
        return {**named, "citations": [citation(at)], "commentary": commentary}

    return {
        **{name: take() for name in ("title", "title_reading", "lead", "introduction", "conclusion")},
        "hero_image": image(),
        "bylines": [{"name": take()[:500], "role": take()[:500]}],
        "takeaways": [point(), point()],
        "pages": [
            {"title": take(), "sections": [section("a")]},
            {"title": take(), "teaser": take() + "1", "sections": [section("b"), section("c")]},
        ],
        "corrections": [point()],
        "seo": {"title": take(), "description": take()},
        "labels": {"masthead": take(), "next_page": take()},
    }


def sent_texts(sent: Any, answered: Any) -> Iterator[tuple[str, str]]:
    """Every text that was sent, with what stands in its place in an answer; a text is never looked for elsewhere."""
    if isinstance(sent, dict):
        for name in sent.keys() & answered.keys():
            yield from sent_texts(sent[name], answered[name])
    elif isinstance(sent, list):
        assert len(sent) == len(answered)
        for one, other in zip(sent, answered, strict=True):
            yield from sent_texts(one, other)
    else:
        yield sent, answered


def assert_same(answer: Any, sent: Any, at_least: int) -> None:
    """In the bytes of the answer each text is spelled as it was sent, and nothing in it is escaped beyond need."""
    assert answer.status_code in {200, 201}, answer.text
    pairs = list(sent_texts(sent, answer.json()))
    assert len(pairs) >= at_least
    for one, other in pairs:
        assert one == other
        assert json.dumps(one, ensure_ascii=False).encode() in answer.content


def carry_through(client: TestClient, sent: dict[str, Any]) -> None:
    """Create, read, patch, publish, and read as the public does."""
    created = client.post("/v1/manage/articles", json=sent)
    assert_same(created, sent, 80)
    at = created.headers["location"]
    assert_same(client.get(at), sent, 80)
    turned = {"lead": sent["introduction"][:2_000], "introduction": sent["lead"]}
    patch = json.dumps(turned).encode()
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    patched = client.patch(at, content=patch, headers=headers)
    assert_same(patched, sent | turned, 80)
    back = patched.json() | {name: sent[name] for name in turned}
    assert_same(client.put(at, json=back, headers={"If-Match": "*"}), sent, 80)
    id = created.json()["id"]
    publish(client, id)
    assert_same(client.get(f"/v1/articles/{id}"), sent, 80)
    for number, page in enumerate(sent["pages"], 1):
        answer = client.get(f"/v1/articles/{id}/pages/{number}")
        assert_same(answer, {"title": page["title"], "sections": page["sections"]}, 20)
        assert_same(answer, {"article": {name: sent[name] for name in ("title", "lead", "labels", "seo")}}, 6)
    for page, stored in zip(sent["pages"], created.json()["pages"], strict=True):
        for section, kept in zip(page["sections"], stored["sections"], strict=True):
            assert_same(client.get(f"/v1/sections/{kept['id']}"), section, 18)
            for point, its in zip(
                section["citations"][0]["key_points"], kept["citations"][0]["key_points"], strict=True
            ):
                assert_same(client.get(f"/v1/key-points/{its['id']}"), point, 1)
            source, ledger = section["citations"][0]["source"], kept["citations"][0]["source"]
            assert_same(client.get(f"/v1/sources/{ledger['id']}"), source, 7)
            assert_same(client.get(f"/v1/publishers/{ledger['publisher']['id']}"), source["publisher"], 1)
    (card,) = client.get("/v1/articles", params={"ids": id}).json()["items"]
    assert (card["title"], card["lead"]) == (sent["title"], sent["lead"])


@pytest.fixture
def lenient(client: TestClient) -> TestClient:
    """A client of a site whose checks prevent nothing: an empty heading is a text, too."""
    site = client.get("/v1/manage/site")
    codes = ("title-empty", "first-page-empty", "section-heading-missing", "section-empty", "answer-missing")
    checks = site.json() | {"checks": dict.fromkeys(codes, "off")}
    assert client.put("/v1/manage/site", json=checks, headers={"If-Match": "*"}).status_code == 200
    return client


class TestTexts:
    @pytest.mark.parametrize("name", CASES)
    def test_a_text_of_this_kind_comes_back_from_everywhere(self, lenient: TestClient, name: str) -> None:
        carry_through(lenient, document(lambda: CASES[name]))

    def test_texts_of_all_kinds_side_by_side_come_back_each_from_its_place(self, lenient: TestClient) -> None:
        kinds = cycle(CASES.values())
        carry_through(lenient, document(lambda: next(kinds)))

    @OPTIONS
    @given(drawn=st.lists(texts, min_size=8, max_size=40))
    def test_any_text_comes_back(self, lenient: TestClient, drawn: list[str]) -> None:
        given = cycle(drawn)
        carry_through(lenient, document(lambda: next(given)))
