"""Sources, publishers and tags that published articles use. GET only, cacheable.

What the ledger holds beside them, and how it changes, is for editors' addresses.
"""

from dataclasses import asdict, astuple
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app import text
from app.articles.fields import Id, Instant, Language, Slug, SourceType, Url
from app.database import Reader as Snapshot
from app.delivery import ledger_lists, part_lists, schemas
from app.delivery.ledger_lists import Filters
from app.errors import NotFound
from app.search import index
from app.search.answers import POSITION, PartList
from app.search.query import REFUSED, SearchText
from app.sync import changes
from app.wire import conditional, paging, public_lists
from app.wire.caller import PublicReader
from app.wire.reads import Read
from app.wire.sessions import ListReader, Reader

router = APIRouter(prefix="/v1", tags=["reading"], route_class=Read)

MERGED: dict[int | str, dict[str, Any]] = {
    **conditional.UNCHANGED,
    308: {"description": "It was merged: see Location."},
}
_OF_SOURCES = "articles publishers sources"
"""The cache keys of what the ledger says of sources: each bears its publisher's name."""


class LedgerQuery(paging.ListQuery):
    """The filters that sources, publishers and tags share."""

    article: Id | None = None
    language: Language | None = None
    published_after: Instant | None = None
    published_before: Instant | None = None

    def filters(self) -> Filters:
        """The filters alone."""
        return Filters(**self.model_dump(exclude={"q", *paging.ListQuery.model_fields}))


class SourceQuery(LedgerQuery):
    """The filters of the list of sources."""

    q: SearchText | None = None
    tag: Slug | None = None
    publisher: Id | None = None
    type: SourceType | None = None


class PublisherQuery(LedgerQuery):
    """The filters of the list of publishers."""

    tag: Slug | None = None
    country: Annotated[str | None, Field(max_length=35)] = None


class TagQuery(LedgerQuery):
    """The filters of the list of tags."""

    publisher: Id | None = None
    source: Id | None = None


class CitationQuery(paging.ListQuery):
    """The filters of the list of a source's citations."""

    article: Id | None = None
    tag: Slug | None = None
    language: Language | None = None
    published_after: Instant | None = None
    published_before: Instant | None = None


# What the ledger says of an entry (a source's note, a publisher's hosts, a tag's name) can change while no article's
# bytes do, and so without the feed: the ETag of these lists is that of their bytes.


@router.get(
    "/sources",
    summary="List sources",
    responses={200: {"model": schemas.SourceList}, **conditional.UNCHANGED, **REFUSED},
)
def list_public_sources(
    _: PublicReader, request: Request, query: Annotated[SourceQuery, Query()], reader: ListReader
) -> Response:
    """The sources that published articles cite, those that came into the ledger last first.

    `publisher` (an id), `language` and `type` are the source's own; `article` (an id), `tag`, `published_after`
    and `published_before` (inclusive) are about an article that cites it. With `q` those whose title or publisher it
    finds, the best first.
    """
    filters = query.filters()
    if query.q is not None:
        return _found_sources(request, query, reader, query.q)
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("sources", *astuple(filters)),
        kinds=(str,),
        find=lambda after, limit: ledger_lists.list_sources(reader, filters, after and after[0], limit),
        count=lambda cap: ledger_lists.count_sources(reader, filters, cap),
        state=None,
        surrogate_keys=_OF_SOURCES,
    )


def _found_sources(request: Request, query: SourceQuery, reader: Snapshot, asked: str) -> Response:
    """The sources that a query finds, the best first."""
    filters = query.filters()
    cited = part_lists.Filters(
        article=query.article,
        tag=query.tag,
        publisher=query.publisher,
        published_after=query.published_after,
        published_before=query.published_before,
    )

    found = PartList(reader, asked, "source", cited, filters)
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("sources", asked, *astuple(filters)),
        kinds=POSITION,
        find=found.find,
        count=lambda _: paging.Count(**asdict(found.total())),
        state=None,
        surrogate_keys=_OF_SOURCES,
        cache_control=conditional.until(settled=index.state(reader).settled),
    )


@router.get(
    "/sources/lookup",
    summary="Find a source by its URL",
    responses={200: {"model": schemas.PublicSource}, **conditional.UNCHANGED},
)
def look_up_source(_: PublicReader, request: Request, url: Annotated[Url, Query()], reader: Reader) -> Response:
    """The source that is published at `url`, in whatever form the address is written.

    `http` or `https`, upper or lower case host, default port, fragment, trailing slash and tracking parameters
    make no difference. 404 where no published article cites it.
    """
    body = ledger_lists.find_source_at(reader, url)
    if body is None:
        raise _unknown_source()
    return conditional.answer(request, body, surrogate_keys=_OF_SOURCES)


@router.get("/sources/{id}", summary="Read a source", responses={200: {"model": schemas.PublicSource}, **MERGED})
def read_public_source(_: PublicReader, request: Request, id: str, reader: Reader) -> Response:
    """A source that a published article cites. One that was merged into another answers 308."""
    body = ledger_lists.find_source(reader, id.lower()) if text.uuid_shaped(id) else None
    if body is None:
        return _merged_source(request, reader, id)
    return conditional.answer(request, body, surrogate_keys=_OF_SOURCES)


@router.get(
    "/sources/{id}/citations",
    summary="List the citations of a source",
    responses={200: {"model": schemas.CitationList}, **MERGED},
)
def list_source_citations(
    _: PublicReader, request: Request, id: str, query: Annotated[CitationQuery, Query()], reader: Reader
) -> Response:
    """Where published articles cite the source: each citation as printed there, with its article's card.

    The latest published article's come first, within one by id. The filters are about the article.
    """
    source_id = id.lower()
    if not text.uuid_shaped(id) or ledger_lists.find_source(reader, source_id) is None:
        return _merged_source(request, reader, id)
    wanted = query.model_dump(exclude=set(paging.ListQuery.model_fields))
    filters = part_lists.Filters(source=source_id, **wanted)
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("citations", *astuple(filters)),
        kinds=(str, str, str),
        find=lambda after, limit: part_lists.latest(reader, "citation", filters, after, limit),
        count=lambda cap: part_lists.count(reader, "citation", filters, cap),
        state=changes.state(reader),
        surrogate_keys="articles sources",
    )


@router.get(
    "/publishers", summary="List publishers", responses={200: {"model": schemas.PublisherList}, **conditional.UNCHANGED}
)
def list_public_publishers(
    _: PublicReader, request: Request, query: Annotated[PublisherQuery, Query()], reader: Reader
) -> Response:
    """The publishers whose pieces published articles cite, by name.

    `language` and `country` are the publisher's own; `article` (an id), `tag`, `published_after` and
    `published_before` (inclusive) are about an article that cites one of its pieces.
    """
    filters = query.filters()
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("publishers", *astuple(filters)),
        kinds=(str, str),
        find=lambda after, limit: ledger_lists.list_publishers(reader, filters, after, limit),
        count=lambda cap: ledger_lists.count_publishers(reader, filters, cap),
        state=None,
        surrogate_keys="articles publishers",
    )


@router.get(
    "/publishers/{id}", summary="Read a publisher", responses={200: {"model": schemas.PublicPublisher}, **MERGED}
)
def read_public_publisher(_: PublicReader, request: Request, id: str, reader: Reader) -> Response:
    """A publisher whose pieces a published article cites. One that was merged into another answers 308."""
    known = text.uuid_shaped(id)
    body = ledger_lists.find_publisher(reader, id.lower()) if known else None
    if body is not None:
        return conditional.answer(request, body, surrogate_keys="articles publishers")
    now = ledger_lists.publisher_merged_into(reader, id.lower()) if known else None
    if now is None:
        raise NotFound("publisher-unknown", "No published article cites a publisher with this id.")
    return conditional.moved(
        request,
        f"{router.prefix}/publishers/{id}",
        f"{router.prefix}/publishers/{now}",
        surrogate_keys="articles publishers",
    )


@router.get("/tags", summary="List tags", responses={200: {"model": schemas.TagList}, **conditional.UNCHANGED})
def list_public_tags(
    _: PublicReader, request: Request, query: Annotated[TagQuery, Query()], reader: Reader
) -> Response:
    """The tags that published articles bear, by slug; the filters are about such an article.

    `article`, `publisher` and `source` are ids; `published_after` and `published_before` are inclusive.
    """
    filters = query.filters()
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("tags", *astuple(filters)),
        kinds=(str,),
        find=lambda after, limit: ledger_lists.list_tags(reader, filters, after and after[0], limit),
        count=lambda cap: ledger_lists.count_tags(reader, filters, cap),
        state=None,
        surrogate_keys="articles tags",
    )


def _merged_source(request: Request, reader: Snapshot, id: str) -> Response:
    """308 to the source that this one was merged into.

    Raises: NotFound.
    """
    now = ledger_lists.source_merged_into(reader, id.lower()) if text.uuid_shaped(id) else None
    if now is None:
        raise _unknown_source()
    return conditional.moved(
        request, f"{router.prefix}/sources/{id}", f"{router.prefix}/sources/{now}", surrogate_keys="articles sources"
    )


def _unknown_source() -> NotFound:
    return NotFound("source-unknown", "No published article cites such a source.")
