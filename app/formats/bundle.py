"""Bundles: what an instance holds as lines of JSON (NDJSON), one object each; a header, then what it names, in order.

Text in, values out, and back. Which lines there are and what they do is decided in ``app/publishing/outgoing.py`` and
``incoming.py``; how a line of the ledger is judged, too.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.articles.document import ArticleDocument, ArticleInput, Shape
from app.articles.fields import Id, Instant, Name, Reason, Slug, Status
from app.errors import Invalid, Malformed
from app.formats.page_report import PageReport
from app.validation import parse_json, validated

MEDIA_TYPE = "application/x-ndjson"
FORMAT = 1
"""Raised when a line means something else than before."""
TOGETHER = 25
"""How many lines are brought in by one transaction: whoever publishes meanwhile waits for it."""
_TOGETHER_BYTES = 1_048_576
"""Fewer, where they are long."""
LINE_BYTES = 8 * 1_048_576
"""The longest line: an article that is as large as may be, and what readers see of it beside it."""

Kind = Literal["header", "site", "publisher", "source", "tag", "article", "revision", "collection"]
Version = Annotated[int, Field(ge=1, lt=2**30)]
"""Half of what a column holds: it is counted on here."""
SavedBy = Annotated[Name, Field(max_length=100)]
"""The id of a key."""
Json = dict[str, Any]


class Header(Shape):
    """The first line: by which rules the others are written, by which Kiku, and whether revisions are among them."""

    kind: Literal["header"]
    format: Literal[1]
    kiku: Annotated[str, Field(max_length=100)] | None = None
    revisions: bool = False


class Life(Shape):
    """What an article went through; whoever writes a line by hand leaves it out, and the article is a new draft."""

    version: Version
    status: Status
    in_review: bool = False
    publish_at: Instant | None = None
    unpublish_at: Instant | None = None
    created_at: Instant
    updated_at: Instant
    first_published_at: Instant | None = None
    published_version: Version | None = None
    trashed_at: Instant | None = None
    public_slugs: Annotated[list[Slug], Field(max_length=10_000, default_factory=list)]
    """All slugs that were public once: they lead to the article still."""


class Public(Shape):
    """What readers see; ``document`` is null where it is the working copy."""

    document: ArticleDocument | None = None
    published_at: Instant
    revised_at: Instant


class PageImport(Shape):
    """A digest page that the article came from: sent again it is known again."""

    lines_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    report: PageReport
    created_at: Instant


class Saved(Shape):
    """When its version was saved elsewhere, by whom and why; ``document`` is null where that is the working copy."""

    created_at: Instant
    created_by: SavedBy | None = None
    reason: Reason | None = None
    document: ArticleDocument | None = None


class ArticleLine(Shape):
    """An article: what a client may send, and, where it was somewhere else before, what became of it there.

    Without ``saved``, which is the revision of its version, ``document`` is kept as that.
    """

    kind: Literal["article"]
    document: ArticleInput
    life: Life | None = None
    public: Public | None = None
    saved: Saved | None = None
    page_imports: Annotated[list[PageImport], Field(max_length=1_000, default_factory=list)]

    @model_validator(mode="after")
    def _consistent(self) -> "ArticleLine":
        life, document = self.life, self.document
        if (self.public is not None) != (life is not None and life.status == "published"):
            raise PydanticCustomError("public-unlike-status", "`public` and the status `published` go together.")
        if life is not None and not (document.id and document.slug and document.language):
            raise PydanticCustomError("life-unnamed", "With `life` the document has its id, slug and language.")
        if life is not None and (life.status == "trashed") != (life.trashed_at is not None):
            raise PydanticCustomError("trashed-unlike-status", "`trashed_at` and the status `trashed` go together.")
        saved = self.saved
        if saved is not None and (life is None or (saved.document is not None and saved.document.id != document.id)):
            raise PydanticCustomError("saved-unlike-life", "`saved` goes with `life` and is of the same article.")
        return self


class RevisionLine(Shape):
    """What was saved of an article at one of its earlier versions."""

    kind: Literal["revision"]
    article_id: Id
    number: Version
    created_at: Instant
    created_by: SavedBy | None = None
    reason: Reason | None = None
    document: ArticleDocument


class Line(NamedTuple):
    """One line as it was read: its number from 1, its kind, its members."""

    number: int
    kind: str
    members: Json


def split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in pieces, each with its line feed; memory holds a piece and a line.

    Raises: Malformed (``line-too-long``).
    """
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > LINE_BYTES:
            raise Malformed("line-too-long", f"A line has at most {LINE_BYTES:,} bytes.")
    if rest:
        yield rest


def portions(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines in portions that are brought in by one transaction each, also those before a line that is none.

    Raises: Malformed (``line-too-long``), when all before it are given.
    """
    some: list[bytes] = []
    size = 0
    try:
        for line in lines:
            some.append(line)
            size += len(line)
            if len(some) == TOGETHER or size >= _TOGETHER_BYTES:
                yield some
                some, size = [], 0
    except Malformed:
        if some:
            yield some
        raise
    if some:
        yield some


def is_blank(line: bytes) -> bool:
    """Whether a line says nothing."""
    return not line.strip()


def read(number: int, line: bytes) -> Line:
    """What a line says. Raises: Malformed (``json-invalid``); Invalid (``validation``)."""
    value = parse_json(line)
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str):
        raise Invalid("line-unknown", "A line is an object whose `kind` says what it is.")
    return Line(number, kind, value)


def header(line: Line) -> Header:
    """The first line. Raises: Invalid (``bundle-header``)."""
    if line.kind != "header":
        raise Invalid("bundle-header", 'A bundle begins with a header: {"kind":"header","format":1}.')
    try:
        return validated(Header, line.members)
    except Invalid as error:
        detail = f"The header is not one of format {FORMAT}, which this Kiku reads."
        raise Invalid("bundle-header", detail, error.faults) from None
