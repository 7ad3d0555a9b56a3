"""What stands before a source card and opens its section: heading, question, answer, transition.

Bound backwards from the card, by position and by how lines end. The card itself is in ``source_card.py``, what
is left above (body, introduction, teaser) is filled in by ``digest_page.py``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.formats import lines

_AFTER_QUESTION = 2
"""Answer and transition."""
_TRANSITIONS = 3
"""A transition of more lines than this is body text."""
_SHORT = 80
"""A line that could be a heading or an answer, where nothing else tells them from an unfinished paragraph."""


@dataclass(frozen=True)
class Opening:
    """The opening of a section, by the places of its lines among those that were given."""

    heading: int
    question: int | None = None
    answer: int | None = None
    transition: tuple[int, ...] = ()


def bind(texts: Sequence[str], *, first: bool = False) -> Opening | None:
    """The opening at the end of ``texts``, the lines between what came before and a card; None if there is none.

    ``first``: the card is the first of its page, so that a heading is more likely than a continuation.
    """
    return (
        _at_question(texts, _heads)
        or _at_question(texts, lines.titles)
        or _at_question(texts, _titles_loudly)
        or _at_question_with_long_transition(texts)
        or _at_heading(texts)
        or (_at_first_heading(texts) if first else None)
    )


def _at_question(texts: Sequence[str], titles: Callable[[str], bool]) -> Opening | None:
    """A question right below a heading, with at most answer and transition below it; the furthest such."""
    count = len(texts)
    loud = titles is _titles_loudly
    for question in range(max(1, count - 1 - _AFTER_QUESTION), count - loud):
        if not lines.asks(texts[question]) or not titles(texts[question - 1]):
            continue
        below = range(question + 1, count)
        if not below:
            return Opening(question - 1, question)
        if _says(texts[below[-1]]):
            answer = below[0] if len(below) > 1 else None
            return Opening(question - 1, question, answer, (below[-1],))
        if len(below) == 1:
            return Opening(question - 1, question, below[0])
    return None


def _at_question_with_long_transition(texts: Sequence[str]) -> Opening | None:
    count = len(texts)
    for question in range(count - 2 - _AFTER_QUESTION, max(0, count - 2 - _TRANSITIONS - 1), -1):
        if question < 1 or not lines.asks(texts[question]) or not _heads(texts[question - 1]):
            continue
        transition = tuple(range(question + 2, count))
        if all(_says(texts[place]) for place in transition):
            return Opening(question - 1, question, question + 1, transition)
    return None


def _at_heading(texts: Sequence[str]) -> Opening | None:
    """A heading right above the card, or above its transition; an answer may stand between those two."""
    count = len(texts)
    if count and _heads(texts[-1]):
        return Opening(count - 1)
    if count > 1 and _says(texts[-1]) and _heads(texts[-2]):
        if count > 2 and _heads(texts[-3]) and max(len(texts[-3]), len(texts[-2])) <= _SHORT:  # noqa: PLR2004
            return Opening(count - 3, answer=count - 2, transition=(count - 1,))
        return Opening(count - 2, transition=(count - 1,))
    return None


def _at_first_heading(texts: Sequence[str]) -> Opening | None:
    """A heading above a transition of some lines; else one that ends in ``?`` or ``!``, above the transition."""
    count = len(texts)
    for heading in range(count - 1, max(-1, count - 2 - _TRANSITIONS), -1):
        if _heads(texts[heading]):
            return Opening(heading, transition=tuple(range(heading + 1, count)))
    for heading in range(count - 1, max(-1, count - 3), -1):
        if _titles_loudly(texts[heading]):
            return Opening(heading, transition=tuple(range(heading + 1, count)))
    return None


def _heads(line: str) -> bool:
    """Whether the line can be a heading where no question below it says so."""
    return lines.titles(line) and not lines.trails_off(line)


def _says(line: str) -> bool:
    """Whether the line can be a transition: a sentence, perhaps without its full stop."""
    return lines.ends(line) or lines.trails_off(line)


def _titles_loudly(line: str) -> bool:
    """Whether the line can be a heading that ends in ``?`` or ``!``: short, and no sentence ends within it."""
    return len(line) <= _SHORT and lines.ends(line) and not lines.states(line)
