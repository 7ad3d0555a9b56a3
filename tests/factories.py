"""Documents and articles for tests: the least a test needs, changed by what it says."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from fastapi.testclient import TestClient

_numbers = count(1)


def a_citation(**changes: Any) -> dict[str, Any]:
    """A source card with one key point; each call cites another source."""
    number = next(_numbers)
    source = {"url": f"https://news.example.jp/{number}", "title": f"記事{number}", "publisher": {"name": "菊新聞"}}
    return {"source": source, "key_points": [{"text": "菊の展示が始まりました。"}], **changes}


def a_section(**changes: Any) -> dict[str, Any]:
    """A section that passes the checks."""
    return {
        "heading": "秋の菊まつり",
        "question": "菊はいつ咲く?",
        "answer": "十月の終わり",
        "transition": "まず、会場を見てみましょう。",
        "citations": [a_citation()],
        "body": "会場には千本の菊が並びます。",
        "commentary": {"text": "楽しみですね。", "speaker": None},
        **changes,
    }


def a_document(**changes: Any) -> dict[str, Any]:
    """An article of two pages, the second announced by its teaser; it can be published."""
    return {
        "title": f"菊の話{next(_numbers)}",
        "lead": "菊まつりを一日で巡ります。",
        "introduction": "今日は菊を見に行きます。",
        "takeaways": [{"text": "菊まつりは十月に始まります。"}, {"text": "入場は無料です。"}],
        "pages": [{"sections": [a_section()]}, {"teaser": "次は菊の育て方です。"}],
        "tags": ["菊"],
        **changes,
    }


def create(client: TestClient, document: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A stored draft, as the API answered it."""
    answer = client.post("/v1/manage/articles", json=document or a_document(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def publish(client: TestClient, article_id: str) -> dict[str, Any]:
    """What publishing answered."""
    answer = client.post(f"/v1/manage/articles/{article_id}/publish", headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def published(client: TestClient, **changes: Any) -> dict[str, Any]:
    """A published article's working copy, as the API answered its creation."""
    draft = create(client, **changes)
    publish(client, draft["id"])
    return draft
