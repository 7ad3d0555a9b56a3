"""Articles by the characters that stand in their texts, on PostgreSQL: a GIN index over arrays of grams.

What a gram is is decided in ``folding.py``; on SQLite the same is in ``fts5.py``.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    delete,
    except_,
    func,
    insert,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.database import Writer
from app.search import folding

_GRAMS: Any = table("search_grams", column("number", Integer), column("grams", ARRAY(Text)))
# Parted by the server: as an array, some thousand strings take the driver a millisecond.
_PUT = insert(_GRAMS).values(grams=func.string_to_array(bindparam("grams"), " "))
SETTINGS = {"enable_seqscan": "off"}
"""What a search sets of the database: the planner is to use the index, for it does not see what all arrays cost."""
_MATCHING = select(_GRAMS.c.number).where(_GRAMS.c.grams.contains(bindparam("grams", type_=ARRAY(Text))))


def put(writer: Writer, number: int, loose: str, _: Iterable[int]) -> None:
    """Let the article be found by the grams of its text."""
    writer.execute(_PUT, {"number": number, "grams": " ".join(folding.grams(loose))})


def drop(writer: Writer, number: int, _: str, __: Iterable[int]) -> None:
    """Take the article out."""
    writer.execute(delete(_GRAMS).where(_GRAMS.c.number == number))


def gather(_: Writer) -> None:
    """Nothing: the server's autovacuum does it."""


def gather_all(_: Writer) -> bool:
    """Nothing is left to do."""
    return False


def matching(besides: Select[Any] | None) -> Any:
    """The numbers of the articles that have all of the grams that are asked for, but for the numbers ``besides``."""
    # In order, both sides can be read side by side. No NOT EXISTS, though it takes a third less: where one article is
    # expected, all that are left out may be gone through for each there is, and filters would be asked of those, too.
    return _MATCHING if besides is None else except_(_MATCHING, besides).order_by("number")


def asked(grams: Collection[str], _: Collection[int]) -> list[str]:
    """``grams``, one at least, as they are asked for; what is left out is named by ``matching``."""
    return sorted(grams)


def contains(texts: Column[Any], loose: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text holds this one, character for character."""
    return func.strpos(texts, loose) > 0
