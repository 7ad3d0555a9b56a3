"""Words of a text, as they are indexed and asked for: Sudachi's short units, each in its normalised form.

Texts are folded in ``folding.py`` first; what a query does with its words is in ``query.py``.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from sudachipy import Dictionary, SplitMode

from app.search import folding

DictionaryName = Literal["small", "core"]

RULES = 4
"""Raised whenever this module or ``folding.py`` reads a text otherwise than before, or more is kept of an article."""
_CUT = 4_000
"""The longest piece that is given to the tokeniser, in characters."""
_WORD = 100
"""Of a longer word only so much is kept, in characters: an index of PostgreSQL's holds 2,700 bytes at most."""
_SYNONYMS = Path(__file__).with_name("synonyms.txt")
_VU = re.compile("ヴ([ァィェォ]?)")
_VU_SOUNDS = {"": "ブ", "ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ"}


class Token(NamedTuple):
    """A piece of a folded text: where it stands, and the word it is; marks and grammar are no words."""

    start: int
    end: int
    word: str | None
    grammar: bool
    """Whether it is a particle or an auxiliary."""


class _Analyzer:
    """A dictionary and its one tokeniser, which serves one thread at a time."""

    def __init__(self, dictionary: DictionaryName) -> None:
        self._lock = threading.Lock()
        opened = Dictionary(dict=dictionary)
        self._tokenizer = opened.tokenizer(mode=SplitMode.A)
        self._is_grammar = opened.pos_matcher([("助詞",), ("助動詞",)])
        self._is_noun = opened.pos_matcher([("名詞",)])
        pairs = [line.split("=") for line in _SYNONYMS.read_text().splitlines() if not line.startswith("#")]
        read = [[self.words(text.strip()) for text in pair] for pair in pairs]
        self.synonyms = {short: tuple(long) for (short,), long in read}

    def tokens(self, folded: str, gaps: Sequence[int] = ()) -> list[Token]:
        with self._lock:
            return [token for at, piece in _pieces(folded, gaps) for token in self._tokens(at, piece)]

    def words(self, folded: str, gaps: Sequence[int] = ()) -> list[str]:
        with self._lock:
            kept = (
                morpheme.normalized_form()
                for _, piece in _pieces(folded, gaps)
                for morpheme in self._tokenizer.tokenize(piece)
                if not self._is_grammar(morpheme)
            )
            return [word for word in map(_spelled, kept) if word]

    def sounds(self, text: str) -> tuple[str, bool]:
        with self._lock:
            found = list(self._tokenizer.tokenize(text[:_CUT]))
            return "".join(each.reading_form() for each in found), all(self._is_noun(each) for each in found)

    def _tokens(self, at: int, piece: str) -> Iterator[Token]:
        for morpheme in self._tokenizer.tokenize(piece):
            grammar = self._is_grammar(morpheme)
            word = None if grammar else _spelled(morpheme.normalized_form()) or None
            yield Token(at + morpheme.begin(), at + morpheme.end(), word, grammar)


_dictionary: DictionaryName = "small"


def use(dictionary: DictionaryName) -> None:
    """Choose the dictionary that this process reads with; it is opened when the first text comes."""
    global _dictionary  # noqa: PLW0603 - one instance a process: it is 100 MB of shared pages
    _dictionary = dictionary


def used() -> DictionaryName:
    """The dictionary that this process reads with."""
    return _dictionary


def installed(dictionary: DictionaryName) -> bool:
    """Whether this dictionary is there to be used."""
    return find_spec(f"sudachidict_{dictionary}") is not None


def version() -> str:
    """What texts are read with: a change of it wants the index to be rebuilt."""
    return _version(_dictionary)


def tokens(folded: str, gaps: Sequence[int] = ()) -> list[Token]:
    """Every piece of a folded text, in order; none goes over one of the ``gaps``."""
    return _analyzer(_dictionary).tokens(folded, gaps)


def indexed(folded: str, gaps: Sequence[int] = ()) -> list[str]:
    """The words by which a folded text is found, in order; one that has a synonym stands beside it."""
    analyzer = _analyzer(_dictionary)
    return [each for word in analyzer.words(folded, gaps) for each in (word, *analyzer.synonyms.get(word, ()))]


def asked(word: str) -> tuple[str, ...]:
    """The words that a word of a query stands for: itself, or what its synonym is read as."""
    return _analyzer(_dictionary).synonyms.get(word, (word,))


def reading(word: str) -> str | None:
    """How a noun is read, in katakana; None for any other word, and for numbers."""
    sounds, noun = _analyzer(_dictionary).sounds(word)
    return sounds if noun and not word[0].isdecimal() else None


def sound(text: str) -> str:
    """How a text sounds, in katakana."""
    return _analyzer(_dictionary).sounds(text)[0]


@cache
def _version(dictionary: DictionaryName) -> str:
    package = f"sudachidict-{dictionary}"
    synonyms = hashlib.sha256(_SYNONYMS.read_bytes()).hexdigest()[:12]
    return f"rules {RULES}, {package} {metadata.version(package)}, synonyms {synonyms}"


@cache
def _analyzer(dictionary: DictionaryName) -> _Analyzer:
    return _Analyzer(dictionary)


@lru_cache(maxsize=4_096)
def _spelled(normalized: str) -> str:
    """A word in the one spelling it is kept in; empty for a mark."""
    folded = folding.fold(normalized).text.replace("斉", "斎")[:_WORD]
    if not any(character.isalnum() for character in folded):
        return ""
    return _VU.sub(lambda found: _VU_SOUNDS[found[1]], folded) if "ヴ" in folded else folded


def _pieces(folded: str, gaps: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The lines of a text, cut at the gaps and where they are long, each with its place."""
    at = 0
    for gap in (*gaps, len(folded)):
        for line in folded[at:gap].split("\n"):
            for start in range(0, len(line), _CUT):
                yield at + start, line[start : start + _CUT]
            at += len(line) + 1
        at = gap
