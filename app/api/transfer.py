"""Doors in and out: digest pages become working copies, bundles are brought in, all there is is sent out.

What a page means is decided in ``app/publishing/transfer.py`` and ``app/formats``, what a line of a bundle does in
``incoming.py``, what is sent out in ``outgoing.py``, both there.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.articles import drafts, site
from app.articles.document import ArticleDocument, Shape, SiteLabels
from app.articles.fields import new_id
from app.database import Reader as LookUp
from app.delivery import shapes
from app.errors import Busy, Fault, KikuError, Malformed, TooLarge
from app.formats import bundle, digest_html, markdown_reading
from app.formats.page_report import PageReport
from app.publishing import import_jobs, incoming, outgoing, transfer
from app.publishing.checks import Terms
from app.publishing.incoming import Import, Permit, Report
from app.sync import uploads
from app.sync.jobs import Job
from app.wire import answers, bodies, sessions
from app.wire.caller import DraftReader, Editor
from app.wire.downloads import Download
from app.wire.idempotency import IdempotentRoute
from app.wire.negotiation import Spoken
from app.wire.sessions import Exporter, Writer

router = APIRouter(prefix="/v1/manage", tags=["transfer"], route_class=IdempotentRoute)

MARKDOWN = "text/markdown"
MEDIA_TYPES = ("text/plain", "text/html", MARKDOWN, bundle.MEDIA_TYPE)
AT_ONCE_BYTES, AT_ONCE_LINES = 1_048_576, 500
"""A bundle of so many bytes and lines at most is brought in by its request, in one transaction; others by a job."""
PAGE = """菊まつりの歩き方

十月の終わり、町は菊の香りに包まれます。

千輪咲きの秘密

千輪咲き、今年も公開

✅ 一株に千百二十輪が咲いた。

さらに読む ⇒菊新聞出典/画像元: https://news.example.jp/kiku/2024/10/20

園芸課が一年をかけて育てました。
"""
PAGE_HTML = "<h1>菊まつりの歩き方</h1><p>…</p>"
ARTICLE = """---
slug: kiku-matsuri
tags: [菊, 秋]
---

# 菊まつりの歩き方

一日で巡る三つの会場。

## 千輪咲きの秘密

園芸課が一年をかけて育てました。
"""
BUNDLE = """{"kind":"header","format":1}
{"kind":"article","document":{"title":"菊まつりの歩き方","external_ids":{"cms":"4711"}}}
"""


class ImportedPage(PageReport):
    """What became of one page, and the article it is."""

    article_id: str
    slug: str
    created: bool


class ImportAnswer(Shape):
    """What became of each page that was sent."""

    items: list[ImportedPage]


PageNumber = Annotated[int | None, Query(alias="page", ge=1)]
Atomic = Annotated[bool, Query(description="Of a bundle every line, or none.")]


@dataclass(frozen=True)
class Bundle:
    """A bundle that was received: its bytes, or of a larger one the id of the job that will read them."""

    content: bytes
    job_id: str | None
    lines: int


async def _receive(
    request: Request,
    caller: Editor,
    into: str | None = None,
    number: PageNumber = None,
    *,
    publish: bool = False,
    atomic: Atomic = False,
    dry_run: sessions.DryRun = False,
) -> AsyncIterator[transfer.Incoming | ArticleDocument | Bundle]:
    """What was sent, read before the Writer is opened: a large page must not keep the other writers waiting.

    When the Writer's transaction has ended, a body is forgotten of which it made no job: the request was refused, or
    answered before.
    """
    if publish:
        caller.require("publish")
    sent = await bodies.stream(request, bodies.IMPORT_BYTES, MEDIA_TYPES)
    if (into is None) != (number is None):
        fault = Fault("required", "into and page go together.", parameter="page" if into else "into")
        raise Malformed("parameter-invalid", "A parameter is missing.", (fault,))
    if sent.media_type not in {MARKDOWN, bundle.MEDIA_TYPE}:
        yield await _read_page(request, await sent.whole(), into)
        return
    if into is not None:
        fault = Fault("page-only", "Only a digest page goes into an article.", parameter="into")
        raise Malformed("parameter-invalid", "A parameter is for digest pages only.", (fault,))
    if sent.media_type == MARKDOWN:
        file = await sent.whole()
        yield await run_in_threadpool(lambda: markdown_reading.read(digest_html.decoded(file.content, file.charset)))
        return
    caller.require_all()
    received = await _read_bundle(request, sent.chunks, whole=atomic or dry_run)
    try:
        yield received
    finally:
        if received.job_id is not None:
            await _forget_unread(request, received.job_id)


async def _read_page(request: Request, page: bodies.RawBody, into: str | None) -> transfer.Incoming:
    def look(reader: LookUp) -> tuple[SiteLabels, str | None]:
        return site.load(reader).document.labels, None if into is None else drafts.load(reader, into).document.title

    labels, title = await sessions.look_up(request, look)
    decode = digest_html.text_of if page.media_type == "text/html" else digest_html.decoded
    return await run_in_threadpool(lambda: transfer.read(decode(page.content, page.charset), labels, part_of=title))


async def _read_bundle(request: Request, chunks: AsyncIterator[bytes], *, whole: bool) -> Bundle:
    """A short bundle as it is; of a longer one the pieces are stored as they come. Its header is judged.

    ``whole``: it will be one transaction, for which only a short one is taken. Raises: TooLarge; Malformed; Invalid.
    """
    content, job_id = bytearray(), new_id()
    async for chunk in chunks:
        content += chunk
        if len(content) > AT_ONCE_BYTES or content.count(b"\n") > AT_ONCE_LINES:
            break
    else:
        _demand_header(content)
        return Bundle(bytes(content), None, 0)
    if whole:
        most = f"{AT_ONCE_BYTES:,} bytes and {AT_ONCE_LINES:,} lines"
        detail = f"In one transaction, or only to be tried, a bundle has at most {most}."
        raise TooLarge("too-large", detail)
    _demand_header(content)
    try:
        return Bundle(b"", job_id, await _store(request, job_id, content, chunks))
    except KikuError:  # what broke off, or was too large, no job will read
        await sessions.store(request, partial(uploads.drop, job_id=job_id))
        raise


async def _store(request: Request, job_id: str, waiting: bytearray, chunks: AsyncIterator[bytes]) -> int:
    """Keep a body, of which a part was read, for a job; the number of its lines."""
    pieces, lines, last, ended = 0, waiting.count(b"\n"), b"", False
    while True:
        while not ended and len(waiting) < uploads.PIECE_BYTES:
            chunk = await anext(chunks, None)
            ended = chunk is None
            waiting += chunk or b""
            lines += (chunk or b"").count(b"\n")
        if not waiting:
            break
        last = bytes(waiting[: uploads.PIECE_BYTES])
        del waiting[: uploads.PIECE_BYTES]
        await sessions.store(request, partial(uploads.put, job_id=job_id, number=pieces, content=last))
        pieces += 1
    return lines + (not last.endswith(b"\n"))


async def _forget_unread(request: Request, job_id: str) -> None:
    with suppress(Busy):  # then the worker does, after a day
        if await sessions.look_up(request, partial(uploads.is_unread, job_id=job_id)):
            await sessions.store(request, partial(uploads.drop, job_id=job_id))


def _demand_header(content: bytearray) -> None:
    bundle.header(bundle.read(1, bytes(content).partition(b"\n")[0]))


Received = Annotated[transfer.Incoming | ArticleDocument | Bundle, Depends(_receive, scope="function")]


@router.post(
    "/imports",
    status_code=201,
    summary="Import a digest page, a Markdown file or a bundle",
    responses={
        200: {
            "model": ImportAnswer | Report,
            "description": "What was known: its article. A bundle: what became of it.",
        },
        201: {"model": ImportAnswer},
        202: {"model": Job, "description": "A bundle of more than 1 MiB is brought in by a job."},
    },
    openapi_extra=bodies.openapi_raw(
        {"text/plain": PAGE, "text/html": PAGE_HTML, MARKDOWN: ARTICLE, bundle.MEDIA_TYPE: BUNDLE}
    ),
)
def import_documents(
    caller: Editor,
    received: Received,
    spoken: Spoken,
    writer: Writer,
    *,
    publish: bool = False,
    into: str | None = None,
    number: PageNumber = None,
    atomic: Atomic = False,
) -> Response:
    """Turn a digest page (plain text or HTML) or a Markdown file into a working copy, or bring in a bundle (NDJSON).

    **A page.** The answer tells for every line which field it went to. A page that came in before (the same lines,
    blank ones and outer spaces aside) answers the article it became, with `created` false, and changes
    nothing. `into` and `page` fill a page that an article has announced. What is not a digest page is
    refused with what was missing, and nothing is stored. `publish=true` publishes it.

    **A Markdown file** is an article, as `.md` of a published one is; one whose id or external id is here already is
    saved, as by a PUT.

    **A bundle** begins with a header line; each further line is stored whole or not at all, once however often it is
    sent, and those that were refused are told by their numbers. With `atomic=true` one that is refused undoes all.
    `publish=true` publishes articles that come without `life`. Lines other than such articles need scope `admin`.
    """
    terms = Terms(spoken) if publish else None
    if isinstance(received, Bundle):
        return _bring(writer, received, Permit(caller.allows("admin"), terms), atomic=atomic)
    if isinstance(received, ArticleDocument):
        item = _bring_file(writer, received, terms)
    elif into is not None and number is not None:
        item = transfer.import_into(writer, into, number, received, publish=terms)
    else:
        item = transfer.import_page(writer, received, publish=terms)
    headers = {"Location": f"/v1/manage/articles/{item['article_id']}"}
    return answers.resource({"items": [item]}, None, status=201 if item["created"] else 200, headers=headers)


def _bring_file(writer: Writer, document: ArticleDocument, terms: Terms | None) -> dict[str, Any]:
    outcome, article_id = incoming.bring_document(writer, document, terms)
    draft = drafts.load(writer, article_id)
    pages = len(shapes.readable(draft.document.model_dump()))
    item = ImportedPage(
        article_id=draft.id, slug=str(draft.document.slug), created=outcome == "created", pages=pages,
        lines=[], unmatched=[], warnings=[],
    )  # fmt: skip
    return item.model_dump()


def _bring(writer: Writer, received: Bundle, permit: Permit, *, atomic: bool) -> Response:
    if received.job_id is not None:
        job = import_jobs.submit(writer, received.job_id, permit, received.lines)
        return answers.resource(
            job.resource(), None, status=202, headers={"Location": f"{router.prefix}/jobs/{job.id}"}
        )
    work = Import(permit)
    work.bring(writer, bundle.split([received.content]))
    if atomic:
        work.demand()
    return answers.resource(work.report.model_dump(), None)


@router.get(
    "/exports",
    summary="Export all there is",
    status_code=200,  # else FastAPI looks for it in the class's signature
    response_class=Download,
    responses={200: {"content": {bundle.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def export(caller: DraftReader, reader: Exporter, *, revisions: bool = False) -> Download:
    """All there is as a bundle (NDJSON), one moment of the database: site, ledger, articles, collections.

    Of an article its working copy, what readers see, its life, its slugs; with `revisions=true` also what was ever
    saved of it. What is brought in elsewhere is there the same to the byte. Keys, the audit, jobs, webhooks and preview
    links are not in it. One export is answered at a time, others wait, or get 503; one of which nothing is taken for 30
    seconds is broken off.
    """
    caller.require_all()
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="kiku.ndjson"'}
    return Download(outgoing.lines(reader, with_revisions=revisions), headers, bundle.MEDIA_TYPE)
