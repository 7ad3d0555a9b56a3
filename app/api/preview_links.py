"""Preview links of working copies: made, listed, read, revoked.

What whoever has a link is shown is in ``previews.py``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.articles import preview_links
from app.articles.preview_links import PreviewLinkAnswer, PreviewLinkInput, PreviewLinkList
from app.wire import answers, bodies, paging
from app.wire.caller import DraftReader, Previewer
from app.wire.conditional import IfMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(
    prefix="/v1/manage/articles/{key}/preview-links", tags=["preview links"], route_class=IdempotentRoute
)

Sent = Annotated[PreviewLinkInput, Depends(bodies.json_body(PreviewLinkInput, optional=True))]


@router.get("", summary="List preview links", responses={200: {"model": PreviewLinkList}})
def list_preview_links(
    _: DraftReader, request: Request, key: str, query: Annotated[paging.PageQuery, Query()], reader: Reader
) -> Response:
    """All links to this working copy, also the expired and revoked ones, the last made first."""
    bound = paging.bound_to("preview-links", key)
    after = paging.position(query.cursor, bound, (str,))
    found = preview_links.latest(reader, key, after[0] if after else None, query.limit + 1)
    items = [(link.id, answers.encode(link.resource())) for link in found]
    body, headers = paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")


@router.post(
    "",
    status_code=201,
    summary="Make a preview link",
    responses={201: {"model": PreviewLinkAnswer}},
    openapi_extra=bodies.openapi_body(
        PreviewLinkInput, examples={"一日": {"expires_in_seconds": 86_400}}, required=False
    ),
)
def create_preview_link(_: Previewer, key: str, sent: Sent, writer: Writer) -> Response:
    """Make a link by which anybody reads this working copy, as it is at each moment, without a key.

    It is good for a week, or for `expires_in_seconds`; `url` is relative to where Kiku is served.
    """
    link = preview_links.create(writer, key, sent)
    location = {"Location": f"/v1/manage/articles/{link.row['article_id']}/preview-links/{link.id}"}
    return answers.resource(link.resource(), link.version, status=201, headers=location)


@router.delete("", status_code=204, summary="Revoke all preview links")
def revoke_preview_links(_: Previewer, key: str, match: IfMatch, writer: Writer) -> Response:
    """Let no link to this working copy show anything any more; `If-Match` names the article's version."""
    preview_links.revoke_all(writer, key, match)
    return Response(status_code=204)


@router.get("/{id}", summary="Read a preview link", responses={200: {"model": PreviewLinkAnswer}})
def read_preview_link(_: DraftReader, key: str, id: str, reader: Reader) -> Response:
    """One link, also one that has ended."""
    link = preview_links.load(reader, key, id)
    return answers.resource(link.resource(), link.version)


@router.delete("/{id}", status_code=204, summary="Revoke a preview link")
def revoke_preview_link(_: Previewer, key: str, id: str, match: IfMatch, writer: Writer) -> Response:
    """Let the link show nothing any more, from now on; repeating it changes nothing."""
    preview_links.revoke(writer, key, id, match)
    return Response(status_code=204)
