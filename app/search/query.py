"""What somebody asks for: its words, whether it is a phrase or one word, and how well a text answers it.

Pure: what is kept of articles is asked in ``hits.py``.
"""

import re
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, NamedTuple

import regex
from pydantic import AfterValidator, Field

from app import text
from app.errors import Fault, Invalid
from app.search import folding, tokens
from app.search.tokens import Token

LONGEST = 256
"""The longest query, in code points."""
MOST_WORDS = 64
"""Of more words than this the rarest count."""

_MOST_TOGETHER = 8
"""How many words one unbroken word may be made of; a longer one is read as several."""
_QUOTED = re.compile(r"\s*(?:「([^「」]+)」|『([^『』]+)』|｢([^｢｣]+)｣|[\"“”＂]([^\"“”＂]+)[\"“”＂])\s*")
_RUN = re.compile(r"[一-鿿々〆ァ-ヶーa-z0-9]{3,}")
_EDGES = regex.compile(r"^[\p{P}\p{Z}\p{C}]+|[\p{P}\p{Z}\p{C}]+$")
_RUN_BONUS = 0.3
_SHARE_BONUS = 0.25
_READ_TOGETHER = 24
"""How many texts are read before the next look whether those behind can still be among the first; at first no fewer
than those are."""


_SYNTAX = (
    'What to look for: words, in any spelling. Quoted as a whole, `"…"` or `「…」`, exactly this. '
    "Nothing else has a meaning of its own."
)
REFUSED: dict[int | str, dict[str, Any]] = {422: {"description": "The query is too long, or stands in no text."}}
"""What a route that takes one answers besides, for OpenAPI."""


Reading = Callable[[Sequence[int]], Mapping[int, str]]
"""How the loosened texts of some of what was found are read, by what they are known by."""


class Needle(NamedTuple):
    """Words of a query that stand side by side in it: as they stand, loosened, and what they are looked up as."""

    loose: str
    words: tuple[str, ...]
    pieces: tuple[str, ...] = ()
    """Each word as it stands in the query, loosened, where there are several."""


@dataclass(frozen=True)
class Query:
    """A query as it is answered."""

    loose: str
    """What was asked, folded and loosened, without marks around it."""
    words: tuple[str, ...]
    """Its words, each once."""
    phrase: bool
    """Whether only texts in which exactly this stands are asked for."""
    together: bool
    """Whether it is one word, or a phrase: all of its words must be there."""
    unbroken: bool
    """Whether it may stand in a text as it is: nothing parts it."""
    needles: tuple[Needle, ...]
    """What to look for in a text, to show where the query is answered."""
    runs: tuple[Needle, ...]
    """What is worth more where it stands in a text as it was asked: names and compounds of several words."""

    def ranks_by_texts(self) -> bool:
        """Whether texts decide what is better: not where all of them say the same, as they do of a phrase."""
        return bool(self.runs) or (not self.phrase and bool(folding.pairs(self.loose)))


def parse(asked: str) -> Query:
    """Read a query, a ``SearchText``. Quoted as a whole, "…" or 「…」, it is a phrase; nothing in it is an operator."""
    said, quoted = _said(asked)
    folded = folding.fold(said)
    loose = folding.loosen(folded.text)
    found = tokens.tokens(folded.text, folded.gaps)
    words = _words(found)
    whole = _needle(loose, found)
    if quoted:
        return Query(
            loose, words, phrase=True, together=True, unbroken=True, needles=(whole,) if loose else (), runs=()
        )
    unbroken = not any(character.isspace() for character in folded.text)
    together = unbroken and len(words) <= _MOST_TOGETHER and _side_by_side(found)
    groups = [list(group) for is_word, group in groupby(found, lambda token: token.word is not None) if is_word]
    needles = [_needle(loose, group) for group in groups]
    if unbroken and loose:
        needles = [whole] if together else [Needle(loose, ()), *needles]
    runs = _runs(asked, folded.text, found)
    return Query(loose, words, phrase=False, together=together, unbroken=unbroken, needles=tuple(needles), runs=runs)


def plain(asked: str) -> str:
    """What was asked, folded, without the quotes or marks around it."""
    return folding.fold(_said(asked)[0]).text


def rank(
    query: Query, weights: Mapping[str, int], found: Sequence[tuple[int, int]], read: Reading, first: int
) -> list[tuple[int, int]]:
    """What was found, best first: by its score, and by how much of the query stands in its text as it was asked.

    ``found``: the best score first, each with what it is known by, by which its text is ``read``. Scores and the
    ``weights`` of words are in thousandths. Of equal ones the greater key is first. Behind the ``first`` they may
    stand in another order, with less than their scores: texts are read only as long as what they say can change that.
    """
    runs = [(run.loose, _RUN_BONUS * sum(weights.get(word, 0) for word in run.words)) for run in query.runs]
    pairs = folding.pairs(query.loose)
    most = sum(bonus for _, bonus in runs)
    ranked: list[tuple[int, int]] = []

    def comes_late(score: float, key: int) -> bool:
        return len(ranked) >= first and (round(score * (1 + _SHARE_BONUS)), key) < ranked[-first]

    def share(text: str, score: float) -> float:
        """How much of the query stands in the text, or 0 where it is too little to bring that score to the first."""
        least = ((ranked[-first][0] - 0.5) / score - 1) / _SHARE_BONUS if len(ranked) >= first and score else 0.0
        left = int(len(pairs) * (1 - least)) + 1  # one more, for these are no exact numbers
        missing = 0
        for pair in pairs:
            if pair not in text:
                missing += 1
                if missing > left:
                    return 0.0
        return (len(pairs) - missing) / len(pairs)

    at, together = 0, max(first, _READ_TOGETHER)
    while at < len(found):
        score, key = found[at]
        if comes_late(score + most, key):  # then so do all behind it: they have lower scores, or as high and lower keys
            return ranked[::-1] + list(found[at:])
        some = found[at : at + together]
        texts = read([key for _, key in some])
        for score, key in some:
            text = texts[key]
            better = score + sum(bonus for run, bonus in runs if run in text)
            closer = share(text, better) if pairs and not comes_late(better, key) else 0.0
            insort(ranked, (round(better * (1 + _SHARE_BONUS * closer)), key))
        at, together = at + together, _READ_TOGETHER
    return ranked[::-1]


def _said(asked: str) -> tuple[str, bool]:
    """What is asked, without quotes or marks around it; and whether it was quoted."""
    quoted = _QUOTED.fullmatch(asked)
    if quoted:
        return next(filter(None, quoted.groups())).strip(), True
    return _EDGES.sub("", asked), False


def _needle(loose: str, tokens: Sequence[Token]) -> Needle:
    """What these pieces of a query are together: from the first word to the last, or all of it where there is none."""
    said = [token for token in tokens if token.word is not None]
    pieces = tuple(loose[token.start : token.end] for token in said)
    return Needle(loose[tokens[0].start : tokens[-1].end] if tokens else loose, _words(said), pieces)


def demand_readable(asked: str) -> str:
    """What was asked, unless it is longer than a query may be, or stands in no text.

    Raises: Invalid (``query-too-long``, ``text-refused``).
    """
    code, detail = "query-too-long", f"A query has at most {LONGEST} characters."
    if len(asked) <= LONGEST:
        code, detail = "text-refused", text.hostile(asked) or ""
    if detail:
        raise Invalid(code, "This cannot be looked for.", (Fault(code, detail, parameter="q"),))
    return asked


# Refused by a failure of its own: it is no fault of the address's form (400) but of what is said in it (422).
SearchText = Annotated[
    str,
    Field(min_length=1, description=_SYNTAX, json_schema_extra={"maxLength": LONGEST}),
    AfterValidator(demand_readable),
]
"""A query as it is sent. Raises: Invalid (``query-too-long``, ``text-refused``)."""


def _words(found: Iterable[Token]) -> tuple[str, ...]:
    """What these are looked up as, each once."""
    asked = [each for token in found if token.word is not None for each in tokens.asked(token.word)]
    return tuple(dict.fromkeys(asked))


def _side_by_side(found: Sequence[Token]) -> bool:
    """Whether nothing stands between the words."""
    words = [at for at, token in enumerate(found) if token.word is not None]
    return not words or len(words) == words[-1] - words[0] + 1


def _runs(asked: str, folded: str, found: Sequence[Token]) -> tuple[Needle, ...]:
    """What is quoted within a query, and its names and compounds, if they are of several words."""
    quoted = [folding.fold(each[each.lastindex or 0]) for each in _QUOTED.finditer(asked)]
    runs = {folding.loosen(each.text): _words(tokens.tokens(each.text, each.gaps)) for each in quoted}
    for start, end in (each.span() for each in _RUN.finditer(folded)):
        inside = (token for token in found if start <= token.start < end)
        runs.setdefault(folding.loosen(folded[start:end]), _words(inside))
    return tuple(Needle(loose, words) for loose, words in runs.items() if len(words) > 1)
