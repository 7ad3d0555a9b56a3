"""What search does differently on the two databases: each module that does it for one is a ``Dialect``.

What a gram is is decided in ``folding.py``.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Select

from app.database import Reader, Writer
from app.search import fts5, postgres


class Dialect(Hashable, Protocol):
    """How articles are found by the characters of their texts."""

    @property
    def SETTINGS(self) -> Mapping[str, str]:  # noqa: N802 - a module's constant
        """What a search sets of the database."""

    def put(self, writer: Writer, number: int, loose: str, words: Iterable[int], /) -> None:
        """Let an article be found by the grams of its text, and be left out by the ids of its words."""

    def drop(self, writer: Writer, number: int, loose: str, words: Iterable[int], /) -> None:
        """Take an article out; the text and the words are those that were put in."""

    def gather(self, writer: Writer, /) -> None:
        """Bring together what the last publications have left scattered over the index."""

    def gather_all(self, writer: Writer, /) -> bool:
        """Do some of what brings together all that is scattered; says whether more is left to do."""

    def matching(self, besides: Select[Any] | None, /) -> Any:
        """Selects the numbers of the articles that ``asked`` asks for, but for those ``besides``."""

    def asked(self, grams: Collection[str], besides: Collection[int], /) -> str | list[str]:
        """What asks for articles with all of the ``grams``, one at least, but for those with all words ``besides``."""

    def contains(self, texts: Column[Any], loose: ColumnElement[str], /) -> ColumnElement[bool]:
        """Whether a text holds this one, character for character."""


def dialect_of(reader: Reader) -> Dialect:
    """The dialect of this database."""
    return postgres if reader.on_postgresql else fts5
