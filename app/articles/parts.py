"""One page, section, citation or key point of a working copy: found, added, changed, moved, removed.

Each is an edit of the whole document through the one door in ``drafts.py``, so that a part call, a PATCH and a
PUT that say the same do the same.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from app.articles.document import Citation, KeyPoint, Page, Section
from app.articles.tables import citations, key_points, pages, sections

Kind = Literal["page", "section", "citation", "key_point"]
Json = dict[str, Any]

MODELS: dict[Kind, type[BaseModel]] = {"page": Page, "section": Section, "citation": Citation, "key_point": KeyPoint}
_TABLES = {"page": pages, "section": sections, "citation": citations, "key_point": key_points}
_LISTS: dict[str, tuple[Kind, str]] = {
    "pages": ("page", "article"),
    "sections": ("section", "page"),
    "citations": ("citation", "section"),
    "takeaways": ("key_point", "article"),
    "key_points": ("key_point", "citation"),
}
"""List in the document → the kind of its items, and of the part it belongs to."""


@dataclass(frozen=True)
class Place:
    """Where a part stands: the list that holds it, its index there, and the id of the part it belongs to."""

    kind: Kind
    siblings: list[Json]
    position: int
    parent_id: str

    @property
    def part(self) -> Json:
        """The part itself."""
        return self.siblings[self.position]


@dataclass(frozen=True)
class Target:
    """Where a part is moved: before or after a sibling, or to the end of a parent's list."""

    before: str | None = None
    after: str | None = None
    into: str | None = None
