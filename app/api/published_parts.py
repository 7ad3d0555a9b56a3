"""Sections, key points and questions of published articles, across all of them. GET only, cacheable.

One article's own sections are in ``published.py``; the parts of working copies in ``parts.py``.
"""

from dataclasses import asdict, astuple
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app import text
from app.articles.fields import Id, Instant, Language, Slug
from app.database import Reader as Snapshot
from app.delivery import part_lists, schemas
from app.delivery.part_lists import Filters, Kind
from app.errors import NotFound
from app.search import index
from app.search.answers import POSITION, PartList
from app.search.fields import Part
from app.search.query import REFUSED, SearchText
from app.sync import changes
from app.wire import conditional, paging, public_lists
from app.wire.caller import PublicReader
from app.wire.reads import Read
from app.wire.sessions import ListReader, Reader

router = APIRouter(prefix="/v1", tags=["reading"], route_class=Read)


class PartQuery(paging.ListQuery):
    """The filters of every list of parts."""

    article: Id | None = None
    tag: Slug | None = None
    publisher: Id | None = None
    source: Id | None = None
    language: Language | None = None
    published_after: Instant | None = None
    published_before: Instant | None = None


class QuestionQuery(PartQuery):
    """The filters of the list of questions."""

    q: SearchText | None = None


class KeyPointQuery(PartQuery):
    """The filters of the list of key points."""

    q: SearchText | None = None
    kind: Literal["takeaway", "citation"] | None = None


@router.get(
    "/sections", summary="List sections", responses={200: {"model": schemas.SectionList}, **conditional.UNCHANGED}
)
def list_sections(_: PublicReader, request: Request, query: Annotated[PartQuery, Query()], reader: Reader) -> Response:
    """Sections of all published articles, each with its page number and its article's card.

    The latest published article's come first, within one by id. `article`, `publisher` and `source` are ids;
    `publisher` and `source` hold the sections that cite them. `tag`, `language`, `published_after` and
    `published_before` (inclusive) are about the article.
    """
    return _list(request, query, reader, "section")


@router.get(
    "/sections/{id}",
    summary="Read a section",
    responses={200: {"model": schemas.PublicSection}, **conditional.UNCHANGED},
)
def read_public_section(_: PublicReader, request: Request, id: str, reader: Reader) -> Response:
    """One section of a published article, with its page number and its article's card."""
    return _part(request, reader, "section", id)


@router.get(
    "/key-points",
    summary="List key points",
    responses={200: {"model": schemas.KeyPointList}, **conditional.UNCHANGED, **REFUSED},
)
def list_key_points(
    _: PublicReader, request: Request, query: Annotated[KeyPointQuery, Query()], reader: ListReader
) -> Response:
    """Key points of all published articles: takeaways, and what citations say, each with its article's card.

    The latest published article's come first, within one by id. `kind` is
    `takeaway` or `citation`; `publisher` and `source` hold the key points of citations of theirs; the other
    filters are those of sections. With `q` those that it finds, the best first.
    """
    if query.q is not None:
        return _found(request, query, reader, "key_point", query.q)
    return _list(request, query, reader, "key_point")


@router.get(
    "/key-points/{id}",
    summary="Read a key point",
    responses={200: {"model": schemas.PublicKeyPoint}, **conditional.UNCHANGED},
)
def read_public_key_point(_: PublicReader, request: Request, id: str, reader: Reader) -> Response:
    """One key point of a published article, with its source and its article's card."""
    return _part(request, reader, "key_point", id)


@router.get(
    "/questions",
    summary="List questions",
    responses={200: {"model": schemas.QuestionList}, **conditional.UNCHANGED, **REFUSED},
)
def list_questions(
    _: PublicReader, request: Request, query: Annotated[QuestionQuery, Query()], reader: ListReader
) -> Response:
    """The questions that sections of published articles ask, with their answers and the sources behind them.

    The latest published article's come first, within one by id; the filters are those of sections. With `q` those
    that it finds in question and answer, the best first.
    """
    if query.q is not None:
        return _found(request, query, reader, "question", query.q)
    return _list(request, query, reader, "question")


def _list(request: Request, query: PartQuery, reader: Snapshot, kind: Kind) -> Response:
    filters = _filters(query)
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to(kind, *astuple(filters)),
        kinds=(str, str, str),
        find=lambda after, limit: part_lists.latest(reader, kind, filters, after, limit),
        count=lambda cap: part_lists.count(reader, kind, filters, cap),
        state=changes.state(reader),
        surrogate_keys="articles",
    )


def _found(request: Request, query: PartQuery, reader: Snapshot, part: Part, asked: str) -> Response:
    """What a query finds among the parts, the best first."""
    filters = _filters(query)
    parts, found_by = PartList(reader, asked, part, filters), index.state(reader)
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to(part, asked, *astuple(filters)),
        kinds=POSITION,
        find=parts.find,
        count=lambda _: paging.Count(**asdict(parts.total())),
        state=found_by,
        surrogate_keys="articles",
        cache_control=conditional.until(settled=found_by.settled),
    )


def _filters(query: PartQuery) -> Filters:
    return Filters(**query.model_dump(exclude={"q", *paging.ListQuery.model_fields}))


def _part(request: Request, reader: Snapshot, kind: Literal["section", "key_point"], id: str) -> Response:
    found = part_lists.find(reader, kind, id.lower()) if text.uuid_shaped(id) else None
    if found is None:
        raise NotFound("part-unknown", "Nothing published is at this address.")
    return conditional.answer(request, found.body, surrogate_keys=f"article-{found.article_id}")
