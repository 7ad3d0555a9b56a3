"""The numbers of parts that a text announces: 3つのポイント, 五つの理由, 見どころ5選, three reasons.

What there is of them is counted in ``findings.py``.
"""

import re
from collections.abc import Iterator
from unicodedata import normalize

_KANJI = "一二三四五六七八九"
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Not the end of 2〜3つ, 2、3つ, 1.3つ.
_ALONE = rf"(?<![0-9{_KANJI}十百千万第.,~〜\-–/])(?<![0-9{_KANJI}][、・])"
_NUMERAL = rf"{_ALONE}([0-9]{{1,2}}|[{_KANJI}十]{{1,3}})"
# あと3つの, 残り3つの: of others that were told before.
_ALL = r"(?<!もう)(?<!あと)(?<!残り)(?<!残る)(?<!うち)(?<!さらに)(?<!残りの)(?<!他の)(?<!ほかの)(?<!別の)"
_COUNTED = (
    r"ポイント|テーマ|トピック|話題|視点|観点|論点|要点|注目点|見どころ|理由|疑問|質問|問い|コツ|方法|項目|ステップ"
)
_THINGS = r"こと(?!わざ|ば)|事(?![一-鿿])"  # not 3つの事件
_ADJECTIVE = r"(?:(?:大き|大事|大切|重要|主要|主)な|重要|注目|気になる|基本的?な?)?"
_TELL = r"(?:ご?紹介|ご?説明|解説|お伝え|お話|まとめ|整理|絞)"
_JAPANESE = re.compile(
    "|".join(
        (
            rf"{_ALL}{_NUMERAL}[つ個]の{_ADJECTIVE}(?:{_COUNTED}|{_THINGS})",
            rf"(?:{_COUNTED})[はを]?{_NUMERAL}(?:つ(?!目|め)|選|個|点(?!差))",
            rf"{_ALL}{_NUMERAL}点(?:を|に|で|から|について)?(?={_TELL})",
        )
    )
)
_ENGLISH = re.compile(
    rf"(?<![\w.,–-])(?<!by )(?<!with )(?<!scored )(?<!other )(?<!more )([0-9]{{1,2}}|{'|'.join(_WORDS)}) "
    r"(?:(?:key|main|big|important|simple|major) )?"
    r"(?:points(?! (?:ahead|up|down|higher|lower|clear|behind|per))|reasons|takeaways|themes|topics|questions|things"
    r"|tips|steps|ways|lessons)\b",
    re.IGNORECASE,
)
_SPEAKS_OF_ITSELF = re.compile(
    rf"{_TELL}|見てい[きく]|見ましょ|取り上げ|掘り下げ|読み解|分かる|わかる|考えてい?み?ま|(?:この|本|今回の)記事"
    r"|\b(?:we|this (?:article|page|story)|here (?:are|is)|explains?|explores?|covers?|introduces?)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^。!?\n]+")
_LEAST = 2
"""一つのポイント is a way of speaking."""


def numbers(title: str) -> Iterator[int]:
    """The numbers that a title or heading announces, each at least 2."""
    folded = normalize("NFKC", title)
    for pattern in (_JAPANESE, _ENGLISH):
        for found in pattern.finditer(folded):
            value = _value(next(numeral for numeral in found.groups() if numeral).lower())
            if value is not None and value >= _LEAST:
                yield value


def told(text: str) -> Iterator[int]:
    """The numbers announced by those sentences of ``text`` that speak of the article itself.

    政府は3つのテーマで協議した announces nothing.
    """
    folded = normalize("NFKC", text)
    if not _JAPANESE.search(folded) and not _ENGLISH.search(folded):
        return
    for sentence in _SENTENCE.findall(folded):
        if _SPEAKS_OF_ITSELF.search(sentence):
            yield from numbers(sentence)


def _value(numeral: str) -> int | None:
    """The number; None of 二三, which is two or three."""
    if numeral.isdecimal():
        return int(numeral)
    if numeral in _WORDS:
        return _WORDS.index(numeral) + _LEAST
    tens, ten, ones = numeral.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    value = 10 * (_KANJI.index(tens) + 1 if tens else 1) if ten else 0
    rest = ones if ten else tens
    return value + (_KANJI.index(rest) + 1 if rest else 0)
