"""Working copies of whole articles: list, create, read, replace, change, trash, purge.

Publishing is in ``publishing.py``; what readers get is in ``published.py``.
"""

from dataclasses import astuple
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.articles import drafts, listing, tags
from app.articles.document import EXAMPLE, ArticleInput, WorkingCopy
from app.articles.drafts import Draft
from app.articles.fields import Instant, Slug, Status
from app.errors import Fault, Invalid, PreconditionRequired, Stale
from app.publishing import lifecycle
from app.validation import validated
from app.wire import answers, bodies, paging
from app.wire.caller import DraftReader, Editor
from app.wire.conditional import IfMatch, OptionalMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/articles", tags=["working copies"], route_class=IdempotentRoute)

Document = Annotated[ArticleInput, Depends(bodies.json_body(ArticleInput))]
DocumentPatch = Annotated[bodies.Patch, Depends(bodies.patch_body)]


class ArticleListQuery(paging.ListQuery):
    """The filters of a list of working copies."""

    status: Status | None = None
    tag: Slug | None = None
    updated_after: Instant | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@router.get("", summary="List working copies", responses={200: {"model": listing.SummaryList}})
def list_working_copies(
    _: DraftReader, request: Request, query: Annotated[ArticleListQuery, Query()], reader: Reader
) -> Response:
    """Working copies of every status, the latest saved first: a summary and the facts of each.

    ``q`` finds a substring of title, lead, headings, slug or external ids, whatever case or width it is
    typed in. ``updated_after`` is inclusive.
    """
    tag = query.tag and tags.followed(reader, [query.tag])[0]
    filters = listing.Filters(query.status, tag, query.updated_after, query.q)
    bound = paging.bound_to("working-copies", *astuple(filters))
    after = paging.position(query.cursor, bound, (str, str))
    found = listing.latest(reader, filters, after, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: listing.count(reader, filters, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


@router.post(
    "",
    status_code=201,
    summary="Create an article",
    responses={201: {"model": WorkingCopy}},
    openapi_extra=bodies.openapi_body(ArticleInput, examples={"記事": EXAMPLE}),
)
def create_article(_: Editor, document: Document, writer: Writer) -> Response:
    """Store a new article as a draft, version 1. Only ``title`` is required.

    A citation's source may be given inline by its ``url``: it is looked up in the ledger by its canonical
    form and made where it is not known yet. Nothing is stored unless all of it can be.
    """
    return _created(drafts.create(writer, document))


@router.get("/{key}", summary="Read a working copy", responses={200: {"model": WorkingCopy}})
def read_working_copy(_: DraftReader, key: str, reader: Reader) -> Response:
    """The whole working copy; ``key`` is its id, its slug or ``ext:{system}:{id}``.

    The answer can be edited and sent back by PUT; its ETag is what ``If-Match`` wants.
    """
    return _answer(drafts.load(reader, key))


@router.put(
    "/{key}",
    summary="Replace a working copy",
    responses={200: {"model": WorkingCopy}, 201: {"model": WorkingCopy, "description": "Created."}},
    openapi_extra=bodies.openapi_body(ArticleInput, examples={"記事": EXAMPLE}),
)
def replace_article(_: Editor, key: str, match: OptionalMatch, document: Document, writer: Writer) -> Response:
    """Replace the whole document; what is left out takes its default, children not listed are deleted.

    By ``ext:{system}:{id}`` without a precondition the article is created (201) or replaced (200);
    ``If-None-Match: *`` only creates. By id or slug ``If-Match`` is required.
    """
    if not key.startswith(drafts.EXTERNAL):
        if not match.given:
            raise PreconditionRequired(
                "precondition-required", "This write needs If-Match with the version it changes."
            )
        return _answer(drafts.save(writer, key, document, match.if_match))
    named = _named_by(key, document)
    writer.hold(key)  # of two that find nothing there only one may create
    there = drafts.find_id(writer, key) is not None
    if there and match.only_create:
        raise drafts.existing(writer, key)
    if there:
        return _answer(drafts.save(writer, key, named, match.if_match))
    if match.given:
        raise Stale(None)
    return _created(drafts.create(writer, named))


@router.patch(
    "/{key}",
    summary="Change a working copy",
    responses={200: {"model": WorkingCopy}},
    openapi_extra=bodies.openapi_patch({"題を変える": {"title": "菊まつりの歩き方"}}),
)
def change_article(_: Editor, key: str, match: IfMatch, patch: DocumentPatch, writer: Writer) -> Response:
    """Change parts of the document: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902).

    A merge patch replaces arrays whole; children keep their ids by the same rule as in PUT.
    """

    def edit(stored: Draft) -> ArticleInput:
        return validated(ArticleInput, bodies.apply(patch, stored.resource()))

    return _answer(drafts.change(writer, key, match, edit))


@router.delete("/{key}", status_code=204, summary="Trash or purge an article")
def delete_article(caller: Editor, key: str, match: IfMatch, writer: Writer, *, purge: bool = False) -> Response:
    """Put the article into the trash, taking it from the readers; ``purge=true`` removes a trashed one for good.

    Withdrawing a published article and purging need scope ``publish``.
    """
    if purge:
        caller.require("publish")
        draft = drafts.load(writer, key)
        drafts.demand(draft, match)
        drafts.purge(writer, draft)
    else:
        lifecycle.trash(writer, key, match, lambda: caller.require("publish"))
    return Response(status_code=204)


def _named_by(key: str, document: ArticleInput) -> ArticleInput:
    """The document with the external id it was addressed by.

    Raises: Invalid (``external-id-mismatch``) where it names another id of that system.
    """
    system, _, external_id = key.removeprefix(drafts.EXTERNAL).partition(":")
    if document.external_ids.get(system, external_id) != external_id:
        detail = "The document's external id of this system is not the one in the address."
        fault = Fault("external-id-mismatch", detail, pointer=f"/external_ids/{system}")
        raise Invalid("validation", detail, (fault,))
    external_ids = {**document.external_ids, system: external_id}
    # Only the id comes from the address: it is held against the rule of its field, not the document again.
    validated(ArticleInput, {"title": "", "external_ids": external_ids})
    return document.model_copy(update={"external_ids": external_ids})


def _created(draft: Draft) -> Response:
    location = {"Location": f"/v1/manage/articles/{draft.id}"}
    return answers.resource(draft.resource(), draft.version, status=201, headers=location)


def _answer(draft: Draft) -> Response:
    return answers.resource(draft.resource(), draft.version)
