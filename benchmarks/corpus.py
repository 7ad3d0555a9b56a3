"""Digest articles for benchmarks, the same ones on every run, and a database filled with them.

Their sentences come from ``words.py``; what reading and writing them costs is measured in ``rounds.py``.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self

from app import schema
from app.articles import drafts
from app.articles.document import ArticleInput
from app.database import Database
from app.errors import Busy, Conflict
from app.publishing import publish
from app.validation import validated
from benchmarks import words

CHUNK = 50
"""How many articles are published in one transaction while a database is filled."""
SOURCES = 1_500
"""How many sources the first 2,000 articles share, each cited some ten times; beyond, the ledger grows along."""
_TRIES = 5
_RETRY_SECONDS = 0.2
"""How often what another writer got in the way of is tried, and how long between."""
_FIRST_AT = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much of everything an article holds; sections are counted a page, and so on downwards."""

    takeaways: int
    pages: int
    sections: int
    citations: int
    key_points: int
    paragraphs: int
    sentences: int

    @property
    def rows(self) -> int:
        """The rows of its working copy: the article, pages, sections, citations, key points and takeaways."""
        sections = self.pages * self.sections
        citations = sections * self.citations
        return 1 + self.takeaways + self.pages + sections + citations * (1 + self.key_points)


DIGEST = Size(takeaways=4, pages=2, sections=2, citations=2, key_points=3, paragraphs=3, sentences=2)
"""An everyday digest: 14 to 18 KB of public JSON."""
LONG = Size(takeaways=10, pages=2, sections=4, citations=2, key_points=3, paragraphs=7, sentences=3)
"""The working copy of the budget for saving: 85 rows, some 51 KB of JSON."""


def document(number: int, size: Size = DIGEST) -> dict[str, Any]:
    """Article ``number`` as a client would send it; a title, and so a slug, of its own for each number."""
    random = Random(number)
    topic = words.Topic.of(random)
    of = _Article(random, topic, size, max(SOURCES, number * 3 // 4))
    return {
        "title": f"{random.choice(topic.places)}の{random.choice(topic.things)}を訪ねて 第{number}回",
        "lead": words.paragraphs(random, topic, 1, 2),
        "hero_image": {"url": f"https://images.example.jp/{number}.jpg", "alt": words.sentence(random, topic)},
        "introduction": words.paragraphs(random, topic, 1, 2),
        "takeaways": [{"text": words.sentence(random, topic)} for _ in range(size.takeaways)],
        "pages": [_page(of, at) for at in range(size.pages)],
        "conclusion": words.paragraphs(random, topic, 1, 2),
        "tags": random.sample(words.TAGS, 2),
    }


class Filling:
    """A database, migrated if need be, into which articles are published, the later ones later; in a ``with`` block."""

    def __init__(self, database_url: str) -> None:
        self._now = _FIRST_AT
        self._database = Database(database_url, lambda: self._now)
        schema.migrate(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._database.close()

    def publish(self, documents: Mapping[int, dict[str, Any]]) -> None:
        """Publish these articles, by number, in one transaction at an instant of their own.

        Raises: Busy or Conflict when other writers got in the way each time.
        """
        self._now = _FIRST_AT + timedelta(hours=min(documents) // CHUNK)
        for _ in range(_TRIES - 1):
            try:
                return self._publish(documents)
            except (Busy, Conflict):
                time.sleep(_RETRY_SECONDS)
        return self._publish(documents)

    def _publish(self, documents: Mapping[int, dict[str, Any]]) -> None:
        with self._database.writing() as writer:
            for document in documents.values():
                draft = drafts.create(writer, validated(ArticleInput, document))
                publish.publish(writer, draft.id, None)


def main() -> None:
    """Migrate the database at an address and fill it, as a process of its own."""
    parser = argparse.ArgumentParser(description="Migrate a database and publish generated articles in it.")
    parser.add_argument("database_url")
    parser.add_argument("articles", type=int, help="the number of the last article")
    parser.add_argument("--first", type=int, default=1, help="the number of the first (default: 1)")
    parser.add_argument("--step", type=int, default=1, help="publish one of so many, others do the rest (default: 1)")
    parser.add_argument("--together", type=int, default=CHUNK, help=f"how many a transaction (default: {CHUNK})")
    given = parser.parse_args()
    numbers = range(given.first, given.articles + 1, given.step)
    with Filling(given.database_url) as filling:
        for at in range(0, len(numbers), given.together):
            filling.publish({number: document(number) for number in numbers[at : at + given.together]})


@dataclass(frozen=True)
class _Article:
    """What one article's parts are made of."""

    random: Random
    topic: words.Topic
    size: Size
    sources: int


def _page(of: _Article, at: int) -> dict[str, Any]:
    return {
        "title": None if at == 0 else f"{of.random.choice(of.topic.things)}のこれから",
        "teaser": None if at == 0 else words.sentence(of.random, of.topic),
        "sections": [_section(of) for _ in range(of.size.sections)],
    }


def _section(of: _Article) -> dict[str, Any]:
    random, topic, size = of.random, of.topic, of.size
    place, thing = random.choice(topic.places), random.choice(topic.things)
    return {
        "heading": f"{place}の{thing}:{random.choice(words.REASONS)}動き出した町",
        "question": f"{thing}は{place}の暮らしをどう変える?",
        "answer": f"{random.choice(words.NUMBERS)}の変化",
        "transition": words.sentence(random, topic),
        "citations": [_citation(of) for _ in range(size.citations)],
        "body": words.paragraphs(random, topic, size.paragraphs, size.sentences),
        "commentary": {"text": random.choice(words.FEELINGS)},
    }


def _citation(of: _Article) -> dict[str, Any]:
    source = of.random.randrange(of.sources)
    said = Random(f"source {source}")  # the same source says the same wherever it is cited
    publisher, topic = said.randrange(len(words.PUBLISHERS)), words.Topic.of(said)
    return {
        "source": {
            "url": f"https://news{publisher}.example.jp/articles/{source}",
            "title": f"{said.choice(topic.actors)}、{said.choice(topic.things)}を{said.choice(words.VERBS)}",
            "publisher": {"name": words.PUBLISHERS[publisher]},
            "published_on": f"2024-{said.randint(1, 12):02}-{said.randint(1, 28):02}",
        },
        "key_points": [{"text": words.sentence(of.random, of.topic)} for _ in range(of.size.key_points)],
    }


if __name__ == "__main__":
    main()
