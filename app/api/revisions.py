"""The revisions of an article: list, read, compare, restore.

What is saved now is read in ``articles.py``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.articles import comparison, drafts, restoration, revisions
from app.articles.document import WorkingCopy
from app.articles.restoration import Restoration
from app.wire import answers, bodies, paging
from app.wire.caller import DraftReader, Editor
from app.wire.conditional import IfMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/articles/{key}/revisions", tags=["revisions"], route_class=IdempotentRoute)

_NEWEST = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=_NEWEST)]


class DiffQuery(BaseModel):
    """What a revision is compared with."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[int | None, Field(ge=1, le=_NEWEST, description="Another revision; the latest by default.")] = None


class Diff(BaseModel):
    """What differs between two revisions of an article."""

    earlier: int
    later: int
    changes: list[comparison.Change]


@router.get("", summary="List revisions", responses={200: {"model": revisions.RevisionList}})
def list_revisions(
    _: DraftReader, request: Request, key: str, query: Annotated[paging.ListQuery, Query()], reader: Reader
) -> Response:
    """The revisions of the article, the latest first: who saved it, when, and why (`Kiku-Reason`), if that was said."""
    article_id = drafts.load(reader, key).id
    bound = paging.bound_to("revisions", article_id)
    after = paging.position(query.cursor, bound, (int,))
    found = revisions.latest(reader, article_id, after[0] if after else None, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: revisions.count(reader, article_id, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


@router.get("/{number}", summary="Read a revision", responses={200: {"model": revisions.Revision}})
def read_revision(_: DraftReader, key: str, number: Number, reader: Reader) -> Response:
    """The document as it was saved then; revision 3 is version 3."""
    return answers.resource(revisions.load(reader, drafts.load(reader, key).id, number), None)


@router.get("/{number}/diff", summary="Compare revisions", responses={200: {"model": Diff}})
def compare_revisions(
    _: DraftReader, key: str, number: Number, query: Annotated[DiffQuery, Query()], reader: Reader
) -> Response:
    """What differs from this revision to another one, in the words of a digest.

    `section.moved`, `key_point.changed`, `takeaway.removed` and so on: a part is the same as long as its id is. Of a
    text that changed, `text` tells character by character what stayed, went and came.
    """
    draft = drafts.load(reader, key)
    to = query.to or draft.version
    earlier, later = (revisions.document(reader, draft.id, each) for each in (number, to))
    diff = Diff(earlier=number, later=to, changes=comparison.compare(earlier, later))
    return answers.resource(diff.model_dump(), None)


@router.post(
    "/{number}/restore",
    summary="Restore a revision",
    responses={200: {"model": WorkingCopy}},
    openapi_extra=bodies.openapi_body(
        Restoration,
        examples={"一節だけ": {"parts": ["/sections/01a20952-730d-73de-8611-1d33b4d4b762"]}},
        required=False,
    ),
)
def restore_revision(
    _: Editor,
    key: str,
    number: Number,
    match: IfMatch,
    wanted: Annotated[Restoration, Depends(bodies.json_body(Restoration, optional=True))],
    writer: Writer,
) -> Response:
    """Save the article as it was then, as its next version; with `parts` only those, and newer work elsewhere stays.

    A part that is there stays where it is and says what it said; one that is gone comes back where it stood.
    """
    draft = restoration.restore(writer, key, number, wanted.parts, match)
    return answers.resource(draft.resource(), draft.version)
