"""The site's own document, for readers and for its administrators.

Labels and checks take effect where they are read: ``app/formats`` and ``app/publishing/checks.py``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from app.articles import site
from app.articles.document import Site
from app.publishing import checks
from app.wire import answers, bodies, conditional
from app.wire.caller import Admin, DraftReader, PublicReader
from app.wire.conditional import IfMatch
from app.wire.sessions import Reader, Writer

router = APIRouter(tags=["site"])

Document = Annotated[Site, Depends(bodies.json_body(Site))]


@router.get(
    "/v1/site",
    summary="Read the site",
    responses={200: {"model": Site}, 304: {"description": "The client has it already."}},
)
def read_site(_: PublicReader, request: Request, reader: Reader) -> Response:
    """The publication: name, logo, menu, and the labels that articles print unless they have their own."""
    return conditional.answer(request, answers.encode(site.load(reader).document.model_dump()), surrogate_keys="site")


@router.get("/v1/manage/site", summary="Read the site to change it", responses={200: {"model": Site}})
def read_managed_site(_: DraftReader, reader: Reader) -> Response:
    """The site's document with its version as ETag."""
    stored = site.load(reader)
    return answers.resource(stored.document.model_dump(), stored.version)


@router.put(
    "/v1/manage/site",
    summary="Replace the site",
    responses={200: {"model": Site}},
    openapi_extra=bodies.openapi_body(Site, examples={"サイト": {"name": "菊ダイジェスト"}}),
)
def replace_site(_: Admin, match: IfMatch, document: Document, writer: Writer) -> Response:
    """Replace the site's document; what is left out takes its default. A rule for a check nobody knows is refused."""
    checks.demand_known(document.checks, site.load(writer).document.checks)
    stored = site.save(writer, document, match)
    return answers.resource(stored.document.model_dump(), stored.version)
