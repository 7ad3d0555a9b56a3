"""Collections for editors: listed, made, read, changed, merged, removed; articles put in, moved, taken out.

What readers see of them is in ``published_collections.py``.
"""

from dataclasses import astuple
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.articles import collections
from app.articles.collections import (
    Addition,
    CollectionInput,
    Filters,
    ManagedCollection,
    ManagedCollectionList,
    Move,
)
from app.articles.entries import Entry, Merge
from app.articles.fields import Id
from app.validation import validated
from app.wire import answers, bodies, paging
from app.wire.caller import Curator, DraftReader
from app.wire.conditional import IfMatch, OptionalMatch, etag
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/collections", tags=["collections"], route_class=IdempotentRoute)

Collection = Annotated[CollectionInput, Depends(bodies.json_body(CollectionInput))]
CollectionPatch = Annotated[bodies.Patch, Depends(bodies.patch_body)]
Added = Annotated[Addition, Depends(bodies.json_body(Addition))]
MoveTarget = Annotated[Move, Depends(bodies.json_body(Move))]
MergeTarget = Annotated[Merge, Depends(bodies.json_body(Merge))]

_ONE: dict[int | str, dict[str, Any]] = {200: {"model": ManagedCollection}}
_MERGED: dict[int | str, dict[str, Any]] = {308: {"description": "It was merged: see Location."}}
_ARTICLE, _OTHER = "01a20952-730d-73de-8611-1d33b4d4b762", "01a20952-730d-73de-8611-1d33b4d4b763"


class CollectionListQuery(paging.ListQuery):
    """The filters of the list of collections."""

    article: Id | None = None


@router.get("", summary="List collections for editors", responses={200: {"model": ManagedCollectionList}})
def list_collections(
    _: DraftReader, request: Request, query: Annotated[CollectionListQuery, Query()], reader: Reader
) -> Response:
    """Every collection, the last made first; `article` (an id) finds those that hold it.

    Collections that were merged into another are left out.
    """
    filters = Filters(query.article)
    bound = paging.bound_to("managed-collections", *astuple(filters))
    after = paging.position(query.cursor, bound, (str,))
    found = collections.listed(reader, filters, after[0] if after else None, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: collections.count(reader, filters, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


@router.post(
    "",
    status_code=201,
    summary="Create a collection",
    responses={201: {"model": ManagedCollection}},
    openapi_extra=bodies.openapi_body(CollectionInput, examples={"例": {"title": "菊の季節", "articles": []}}),
)
def create_collection(_: Curator, collection: Collection, writer: Writer) -> Response:
    """Make a collection of articles, in their order. Only `title` is required; the slug is made of it.

    Readers see it at once, and of its articles those that are published.
    """
    made = collections.create(writer, collection)
    return _answer(made, 201, {"Location": f"{router.prefix}/{made.key}"})


@router.get("/{key}", summary="Read a collection for editors", responses={**_ONE, **_MERGED})
def read_collection(_: DraftReader, key: str, reader: Reader) -> Response:
    """A collection with the ids of all its articles; `key` is its id or slug. One that was merged answers 308."""
    found = collections.load(reader, key)
    if found.merged_into is None:
        return _answer(found)
    location = f"{router.prefix}/{quote(found.merged_into)}"
    return Response(status_code=308, headers={"Location": location, "Cache-Control": "no-store"})


@router.put(
    "/{key}",
    summary="Replace a collection",
    responses=_ONE,
    openapi_extra=bodies.openapi_body(CollectionInput, examples={"例": {"title": "菊の季節", "articles": []}}),
)
def replace_collection(_: Curator, key: str, match: IfMatch, collection: Collection, writer: Writer) -> Response:
    """Replace a collection, its articles and their order too; without a slug it keeps its own."""
    return _answer(collections.change(writer, key, match, lambda _: collection))


@router.patch(
    "/{key}",
    summary="Change a collection",
    responses=_ONE,
    openapi_extra=bodies.openapi_patch({"題を変える": {"title": "菊の季節"}}),
)
def change_collection(_: Curator, key: str, match: IfMatch, patch: CollectionPatch, writer: Writer) -> Response:
    """Change a collection: JSON Merge Patch (RFC 7396; `articles` is replaced whole) or JSON Patch (RFC 6902)."""

    def edit(stored: dict[str, Any]) -> CollectionInput:
        return validated(CollectionInput, bodies.apply(patch, stored))

    return _answer(collections.change(writer, key, match, edit))


@router.delete("/{key}", status_code=204, summary="Remove a collection")
def remove_collection(_: Curator, key: str, match: IfMatch, writer: Writer) -> Response:
    """Remove a collection; its articles stay as they are."""
    collections.remove(writer, key, match)
    return Response(status_code=204)


@router.post(
    "/{key}/merge",
    summary="Merge a collection",
    responses=_ONE,
    openapi_extra=bodies.openapi_body(Merge, examples={"例": {"into": _OTHER}}),
)
def merge_collection(_: Curator, key: str, match: IfMatch, target: MergeTarget, writer: Writer) -> Response:
    """Let a collection be one with another, which is answered and gets the articles it lacks at its end.

    The old address answers 308, to readers too.
    """
    return _answer(collections.merge(writer, key, target.into, match))


@router.post(
    "/{key}/articles",
    summary="Add an article to a collection",
    responses=_ONE,
    openapi_extra=bodies.openapi_body(Addition, examples={"例": {"id": _ARTICLE, "before": _OTHER}}),
)
def add_to_collection(_: Curator, key: str, match: OptionalMatch, added: Added, writer: Writer) -> Response:
    """Put one article in: before or after another of the collection's, else at the end. Answers the collection.

    What it holds already is not moved: 409. `If-Match` is honoured where it is sent; without it several editors can
    add at once.
    """
    return _answer(collections.add(writer, key, added, match.if_match))


@router.delete("/{key}/articles/{id}", status_code=204, summary="Take an article out of a collection")
def take_out_of_collection(_: Curator, key: str, id: str, match: IfMatch, writer: Writer) -> Response:
    """Take one article out; `ETag` is the collection's new version."""
    left = collections.take_out(writer, key, id, match)
    return Response(status_code=204, headers={"ETag": etag(left.version)})


@router.post(
    "/{key}/articles/{id}/move",
    summary="Move an article within a collection",
    responses=_ONE,
    openapi_extra=bodies.openapi_body(Move, examples={"例": {"after": _OTHER}}),
)
def move_in_collection(_: Curator, key: str, id: str, match: IfMatch, target: MoveTarget, writer: Writer) -> Response:
    """Put one of the collection's articles before or after another. Answers the collection."""
    return _answer(collections.move(writer, key, id, target, match))


def _answer(entry: Entry, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return answers.resource(entry.resource, entry.version, status=status, headers=headers)
