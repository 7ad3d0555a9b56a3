"""The public shapes as OpenAPI describes them; a test holds every answer against them.

The answers themselves are made from JSON values in ``shapes.py`` and frozen in ``snapshots.py``.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from app.articles.document import (
    ArticleDocument,
    Citation,
    CitedSource,
    Counted,
    Image,
    KeyPoint,
    Page,
    Section,
    Shape,
)
from app.articles.fields import Id, Instant, SourceType

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


class PublicKeyPoint(KeyPoint):
    """A key point where it stands; a takeaway has no page, section, citation or source."""

    kind: Literal["takeaway", "citation"]
    page: int | None
    section_id: Id | None
    citation_id: Id | None
    source: CitedSource | None
    article: Card


class KeyPointList(Shape):
    """A page of key points; ``count`` only where it was asked for."""

    items: list[PublicKeyPoint]
    next: str | None
    count: Counted | None = None


class PublicQuestion(Shape):
    """A question a section asks, its answer, and the sources the section cites."""

    question: str
    answer: str | None
    section_id: Id
    anchor: str
    page: int
    sources: list[CitedSource]
    article: Card


class QuestionList(Shape):
    """A page of questions; ``count`` only where it was asked for."""

    items: list[PublicQuestion]
    next: str | None
    count: Counted | None = None


class PublicCitation(Citation):
    """A citation where it stands."""

    section_id: Id
    page: int
    article: Card


class CitationList(Shape):
    """A page of citations; ``count`` only where it was asked for."""

    items: list[PublicCitation]
    next: str | None
    count: Counted | None = None


class ArchivedCopy(Shape):
    """Where an archive keeps a copy of a source, and since when."""

    url: str
    at: Instant | None


class PublicSource(Shape):
    """A published piece that published articles cite."""

    id: Id
    url: str
    canonical_url: str
    title: str
    publisher: CardPublisher | None
    published_on: str | None
    authors: list[str]
    language: str | None
    type: SourceType
    image: Image | None
    archive_urls: list[ArchivedCopy]
    note: str | None


class SourceList(Shape):
    """A page of sources; ``count`` only where it was asked for."""

    items: list[PublicSource]
    next: str | None
    count: Counted | None = None


class PublicPublisher(Shape):
    """Who published a source that published articles cite."""

    id: Id
    name: str
    aliases: list[str]
    hosts: list[str]
    homepage_url: str | None
    country: str | None
    language: str | None


class PublisherList(Shape):
    """A page of publishers; ``count`` only where it was asked for."""

    items: list[PublicPublisher]
    next: str | None
    count: Counted | None = None


class PublicTag(Shape):
    """A tag that published articles bear."""

    slug: str
    name: str


class TagList(Shape):
    """A page of tags; ``count`` only where it was asked for."""

    items: list[PublicTag]
    next: str | None
    count: Counted | None = None


class PublicCollection(Shape):
    """A collection in a list."""

    id: Id
    slug: str
    title: str
    description: str


class CollectionList(Shape):
    """A page of collections; ``count`` only where it was asked for."""

    items: list[PublicCollection]
    next: str | None
    count: Counted | None = None


class CollectionCards(PublicCollection):
    """A collection with a page of the cards of its published articles, in its order."""

    items: list[Card]
    next: str | None
    count: Counted | None = None


class Excerpt(Shape):
    """One place where a query is answered."""

    pointer: str
    excerpt: str
    highlights: list[tuple[int, int]]


class Found(Shape):
    """One article, section, key point or source that a query finds, and where."""

    type: Literal["article", "section", "key_point", "source"]
    id: Id
    article: Card
    page: int | None
    anchor: str | None
    parts: list[Excerpt]


class FacetValue(Shape):
    """How many of the articles that were found are of this tag, publisher, language or year."""

    value: str
    name: str | None = None
    count: int


class Facets(Shape):
    """The facets that were asked for, the most frequent values first."""

    tag: list[FacetValue] | None = None
    publisher: list[FacetValue] | None = None
    language: list[FacetValue] | None = None
    year: list[FacetValue] | None = None


class FoundList(Shape):
    """A page of what a query finds, the best first."""

    items: list[Found]
    total: Counted
    facets: Facets | None
    did_you_mean: str | None
    next: str | None


class Suggestion(Shape):
    """A word that begins as what is typed, or is read so."""

    text: str
    reading: str


class SuggestionList(Shape):
    """Words to look for."""

    items: list[Suggestion]


class SharedSource(Shape):
    """A source that both articles cite."""

    id: Id
    title: str


class Reasons(Shape):
    """What two articles have in common."""

    terms: list[str]
    sources: list[SharedSource]
    tags: list[str]


class Related(Shape):
    """An article like another, and why."""

    article: Card
    reasons: Reasons


class RelatedList(Shape):
    """Articles like another, the most alike first."""

    items: list[Related]
