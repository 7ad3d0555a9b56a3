"""Collections as readers see them: a list, and each with the cards of its published articles. GET only, cacheable.

How editors make them is in ``collections.py``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.delivery import collection_lists, schemas
from app.errors import NotFound
from app.sync import changes
from app.wire import conditional, paging, public_lists
from app.wire.caller import PublicReader
from app.wire.reads import Read
from app.wire.sessions import Reader

router = APIRouter(prefix="/v1/collections", tags=["reading"], route_class=Read)

MERGED: dict[int | str, dict[str, Any]] = {
    **conditional.UNCHANGED,
    308: {"description": "It was merged: see Location."},
}


@router.get("", summary="List collections", responses={200: {"model": schemas.CollectionList}, **conditional.UNCHANGED})
def list_public_collections(
    _: PublicReader, request: Request, query: Annotated[paging.ListQuery, Query()], reader: Reader
) -> Response:
    """The collections that hold a published article, by slug, without their articles."""
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("collections"),
        kinds=(str,),
        find=lambda after, limit: collection_lists.listed(reader, after and after[0], limit),
        count=lambda cap: collection_lists.count(reader, cap),
        state=None,  # a collection changes without a change in the feed
        surrogate_keys="articles collections",
    )


@router.get("/{slug}", summary="Read a collection", responses={200: {"model": schemas.CollectionCards}, **MERGED})
def read_public_collection(
    _: PublicReader, request: Request, slug: str, query: Annotated[paging.ListQuery, Query()], reader: Reader
) -> Response:
    """A collection, named by its slug or id, with the cards of its published articles in its order.

    It is there, without items, also where none is published. One that was merged into another answers 308. `fields`
    and `count` are about the items.
    """
    found = collection_lists.find(reader, slug)
    if found is None:
        now = collection_lists.moved_to(reader, slug)
        if now is None:
            raise NotFound("collection-unknown", "There is no such collection.")
        return conditional.moved(
            request, f"{router.prefix}/{slug}", f"{router.prefix}/{now}", surrogate_keys="collections"
        )
    return public_lists.answer(
        request,
        query,
        bound=paging.bound_to("collection", found.id),
        kinds=(str,),
        find=lambda after, limit: collection_lists.cards(reader, found.id, after and after[0], limit),
        count=lambda cap: collection_lists.count_cards(reader, found.id, cap),
        # Its cards change with the feed only, all else with its version.
        state=(changes.state(reader), found.id, found.version),
        surrogate_keys="articles collections",
        head=found.said,
    )
