"""What readers see: the list of articles, an article, its pages and sections. GET only, cacheable.

Everything answered here was frozen at publish; nothing of a working copy is read.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import astuple
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from app import text
from app.articles import site
from app.articles.fields import Id, Instant, Language, Slug, TranslationKey
from app.database import Reader as Snapshot
from app.delivery import listings, schemas, snapshots
from app.errors import NotFound
from app.formats import bibliography, renditions
from app.sync import changes
from app.wire import conditional, negotiation, paging, public_lists
from app.wire.caller import PublicReader
from app.wire.negotiation import Rendition
from app.wire.reads import Read
from app.wire.sessions import Reader

router = APIRouter(prefix="/v1/articles", tags=["reading"], route_class=Read)

_ID_LIST = TypeAdapter(Annotated[list[Id], Field(max_length=100)])
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_BIBLIOGRAPHIES: dict[bibliography.Format, str] = {
    "csl": "application/vnd.citationstyles.csl+json",
    "bibtex": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
}
# Who asks for any JSON gets CSL-JSON.
_OFFERED: dict[str, bibliography.Format] = {
    **{media_type: format for format, media_type in _BIBLIOGRAPHIES.items()},
    "application/json": "csl",
}
ELSEWHERE: dict[int | str, dict[str, Any]] = {
    **conditional.UNCHANGED,
    308: {"description": "An old slug: see Location."},
}


CHOSEN: dict[int | str, dict[str, Any]] = {**ELSEWHERE, 406: {"description": "There is nothing the client accepts."}}


class Kind(NamedTuple):
    """What can be written of the stored bytes: its name in ETags, its media type, who writes it."""

    name: str
    media_type: str
    write: Callable[[Mapping[str, Any], Mapping[str, Any]], bytes]


def _ids(value: str) -> str:
    """Ids, separated by commas. FastAPI would take a list only as a repeated parameter."""
    _ID_LIST.validate_python(value.split(","))
    return value.lower()


class PublicListQuery(paging.ListQuery):
    """The filters of the list of published articles."""

    tag: Slug | None = None
    publisher: Id | None = None
    source: Id | None = None
    language: Language | None = None
    translation_key: TranslationKey | None = None
    collection: Slug | None = None
    published_after: Instant | None = None
    published_before: Instant | None = None
    ids: Annotated[str, AfterValidator(_ids), Field(description="At most 100 ids, by comma.")] | None = None
    sort: Literal["-published_at", "published_at", "-revised_at", "revised_at"] = "-published_at"

    def filters(self) -> listings.Filters:
        """The filters alone."""
        return listings.Filters(
            self.tag, self.publisher, self.source, self.language, self.translation_key, self.collection,
            self.published_after, self.published_before, tuple(self.ids.split(",")) if self.ids else (),
        )  # fmt: skip


@router.get(
    "", summary="List published articles", responses={200: {"model": schemas.CardList}, **conditional.UNCHANGED}
)
def list_articles(
    _: PublicReader, request: Request, query: Annotated[PublicListQuery, Query()], reader: Reader
) -> Response:
    """Cards of the published articles that pass every filter given; the latest published come first.

    ``publisher`` and ``source`` are ids of what an article cites, ``collection`` is the slug or id of one that
    holds it; ``published_after`` and ``published_before`` are inclusive.
    """
    filters = query.filters()
    bound = paging.bound_to("articles", query.sort, *astuple(filters))
    return public_lists.answer(
        request,
        query,
        bound=bound,
        kinds=(str, str),
        find=lambda after, limit: listings.latest(reader, filters, query.sort, after, limit),
        count=lambda cap: listings.count(reader, filters, cap),
        # A collection changes without a change in the feed.
        state=changes.state(reader) if filters.collection is None else None,
        surrogate_keys="articles" if filters.collection is None else "articles collections",
    )


@router.get(
    "/{key}",
    summary="Read a published article",
    responses={200: {"model": schemas.PublicArticle, "content": negotiation.WRITTEN}, **CHOSEN},
)
def read_published_article(_: PublicReader, request: Request, key: str, reader: Reader) -> Response:
    """The whole published article; ``key`` is its id, its slug or ``ext:{system}:{id}``.

    JSON by default; by ``Accept`` or suffix also plain text in the layout of a digest page (``.txt``), Markdown with
    front matter (``.md``), an HTML fragment (``.html``) and JSON-LD in the words of schema.org (``.jsonld``). An old
    slug answers 308.
    """
    key, suffix = negotiation.split(key)
    return _rendition(request, reader, key, None, suffix)


@router.get(
    "/{key}/pages/{number}",
    summary="Read a page of a published article",
    responses={200: {"model": schemas.PublicPage, "content": negotiation.WRITTEN}, **CHOSEN},
)
def read_published_page(_: PublicReader, request: Request, key: str, number: str, reader: Reader) -> Response:
    """One page with the head of its article and links to the pages around it.

    ``next.teaser`` leads on; ``next.href`` is null while the next page is only announced.
    """
    digits, suffix = negotiation.split(number)
    if not _PAGE_NUMBER.fullmatch(digits):
        raise NotFound("page-unknown", "The article has no such page.")
    return _rendition(request, reader, key, int(digits), suffix)


@router.get(
    "/{key}/sections",
    summary="List the sections of a published article",
    responses={200: {"model": schemas.SectionList}, **ELSEWHERE},
)
def list_article_sections(
    _: PublicReader, request: Request, key: str, query: Annotated[paging.ListQuery, Query()], reader: Reader
) -> Response:
    """The sections of one article in reading order, each with its page number and the card of its article.

    A cursor is good as long as the article stands as it is: one that was published anew is read from its start.
    """
    here = snapshots.find_etag(reader, key)
    if here is None:
        return _elsewhere(request, reader, key)
    article_id, etag = here
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("article-sections", etag),
        kinds=(int,),
        find=lambda after, limit: listings.sections(reader, article_id, after[0] if after else None, limit),
        count=lambda cap: listings.count_sections(reader, article_id, cap),
        state=etag,
        surrogate_keys=f"article-{article_id}",
    )


class BibliographyQuery(BaseModel):
    """In which format; by ``Accept`` where nothing is said."""

    model_config = ConfigDict(extra="forbid")

    format: bibliography.Format | None = None


@router.get(
    "/{key}/bibliography",
    summary="Read what an article cites",
    response_class=Response,
    responses={
        200: {
            "content": {
                _BIBLIOGRAPHIES["csl"]: {"schema": {"type": "array", "items": {"type": "object"}}},
                _BIBLIOGRAPHIES["bibtex"]: {"schema": {"type": "string"}},
                _BIBLIOGRAPHIES["ris"]: {"schema": {"type": "string"}},
            }
        },
        **CHOSEN,
    },
)
def read_bibliography(
    _: PublicReader, request: Request, key: str, query: Annotated[BibliographyQuery, Query()], reader: Reader
) -> Response:
    """The sources of a published article, each once, in reading order: CSL-JSON, BibTeX or RIS.

    A source has the same citation key in every article and format. An author is one name, not split in two.
    """
    format = query.format or negotiation.liked(request, _OFFERED)

    media_type = _BIBLIOGRAPHIES[format] + ("" if format == "csl" else "; charset=utf-8")  # JSON is UTF-8 anyway

    def write(article: Mapping[str, Any], _: object) -> bytes:
        return bibliography.written(article, format).encode()

    return _written(request, reader, key, None, Kind(format, media_type, write))


def _rendition(request: Request, reader: Snapshot, key: str, page: int | None, suffix: Rendition | None) -> Response:
    """The stored bytes at an address, or what is written from them for this rendition."""
    rendition = negotiation.chosen(request, suffix)
    if rendition != "json":
        write = partial(renditions.of_article if page is None else renditions.of_page, rendition)
        return _written(request, reader, key, page, Kind(rendition, negotiation.MEDIA_TYPES[rendition], write))
    compressed = negotiation.takes_gzip(request)
    seen = request.headers.get("if-none-match")
    # The ETag alone is read first where a 304 may come of it: the bytes are then left where they are.
    known = snapshots.find_etag(reader, key, page) if seen is not None else None
    if known is not None and conditional.none_match(seen, known[1]):
        etag = conditional.coded(known[1], compressed=compressed)
        return conditional.not_modified(etag, vary=negotiation.VARY, surrogate_keys=f"article-{known[0]}")
    found = snapshots.read(reader, key, page, compressed=compressed)
    if found is None:
        return _elsewhere(request, reader, key, page)
    return conditional.answer(
        request,
        found.body,
        conditional.coded(found.etag, compressed=compressed),
        vary=negotiation.VARY,
        surrogate_keys=f"article-{found.article_id}",
        headers={"Content-Encoding": "gzip"} if compressed else None,
    )


def _written(request: Request, reader: Snapshot, key: str, page: int | None, kind: Kind) -> Response:
    """What is written at read from the stored bytes and the site; not even read where the client has it already."""
    stored = site.load(reader)

    def tag(etag: str) -> str:
        return f'{etag[:-1]}-{kind.name}-{stored.version}"'

    seen = request.headers.get("if-none-match")
    known = snapshots.find_etag(reader, key, page) if seen is not None else None
    if known is not None and conditional.none_match(seen, tag(known[1])):
        keys = f"article-{known[0]} site"
        return conditional.not_modified(tag(known[1]), vary=negotiation.VARY, surrogate_keys=keys)
    found = snapshots.read(reader, key, page)
    if found is None:
        return _elsewhere(request, reader, key, page)
    return conditional.answer(
        request,
        kind.write(json.loads(found.body), stored.document.model_dump()),
        tag(found.etag),
        media_type=kind.media_type,
        vary=negotiation.VARY,
        surrogate_keys=f"article-{found.article_id} site",
    )


def _elsewhere(request: Request, reader: Snapshot, key: str, page: int | None = None) -> Response:
    """308 to where an old slug's article is now, keeping what follows the key.

    Raises: NotFound.
    """
    now = snapshots.moved_to(reader, text.slug(key) or key)
    if now is not None:
        return conditional.moved(request, f"{router.prefix}/{key}", f"{router.prefix}/{now}", surrogate_keys="articles")
    if page is not None and snapshots.find_etag(reader, key) is not None:
        raise NotFound("page-unknown", "The article has no such page.")
    raise NotFound("article-unknown", "Nothing published is at this address.")
