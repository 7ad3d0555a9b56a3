"""What a preview link shows: a working copy in the shapes readers get once it is published. GET only, never stored.

Who makes links is in ``preview_links.py``; the published article is in ``published.py``.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.articles import preview_links, site
from app.database import Reader as Snapshot
from app.delivery import schemas, shapes
from app.errors import NotFound
from app.formats import renditions
from app.publishing import publish
from app.text import instant
from app.wire import negotiation, sessions
from app.wire.negotiation import MEDIA_TYPES, Rendition
from app.wire.sessions import Reader

router = APIRouter(prefix=preview_links.ADDRESS, tags=["reading"])

_ENDED: dict[int | str, dict[str, Any]] = {
    406: {"description": "There is nothing the client accepts."},
    410: {"description": "The link is over or was revoked."},
}
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Vary": "Accept"}


@router.get(
    "/{token}",
    summary="Preview an article",
    responses={200: {"model": schemas.PublicArticle, "content": negotiation.WRITTEN}, **_ENDED},
)
def preview_article(request: Request, token: str, reader: Reader) -> Response:
    """The article of a preview link as it would be published now, in the same renditions. Needs no key, ever.

    `revised_at` is the moment of reading; `published_at` is, too, where the article never was public.
    """
    token, suffix = negotiation.split(token)
    article = _article(request, reader, token)
    rendition = negotiation.chosen(request, suffix)
    if rendition != "json":
        return _answer(rendition, renditions.of_article(rendition, article, _printed(reader)))
    return _answer(rendition, shapes.encode(article))


@router.get(
    "/{token}/pages/{number}",
    summary="Preview a page of an article",
    responses={200: {"model": schemas.PublicPage, "content": negotiation.WRITTEN}, **_ENDED},
)
def preview_page(request: Request, token: str, number: str, reader: Reader) -> Response:
    """One page of the article as it would be published now; its links lead to where it would be then."""
    digits, suffix = negotiation.split(number)
    pages = shapes.pages(_article(request, reader, token))
    page = next((each for each in pages if str(each["number"]) == digits), None)
    if page is None:
        raise NotFound("page-unknown", "The article has no such page.")
    rendition = negotiation.chosen(request, suffix)
    if rendition != "json":
        return _answer(rendition, renditions.of_page(rendition, page, _printed(reader)))
    return _answer(rendition, shapes.encode(page))


def _article(request: Request, reader: Snapshot, token: str) -> shapes.Shape:
    now = instant(sessions.of(request).database.clock())
    return publish.proposed(preview_links.opened(reader, token, now), now)


def _printed(reader: Snapshot) -> dict[str, Any]:
    return site.load(reader).document.model_dump()


def _answer(rendition: Rendition, content: bytes) -> Response:
    # Without an ETag: what is never stored is never asked for again.
    return Response(content, 200, _HEADERS, MEDIA_TYPES[rendition])
