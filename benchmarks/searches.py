"""What is searched for: queries of each kind, as ready requests, none again before all others were asked.

What is read and written otherwise is in ``works.py``; the words come from ``words.py``.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from urllib.parse import urlencode

from benchmarks import words
from benchmarks.client import request
from benchmarks.works import LEAST_ARTICLES, Step, Work

SEARCHES = 20
"""Requests a round of each kind."""
KINDS = (
    "search, everywhere",
    "search, a word",
    "search, a name",
    "search, 2-3 words",
    "search, a question",
    "search, a phrase",
    "search, one character",
    "search, filter, facets",
    "search, a language",
    "search, key points",
    "search, sections",
)
SUGGESTIONS = "suggest"
_TRIES = 200
"""After so many queries that were asked before all of a kind were: then they come again."""
_KANA = dict.fromkeys(map(ord, "のらもーをがすきみ"))

Query = dict[str, str]


def works() -> tuple[Work, ...]:
    """One work for each kind; each round goes on where the one before left off."""
    asked = (
        *(_everywhere, _word, _name, _keywords, _question, _phrase, _character),
        *(_filtered, _in_japanese, _key_points, _sections),
    )
    found = [Work(kind, _steps("/v1/search", each), bare=False) for kind, each in zip(KINDS, asked, strict=True)]
    return (*found, Work(SUGGESTIONS, _steps("/v1/search/suggest", _prefix), bare=False))


def everything(random: Random) -> Iterator[bytes]:
    """Requests of all the kinds that find articles, without end."""
    asked = (_word, _name, _keywords, _question, _phrase, _character, _filtered)
    while True:
        yield request("GET", f"/v1/search?{urlencode(random.choice(asked)(random))}")


def _steps(path: str, asked: Callable[[Random], Query]) -> Callable[[], list[Step]]:
    steps = ([(request("GET", f"{path}?{query}"), 200)] for query in _fresh(asked, Random(asked.__name__)))
    return lambda: list(islice(steps, SEARCHES))


def _fresh(asked: Callable[[Random], Query], random: Random) -> Iterator[str]:
    """Queries of a kind, none a second time before all were asked."""
    before: set[str] = set()
    tries = 0
    while True:
        query = urlencode(asked(random))
        if query in before and tries < _TRIES:
            tries += 1
            continue
        if query in before:
            before.clear()
        before.add(query)
        tries = 0
        yield query


def _everywhere(random: Random) -> Query:
    return {"q": random.choice(words.EVERYWHERE)}


def _word(random: Random) -> Query:
    return {"q": words.noun(random)}


def _name(random: Random) -> Query:
    return {"q": random.choice(_topic(random).names)}


def _keywords(random: Random) -> Query:
    more = [words.noun(random) for _ in range(random.randint(1, 2))]
    return {"q": " ".join([*more, random.choice(_topic(random).names)])}


def _question(random: Random) -> Query:
    topic = _topic(random)
    place, actor, name = (random.choice(some) for some in (topic.places, topic.actors, topic.names))
    return {"q": f"{place}の{actor}は{name}と何を{random.choice(words.VERBS)}?"}


def _phrase(random: Random) -> Query:
    return {"q": f"「{random.choice(_topic(random).things)}を{random.choice(words.VERBS)}」"}


def _character(random: Random) -> Query:
    return {"q": random.choice("".join(words.NOUNS + words.BODIES + words.SURNAMES + words.GIVEN).translate(_KANA))}


def _filtered(random: Random) -> Query:
    return {"q": words.noun(random), "tag": random.choice(words.TAGS), "facets": "tag,publisher,language,year"}


def _key_points(random: Random) -> Query:
    return _keywords(random) | {"in": "key_points"}


def _in_japanese(random: Random) -> Query:
    return _word(random) | {"language": "ja"}


def _sections(random: Random) -> Query:
    return _in_japanese(random) | {"in": "sections"}


def _prefix(random: Random) -> Query:
    begun = random.choice((words.NOUNS, words.SURNAMES, words.BEGINNINGS, words.SYLLABLES))
    return {"q": random.choice(begun)[: random.randint(1, 2)]}


def _topic(random: Random) -> words.Topic:
    """What an article is about that each database holds, so that its names are found; drawn as ``corpus.py`` does."""
    return words.Topic.of(Random(random.randint(1, LEAST_ARTICLES)))
