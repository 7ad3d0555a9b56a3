"""A small library of articles that share sources, publishers and tags, and what readers should find of it."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi.testclient import TestClient

from tests.conftest import Clock
from tests.factories import create, publish

Item = dict[str, Any]
PUBLISHERS = ("菊新聞", "例\u3000通信", "Örtlich")
TAGS = ("菊", "国際", "news")
LANGUAGES = ("ja", "en")
LISTS = ("sections", "key-points", "questions", "sources", "publishers", "tags")


class Library:
    """Published articles as their own addresses answer them, and drafts beside them that nobody may see."""

    def __init__(self, client: TestClient, clock: Clock, articles: int = 8, seed: int = 1) -> None:
        self._client, self._random = client, random.Random(seed)  # noqa: S311 - the same library each time
        made = []
        for number in range(articles):
            made.append(create(client, self._document(str(number)))["id"])
            publish(client, made[-1])
            clock.advance(minutes=number % 3)
        self.withdrawn = create(client, self._document("withdrawn", "秘密", "秘密新聞"))
        publish(client, self.withdrawn["id"])
        self._act(self.withdrawn["id"], "unpublish")
        self.draft = create(client, self._document("draft", "下書き", "下書き新聞"))
        self.trashed = create(client, self._document("trashed", "ごみ", "ごみ新聞"))
        publish(client, self.trashed["id"])
        client.delete(f"/v1/manage/articles/{self.trashed['id']}", headers={"If-Match": "*"})
        # A working copy that went on: nothing of what was added since is public.
        self.edited = client.get(f"/v1/manage/articles/{made[0]}").json()
        self.edited["pages"][0]["sections"].append(self._section("edited", "編集新聞"))
        self.edited["tags"].append("編集")
        answer = client.put(f"/v1/manage/articles/{made[0]}", json=self.edited, headers={"If-Match": "*"})
        self.edited = answer.json()
        self.articles = [client.get(f"/v1/articles/{id}").json() for id in made]
        self.articles.sort(key=lambda article: (article["published_at"], article["id"]), reverse=True)
        self.cards = {card["id"]: card for card in client.get("/v1/articles?limit=100").json()["items"]}

    def sections(self) -> Iterator[tuple[Item, Item, Item]]:
        """Every public section in the lists' order, with its page and its article."""
        for article in self.articles:
            for page in article["pages"]:
                for section in page["sections"]:
                    yield section, page, article

    def citations(self) -> Iterator[tuple[Item, Item, Item, Item]]:
        """Every public citation, with its section, page and article."""
        for section, page, article in self.sections():
            for citation in section["citations"]:
                yield citation, section, page, article

    def hidden(self) -> Iterator[Item]:
        """The working copies of which readers see nothing; of the edited one only what is new."""
        yield from (self.withdrawn, self.draft, self.trashed)
        yield {"id": None, "tags": ["編集"], "pages": [{"sections": self.edited["pages"][0]["sections"][-1:]}]}

    def _document(self, name: str, tag: str | None = None, publisher: str | None = None) -> Item:
        pages: list[Item] = [
            {"sections": [self._section(f"{name}-{page}-{at}", publisher) for at in range(self._random.randint(1, 2))]}
            for page in range(self._random.randint(1, 2))
        ]
        return {
            "title": f"題{name}",
            "language": self._random.choice(LANGUAGES),
            "takeaways": [{"text": f"要点{name}-{at}"} for at in range(self._random.randint(0, 2))],
            "pages": [*pages, {"teaser": "次へ"}],
            "tags": [tag] if tag else self._random.sample(TAGS, self._random.randint(0, 2)),
        }

    def _section(self, name: str, publisher: str | None) -> Item:
        asked = {"question": f"問{name}", "answer": "答"} if self._random.random() < 0.7 else {}
        citations = [self._citation(f"{name}-{at}", publisher) for at in range(self._random.randint(0, 2))]
        if publisher:
            citations = [self._citation(name, publisher)]
        return {"heading": f"見出し{name}", "body": "本文", "citations": citations, **asked}

    def _citation(self, name: str, publisher: str | None) -> Item:
        number = self._random.randint(1, 5)
        form = self._random.choice(["https://news.example.jp/{}", "http://NEWS.example.jp:80/{}/?utm_source=x#a"])
        url = f"https://hidden.example.jp/{name}" if publisher else form.format(number)
        source = {
            "url": url,
            "title": f"記事{number}",
            "publisher": {"name": publisher or PUBLISHERS[number % 3]},
            "language": LANGUAGES[number % 2],
            "type": "report" if number % 2 else "article-newspaper",
        }
        points = [{"text": f"点{name}-{at}"} for at in range(self._random.randint(0, 2))]
        return {"source": source, "key_points": points}

    def _act(self, article_id: str, act: str) -> None:
        answer = self._client.post(f"/v1/manage/articles/{article_id}/{act}", headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text


def walk(client: TestClient, path: str, between: Callable[[], None] | None = None, **parameters: Any) -> list[Item]:
    """Every item of a list, page by page, as ``next`` and ``Link`` alike lead on."""
    answer = client.get(path, params=parameters)
    items = []
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            assert "next" not in answer.links
            return items
        if between:
            between()
        answer = client.get(path, params=parameters | {"cursor": page["next"]})
        assert answer.url.params["cursor"] == page["next"]


def combinations(choices: dict[str, Iterable[Any]], times: int, seed: int = 2) -> Iterator[dict[str, Any]]:
    """Each filter alone with each of its values, then ``times`` of several at once; the same each time."""
    drawn = random.Random(seed)  # noqa: S311 - see above
    yield {}
    known = {name: sorted(values) for name, values in choices.items()}
    yield from ({name: value} for name, values in known.items() for value in values)
    for _ in range(times):
        names = drawn.sample(list(known), drawn.randint(2, 4))
        yield {name: drawn.choice(known[name]) for name in names}


def fits(article: Item, wanted: dict[str, Any]) -> bool:
    """Whether the filters that are about the article hold of it."""
    return (
        wanted.get("article", article["id"]) == article["id"]
        and ("tag" not in wanted or wanted["tag"] in article["tags"])
        and wanted.get("published_after", "") <= article["published_at"] <= wanted.get("published_before", "9")
    )
