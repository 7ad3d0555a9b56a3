"""A date as a page prints it: a pattern like ``公開日:{YYYY}/{MM}/{DD}`` written with a date, and read back.

Which line of a page is a date line is decided in ``source_card.py``.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

DATE_LINE_CHARACTERS = 100
"""A longer line is not a date line."""

_PLACEHOLDER = re.compile(r"(\{(?:YYYY|MM|M|DD|D)\})")
_UNIT = {"{YYYY}": 0, "{MM}": 1, "{M}": 1, "{DD}": 2, "{D}": 2}
_SHAPE = {"{YYYY}": r"\d{4}", "{MM}": r"\d{2}", "{M}": r"\d{1,2}", "{DD}": r"\d{2}", "{D}": r"\d{1,2}"}
_SEPARATORS = "/-.,\uff0f\uff0d\uff0e\u3000 "
_YEAR = r"(?<![0-9])(?P<Y>[12][0-9]{3})"
_JOINT = r"\s?[-/.\uff0f\uff0e年]\s?"
_SECOND_JOINT = r"\s?[-/.\uff0f\uff0e月]\s?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}(?P<s>{_JOINT})(?P<M>[0-9]{{1,2}})(?P<t>{_SECOND_JOINT})(?P<D>[0-9]{{1,2}})(?![0-9])",
        rf"{_YEAR}(?P<s>)(?P<M>[0-9]{{2}})(?P<t>)(?P<D>[0-9]{{2}})(?![0-9])",
        rf"{_YEAR}(?P<s>{_JOINT})(?P<M>[0-9]{{1,2}})(?![0-9])",
    )
)
_WIDTHS = (("{MM}", "{DD}"), ("{M}", "{D}"), ("{MM}", "{D}"), ("{M}", "{DD}"))
_YEAR_ALONE = re.compile(rf"{_YEAR}(?![0-9])(?!{_JOINT}[0-9])")
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_MONTH = re.compile(r"\b(?P<M>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b", re.IGNORECASE)
_NAMED_DAY = re.compile(r"(?<![0-9])(?P<D>[0-9]{1,2})(?:st|nd|rd|th)?(?![0-9])", re.IGNORECASE)
_ERA = re.compile(r"(?P<era>令和|平成|昭和)(?P<year>[0-9]{1,2}|元)年(?P<M>[0-9]{1,2})月(?P<D>[0-9]{1,2})日")
_ERA_BEGINS = {"令和": 2019, "平成": 1989, "昭和": 1926}


class Reading(NamedTuple):
    """A date found in a line (``2024``, ``2024-11`` or ``2024-11-30``), and a pattern that prints the line."""

    value: str
    pattern: str


def write(pattern: str, value: str) -> str:
    """``value`` printed by ``pattern``; of a partial date up to what is known, without the separator after it."""
    known = value.split("-")
    return "".join(_digits(piece, known) if piece in _UNIT else piece for piece in _pieces(pattern, len(known)))


def read(pattern: str, line: str) -> str | None:
    """The date that ``pattern`` prints as exactly ``line``; None where there is none."""
    if len(line) > DATE_LINE_CHARACTERS:
        return None
    for units in (3, 2, 1):
        found = _expression(pattern, units).fullmatch(line)
        groups = found.groupdict() if found else {}
        parts = [next((groups[name] for name in names if groups.get(name)), None) for names in ("Y", "MN", "DE")]
        value = _value(*parts)
        if value is not None and write(pattern, value) == line:
            return value
    return None


def find(line: str) -> list[Reading]:
    """The date in ``line`` with the patterns that print it so; empty where there is none.

    A form no pattern can say (an era, a month's name, full-width digits) becomes its own literal pattern.
    """
    if len(line) > DATE_LINE_CHARACTERS:
        return []
    folded = normalize("NFKC", line)
    found = _numeric(line, _FORMS) or [Reading(value, line) for value in _spelt(folded)]
    found = found or _numeric(line, (_YEAR_ALONE,)) or [Reading(value, line) for value, _ in _numeric(folded, _FORMS)]
    return [reading for reading in dict.fromkeys(found) if write(reading.pattern, reading.value) == line]


def letters(line: str) -> int:
    """How many letters ``line`` has besides its digits: few in a date line, many in a headline with a date."""
    return sum(character.isalpha() for character in line[:DATE_LINE_CHARACTERS])


def _pieces(pattern: str, units: int) -> list[str]:
    """``pattern`` cut at its placeholders, those of the unknown units and what joins them left out."""
    pieces = _PLACEHOLDER.split(pattern)
    unknown = [place for place, piece in enumerate(pieces) if _UNIT.get(piece, 0) >= units]
    known = [place for place, piece in enumerate(pieces) if piece in _UNIT and _UNIT[piece] < units]
    if not unknown:
        return pieces
    last = known[-1] if known else -1
    dropped = {place + step for place in unknown if place < last for step in (0, 1)}
    behind = next((place for place in unknown if place > last), len(pieces))
    kept = [piece for place, piece in enumerate(pieces[:behind]) if place not in dropped]
    if behind < len(pieces):
        kept[-1] = kept[-1].rstrip(_SEPARATORS)
    return kept


def _digits(placeholder: str, known: list[str]) -> str:
    digits = known[_UNIT[placeholder]]
    return str(int(digits)) if placeholder in {"{M}", "{D}"} else digits


@lru_cache(maxsize=256)
def _expression(pattern: str, units: int) -> re.Pattern[str]:
    """Matches what ``pattern`` prints of a date with ``units`` known; a placeholder's repetition repeats it."""
    names = {"{YYYY}": "Y", "{MM}": "M", "{M}": "N", "{DD}": "D", "{D}": "E"}
    seen: set[str] = set()
    parts = []
    for piece in _pieces(pattern, units):
        if piece not in _UNIT:
            parts.append(re.escape(piece))
        elif piece in seen:
            parts.append(f"(?P={names[piece]})")
        else:
            seen.add(piece)
            parts.append(f"(?P<{names[piece]}>{_SHAPE[piece]})")
    return re.compile("".join(parts), re.ASCII)


def _numeric(line: str, forms: Iterable[re.Pattern[str]]) -> list[Reading]:
    """The first date of these forms in ``line``, once for each way to print its month and day."""
    for form in forms:
        found = form.search(line)
        groups = found.groupdict() if found else {}
        value = _value(groups.get("Y"), groups.get("M"), groups.get("D"))
        if found is None or value is None:
            continue
        head, tail = line[: found.start()] + "{YYYY}", line[found.end() :]
        readings = []
        for month, day in _WIDTHS:
            middle = (groups["s"] + month if "M" in groups else "") + (groups["t"] + day if "D" in groups else "")
            readings.append(Reading(value, head + middle + tail))
        return readings
    return []


def _spelt(line: str) -> list[str]:
    """The date in a line whose month has a name or whose year counts an era."""
    era = _ERA.search(line)
    if era is not None:
        year = _ERA_BEGINS[era["era"]] + (1 if era["year"] == "元" else int(era["year"])) - 1
        value = _value(str(year), era["M"], era["D"])
    else:
        month, year_found = _NAMED_MONTH.search(line), _YEAR_ALONE.search(line)
        day = _NAMED_DAY.search(line)
        number = str(_ENGLISH.index(month["M"].lower()) + 1) if month else None
        value = _value(year_found["Y"], number, day["D"] if day else None) if year_found and number else None
    return [] if value is None else [value]


def _value(year: str | None, month: str | None = None, day: str | None = None) -> str | None:
    """The partial date of these digits; None if the calendar has no such day."""
    if year is None or (day is not None and month is None):
        return None
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join([year, *(f"{int(part):02}" for part in (month, day) if part is not None)])
