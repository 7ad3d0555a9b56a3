"""The same requests, on SQLite and on PostgreSQL, get the same answers: status, headers and body."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests import conftest
from tests.factories import a_section

STEPS = 220
ANY = {"If-Match": "*"}
MERGE = {"Content-Type": "application/merge-patch+json"}
NAMES = ("菊", "ｷｸ", "キク", "Kiku", "kiku", "Éclair", "éclair", "a%_b", "葛󠄀", "zz", "ÿ", "'", "𠮷", "")
CODES = ("title-empty", "first-page-empty", "section-heading-missing", "section-empty", "answer-missing")
LISTS = ("articles", "sections", "key-points", "questions", "sources", "publishers", "tags", "manage/articles")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_OPAQUE = re.compile(r'"(request_id|next|sync)":"[^"]*"|cursor=[\w%-]+')


class Side:
    """One database's application, and the ids it gave, in the order it gave them."""

    def __init__(self, http: TestClient) -> None:
        self.http = http
        self.ids: dict[str, str] = {}
        self.articles: list[dict[str, Any]] = []
        self.next: dict[str, str] = {}

    def alike(self, answer: Any) -> tuple[int, dict[str, str], str]:
        """The answer with everything named that differs between two runs on one database."""
        headers = {name: self._named(value) for name, value in answer.headers.items() if name != "x-request-id"}
        text = self._named(answer.text)
        varying = answer.status_code >= 400 or "cursor=" in answer.headers.get("link", "")
        if varying or "content-encoding" in headers:
            headers.pop("content-length", None)  # a request's id and a cursor may be longer, and ids pack differently
        return answer.status_code, headers, text

    def _named(self, text: str) -> str:
        named = _HASH.sub("a hash", _OPAQUE.sub(lambda found: found[0][:6], text))
        return _UUID.sub(lambda found: self.ids.setdefault(found[0], f"id {len(self.ids)}"), named)


@pytest.fixture
def sides(both: tuple[conftest.Side, conftest.Side]) -> tuple[Side, Side]:
    sqlite, postgresql = both
    return Side(sqlite.client), Side(postgresql.client)


class Script:
    """Requests drawn at random; the same seed draws the same for both sides."""

    def __init__(self, side: Side, seed: int) -> None:
        self._side, self._http = side, side.http
        self._random = random.Random(seed)  # noqa: S311 - the same each time

    def step(self) -> Any:
        acts: list[Callable[[], Any]] = [self._create, self._change, self._publish, self._withdraw, self._list,
                                         self._list, self._list, self._read, self._mistake]  # fmt: skip
        return self._random.choice(acts)()

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _article(self) -> dict[str, Any]:
        return self._random.choice(self._side.articles) if self._side.articles else {"id": "none", "pages": []}

    def _create(self) -> Any:
        url = f"https://{self._random.choice('abc')}.example.jp/{self._random.randint(1, 9)}"
        source = {"url": url, "title": self._name(), "publisher": {"name": self._name()}}
        citation = {"source": source, "key_points": [{"text": self._name()}]}
        sections = [a_section(heading=self._name(), citations=[citation]) for _ in range(self._random.randint(1, 3))]
        document: dict[str, Any] = {"title": self._name(), "lead": self._name(), "pages": [{"sections": sections}]}
        document["tags"] = [name for name in {self._name(), self._name()} if re.fullmatch(r"\w+", name)]
        document["tags"].sort()
        if self._random.random() < 0.3:
            document["slug"] = self._random.choice(["kiku", "ume", "KIKU", "菊", "a b"])
        if self._random.random() < 0.3:
            document["external_ids"] = {"cms": str(self._random.randint(1, 3))}
        answer = self._http.post("/v1/manage/articles", json=document)
        if answer.status_code == 201:
            self._side.articles.append(answer.json())
        return answer

    def _change(self) -> Any:
        at = f"/v1/manage/articles/{self._article()['id']}"
        change = self._random.choice([{"title": self._name()}, {"slug": "ume"}, {"lead": None}, {"seo": {"title": "a"}},
                                      {"language": "x"}, {"nobody": 1}, {"tags": ["菊", "ｷｸ"]}])  # fmt: skip
        if_match = self._random.choice(["*", '"1"', '"2"', "x"])
        return self._http.patch(at, content=json.dumps(change), headers=MERGE | {"If-Match": if_match})

    def _publish(self) -> Any:
        return self._http.post(f"/v1/manage/articles/{self._article()['id']}/publish", headers=ANY)

    def _withdraw(self) -> Any:
        at = f"/v1/manage/articles/{self._article()['id']}"
        if self._random.random() < 0.6:
            return self._http.post(f"{at}/unpublish", headers=ANY)
        return self._http.delete(at, params={"purge": self._random.choice(["true", "false"])}, headers=ANY)

    def _list(self) -> Any:
        name = self._random.choice(LISTS)
        article = self._article()
        chosen = {
            "limit": str(self._random.choice([1, 2, 5, 100, 101])),
            "count": self._random.choice(["exact", "capped"]),
        }
        if name in self._side.next and self._random.random() < 0.7:
            chosen |= {"cursor": self._side.next[name]}
        elif name == "manage/articles":
            chosen |= self._random.choice([{}, {"q": self._name()}, {"q": "%"}, {"q": "_"}, {"status": "published"}])
        else:
            chosen |= self._random.choice([{}, {}, {"article": article["id"]}, {"language": "ja"}, {"tag": "菊"}])
        answer = self._http.get(f"/v1/{name}", params=chosen)
        if answer.status_code == 200 and len(chosen) == 2 and answer.json()["next"]:
            self._side.next[name] = answer.json()["next"]
        return answer

    def _read(self) -> Any:
        article = self._article()
        paths = [f"/v1/articles/{article['id']}", f"/v1/articles/{article['id']}/pages/1", "/v1/articles/kiku",
                 "/v1/articles/%E8%8F%8A.txt", "/v1/articles/ume.md", "/feeds/atom.xml?tag=菊", "/sitemap.xml",
                 "/v1/articles/ext:cms:1", f"/v1/manage/articles/{article['id']}",
                 "/v1/sources/lookup?url=http://A.example.jp:80/3/"]  # fmt: skip
        paths += [f"/v1/sections/{section['id']}" for page in article["pages"] for section in page["sections"]]
        return self._http.get(self._random.choice(paths))

    def _mistake(self) -> Any:
        paths = ["/v1/articles/%00", "/v1/articles/%ff", "/v1/articles?cursor=x", "/v1/articles?tag=%00",
                 "/v1/articles?published_after=2024-02-30T00:00:00Z", f"/v1/articles?ids={'9' * 36}",
                 "/v1/manage/articles/ext:cms:%00", f"/v1/articles/{'9' * 300}", "/v1/sections?fields=a.b.c",
                 "/v1/articles/kiku/pages/99999999999999999999", "/v1/sources?publisher=' OR 1=1 --"]  # fmt: skip
        return self._http.get(self._random.choice(paths))


class TestBothDatabases:
    @pytest.mark.parametrize("seed", range(2))
    def test_a_long_random_day_goes_the_same_on_both(self, sides: tuple[Side, Side], seed: int) -> None:
        for side in sides:
            site = side.http.get("/v1/manage/site").json() | {"checks": dict.fromkeys(CODES, "off")}
            assert side.http.put("/v1/manage/site", json=site, headers=ANY).status_code == 200
        scripts = [Script(side, seed) for side in sides]
        seen: set[int] = set()
        for step in range(STEPS):
            answers = [script.step() for script in scripts]
            sqlite, postgresql = (side.alike(answer) for side, answer in zip(sides, answers, strict=True))
            assert sqlite == postgresql, (step, answers[0].request.method, answers[0].request.url)
            seen.add(sqlite[0])
        assert {200, 201, 204, 400, 404, 409, 412, 422} <= seen
