"""Articles by the characters that stand in their texts, on SQLite: an FTS5 table of grams.

What a gram is is decided in ``folding.py``; on PostgreSQL the same is in ``postgres.py``.
"""

from collections.abc import Collection
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
    select,
    table,
    text,
)

from app.database import Bytes, Writer
from app.search import folding

# The tokeniser parts words at ASCII marks: those that grams may hold stand for others that nobody writes.
_SAFE = {code: chr(0xF0000 + code) for code in range(0x21, 0x80) if not chr(code).isalnum()}
_PUT = text("INSERT INTO search_grams (rowid, grams) VALUES (:number, :grams)")
# A table without content must be told what is taken out.
_DROP = text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :number, :grams)")
_GRAMS: Any = table("search_grams", column("rowid", Integer), column("search_grams", Text))
SETTINGS: dict[str, str] = {}
"""What a search sets of the database: nothing."""
_MATCHING = select(_GRAMS.c.rowid.label("number")).where(_GRAMS.c.search_grams.op("MATCH")(bindparam("grams")))


def put(writer: Writer, number: int, loose: str) -> None:
    """Let the article be found by the grams of its text."""
    writer.execute(_PUT, {"number": number, "grams": _written(folding.grams(loose))})


def drop(writer: Writer, number: int, loose: str) -> None:
    """Take the article out; ``loose`` is the text that was put in."""
    writer.execute(_DROP, {"number": number, "grams": _written(folding.grams(loose))})


def matching() -> Select[Any]:
    """The numbers of the articles that have all of the ``grams`` that are asked for."""
    return _MATCHING


def asked(grams: Collection[str]) -> str:
    """``grams``, one at least, as they are asked for."""
    return " ".join(f'"{gram.translate(_SAFE)}"' for gram in sorted(grams))


def contains(texts: Column[Any], loose: str) -> ColumnElement[bool]:
    """Whether a text holds this one, character for character."""
    return func.holds(cast(texts, Bytes), cast(loose, Bytes), type_=Boolean)


def kept_text(texts: Column[Any]) -> ColumnElement[bytes]:
    """A text as it is read to be looked through: its bytes, for decoding them takes longer than that."""
    return cast(texts, Bytes)


def kept(loose: str) -> bytes:
    """What is looked for in such a text."""
    return loose.encode()


def loose(kept: bytes) -> str:
    """A text that was read so."""
    return kept.decode()


def _written(grams: Collection[str]) -> str:
    return " ".join(grams).translate(_SAFE)
