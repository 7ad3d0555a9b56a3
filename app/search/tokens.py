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

from sudachipy import Dictionary, Morpheme, SplitMode

from app.search import folding

DictionaryName = Literal["small", "core"]

RULES = 6
"""Raised whenever this module or ``folding.py`` reads a text otherwise than before, or more is kept of an article."""
_CUT = 4_000
"""The longest piece that is given to the tokeniser, in characters."""
_WORD = 100
"""Of a longer word only so much is kept, in characters: an index of PostgreSQL's holds 2,700 bytes at most."""
_COMPOUND = 5
"""A compound has at least so many characters."""
_KATAKANA = re.compile("[ァ-ヶー]{3,}")
_SYNONYMS = Path(__file__).with_name("synonyms.txt")
# Between kanji, or a number and kanji, it is the small one, written large.
_KE = re.compile("(?<=[一-鿿々〇0-9])ケ(?=[一-鿿])")
# A verb of several kanji is one of two verbs.
_OF_TWO = re.compile("[一-鿿々].*[一-鿿々]")
_TO_STEM = str.maketrans("うくぐすつぬぶむる", "いきぎしちにびみり")
_COUNTED = {kanji: str(number) for number, kanji in enumerate("一二三四五六七八九", 1)}
_VU = re.compile("ヴ([ァィェォ]?)")
_VU_SOUNDS = {"": "ブ", "ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ"}


class Token(NamedTuple):
    """A piece of a folded text: where it stands, and the word it is; marks and grammar are no words."""

    start: int
    end: int
    word: str | None
    grammar: bool
    """Whether it is a particle or an auxiliary."""
    besides: tuple[str, ...] = ()
    """The words it is found by, too: the verbs of two, the noun that a verb's stem is, what a part is short for."""


class _Analyzer:
    """A dictionary and its one tokeniser, which serves one thread at a time."""

    def __init__(self, dictionary: DictionaryName) -> None:
        self._lock = threading.Lock()
        opened = Dictionary(dict=dictionary)
        self._tokenizer = opened.tokenizer(mode=SplitMode.A)
        self._is_grammar = opened.pos_matcher([("助詞",), ("助動詞",)])
        self._is_noun = opened.pos_matcher([("名詞",)])
        self._is_verb = opened.pos_matcher([("動詞",)])
        self._ends_stem = opened.pos_matcher([("名詞",), ("補助記号",), ("空白",)])
        self._is_stem = opened.pos_matcher([("動詞", None, None, None, None, "連用形-一般")])
        self._noun = lru_cache(maxsize=4_096)(self._read_noun)
        self._short: re.Pattern[str] | None = None
        self.synonyms: dict[str, tuple[str, ...]] = {}
        pairs = [line.split("=") for line in _SYNONYMS.read_text().splitlines() if not line.startswith("#")]
        read = [[self.words(text.strip()) for text in pair] for pair in pairs]
        self.synonyms = {short: tuple(long) for (short,), long in read}
        # No dictionary parts a compound it does not know. In katakana these are too long to stand in others by chance.
        self._short = re.compile("|".join(short for short in self.synonyms if _KATAKANA.fullmatch(short)))

    def tokens(self, folded: str, gaps: Sequence[int] = ()) -> list[Token]:
        with self._lock:
            return [token for at, piece in _pieces(folded, gaps) for token in self._tokens(at, piece)]

    def words(self, folded: str, gaps: Sequence[int] = ()) -> list[str]:
        with self._lock:
            found: list[str] = []
            for _, piece in _pieces(folded, gaps):
                for morpheme, following in self._read(piece):
                    word = self._word(morpheme, following)
                    if word:
                        found.append(word)
                        found += self._besides(morpheme, word, following)
            return found

    def sounds(self, text: str) -> tuple[str, bool]:
        with self._lock:
            found = list(self._tokenizer.tokenize(text[:_CUT]))
            return "".join(each.reading_form() for each in found), all(self._is_noun(each) for each in found)

    def _tokens(self, at: int, piece: str) -> Iterator[Token]:
        read = self._read(piece)
        for morpheme, following in read:
            start, end, grammar = morpheme.begin(), morpheme.end(), self._is_grammar(morpheme)
            word = self._word(morpheme, following)
            both = self._noun_of_both(morpheme, following) if self._is_stem(morpheme) else None
            if both is None or following is None:
                besides = tuple(self._besides(morpheme, word, following)) if word else ()
            else:
                end, besides = following.end(), (word, self._word(*next(read)))
            yield Token(at + start, at + end, both or word or None, grammar, besides)

    def _read(self, piece: str) -> Iterator[tuple[Morpheme, Morpheme | None]]:
        """The morphemes of a piece, each with the one that follows it."""
        found = list(self._tokenizer.tokenize(piece))
        return zip(found, (*found[1:], None), strict=True)

    def _word(self, morpheme: Morpheme, following: Morpheme | None) -> str:
        """What it is found by; nothing for grammar and marks."""
        if self._is_grammar(morpheme):
            return ""
        word = spelled(morpheme.normalized_form())
        if word in _COUNTED and following is not None and following.surface() == "つ":  # ひとつ: 一つ is read as 1つ
            return _COUNTED[word]
        return word

    def _besides(self, morpheme: Morpheme, word: str, following: Morpheme | None) -> Sequence[str]:
        """Other words it is found by: 引っ越し is read as a verb before some nouns, スマホアプリ as one word."""
        if self._is_stem(morpheme):
            nouns = (self._noun_of_both(morpheme, following), self._noun_of(morpheme, following))
            return [noun for noun in nouns if noun is not None and noun != word]
        if len(word) < _COMPOUND or self._short is None or (short := self._short.search(word)) is None:
            return ()
        return self.synonyms[short[0]] if short[0] != word else ()

    def _noun_of(self, stem: Morpheme, following: Morpheme | None) -> str | None:
        """The noun that a verb's stem is: 引っ越し費用, 引っ越した."""
        surface = stem.surface()
        if following is None or self._ends_stem(following) or _OF_TWO.match(surface):
            return self._noun(surface)
        return None

    def _noun_of_both(self, stem: Morpheme, following: Morpheme | None) -> str | None:
        """The noun that a verb's stem and the verb behind it are, however they are written: 引下げ, 引き下げた."""
        if following is None or not self._is_verb(following):
            return None
        first, second = _stem(stem), _stem(following)
        return self._noun(first + second) if first and second else None

    def _read_noun(self, stem: str) -> str | None:
        found = self._tokenizer.tokenize(f"{stem}を")
        whole = found[0].surface() == stem and self._is_noun(found[0])
        return spelled(found[0].normalized_form()) or None if whole else None


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


@lru_cache(maxsize=4_096)
def spelled(word: str) -> str:
    """A word, or the beginning of one, in the one spelling it is kept in; empty for a mark."""
    folded = folding.fold(word).text.replace("斉", "斎")[:_WORD]
    if not any(character.isalnum() for character in folded):
        return ""
    return _VU.sub(lambda found: _VU_SOUNDS[found[1]], folded) if "ヴ" in folded else folded


@cache
def _version(dictionary: DictionaryName) -> str:
    package = f"sudachidict-{dictionary}"
    synonyms = hashlib.sha256(_SYNONYMS.read_bytes()).hexdigest()[:12]
    return f"rules {RULES}, {package} {metadata.version(package)}, synonyms {synonyms}"


@cache
def _analyzer(dictionary: DictionaryName) -> _Analyzer:
    return _Analyzer(dictionary)


def _stem(verb: Morpheme) -> str:
    """A verb's stem as a dictionary writes it; nothing of irregular ones."""
    form: str = verb.normalized_form()
    inflection = verb.part_of_speech()[4]
    if inflection.startswith("五段"):
        return form[:-1] + form[-1].translate(_TO_STEM)
    return form[:-1] if "一段" in inflection else ""


def _pieces(folded: str, gaps: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The lines of a text, cut at the gaps and where they are long, each with its place."""
    at = 0
    for gap in (*gaps, len(folded)):
        for line in folded[at:gap].split("\n"):
            read = _KE.sub("ヶ", line) if "ケ" in line else line
            for start in range(0, len(line), _CUT):
                yield at + start, read[start : start + _CUT]
            at += len(line) + 1
        at = gap
