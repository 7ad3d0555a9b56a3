"""Doors in: digest pages become working copies.

What a page means is decided in ``app/publishing/transfer.py`` and ``app/formats``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.articles import drafts, site
from app.articles.document import Shape, SiteLabels
from app.database import Reader as LookUp
from app.errors import Fault, Malformed
from app.formats import digest_html
from app.publishing import transfer
from app.publishing.checks import Terms
from app.wire import answers, bodies, sessions
from app.wire.caller import Editor
from app.wire.idempotency import IdempotentRoute
from app.wire.negotiation import Spoken
from app.wire.sessions import Writer

router = APIRouter(prefix="/v1/manage/imports", tags=["transfer"], route_class=IdempotentRoute)

MEDIA_TYPES = ("text/plain", "text/html")
PAGE = """菊まつりの歩き方

十月の終わり、町は菊の香りに包まれます。

千輪咲きの秘密

千輪咲き、今年も公開

✅ 一株に千百二十輪が咲いた。

さらに読む ⇒菊新聞出典/画像元: https://news.example.jp/kiku/2024/10/20

園芸課が一年をかけて育てました。
"""
PAGE_HTML = "<h1>菊まつりの歩き方</h1><p>…</p>"


class PlacedLine(Shape):
    """A line of the page, counted from 1 with blank lines, and the field it went to."""

    number: int
    pointer: str


class UnmatchedLine(Shape):
    """A line that found no field."""

    number: int
    text: str


class ImportedPage(Shape):
    """What became of one page; ``pages`` counts those that can be read."""

    article_id: str
    slug: str
    created: bool
    pages: int
    lines: list[PlacedLine]
    unmatched: list[UnmatchedLine]
    warnings: list[transfer.ImportWarning]


class ImportAnswer(Shape):
    """What became of each page that was sent."""

    items: list[ImportedPage]


RawPage = Annotated[bodies.RawBody, Depends(bodies.raw_body(bodies.IMPORT_BYTES, MEDIA_TYPES))]
PageNumber = Annotated[int | None, Query(alias="page", ge=1)]


async def _read_page(
    request: Request, _: Editor, raw: RawPage, into: str | None = None, number: PageNumber = None
) -> transfer.Incoming:
    """The page, read before the Writer is opened: a large one must not keep the other writers waiting."""
    if (into is None) != (number is None):
        fault = Fault("required", "into and page go together.", parameter="page" if into else "into")
        raise Malformed("parameter-invalid", "A parameter is missing.", (fault,))

    def look(reader: LookUp) -> tuple[SiteLabels, str | None]:
        return site.load(reader).document.labels, None if into is None else drafts.load(reader, into).document.title

    labels, title = await sessions.look_up(request, look)
    decode = digest_html.text_of if raw.media_type == "text/html" else digest_html.decoded
    return await run_in_threadpool(lambda: transfer.read(decode(raw.content, raw.charset), labels, part_of=title))


Page = Annotated[transfer.Incoming, Depends(_read_page)]


@router.post(
    "",
    status_code=201,
    summary="Import a digest page",
    responses={
        200: {"model": ImportAnswer, "description": "The page is known: its article, unchanged."},
        201: {"model": ImportAnswer},
    },
    openapi_extra=bodies.openapi_raw({"text/plain": PAGE, "text/html": PAGE_HTML}),
)
def import_page(
    caller: Editor,
    incoming: Page,
    spoken: Spoken,
    writer: Writer,
    *,
    publish: bool = False,
    into: str | None = None,
    number: PageNumber = None,
) -> Response:
    """Turn a digest page (plain text or HTML) into a working copy, and publish it with ``publish=true``.

    The answer tells for every line which field it went to. A page that came in before (the same lines,
    blank ones and outer spaces aside) answers the article it became, with ``created`` false, and changes
    nothing. ``into`` and ``page`` fill a page that an article has announced. What is not a digest page is
    refused with what was missing, and nothing is stored.
    """
    if publish:
        caller.require("publish")
    terms = Terms(spoken) if publish else None
    if into is not None and number is not None:
        item = transfer.import_into(writer, into, number, incoming, publish=terms)
    else:
        item = transfer.import_page(writer, incoming, publish=terms)
    headers = {"Location": f"/v1/manage/articles/{item['article_id']}"}
    return answers.resource({"items": [item]}, None, status=201 if item["created"] else 200, headers=headers)
