"""Thirty invented articles of many scripts, and what a plain look through their texts finds of them."""

import random
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from app.search import folding, tokens
from app.text import fold
from tests.conftest import Clock
from tests.factories import create, publish

Item = dict[str, Any]
ARTICLES = 30
TAGS = ("菊", "国際", "news")
PUBLISHERS = ("菊新聞社", "ゾルバン通信", "Örtlich Blatt", "国화일보")
LANGUAGES = ("ja", "en", "ko")
# Words that every dictionary knows, and words that none does.
WORDS = (
    *(
        "菊人形展",
        "千輪咲き",
        "園芸課",
        "温室",
        "品評会",
        "審査員",
        "金賞",
        "苗木",
        "水やり",
        "肥料",
        "展望台",
        "遊覧船",
    ),
    *(
        "市役所前広場",
        "引っ越し先",
        "携帯電話基地局",
        "東海道新幹線",
        "国立公園管理事務所",
        "りんご",
        "髙田",
        "渡邊",
        "齋藤",
    ),
    *(
        "ゾルバンティア",
        "ヌヌネグロ",
        "ぽぽんた",
        "ギャリモフスキー",
        "𠮷沢",
        "鬱金香",
        "麤皮",
        "いろはにほへと",
        "ﾊﾅｶﾞｻｸ",
    ),
    *("ＫＣＮＡ", "Wi-Fi", "e-mail", "C++", "krzqx", "zyzzyva", "Café", "Cre\u0300me", "STRASSE", "Straße", "İstanbul"),
    *("3,141,592", "１９８４", "12.5", "1万2千", "0", "①", "㍿", "㌔", "½", "No.7", "2024-11-24", "x²"),
    *("💡", "👩‍🌾", "🇯🇵", "👍🏽", "❤️", "→", "♪", "〆切", "々", "ゞ", "ヶ丘", "か\u3099く", "ジョン・スミス"),
    *(
        "국화",
        "한글날",
        "хризантема",
        "ёлка",
        "Χρυσάνθεμο",
        "أقحوان",
        "חרצית",
        "เบญจมาศ",
        "菊花展览",
        "गुलदाउदी",
        "Kikuの日",
    ),
)
_JOINTS = ("の", "が", "を", "で", "と", " ", "、", "は、", "", "(", ")", "「", "」", "/", " and ")
_ENDS = ("。", "です。", "!", "?", "。\n", "…")


def fill(client: TestClient, clock: Clock, articles: int = ARTICLES, *, identified: bool = False) -> None:
    """Publish the articles, over four years; ``identified``: they and their parts have the same ids each time."""
    drawn, named = random.Random(7), random.Random(1)  # noqa: S311 - the same articles each time
    for number in range(articles):
        document = _document(drawn, number)
        if identified:
            _identify(document, named)
        publish(client, create(client, document)["id"])
        clock.advance(days=drawn.randint(0, 90))


def read(client: TestClient) -> list[Item]:
    """The published articles as their own addresses answer them."""
    ids = [card["id"] for card in client.get("/v1/articles?limit=100").json()["items"]]
    return [client.get(f"/v1/articles/{id}").json() for id in ids]


def texts(article: Item) -> dict[str, str]:
    """Every text of a public article by which it is found, by where it stands."""
    return {pointer: text for pointer, text in _leaves(article, "") if text and SEARCHED.fullmatch(pointer)}


SEARCHED = re.compile(
    r"/(title|lead|introduction|conclusion|takeaways/\d+/text|pages/\d+/(title|teaser|sections/\d+/(heading|question"
    r"|answer|transition|body|commentary/text|citations/\d+/(display_title|publisher_text|source/title"
    r"|source/publisher/name|key_points/\d+/text))))"
)


def at(article: Item, pointer: str) -> str:
    """The text to which a pointer (RFC 6901) leads."""
    here: Any = article
    for name in pointer.split("/")[1:]:
        here = here[int(name)] if isinstance(here, list) else here[name.replace("~1", "/").replace("~0", "~")]
    assert isinstance(here, str)
    return here


def section_texts(section: Item) -> Iterator[str]:
    """The texts by which a section is found."""
    for pointer, text in _leaves(section, "/pages/0/sections/0"):
        if text and SEARCHED.fullmatch(pointer):
            yield text


def holding(articles: list[Item], word: str) -> set[str]:
    """The ids of the articles in a text of which the word stands: NFKC and lower case, nothing else."""
    wanted = fold(word)
    return {article["id"] for article in articles if any(wanted in fold(text) for text in texts(article).values())}


def words(text: str) -> list[str]:
    """The words by which a text is found."""
    folded = folding.fold(text)
    return tokens.indexed(folded.text, folded.gaps)


def pieces(articles: list[Item], times: int, longest: int, seed: int = 3) -> Iterator[str]:
    """Stretches of the texts, from anywhere in them; the same each time."""
    drawn = random.Random(seed)  # noqa: S311 - see above
    every = [text for article in articles for text in texts(article).values()]
    for _ in range(times):
        text = drawn.choice(every)
        start = drawn.randrange(len(text))
        yield text[start : start + drawn.randint(1, longest)]


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict | list):
        each = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in each:
            yield from _leaves(inner, f"{pointer}/{name}")


def _identify(part: Item, named: random.Random) -> None:
    part["id"] = str(UUID(int=named.getrandbits(128), version=4))
    for name in ("takeaways", "pages", "sections", "citations", "key_points"):
        for inner in part.get(name, []):
            _identify(inner, named)


def _document(drawn: random.Random, number: int) -> Item:
    def say(words: int) -> str:
        said = [drawn.choice(WORDS) + drawn.choice(_JOINTS) for _ in range(words)]
        return "".join(said) + drawn.choice(_ENDS)

    def citation() -> Item:
        at = drawn.randint(1, 9)
        publisher = PUBLISHERS[at % len(PUBLISHERS)]
        source = {
            "url": f"https://news.example.jp/{at}",
            "title": f"第{at}報 {WORDS[at * 7]}",
            "publisher": {"name": publisher},
            "language": LANGUAGES[at % 2],
            "type": "report" if at % 2 else "article-newspaper",
        }
        points = [{"text": say(3)} for _ in range(drawn.randint(0, 2))]
        printed = {"display_title": say(2), "publisher_text": f"{publisher} 電子版"} if drawn.random() < 0.3 else {}
        return {"source": source, "key_points": points, **printed}

    def section() -> Item:
        asked = {"question": say(2), "answer": say(2)} if drawn.random() < 0.6 else {}
        citations = [citation() for _ in range(drawn.randint(0, 2))]
        commentary = {"text": say(3)} if drawn.random() < 0.5 else None
        beside = {"transition": say(2), "citations": citations, "commentary": commentary}
        return {"heading": say(2), "body": say(12), **beside, **asked}

    pages = [
        {"title": say(1), "sections": [section() for _ in range(drawn.randint(1, 3))]} for _ in range(number % 2 + 1)
    ]
    return {
        "title": f"{say(2)} 第{number}号",
        "language": drawn.choice(LANGUAGES),
        "lead": say(4),
        "introduction": say(10),
        "takeaways": [{"text": say(3)} for _ in range(drawn.randint(0, 2))],
        "pages": [*pages, {"teaser": say(3)}],
        "conclusion": say(4),
        "tags": drawn.sample(TAGS, drawn.randint(0, 2)),
    }
