"""The article document: one shape in the API, a revision, a bundle and a snapshot (DESIGN, section 2).

Only shape is judged here. What needs the database (a slug taken, an id used elsewhere) is judged by the
owner modules, rows are in ``tables.py`` and turned into documents in ``drafts.py``.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.articles.fields import (
    Anchor,
    ExternalId,
    ExternalSystem,
    Href,
    Id,
    Instant,
    Labels,
    Language,
    Line,
    Markdown,
    Name,
    PartialDate,
    Passage,
    Pixels,
    PublisherName,
    Slug,
    SourceType,
    Status,
    Timezone,
    TranslationKey,
    Url,
)


class Shape(BaseModel):
    """A JSON object with exactly the named members; nothing is coerced from another JSON type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Image(Shape):
    """A picture by its address; ``alt`` alone (no ``url``) records what a page printed in its place."""

    url: Url | None = None
    alt: Passage = ""
    caption: Passage | None = None
    credit: Line | None = None
    credit_url: Url | None = None
    width: Pixels | None = None
    height: Pixels | None = None


class KeyPoint(Shape):
    """One summarised statement: of a citation, or of the article (a takeaway)."""

    id: Id | None = None
    text: Passage = ""


class Speaker(Shape):
    """The persona in whose voice a commentary speaks."""

    name: Name = ""
    image: Image | None = None


class Commentary(Shape):
    """The closing remark of a section, in the digest's own voice."""

    text: Markdown = ""
    speaker: Speaker | None = None


class CitedPublisher(Shape):
    """Who published a source: by ``id``, or by ``name`` (found by name or alias, else made)."""

    id: Id | None = None
    name: PublisherName = ""


class CitedSource(Shape):
    """The source behind a citation: by ``id`` (all else is then ignored), or inline by ``url``.

    An inline source is found by its canonical URL and linked, never altered; else it is made.
    """

    id: Id | None = None
    url: Url | None = None
    title: Passage | None = None
    publisher: CitedPublisher | None = None
    published_on: PartialDate | None = None
    authors: Annotated[list[Name], Field(max_length=200)] | None = None
    language: Language | None = None
    type: SourceType | None = None
    image: Image | None = None

    @model_validator(mode="after")
    def _named(self) -> "CitedSource":
        if self.id is None and self.url is None:
            raise PydanticCustomError("source-unnamed", "A citation's source is named by its id or its url.")
        return self


class Citation(Shape):
    """One source card in one section: which source, what was printed, its key points.

    ``url, published_on, image, display_title, publisher_text`` are as printed here; null = the source's.
    """

    id: Id | None = None
    source: CitedSource
    display_title: Passage | None = None
    publisher_text: Line | None = None
    published_on: PartialDate | None = None
    shows_published_on: bool = True
    url: Url | None = None
    image: Image | None = None
    labels: Labels = {}
    key_points: Annotated[list[KeyPoint], Field(max_length=200)] = []


class Section(Shape):
    """Heading, question and answer, transition, source cards, body, commentary."""

    id: Id | None = None
    anchor: Anchor | None = None
    heading: Line | None = None
    question: Line | None = None
    answer: Passage | None = None
    transition: Passage | None = None
    citations: Annotated[list[Citation], Field(max_length=200)] = []
    body: Markdown = ""
    commentary: Commentary | None = None


class Page(Shape):
    """A readable part of an article; ``teaser`` is what the page before shows to lead here."""

    id: Id | None = None
    number: Annotated[int, Field(ge=1)] | None = None
    title: Line | None = None
    teaser: Passage | None = None
    sections: Annotated[list[Section], Field(max_length=500)] = []

    @property
    def announced(self) -> bool:
        """Told of by a teaser, not written yet: it has no address of its own."""
        return bool(self.teaser) and not self.sections


class Byline(Shape):
    """Who wrote or edited the article."""

    name: Name = ""
    role: Name | None = None
    url: Url | None = None


class Correction(Shape):
    """What was put right after publication, and when (the time of the save where not given)."""

    at: Instant | None = None
    text: Passage = ""


class Seo(Shape):
    """What search engines and previews are told."""

    title: Line | None = None
    description: Passage | None = None
    noindex: bool = False


class ArticleDocument(Shape):
    """The whole article, without the facts of its life (version, status, times)."""

    id: Id | None = None
    slug: Slug | None = None
    language: Language | None = None
    translation_key: TranslationKey | None = None
    external_ids: Annotated[dict[ExternalSystem, ExternalId], Field(max_length=50)] = {}
    title: Line
    title_reading: Line | None = None
    lead: Passage = ""
    hero_image: Image | None = None
    bylines: Annotated[list[Byline], Field(max_length=100)] = []
    introduction: Markdown = ""
    takeaways: Annotated[list[KeyPoint], Field(max_length=100)] = []
    pages: Annotated[list[Page], Field(max_length=200)] = []
    conclusion: Markdown = ""
    tags: Annotated[list[Slug], Field(max_length=100)] = []
    corrections: Annotated[list[Correction], Field(max_length=200)] = []
    canonical_url: Url | None = None
    seo: Seo = Seo()
    labels: Labels = {}


class Schedule(Shape):
    """When the article will go public, and when it will be withdrawn."""

    publish_at: Instant | None = None
    unpublish_at: Instant | None = None


class WorkingCopy(ArticleDocument):
    """What an answer about a working copy holds: the document, and the facts of its life beside it."""

    version: int
    status: Status
    in_review: bool
    schedule: Schedule | None
    has_unpublished_changes: bool
    created_at: Instant
    updated_at: Instant
    published_at: Instant | None


EXAMPLE: dict[str, Any] = {
    "title": "菊まつりの歩き方:一日で巡る三つの会場",
    "lead": "十月の終わり、町は菊の香りに包まれます。見どころを三つの記事からまとめました。",
    "takeaways": [{"text": "菊まつりは十月二十日に始まる。"}],
    "introduction": "本日は、菊まつりの見どころを紹介します。",
    "pages": [
        {
            "sections": [
                {
                    "heading": "千輪咲きの秘密",
                    "question": "一株からいくつ咲く?",
                    "answer": "千を超える花",
                    "transition": "まず、いちばん大きな株を見てみましょう。",
                    "citations": [
                        {
                            "source": {
                                "url": "https://news.example.jp/kiku/2024/10/20",
                                "title": "千輪咲き、今年も公開",
                                "publisher": {"name": "菊新聞"},
                                "published_on": "2024-10-20",
                            },
                            "key_points": [{"text": "一株に千百二十輪が咲いた。"}],
                        }
                    ],
                    "body": "園芸課が一年をかけて育てました。\n\n会期中は無料で見られます。",
                    "commentary": {"text": "見に行きたくなりますね。"},
                }
            ]
        },
        {"teaser": "次は、家で育てるこつです。"},
    ],
    "tags": ["菊", "秋"],
}
"""One article as a client may send it; the documentation shows it."""


class ArticleInput(ArticleDocument):
    """What a client may send: the document, and back with it what an answer carried beside it.

    ``status, in_review, schedule, has_unpublished_changes, updated_at, published_at`` are ignored;
    ``version`` and ``created_at`` must be the current ones (422 ``read-only``).
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    version: int | None = None
    status: Status | None = None
    in_review: bool | None = None
    schedule: Schedule | None = None
    has_unpublished_changes: bool | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    published_at: Instant | None = None


class Counted(Shape):
    """How many items the whole list holds: exactly, or at least."""

    value: int
    relation: Literal["eq", "gte"]


class MenuItem(Shape):
    """One entry of the site's menu; ``href`` may be relative."""

    label: Name = ""
    href: Href = ""


class SiteLabels(Shape):
    """The exact strings a page is printed with, spaces included; ``published_on`` is a pattern."""

    masthead: Line = ""
    takeaways_heading: Line = "📘 この記事で分かる事!"
    takeaway_marker: Line = "💡 "
    key_point_marker: Line = "✅ "
    published_on: Line = "公開日:{YYYY}/{MM}/{DD}"
    read_more: Line = "さらに読む ⇒"
    source_credit: Line = "出典/画像元: "
    next_page: Line = "次のページを読む ⇒"


class Site(Shape):
    """The publication itself: its name, its menu, its labels, and how strictly it checks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "菊ダイジェスト", "default_language": "ja"}]})

    name: Name = ""
    logo: Image | None = None
    base_url: Url | None = None
    default_language: Language = "ja"
    timezone: Timezone = "Asia/Tokyo"
    menu: Annotated[list[MenuItem], Field(max_length=100)] = []
    checks: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")], Literal["off", "warning", "error"]] = {}
    labels: SiteLabels = SiteLabels()
