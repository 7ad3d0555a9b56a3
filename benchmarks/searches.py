"""What is searched for: queries of each kind, each another one, as ready requests.

What is read and written otherwise is in ``works.py``; the words come from ``words.py``.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from urllib.parse import urlencode

from benchmarks import words
from benchmarks.client import request
from benchmarks.works import Step, Work

SEARCHES = 20
"""Requests a round of each kind."""
KINDS = (
    "search, a frequent word",
    "search, a name",
    "search, two words",
    "search, a question",
    "search, a phrase",
    "search, one character",
    "search, filter, facets",
    "search, key points",
    "suggest",
)

Query = dict[str, str]


def works() -> tuple[Work, ...]:
    """One work for each kind; each round goes on where the one before left off."""
    asked = (_frequent, _name, _two_words, _question, _phrase, _character, _filtered, _key_points)
    found = [Work(kind, _steps("/v1/search", each), bare=False) for kind, each in zip(KINDS, asked, strict=False)]
    return (*found, Work(KINDS[-1], _steps("/v1/search/suggest", _prefix), bare=False))


def everything(random: Random) -> Iterator[bytes]:
    """Requests of all the kinds that find articles, without end."""
    asked = (_frequent, _name, _two_words, _question, _phrase, _filtered)
    while True:
        yield request("GET", f"/v1/search?{urlencode(random.choice(asked)(random))}")


def _steps(path: str, asked: Callable[[Random], Query]) -> Callable[[], list[Step]]:
    random = Random(asked.__name__)
    requests = ([(request("GET", f"{path}?{urlencode(asked(random))}"), 200)] for _ in iter(int, 1))
    return lambda: list(islice(requests, SEARCHES))


def _frequent(random: Random) -> Query:
    return {"q": random.choice(words.WORDS)}


def _name(random: Random) -> Query:
    named = random.choice((words.person, words.product))
    return {"q": named(random.randrange(len(words.SYLLABLES) ** 2))}


def _two_words(random: Random) -> Query:
    return {"q": f"{random.choice(words.WORDS)} {words.product(random.randrange(100))}"}


def _question(random: Random) -> Query:
    topic = words.Topic.of(random)
    return {"q": f"{topic.places[0]}の{topic.actors[0]}は{topic.names[0]}と何を{random.choice(words.VERBS)}?"}


def _phrase(random: Random) -> Query:
    return {"q": f"「{random.choice(words.THINGS)}を{random.choice(words.VERBS)}」"}


def _character(random: Random) -> Query:
    return {"q": random.choice("".join(words.THINGS + words.SURNAMES).translate(dict.fromkeys(map(ord, "のらもー"))))}


def _filtered(random: Random) -> Query:
    return {"q": random.choice(words.WORDS), "tag": random.choice(words.TAGS), "facets": "tag,publisher,language,year"}


def _key_points(random: Random) -> Query:
    return _two_words(random) | {"in": "key_points"}


def _prefix(random: Random) -> Query:
    return {"q": random.choice(words.WORDS)[: random.randint(1, 2)]}
