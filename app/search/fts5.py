"""Articles by the characters that stand in their texts, on SQLite: an FTS5 table of grams, and of the ids of words.

What a gram is is decided in ``folding.py``; on PostgreSQL the same is in ``postgres.py``.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)

from app.database import Bytes, Writer
from app.search import folding

# The tokeniser parts words at ASCII marks: those that grams may hold stand for others that nobody writes.
_SAFE = {code: chr(0xF0000 + code) for code in range(0x21, 0x80) if not chr(code).isalnum()}
_MARK = re.compile(f"[{re.escape(''.join(map(chr, _SAFE)))}]")
_PUT = text("INSERT INTO search_grams (rowid, grams) VALUES (:number, :grams)")
# A table without content must be told what is taken out.
_DROP = text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :number, :grams)")
# Some hundred pages of it: where four segments are of a size they become one; with a minus all do, and it goes on with
# what it began.
_MERGE = text("INSERT INTO search_grams (search_grams, rank) VALUES ('merge', 200)")
_MERGE_ALL = text("INSERT INTO search_grams (search_grams, rank) VALUES ('merge', -500)")
_GRAMS: Any = table("search_grams", column("rowid", Integer), column("search_grams", Text))
SETTINGS: dict[str, str] = {}
"""What a search sets of the database: nothing."""
# No column by itself: where only some articles are allowed, SQLite would match anew for each of those.
_MATCHING = select(literal_column("+search_grams.rowid", Integer).label("number")).where(
    _GRAMS.c.search_grams.op("MATCH")(bindparam("grams"))
)


def put(writer: Writer, number: int, loose: str, words: Iterable[int]) -> None:
    """Let the article be found by the grams of its text, and be left out by the ids of its words."""
    writer.execute(_PUT, {"number": number, "grams": _written(loose, words)})


def drop(writer: Writer, number: int, loose: str, words: Iterable[int]) -> None:
    """Take the article out; the text and the words are those that were put in."""
    writer.execute(_DROP, {"number": number, "grams": _written(loose, words)})


def gather(writer: Writer) -> None:
    """Bring together what the last publications have left scattered: each has its own part of the index at first."""
    writer.execute(_MERGE)


def gather_all(writer: Writer) -> bool:
    """Do some of what brings together all that is scattered over the index; says whether more is left to do.

    Source: sqlite.org/fts5.html, the 'merge' command.
    """
    file: Any = writer.connection.connection.driver_connection
    before = file.total_changes
    writer.execute(_MERGE_ALL)
    return bool(file.total_changes - before > 1)


def matching(_: Select[Any] | None) -> Select[Any]:
    """The numbers of the articles that ``asked`` asks for: the index leaves out what is left out."""
    return _MATCHING


def asked(grams: Collection[str], besides: Collection[int]) -> str:
    """The query for articles with all of the ``grams``, one at least, but for those with all words ``besides``."""
    these = " ".join(f'"{gram.translate(_SAFE)}"' for gram in sorted(grams))
    return f"({these}) NOT ({' '.join(map(_word, besides))})" if besides else these


def contains(texts: Column[Any], loose: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text holds this one, character for character."""
    return func.holds(cast(texts, Bytes), cast(loose, Bytes), type_=Boolean)


def _written(loose: str, words: Iterable[int]) -> str:
    grams = " ".join(folding.grams(loose))
    if _MARK.search(grams):  # few have any, and translating takes five times as long as looking
        grams = grams.translate(_SAFE)
    return f"{grams} {' '.join(map(_word, words))}"


def _word(id: int) -> str:
    """A word as it stands among grams, of which none has more than three characters."""
    return f"word{id}"
