"""The public shapes as OpenAPI describes them; a test holds every answer against them.

The answers themselves are made from JSON values in ``shapes.py`` and frozen in ``snapshots.py``.
"""

from typing import Annotated, Any

from pydantic import Field, create_model

from app.articles.document import ArticleDocument, Counted, Image, Page, Section, Shape
from app.articles.fields import Id, Instant

Href = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class PublicArticle(ArticleDocument):
    """A published article: the document, and when it was first published and last revised."""

    published_at: Instant
    revised_at: Instant


class CardPublisher(Shape):
    """A publisher whose pieces an article cites."""

    id: Id
    name: str


class Card(Shape):
    """What a list shows of an article; ``page_count`` counts pages that can be read."""

    id: Id
    slug: str
    language: str
    title: str
    lead: str
    hero_image: Image | None
    tags: list[str]
    publishers: list[CardPublisher]
    page_count: int
    published_at: Instant
    revised_at: Instant


_head: dict[str, Any] = {
    name: (field.annotation, field)
    for name, field in ArticleDocument.model_fields.items()
    if name not in {"pages", "conclusion"}
}
ArticleHead = create_model("ArticleHead", __base__=Shape, published_at=(Instant, ...), **_head)
"""The article a page belongs to, without its pages, its conclusion and the time of its revision."""


class PreviousPage(Shape):
    """The page before."""

    number: int
    title: str | None
    href: Href


class NextPage(Shape):
    """The page that follows; ``href`` is null while it is only announced."""

    number: int
    title: str | None
    teaser: str | None
    href: Href | None


class PublicPage(Page):
    """One page of a published article."""

    article: ArticleHead
    conclusion: str
    previous: PreviousPage | None
    next: NextPage | None


class PublicSection(Section):
    """A section with the number of its page and the card of its article."""

    page: int
    article: Card


class CardList(Shape):
    """A page of cards; ``count`` only where it was asked for."""

    items: list[Card]
    next: str | None
    count: Counted | None = None


class SectionList(Shape):
    """A page of sections; ``count`` only where it was asked for."""

    items: list[PublicSection]
    next: str | None
    count: Counted | None = None
